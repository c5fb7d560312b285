"""`leerbudget sandbox`: a made-up payment company on this machine, and nowhere else."""

import asyncio

import httpx
import pytest

from entrypoints.cli.commanding import COMMAND, complaint, environment
from leerbudget.entrypoints.sandbox.command import _is_of_this_machine
from leerbudget.payments.choosing import SANDBOX_KEY

PRODUCTION = {
    "LEERBUDGET_ENV": "production",
    "LEERBUDGET_DATABASE_URL": "postgresql://leerbudget_app@db/leerbudget",
    "LEERBUDGET_BASE_URL": "https://leerbudget.example.org",
    "LEERBUDGET_SECRET_KEY": "k" * 32,
}
SESSION = {
    "mode": "payment",
    "success_url": "http://leerbudget.test/terug",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "eur",
    "line_items[0][price_data][unit_amount]": "2500",
    "line_items[0][price_data][product_data][name]": "Leerbudget RF1",
}


@pytest.mark.parametrize(
    ("words", "env"),
    [
        (("--port", "0"), PRODUCTION),
        (("--port", "0", "--events-to", "https://leerbudget.example.org/x"), {}),
        (("--port", "0", "--events-to", "http://192.0.2.1:8000/x"), {}),
        (("--port", "0", "--events-to", "hello"), {}),
        (("--port", "-1"), {}),
        (("--host", "127.0.0.1"), {}),
    ],
)
def test_what_would_be_unsafe_is_refused(here, words, env):
    """Never in production, never telling another machine, never open to others: one line, exit code 2."""
    complaint(here("sandbox", *words, env=environment(**env)), 2)


def test_the_addresses_of_this_machine_are_known():
    """Events may go to this machine by whatever address it has, and to nobody else."""
    here = {host: _is_of_this_machine(host) for host in ("127.0.0.1", "localhost", "192.0.2.1", "0.0.0.0", "::", "")}  # noqa: S104
    assert [host for host, known in here.items() if known] == ["127.0.0.1", "localhost"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"objects": 3}', "{half"])
def test_a_file_of_something_else_is_not_touched(here, tmp_path, content):
    """A file that the command did not write is named, and stays as it is."""
    file = tmp_path / "other.json"
    file.write_text(content)
    assert str(file) in complaint(here("sandbox", "--port", "0", "--file", file), 2)
    assert file.read_text() == content


async def test_the_command_serves_until_told(tmp_path):
    """The command says where it is, answers, keeps its file, and ends quietly on SIGTERM."""
    words = ("sandbox", "--port", "0", "--file", str(tmp_path / "s.json"))
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *words, env=environment(), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd="/"
    )
    try:
        address = (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()
        async with httpx.AsyncClient(trust_env=False, headers={"Authorization": f"Bearer {SANDBOX_KEY}"}) as client:
            made = (await client.post(f"{address}v1/checkout/sessions", data=SESSION)).json()
        process.terminate()
        _, told = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert made["url"].startswith(address)
    assert made["id"] in (tmp_path / "s.json").read_text()
    assert (process.returncode, told) == (0, b"")
