"""`leerbudget serve`: the pages and the API, and if asked a background worker beside them."""

import asyncio
import errno
import os
import signal
import socket
import sys
from contextlib import AbstractContextManager, ExitStack, suppress
from importlib import import_module
from typing import Any

import click

from leerbudget.entrypoints.cli.beside import beside
from leerbudget.entrypoints.cli.with_database import refuse_unmigrated, with_pool
from leerbudget.foundation.clock import use_test_clock
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.logbook import configure_logging
from leerbudget.foundation.processes import die_with
from leerbudget.foundation.running import Dsns, running_database
from leerbudget.foundation.settings import Settings

PORT = 8000
BACKLOG = 2048
SANDBOX_PORT = 8090
SANDBOX_FILE = "sandbox.json"
"""In the data directory: what was paid at the made-up payment service."""

APPLICATION = "leerbudget.app:web_application"
"""Named, not imported: the application stands above the command line."""

_FIRST = "LEERBUDGET_FIRST_PROCESS"
_OPEN_TO_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only looked up, to tell people a usable address


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Web processes.")
@click.option("--background/--no-background", default=False, help="Also run the background worker.")
def serve(host: str, port: int, workers: int, *, background: bool) -> None:
    """Serve the pages and the API until Ctrl-C or SIGTERM; then the exit code is 0."""
    settings = Settings.from_environment()
    configure_logging(settings.environment)
    with listen(host, port) as listening, running_database(settings) as dsns:
        serve_pages(settings, dsns, listening, workers=workers, background=background)


def listen(host: str, port: int) -> socket.socket:
    """A socket that nobody else can take; who connects waits until the pages are served.

    Raises:
        SettingsError: the port is in use or may not be used, or the host is not this machine.
    """
    # the protocol is named, because asyncio sends small answers at once only over a socket that says TCP
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except (OSError, UnicodeError) as failure:
        listening.close()
        if getattr(failure, "errno", None) == errno.EADDRINUSE:
            reason = "is al in gebruik. Kies een andere met --port."
        else:
            reason = f"is niet te gebruiken: {getattr(failure, 'strerror', None) or failure}."
        raise SettingsError(message=f"Poort {port} op {host} {reason}") from failure
    return listening


def address(listening: socket.socket) -> str:
    """Where people on this machine find what is served on the socket."""
    host, port = listening.getsockname()[:2]
    host = _OPEN_TO_ALL.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def base_url(settings: Settings, listening: socket.socket) -> str:
    """What stands in front of links: what was set, or else where this machine serves."""
    chosen = os.environ.get("LEERBUDGET_BASE_URL", "").strip()
    return settings.base_url if chosen or settings.environment == "production" else address(listening)


def serve_pages(
    settings: Settings, dsns: Dsns, listening: socket.socket, *, workers: int = 1, background: bool = False
) -> None:
    """Serve until SIGINT or SIGTERM; the database's context closes afterwards.

    Raises:
        SettingsError: the database cannot be used, or was never migrated.
    """
    asyncio.run(with_pool(dsns, "app", refuse_unmigrated))
    use_test_clock(settings.test_clock)
    # uvicorn raises SIGTERM anew after its own clean-up; without this the database would be left behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    os.environ["LEERBUDGET_BASE_URL"] = base_url(settings, listening)
    os.environ["LEERBUDGET_DATABASE_URL"], os.environ["LEERBUDGET_WORKER_URL"] = dsns.app, dsns.worker
    click.echo(f"{address(listening)}/")
    with suppress(KeyboardInterrupt), ExitStack() as company:
        if background:
            if settings.environment == "demo" and not settings.stripe_secret_key and not settings.sandbox_url:
                company.enter_context(_sandbox(settings, address(listening)))
            company.enter_context(beside("worker"))
        _serve(listening, workers)


def _often_free() -> socket.socket:
    """The usual port when it is free, so that a page to pay on is found again after a stop; else any."""
    try:
        return listen("127.0.0.1", SANDBOX_PORT)
    except SettingsError:
        return listen("127.0.0.1", 0)


def _sandbox(settings: Settings, pages: str) -> AbstractContextManager[None]:
    """A made-up payment service beside a demonstration; what was paid there outlives a stop."""
    with _often_free() as free:
        place, port = address(free), str(free.getsockname()[1])
    os.environ["LEERBUDGET_SANDBOX_URL"] = place
    kept = str(settings.data_dir / SANDBOX_FILE)
    return beside("sandbox", "--port", port, "--events-to", f"{pages}/api/v1/payment-events/sandbox", "--file", kept)


def _serve(listening: socket.socket, workers: int) -> None:
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    options: dict[str, Any] = {
        "factory": True,
        "lifespan": "on",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "workers": workers,
    }
    if workers > 1:
        os.environ[_FIRST] = str(os.getpid())
        config = uvicorn.Config(f"{__name__}:one_of_several", **options)
        Multiprocess(config, sockets=[listening]).run()
        return
    server = uvicorn.Server(uvicorn.Config(APPLICATION, **options))
    server.run(sockets=[listening])
    if not server.started:
        raise SettingsError(message="De website kon niet starten; de reden staat hierboven.")


def one_of_several() -> Any:
    """The application in one web process of several, which never outlives the first."""
    die_with(int(os.environ[_FIRST]))
    configure_logging(Settings.from_environment().environment)
    module, _, name = APPLICATION.partition(":")
    return getattr(import_module(module), name)()
