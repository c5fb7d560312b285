"""A program that uses the embedded server, for tests that kill it.

Arguments: the data directory, how it lives, and whether it is fast or durable. It prints one JSON line when
the server answers (or why it does not), and again whenever it becomes the owner, or when the tables are there
(`migrated`).
"""

import asyncio
import json
import sys
import threading
import time
from pathlib import Path

import structlog

from leerbudget.foundation import embedded
from leerbudget.foundation.errors import SettingsError
from leerbudget.foundation.running import migrate, prepare_embedded


def tell(**facts):
    """One line for the test to read."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def postmaster(data_dir):
    """The server's process id."""
    return int((data_dir / "postgres" / "postmaster.pid").read_text().split("\n")[0])


def watch(server, owned):
    """Tell when this process takes the server over."""
    while not owned:
        time.sleep(0.02)
        if server.owns:
            owned = True
            tell(owns=True, pid=postmaster(server.home))


async def migrated(server):
    """Make the tables; the application's connection string."""
    dsns = await prepare_embedded(server)
    await migrate(dsns)
    return dsns.app


def live(way):
    """Go on until killed, until standard input closes, or under a real web server."""
    if way == "uvicorn":
        import uvicorn

        async def app(scope, receive, send):
            pass

        uvicorn.run(app, host="127.0.0.1", port=0, log_level="warning", lifespan="off")
    else:
        sys.stdin.read()


def main():
    """Start, tell, live, stop."""
    data_dir, way, kind = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if way == "careless":  # as if the kernel could not tell the server that its owner died
        embedded._LAUNCH = embedded._LAUNCH.replace('sys.platform == "linux"', "False")
    try:
        server = embedded.EmbeddedServer.start(data_dir, fast=kind == "fast")
    except SettingsError as failure:
        tell(error=str(failure))
        return
    with server:
        tell(owns=server.owns, pid=postmaster(data_dir), dsn=server.admin_dsn)
        threading.Thread(target=watch, args=(server, server.owns), daemon=True).start()
        if way == "migrated":
            tell(app=asyncio.run(migrated(server)))
        live(way)


if __name__ == "__main__":
    main()
