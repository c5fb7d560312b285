"""`leerbudget serve`: the pages and the API, and if asked a background worker beside them."""

import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import click

from leerbudget.foundation.clock import use_test_clock
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.running import Dsns, running_database
from leerbudget.foundation.settings import Settings

PORT = 8000
APPLICATION = "leerbudget.app:web_application"
"""Named, not imported: the application stands above the command line."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Web processes.")
@click.option("--background/--no-background", default=False, help="Also run the background worker.")
def serve(host: str, port: int, workers: int, *, background: bool) -> None:
    """Serve the pages and the API."""
    settings = Settings.from_environment()
    with running_database(settings) as dsns:
        serve_pages(settings, dsns, host=host, port=port, workers=workers, background=background)


def serve_pages(settings: Settings, dsns: Dsns, *, host: str, port: int, workers: int, background: bool) -> None:
    """Serve until SIGINT or SIGTERM; the database's context closes afterwards.

    Raises:
        SettingsError: the port is in use or may not be used.
    """
    import uvicorn

    from leerbudget.foundation.logbook import configure_logging

    configure_logging(settings.environment)
    use_test_clock(settings.test_clock)
    # uvicorn raises SIGTERM anew after its own clean-up; without this the database would be left behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    listening = _listen(host, port)
    if settings.environment != "production":
        os.environ.setdefault("LEERBUDGET_BASE_URL", f"http://{host}:{listening.getsockname()[1]}")
    os.environ["LEERBUDGET_DATABASE_URL"], os.environ["LEERBUDGET_WORKER_URL"] = dsns.app, dsns.worker
    options: dict[str, Any] = {"lifespan": "on", "log_config": None, "access_log": False, "server_header": False}
    with _worker() if background else nullcontext():
        if workers > 1:
            listening.close()
            uvicorn.run(APPLICATION, factory=True, host=host, port=port, workers=workers, **options)
            return
        config = uvicorn.Config(APPLICATION, factory=True, proxy_headers=False, **options)
        uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as failure:
        listening.close()
        reason = "is al in gebruik" if failure.errno == errno.EADDRINUSE else f"kan niet ({failure.strerror})"
        raise SettingsError(message=f"Poort {port} op {host} {reason}. Kies een andere met --port.") from failure
    click.echo(f"http://{host}:{listening.getsockname()[1]}/")
    return listening


@contextmanager
def _worker() -> Iterator[None]:
    """A background worker as a process of its own, which never outlives this one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "leerbudget", "worker"],
        stdin=subprocess.DEVNULL,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - only a system call
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
