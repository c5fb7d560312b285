"""Where `leerbudget serve` listens and what it tells people; the served processes are in tests/faults."""

import asyncio
import socket
import subprocess
import sys

import pytest

from leerbudget.entrypoints.cli.serve import address, base_url, listen
from leerbudget.foundation.settings import Settings


@pytest.mark.parametrize(
    ("host", "told"), [("127.0.0.1", "http://127.0.0.1:"), ("::1", "http://[::1]:"), ("localhost", "http://127.0.0.1:")]
)
def test_people_are_told_an_address_that_works(host, told):
    """The address names the port that was really taken; an IPv6 address stands in brackets."""
    with listen(host, 0) as listening:
        assert address(listening).startswith(told)
        assert int(address(listening).rsplit(":", 1)[1]) == listening.getsockname()[1] > 0


async def test_small_answers_do_not_wait_for_more():
    """A connection sends a small answer at once: otherwise each one over a kept connection waits 40 ms for its reader."""
    with listen("127.0.0.1", 0) as listening:
        accepted = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda _, writer: accepted.set_result(writer), sock=listening)
        async with server:
            _, caller = await asyncio.open_connection(*listening.getsockname())
            connection = (await accepted).get_extra_info("socket")
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            for writer in (caller, await accepted):
                writer.close()
                await writer.wait_closed()


def test_links_begin_with_what_was_set_or_else_with_where_is_served(monkeypatch):
    """Without LEERBUDGET_BASE_URL links lead to the port that was taken; with it, there."""
    with listen("127.0.0.1", 0) as listening:
        for variable in ("", "http://demo.fictief.example"):
            monkeypatch.setenv("LEERBUDGET_BASE_URL", variable)
            assert base_url(Settings.from_environment(), listening) == (variable or address(listening))


FOLLOWER = """
import os, sys, time
from leerbudget.foundation.processes import die_with
die_with(int(sys.argv[1]))
print("alive", flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_process_whose_first_is_gone_already_ends_at_once():
    """Between the start and the promise to follow, the parent may have died: then nothing stays."""
    late = subprocess.run(
        [sys.executable, "-c", FOLLOWER, "1"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (late.returncode, late.stdout, late.stderr) == (1, "", "the first process is gone\n")
