"""`leerbudget sandbox`."""

import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import click

from leerbudget.entrypoints.cli.serve import SANDBOX_PORT, address, listen
from leerbudget.foundation.clock import use_test_clock
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.logbook import configure_logging
from leerbudget.foundation.settings import Settings
from leerbudget.payments.choosing import SANDBOX_WEBHOOK_SECRET

PORT = SANDBOX_PORT
HOST = "127.0.0.1"


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--events-to", help="Address on this machine that is told what happened.")
@click.option(
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where everything is kept; without it a stop forgets all.",
)
def sandbox(port: int, events_to: str | None, file: Path | None) -> None:
    """Serve a made-up payment company on this machine until Ctrl-C. Nothing in it is money; refused in production."""
    settings = Settings.from_environment()
    if settings.environment == "production":
        raise SettingsError(message="De nagebootste betaaldienst mag niet in production.")
    if events_to is not None and not _is_of_this_machine(urlsplit(events_to).hostname or ""):
        raise SettingsError(message="--events-to is geen adres op deze machine.")
    configure_logging(settings.environment)
    use_test_clock(settings.test_clock)
    # uvicorn raises SIGTERM anew after its own clean-up
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with listen(HOST, port) as listening, suppress(KeyboardInterrupt):
        import uvicorn

        from leerbudget.entrypoints.sandbox.books import Books
        from leerbudget.entrypoints.sandbox.server import Sandbox, application

        books = Books(file=file, address=address(listening))
        books.load()
        click.echo(f"{books.address}/")
        app = application(Sandbox.over(books, events_to=events_to, secret=SANDBOX_WEBHOOK_SECRET))
        config = uvicorn.Config(
            app, lifespan="on", log_config=None, access_log=False, server_header=False, proxy_headers=False
        )
        uvicorn.Server(config).run(sockets=[listening])


def _is_of_this_machine(host: str) -> bool:
    """Whether an address is one that this machine can listen on: nothing is told to others."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as trying:
            trying.bind((host, 0))
    except (OSError, UnicodeError):
        return False
    return host not in {"", "0.0.0.0", "::"}  # noqa: S104 - where everybody is, is nobody's address
