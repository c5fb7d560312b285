"""`leerbudget match trainers …`: which trainer for which session; a proposal from a file, never more than that."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from leerbudget.entrypoints.cli.files import file_argument, out_argument
from leerbudget.entrypoints.cli.match_files import (
    bytes_in,
    progress,
    refusals,
    refuse_without_folder,
    sigterm_interrupts,
    tell_json,
    tell_violations,
    write_to,
)
from leerbudget.entrypoints.cli.values import FiniteRange

if TYPE_CHECKING:
    from leerbudget.matcher.staffing import Staffing, StaffingOutcome


@click.command()
@click.argument("staffing", type=file_argument)
@click.option("--out", type=out_argument, help="Write the proposal here (default: screen).")
@click.option("--seconds", type=FiniteRange(0.1, 86_400), default=60.0, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 2), default=0, show_default=True)
@click.option("--gap", type=FiniteRange(0, 1), default=1e-4, show_default=True, help="Proven gap to stop at.")
@click.option("--json", "as_json", is_flag=True, help="Summary as one JSON object (with --out).")
def trainers(*, staffing: Path, out: Path | None, seconds: float, seed: int, gap: float, as_json: bool) -> None:
    """Propose a trainer for every session of STAFFING that needs one; people confirm (docs/trainers-indelen.md)."""
    from leerbudget.matcher.instance import to_json
    from leerbudget.matcher.staffing_assigning import Limits, assign

    refuse_without_folder(out)
    question = _staffing(staffing)
    with sigterm_interrupts():
        outcome = assign(question, Limits(seconds=seconds, gap=gap, seed=seed), progress())
    if out is None:
        sys.stdout.buffer.write(to_json(outcome) + b"\n")
        return
    write_to(out, lambda file: file.write(to_json(outcome)))
    _tell(outcome, as_json=as_json)


def _tell(outcome: "StaffingOutcome", *, as_json: bool) -> None:
    shown = ("places", "filled", "score", "bound", "gap", "wish_gap", "spread", "satisfaction", "seconds", "status")
    if as_json:
        tell_json({name: getattr(outcome, name) for name in shown})
        return
    wishes, spread = outcome.satisfaction, outcome.spread
    click.echo(f"proposal: {outcome.filled} of {outcome.places} places filled; people confirm or change it")
    click.echo(f"score {outcome.score}, bound {outcome.bound}, gap {outcome.gap:.4%}; audit passed")
    click.echo(
        f"wished themes {wishes.themes[0]} of {wishes.themes[1]}, wished regions {wishes.regions[0]} of "
        f"{wishes.regions[1]}, wished minimum reached {wishes.least[0]} of {wishes.least[1]}"
    )
    click.echo(
        f"load of the wished load: lowest {spread.lowest / 100:.0f} %, middle {spread.middle / 100:.0f} %, "
        f"highest {spread.highest / 100:.0f} %; avoidable difference {spread.avoidable / 100:.1f} %"
    )
    click.echo("seconds: " + ", ".join(f"{phase} {spent:.2f}" for phase, spent in outcome.seconds.items()))


@click.command("trainers-audit")
@click.argument("staffing", type=file_argument)
@click.argument("proposal", type=file_argument)
@click.option("--json", "as_json", is_flag=True, help="Violations as one JSON list.")
@click.pass_context
def trainers_audit(context: click.Context, staffing: Path, proposal: Path, *, as_json: bool) -> None:
    """Check PROPOSAL against every rule of STAFFING; exit code 1 when anything is wrong."""
    from leerbudget.matcher.staffing import read_staffing_outcome
    from leerbudget.matcher.staffing_audit import audit_staffing

    question = _staffing(staffing)
    with refusals(proposal):
        outcome = read_staffing_outcome(bytes_in(proposal))
    violations = audit_staffing(question, outcome)
    tell_violations(violations, as_json=as_json)
    context.exit(1 if violations else 0)


@click.command("trainers-generate")
@click.option("--trainers", type=click.IntRange(0, 10_000), required=True)
@click.option("--sessions", type=click.IntRange(0, 100_000), required=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 2), default=0, show_default=True)
@click.option("--out", type=out_argument, required=True, help="STAFFING.json or STAFFING.json.gz.")
def trainers_generate(trainers: int, sessions: int, seed: int, out: Path) -> None:
    """Make a fictional trainer pool and its sessions; the same seed gives the same file."""
    from leerbudget.fictional.staffing import generate_staffing

    made = generate_staffing(trainers=trainers, sessions=sessions, seed=seed)
    write_to(out, lambda file: file.write(msgspec.json.encode(made)))
    click.echo(f"{trainers} trainers and {sessions} sessions in {out} (fictief)", err=True)


def _staffing(file: Path) -> "Staffing":
    from leerbudget.matcher.staffing import read_staffing

    with refusals(file):
        return read_staffing(bytes_in(file))


COMMANDS = (trainers, trainers_audit, trainers_generate)
