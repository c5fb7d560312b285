"""`leerbudget match …`: matching rounds from files, without a database."""

import csv
import sys
from pathlib import Path
from typing import Any, BinaryIO

import click
import msgspec

from leerbudget.entrypoints.cli import match_compare, match_radar, match_staffing
from leerbudget.entrypoints.cli.files import file_argument, out_argument
from leerbudget.entrypoints.cli.match_files import (
    bytes_in,
    instance_in,
    outcome_in,
    progress,
    refusals,
    refuse_without_folder,
    stop_asked,
    tell_json,
    tell_summary,
    tell_violations,
    write_to,
)
from leerbudget.entrypoints.cli.values import FiniteRange
from leerbudget.matcher.audit import audit
from leerbudget.matcher.instance import Instance, to_json
from leerbudget.matcher.outcome import Outcome, Placement, Reason, Unplaced, gap_of


@click.group()
def match() -> None:
    """Solve, check and explain matching rounds from files; no database needed (docs/matching.md)."""


for _command in (*match_compare.COMMANDS, *match_radar.COMMANDS, *match_staffing.COMMANDS):
    match.add_command(_command)


@match.command()
@click.argument("instance", type=file_argument)
@click.option("--out", type=out_argument, help="Write the outcome here (default: screen).")
@click.option("--seconds", type=FiniteRange(0.1, 86_400), default=60.0, show_default=True)
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="At most so many cores.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 2), default=0, show_default=True)
@click.option("--gap", type=FiniteRange(0, 1), default=1e-4, show_default=True, help="Proven gap to stop at.")
@click.option("--keep", type=file_argument, help="OUTCOME of before: move its proposals only for something better.")
@click.option("--json", "as_json", is_flag=True, help="Summary as one JSON object (with --out).")
def solve(
    *,
    instance: Path,
    out: Path | None,
    seconds: float,
    workers: int,
    seed: int,
    gap: float,
    keep: Path | None,
    as_json: bool,
) -> None:
    """Find the best outcome of INSTANCE; Ctrl-C or SIGTERM ends the search with the best one so far, a second one at once."""
    refuse_without_folder(out)
    with refusals(instance), stop_asked() as stop:
        from leerbudget.matcher import solving

        question = instance_in(instance)
        before = None if keep is None else outcome_in(keep)
        limits = solving.Limits(seconds=seconds, gap=gap, seed=seed, workers=workers, keep=before)
        outcome = solving.solve(question, limits, progress(), stop)
    if out is None:
        sys.stdout.buffer.write(to_json(outcome) + b"\n")
        return
    write_to(out, lambda file: file.write(to_json(outcome)))
    tell_summary(question, outcome, as_json=as_json)


@match.command("audit")
@click.argument("instance", type=file_argument)
@click.argument("outcome", type=file_argument)
@click.option("--certificate", is_flag=True, help="Also add up the certificate: do its prices prove the bound?")
@click.option("--json", "as_json", is_flag=True, help="Violations as one JSON list.")
@click.pass_context
def audit_(context: click.Context, instance: Path, outcome: Path, *, certificate: bool, as_json: bool) -> None:
    """Check OUTCOME against every rule of INSTANCE; exit code 1 when anything is wrong."""
    from leerbudget.matcher.certificates import check_certificate

    question, answer = instance_in(instance), outcome_in(outcome)
    violations = [*audit(question, answer), *(check_certificate(question, answer) if certificate else ())]
    tell_violations(violations, as_json=as_json)
    if not (as_json or violations) and certificate and answer.certificate is not None:
        proven = gap_of(answer.score, answer.certificate.bound)
        click.echo(f"the prices prove the bound {answer.certificate.bound}: a gap of {proven:.4%}")
    context.exit(1 if violations else 0)


@match.command()
@click.argument("instance", type=file_argument)
@click.option("--out", type=out_argument, required=True, help="TABLE.csv or TABLE.npz (numpy).")
def candidates(instance: Path, out: Path) -> None:
    """Write every placement that is possible by itself, with its points."""
    import numpy as np

    from leerbudget.matcher.arrays import arrays_of
    from leerbudget.matcher.candidates import candidates_of
    from leerbudget.matcher.listing import listing

    if out.suffix not in {".csv", ".npz"}:
        raise click.UsageError(f"{out}: the name must end in .csv or .npz")
    arrays = arrays_of(instance_in(instance))
    table = candidates_of(arrays)
    columns: Any = listing(arrays, table)
    if out.suffix == ".npz":
        write_to(out, lambda file: np.savez_compressed(file, allow_pickle=False, **columns))
    else:
        write_to(out, lambda file: _write_csv(file, columns))
    click.echo(f"{len(table)} candidates in {out}", err=True)


def _write_csv(file: BinaryIO, columns: Any) -> None:
    class Lines:
        def write(self, line: str) -> int:
            return file.write(line.encode())

    writer = csv.writer(Lines())
    writer.writerow(columns)
    writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))


