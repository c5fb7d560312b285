"""`leerbudget …`: finds the command, runs it, and turns every foreseen error into one line on stderr."""

import errno
import os
import signal
import sys
from importlib import import_module

import click

from leerbudget.foundation.errors import InvalidInput, LeerbudgetError, SettingsError

COMMANDS = {
    "backup": ("leerbudget.entrypoints.cli.backups:backup", "Back the embedded database up, and its log from then on."),
    "demo": (
        "leerbudget.entrypoints.demo.command:demo",
        "Show the main job on a fictional Netherlands, then serve it.",
    ),
    "doctor": ("leerbudget.entrypoints.cli.upkeep:doctor", "Check the promises on the live database, read-only."),
    "export": ("leerbudget.entrypoints.cli.exports:export", "Write a CSV file."),
    "grants": ("leerbudget.entrypoints.cli.grants:grants", "Grants: above which amount a second person decides."),
    "import": ("leerbudget.entrypoints.cli.imports:import_", "Import a CSV file: all of it, or nothing."),
    "ledger": ("leerbudget.entrypoints.cli.ledger:ledger", "The books: recompute them, or hand them to an auditor."),
    "match": (
        "leerbudget.entrypoints.cli.match:match",
        "Solve, check and explain rounds from files, without a database.",
    ),
    "migrate": ("leerbudget.entrypoints.cli.upkeep:migrate", "Bring the database up to date."),
    "papers": ("leerbudget.entrypoints.cli.papers:papers", "Requests, receipts, VAT, and invoices of trainers."),
    "payments": ("leerbudget.entrypoints.cli.payments:payments", "Top-ups: what waits for money, and what came in."),
    "restore": (
        "leerbudget.entrypoints.cli.backups:restore",
        "Bring a backup back in a fresh data directory, and check every promise.",
    ),
    "round": (
        "leerbudget.entrypoints.cli.round:round_",
        "Matching rounds: open, freeze, solve, show, publish, replay.",
    ),
    "sandbox": (
        "leerbudget.entrypoints.sandbox.command:sandbox",
        "Serve a made-up payment company, for the demonstration and tests.",
    ),
    "serve": ("leerbudget.entrypoints.cli.serve:serve", "Serve the pages and the API."),
    "settlements": (
        "leerbudget.entrypoints.cli.settlements:settlements",
        "Between organisations: settle months that are over, and who was guest of whom.",
    ),
    "simulate": (
        "leerbudget.entrypoints.simulator.command:simulate",
        "Live through a made-up year and check every promise every evening.",
    ),
    "worker": ("leerbudget.entrypoints.worker.command:worker", "Do the work that waits: mail, deadlines, rounds."),
}
"""Command → module and object, and what it does; nothing is imported before it is asked for."""

FAILED, USAGE, STOPPED = 1, 2, 128
"""Exit codes; a command that a signal ended answers `STOPPED` + the signal's number, as a shell does."""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command's name, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is wrong otherwise
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """The list in `--help`, from the table: importing every command for it would take a second."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="leerbudget", message="%(prog)s %(version)s")
def leerbudget() -> None:
    """Learning budgets for foster families: budgets, wishes, sessions, fair matching rounds, bookings."""


def run() -> None:
    """Run the command line. Exit code 0 done, 1 a check failed or was refused, 2 wrong usage or settings."""
    signal.signal(signal.SIGTERM, _stopped)
    try:
        code = leerbudget.main(prog_name="leerbudget", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Abort:
        _leave("stopped", STOPPED + signal.SIGINT)
    except click.ClickException as mistake:
        _leave(_usage(mistake), USAGE if isinstance(mistake, click.UsageError) else FAILED)
    except (InvalidInput, SettingsError) as refusal:
        _leave(_with_places(refusal), USAGE)
    except LeerbudgetError as refusal:
        _leave(f"{refusal} [{refusal.code}]", FAILED)
    except OSError as failure:
        _give_up_output()
        _leave("" if failure.errno == errno.EPIPE else _reason(failure), FAILED)
    sys.exit(code if isinstance(code, int) else 0)


def _stopped(number: int, frame: object) -> None:  # noqa: ARG001 - the signature of a handler
    """Unwind as after an error: processes that were started end, and the embedded database stops."""
    sys.exit(STOPPED + number)


def _give_up_output() -> None:
    """What is still unwritten can never be written; without this Python would complain about it on leaving."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _reason(failure: OSError) -> str:
    where = f"{failure.filename}: " if failure.filename else ""
    return f"{where}{failure.strerror or str(failure) or type(failure).__name__}"


def _usage(mistake: click.ClickException) -> str:
    context = getattr(mistake, "ctx", None)
    hint = f" (see `{context.command_path} --help`)" if context is not None else ""
    return mistake.format_message() + hint


def _with_places(refusal: LeerbudgetError) -> str:
    places = refusal.data.get("errors") or []
    told = "; ".join(f"{place.get('path') or '-'}: {place.get('message')}" for place in places[:20])
    return f"{refusal}{' ' + told if told else ''}"


def _leave(message: str, code: int) -> None:
    """One line, whatever is in it, and the end."""
    if message:
        line = " ".join(message.split())
        click.echo(f"leerbudget: {line}".encode(errors="backslashreplace"), err=True)
    sys.exit(code)
