"""`leerbudget …`: finds the command, runs it, and turns every foreseen error into one line on stderr."""

import sys
from importlib import import_module

import click

from leerbudget.foundation.errors import InvalidInput, LeerbudgetError, SettingsError

COMMANDS = {
    "demo": "leerbudget.entrypoints.demo.command:demo",
    "doctor": "leerbudget.entrypoints.cli.upkeep:doctor",
    "export": "leerbudget.entrypoints.cli.exports:export",
    "import": "leerbudget.entrypoints.cli.imports:import_",
    "ledger": "leerbudget.entrypoints.cli.ledger:ledger",
    "match": "leerbudget.entrypoints.cli.match:match",
    "migrate": "leerbudget.entrypoints.cli.upkeep:migrate",
    "payments": "leerbudget.entrypoints.cli.payments:payments",
    "round": "leerbudget.entrypoints.cli.round:round_",
    "serve": "leerbudget.entrypoints.cli.serve:serve",
    "worker": "leerbudget.entrypoints.worker.command:worker",
}
"""Command → module and object; nothing of it is imported before it is asked for."""

FAILED, USAGE = 1, 2


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called (or listed)."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command's name, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name, or None."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101 - the table above is wrong otherwise
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="leerbudget", message="%(prog)s %(version)s")
def leerbudget() -> None:
    """Learning budgets for foster families: budgets, wishes, sessions, fair matching rounds, bookings."""


def run() -> None:
    """Run the command line. Exit code 0 done, 1 a check failed or was refused, 2 wrong usage or settings."""
    try:
        code = leerbudget.main(prog_name="leerbudget", standalone_mode=False)
    except click.exceptions.Abort:
        _leave("stopped", 130)
    except click.ClickException as mistake:
        _leave(_usage(mistake), USAGE if isinstance(mistake, click.UsageError) else FAILED)
    except (InvalidInput, SettingsError) as refusal:
        _leave(_with_places(refusal), USAGE)
    except LeerbudgetError as refusal:
        _leave(f"{refusal} [{refusal.code}]", FAILED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FAILED)
    sys.exit(code if isinstance(code, int) else 0)


def _usage(mistake: click.ClickException) -> str:
    context = getattr(mistake, "ctx", None)
    hint = f" (see `{context.command_path} --help`)" if context is not None else ""
    return mistake.format_message() + hint


def _with_places(refusal: LeerbudgetError) -> str:
    places = refusal.data.get("errors") or []
    told = "; ".join(f"{place.get('path') or '-'}: {place.get('message')}" for place in places[:20])
    return f"{refusal}{' ' + told if told else ''}"


def _leave(message: str, code: int) -> None:
    click.echo(f"leerbudget: {message}", err=True)
    sys.exit(code)