@match.command()
@click.argument("instance", type=file_argument)
@click.argument("outcome", type=file_argument)
@click.option("--seeker", help="Id of the seeker.")
@click.option("--review", is_flag=True, help="Instead: the wishes that a person should look at again.")
@click.option("--json", "as_json", is_flag=True, help="Placements and unplaced wishes as one JSON object.")
def explain(instance: Path, outcome: Path, seeker: str | None, *, review: bool, as_json: bool) -> None:
    """Say why SEEKER got what it got, and what would have helped."""
    if review == (seeker is not None):
        raise click.UsageError("give one of --seeker and --review")
    question, answer = instance_in(instance), outcome_in(outcome)
    if seeker is None:
        _tell_review(answer, as_json=as_json)
        return
    _known(question, seeker)
    if not any([told.reasons for told in answer.placements] + [told.reasons for told in answer.unplaced]):
        from leerbudget.matcher import solving

        try:
            answer = solving.explained(question, answer)
        except KeyError:
            raise click.UsageError(f"{outcome}: this outcome breaks the rules; see `leerbudget match audit`") from None
    placed = [p for p in answer.placements if p.seeker == seeker]
    unplaced = [u for u in answer.unplaced if u.seeker == seeker]
    if as_json:
        tell_json({"placements": placed, "unplaced": unplaced})
    else:
        _tell_reasons(placed, unplaced)


def _tell_review(answer: Outcome, *, as_json: bool) -> None:
    """The unlucky ones: at the prices of the outcome a place would have been worth it."""
    from leerbudget.matcher.explain import review_list

    found = review_list(answer)
    if as_json:
        rows = [{"seeker": one.seeker, "wish": one.wish, "missed_points": one.missed_points} for one in found]
        tell_json(rows)
        return
    for one in found:
        click.echo(f"{one.seeker} {one.wish}  gemist: {one.missed_points} punten")
        _tell(one.unplaced.reasons)
    click.echo(f"{len(found)} wishes for a person to look at")


@match.command()
@click.argument("instance", type=file_argument)
@click.option("--weights", type=file_argument, required=True, help="WEIGHTS.json (docs/gewichten.md).")
@click.option("--out", type=out_argument, required=True, help="INSTANCE.json or INSTANCE.json.gz.")
def weigh(instance: Path, weights: Path, out: Path) -> None:
    """Write INSTANCE with the weights of a file in place of its own, to solve and compare."""
    from leerbudget.matcher.criteria.weights import weights_of
    from leerbudget.matcher.weights_file import read_weights, warnings_nl

    question = instance_in(instance)
    with refusals(weights):
        chosen = read_weights(bytes_in(weights))
    weighed = msgspec.structs.replace(question, policy=msgspec.structs.replace(question.policy, weights=chosen))
    for warning in warnings_nl(weights_of(weighed)):
        click.echo(warning, err=True)
    write_to(out, lambda file: file.write(to_json(weighed)))


def _tell_reasons(placed: list[Placement], unplaced: list[Unplaced]) -> None:
    for p in placed:
        click.echo(f"{p.wish} -> {p.session} ({p.score})")
        _tell(p.reasons)
    for u in unplaced:
        click.echo(f"{u.wish} -> geen plek")
        _tell(u.reasons)
        for helped in u.would_have_helped:
            click.echo(f"  * {helped.session}: {helped.sentence}")


def _tell(reasons: list[Reason]) -> None:
    for reason in reasons:
        extra = reason.points if reason.points is not None else reason.sessions
        click.echo(f"  - {reason.sentence} [{reason.code}{'' if extra is None else f' {extra}'}]")


@match.command()
@click.argument("instance", type=file_argument)
@click.option("--seeker", required=True, help="Id of the seeker.")
@click.option("--outcome", type=file_argument, help="An outcome whose placements keep their seats.")
@click.option("--most", type=click.IntRange(1, 1000), default=10, show_default=True, help="Per wish.")
@click.option("--json", "as_json", is_flag=True, help="Suggestions as one JSON list.")
def suggest(instance: Path, seeker: str, outcome: Path | None, most: int, *, as_json: bool) -> None:
    """Say which sessions SEEKER could have now, best first."""
    from leerbudget.matcher.suggest import Catalogue
    from leerbudget.matcher.suggest import suggest as suggested

    question = instance_in(instance)
    _known(question, seeker)
    catalogue = Catalogue.of(question, None if outcome is None else outcome_in(outcome))
    suggestions = suggested(catalogue, seeker, most)
    if as_json:
        tell_json(suggestions)
        return
    for s in suggestions:
        waits = "" if s.runs else ", wacht nog op deelnemers"
        click.echo(f"{s.wish} -> {s.session} ({s.score}, nog {s.seats_left} plekken{waits})")
        _tell(s.reasons)
    if not suggestions:
        click.echo("nu geen passende bijeenkomst")


@match.command()
@click.option("--families", type=click.IntRange(0, 1_000_000), required=True)
@click.option("--sessions", type=click.IntRange(0, 100_000), required=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 2), default=0, show_default=True)
@click.option("--contention", type=FiniteRange(0, 1), default=0.2, show_default=True, help="Sessions beside demand.")
@click.option("--wishes", type=FiniteRange(0.1, 2.9), default=1.2, show_default=True, help="Mean number per family.")
@click.option("--out", type=out_argument, required=True, help="INSTANCE.json or INSTANCE.json.gz.")
def generate(*, families: int, sessions: int, seed: int, contention: float, wishes: float, out: Path) -> None:
    """Make a fictional instance; the same seed gives the same one."""
    from leerbudget.fictional.instances import generate_instance

    try:
        made = generate_instance(families, sessions, seed, contention, wishes_mean=wishes)
    except ValueError as refusal:
        raise click.UsageError(str(refusal)) from None
    write_to(out, lambda file: file.write(msgspec.json.encode(made)))
    click.echo(f"{families} families and {sessions} sessions in {out} (fictief)", err=True)


def _known(question: Instance, seeker: str) -> None:
    if all(stated.id != seeker for stated in question.seekers):
        raise click.UsageError(f"--seeker: {seeker!r} is not in the instance")
