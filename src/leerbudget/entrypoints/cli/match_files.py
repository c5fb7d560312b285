"""What the commands of `leerbudget match` share: their files, the watching of a search, the telling of what came out.

Files may be gzipped, coming in (noticed by their content) and going out (by the name `.gz`).
"""

import gzip
import signal
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO, cast

import click
import msgspec

from leerbudget.entrypoints.cli.files import whole_file
from leerbudget.matcher.audit import Violation
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import Instance, read_instance
from leerbudget.matcher.outcome import Outcome, read_outcome

GZIP_MAGIC = b"\x1f\x8b"
SHOWN_MAX = 50


def instance_in(file: Path) -> Instance:
    """The round in the file.

    Raises:
        click.UsageError: it cannot be read or is unsound.
    """
    with refusals(file):
        return read_instance(bytes_in(file))


def outcome_in(file: Path) -> Outcome:
    """The outcome in the file.

    Raises:
        click.UsageError: it cannot be read or is unsound.
    """
    with refusals(file):
        return read_outcome(bytes_in(file))


@contextmanager
def refusals(file: Path) -> Iterator[None]:
    """An unsound file is a mistake of use: one line that says where in the file."""
    try:
        yield
    except InstanceRefused as refusal:
        raise click.UsageError(f"{file}: {refusal}") from None


def bytes_in(file: Path) -> bytes:
    """What the file holds, unpacked.

    Raises:
        click.UsageError: it cannot be read.
    """
    try:
        data = file.read_bytes()
        return gzip.decompress(data) if data.startswith(GZIP_MAGIC) else data
    except (OSError, EOFError, zlib.error, MemoryError) as failure:
        raise click.UsageError(f"{file}: cannot be read: {failure}") from None


def write_to(out: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a whole file, packed if its name asks for it; the same content gives the same bytes.

    Raises:
        click.UsageError: it cannot be written.
    """
    with whole_file(out) as raw:
        if out.suffix != ".gz":
            write(raw)
            return
        with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
            write(cast("BinaryIO", packed))


def refuse_without_folder(out: Path | None) -> None:
    """Say it before a long search, not after.

    Raises:
        click.UsageError: the folder of the file is not there.
    """
    if out is not None and not out.parent.is_dir():
        raise click.UsageError(f"{out}: there is no such folder")


def progress() -> Callable[..., None]:
    """Tells the phases on a terminal only, with score and bound where there are any."""
    watched = sys.stderr.isatty()

    def tell(phase: str, seconds: float, score: int | None = None, bound: int | None = None) -> None:
        if watched:
            reached = "" if bound is None else f"  score {score or '-'}, bound {bound}"
            click.echo(f"  {phase} {seconds:.1f} s{reached}", err=True)

    return tell


@contextmanager
def stop_asked() -> Iterator[Event]:
    """Within the block the first Ctrl-C or SIGTERM sets the event and nothing else; the second one interrupts."""
    asked = Event()

    def stop(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a handler
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Within the block SIGTERM does what Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a handler
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def tell_summary(question: Instance, outcome: Outcome, *, as_json: bool) -> None:
    """The totals of an outcome, for a person or for a program."""
    served = len({p.seeker for p in outcome.placements})
    summary = {
        "seekers": len(question.seekers),
        "served": served,
        "placed": len(outcome.placements),
        "unplaced": len(outcome.unplaced),
        "running": sum(report.runs for report in outcome.sessions),
        "score": outcome.score,
        "bound": outcome.bound,
        "gap": outcome.gap,
        "seconds": outcome.seconds,
    }
    if as_json:
        tell_json(summary)
        return
    click.echo(f"{served} of {len(question.seekers)} seekers have a place; {len(outcome.placements)} placements,")
    click.echo(f"{len(outcome.unplaced)} wishes without one; {summary['running']} sessions run.")
    click.echo(f"score {outcome.score}, bound {outcome.bound}, gap {outcome.gap:.4%}; audit passed")
    click.echo("seconds: " + ", ".join(f"{phase} {spent:.2f}" for phase, spent in outcome.seconds.items()))


def tell_violations(violations: Sequence[Violation], *, as_json: bool) -> None:
    """What an audit found; for a person the first ones and their number."""
    if as_json:
        tell_json([violation._asdict() for violation in violations])
        return
    for violation in violations[:SHOWN_MAX]:
        click.echo(f"{violation.code}  {violation.path}  {violation.message}")
    if len(violations) > SHOWN_MAX:
        click.echo(f"… and {len(violations) - SHOWN_MAX} more")
    click.echo(f"{len(violations)} violations" if violations else "no violations: every rule holds")


def tell_json(answer: Any) -> None:
    """One line of JSON for a program."""
    click.echo(msgspec.json.encode(answer).decode())
