"""`leerbudget round …`: a matching round as the coordinator runs it."""

import gzip
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from leerbudget.entrypoints.cli.files import whole_file
from leerbudget.entrypoints.cli.values import Day, FiniteRange, Line
from leerbudget.entrypoints.cli.with_database import with_database
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.rounds import actions, queries
from leerbudget.rounds.solving import SolveLimits

SEED_MAX = 2**31 - 2
"""The largest that `leerbudget match solve` takes."""


@click.group(name="round")
def round_() -> None:
    """Matching rounds: open, freeze, solve, show, publish, replay."""


@round_.command("open")
@click.option("--name", type=Line(120), required=True, help="What people call this round.")
@click.option("--from", "starts_on", type=Day(), required=True, help="First day of the sessions in it.")
@click.option("--until", "ends_on", type=Day(), required=True, help="Last day on which a session may start.")
@click.option("--seed", type=click.IntRange(0, SEED_MAX), required=True, help="Published with the outcome.")
def open_(name: str, starts_on: date, ends_on: date, seed: int) -> None:
    """Open a round; prints its id."""
    round_id = new_id()

    async def work() -> None:
        await actions.open_round(round_id, name=name, starts_on=starts_on, ends_on=ends_on, seed=seed, actor=None)

    with_database(work)
    click.echo(str(round_id))


@round_.command()
@click.argument("round_id", type=click.UUID)
def freeze(round_id: UUID) -> None:
    """Write down everything the round decides on."""
    seekers = with_database(lambda: actions.freeze(round_id, actor=None))
    click.echo(f"frozen: {seekers} seekers")


@round_.command()
@click.argument("round_id", type=click.UUID)
@click.option("--seconds", type=click.IntRange(1, 86_400), default=60, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--gap", type=FiniteRange(0, 1), default=0.0005, show_default=True)
@click.pass_context
def solve(context: click.Context, round_id: UUID, seconds: int, workers: int, gap: float) -> None:
    """Solve the frozen round and audit the outcome. Exit code 1 when the audit rejects it."""

    async def work() -> list[str]:
        await actions.solve(round_id, SolveLimits(seconds, workers, gap), actor=None)
        return await actions.check(round_id, actor=None)

    violations = with_database(work)
    for violation in violations[:20]:
        click.echo(violation, err=True)
    click.echo("audited: sound" if not violations else f"rejected: {len(violations)} violations")
    context.exit(1 if violations else 0)


@round_.command()
@click.argument("round_id", type=click.UUID, required=False)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def show(round_id: UUID | None, *, as_json: bool) -> None:
    """Show one round with its numbers, or all rounds in a line each."""
    report = with_database(lambda: _report(round_id), role="reader")
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, default=str))
        return
    for line in report:
        click.echo("  ".join(f"{key}={value}" for key, value in line.items() if value not in (None, {}, [], ())))


@round_.command()
@click.argument("round_id", type=click.UUID)
@click.option("--answer-days", type=click.IntRange(1, 60), default=7, show_default=True)
def publish(round_id: UUID, answer_days: int) -> None:
    """Offer every proposal to its family."""

    async def work() -> tuple[int, int]:
        view = await queries.round_view(round_id)
        resumed = view.answer_until if view is not None and view.state == "published" else None
        until = resumed or clock.end_of_day(clock.today() + timedelta(days=answer_days))
        return await actions.publish(round_id, answer_until=until, actor=None)

    offered, refused = with_database(work)
    click.echo(f"offered: {offered}, refused: {refused}")


@round_.command()
@click.argument("round_id", type=click.UUID)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True, help="Folder for the files.")
def replay(round_id: UUID, out: Path) -> None:
    """Write the frozen instance and the outcome as files for `leerbudget match`."""
    found = with_database(lambda: queries.files(round_id), role="reader")
    if found[0] is None:
        raise click.ClickException("this round is unknown or was never frozen")
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, content in zip(("instance", "outcome"), found, strict=True):
            if content is not None:
                place = out / f"{name}.json"
                with whole_file(place) as file:
                    file.write(gzip.decompress(content))
                click.echo(str(place))
    except (FileExistsError, NotADirectoryError, PermissionError) as failure:
        raise click.UsageError(f"{out}: {failure.strerror}") from failure


async def _report(round_id: UUID | None) -> list[dict[str, Any]]:
    if round_id is None:
        return [_line(view) for view in await queries.rounds()]
    view = await queries.round_view(round_id)
    if view is None:
        raise click.ClickException("this round is unknown")
    totals = await queries.totals(round_id)
    reasons = await queries.unplaced_reasons(round_id)
    return [
        _line(view)
        | {
            "families": totals.families,
            "families_placed": totals.families_placed,
            "wishes": totals.wishes,
            "placed": totals.placed,
            "by_state": dict(totals.by_state),
            "refusals": dict(totals.refusals),
            "unplaced_reasons": {reason.code: reason.wishes for reason in reasons},
            "violations": list(view.violations),
        }
    ]


def _line(view: queries.RoundView) -> dict[str, Any]:
    keys = ("round", "name", "state", "seed", "starts_on", "ends_on", "answer_until", "score", "bound", "gap")
    return {key: getattr(view, key) for key in keys}
