"""The image and the compose file, as far as they can be checked without a container engine.

Syntax, names, secrets and the commands they would run; that a container starts is not claimed here.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from leerbudget.entrypoints.cli.main import leerbudget as command_line
from leerbudget.foundation.settings import Settings, documented_settings

ROOT = Path(__file__).resolve().parent.parent
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SECRETS = {"POSTGRES_PASSWORD", "LEERBUDGET_APP_PASSWORD", "LEERBUDGET_WORKER_PASSWORD", "LEERBUDGET_SECRET_KEY"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}


@pytest.fixture
def shape() -> dict[str, Any]:
    """The compose file as data."""
    return yaml.safe_load(COMPOSE.read_text())


def ours(shape: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that run leerbudget itself."""
    return {name: service for name, service in shape["services"].items() if "build" in service}


def filled_in(value: str) -> str:
    """A value with its ${VARIABLE:-default} or ${VARIABLE:?why} filled in, for a check."""
    return re.sub(r"\$\{\w+(?::([-?])([^}]*))?\}", lambda m: m[2] if m[1] == "-" else "x" * 40, value)


def broken(shape: dict[str, Any]) -> Iterator[str]:
    """What does not hang together: waits, networks, volumes and checks."""
    services = shape["services"]
    for name, service in services.items():
        for other, wait in service.get("depends_on", {}).items():
            if other not in services or wait["condition"] not in CONDITIONS:
                yield f"{name} waits for {other}: no such service or condition"
            elif wait["condition"] == "service_healthy" and "healthcheck" not in services[other]:
                yield f"{name} waits until {other} is healthy, and nothing checks that"
        yield from (f"{name}: no network {net}" for net in service.get("networks", []) if net not in shape["networks"])
        for volume in service.get("volumes", []):
            if volume.split(":")[0] not in shape["volumes"]:
                yield f"{name}: no volume {volume}"
        for port in service.get("ports", []):
            if not port.startswith("127.0.0.1:"):
                yield f"{name}: port {port} is open to the world"


def unknown_words(command: list[str]) -> Iterator[str]:
    """The commands and options of a service that the command line does not have."""
    below: click.Command | None = command_line
    words = list(command)
    while isinstance(below, click.Group) and words:
        word = words.pop(0)
        below = below.get_command(click.Context(below), word)
        if below is None:
            yield word
            return
    known = {opt for p in (below.params if below else []) for opt in p.opts}
    yield from (word for word in words if word.startswith("-") and word not in known)


def test_the_parts_hang_together(shape):
    """Every service waits for, connects to and stores in something that exists; only loopback ports are open."""
    assert list(broken(shape)) == []


def test_a_part_that_hangs_loose_is_noticed(shape):
    """A wait without a health check, an unknown network and an open port are found."""
    del shape["services"]["db"]["healthcheck"]
    shape["services"]["web"]["networks"] = ["outside"]
    shape["services"]["mail"]["ports"] = ["8025:8025"]
    assert len(list(broken(shape))) == 3


def test_the_shape_is_the_promised_one(shape):
    """PostgreSQL 18, one run of the migrations, several web processes, a worker and a mail catcher."""
    services = shape["services"]
    assert services["db"]["image"] == "postgres:18"
    assert services["db"]["volumes"] == ["database:/var/lib/postgresql"]  # from 18 on the data lies one folder deeper
    assert services["migrate"]["restart"] == "no"
    assert services["web"]["deploy"]["replicas"] >= 2
    for waits in ("web", "worker"):
        assert services[waits]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert {"proxy", "mail"} <= set(services)


def test_the_commands_exist(shape):
    """Every command and option that a service or the image runs is one of the command line's."""
    image = re.search(r"^CMD (\[.*\])$", DOCKERFILE, flags=re.MULTILINE)
    assert image is not None
    assert 'ENTRYPOINT ["leerbudget"]' in DOCKERFILE
    for command in [yaml.safe_load(image[1]), *(service["command"] for service in ours(shape).values())]:
        assert list(unknown_words(command)) == [], command


@pytest.mark.parametrize("command", [["srve"], ["serve", "--hots", "0.0.0.0"], ["ledger", "burn"]])  # noqa: S104
def test_a_command_that_does_not_exist_is_noticed(command):
    """A misspelt command or option is found."""
    assert list(unknown_words(command))


def test_the_settings_are_complete_and_sound(shape):
    """Every service of ours gets settings that exist and that the program accepts for production."""
    known = {setting.variable for setting in documented_settings()}
    for name, service in ours(shape).items():
        given = {variable: filled_in(value) for variable, value in service["environment"].items()}
        assert set(given) <= known, name
        assert Settings.from_environment(given).environment == "production"
        assert ("LEERBUDGET_OWNER_URL" in given) == (name == "migrate"), "only migrations may change tables"


def test_secrets_come_from_outside():
    """No secret has a value or a default in the file, and the documentation says how to make each."""
    text = COMPOSE.read_text()
    assert set(re.findall(r"\$\{(\w+):\?", text)) == SECRETS
    assert not re.findall(r"\$\{(?:\w*PASSWORD|\w*SECRET\w*)(?::-|\})", text)
    operations = (ROOT / "docs" / "operations.md").read_text()
    assert [secret for secret in SECRETS if f"| `{secret}` |" not in operations] == []


def test_ours_run_with_little_power(shape):
    """Our services run as an ordinary user, on a file system they cannot write, without extra rights."""
    assert re.search(r"^USER leerbudget$", DOCKERFILE, flags=re.MULTILINE)
    for service in ours(shape).values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_the_builder_gets_what_it_copies():
    """Everything that the Dockerfile copies exists and passes .dockerignore, and secrets do not."""
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
        for name in line.split()
    ]
    assert {"pyproject.toml", "requirements.lock", "src", "scripts"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists() or f"!{name}" not in ignore] == []
    assert "*" in ignore


def test_the_health_check_asks_an_address_that_exists(shape):
    """The web service's health check asks for the address under which the API answers."""
    asked = re.search(r"http://127\.0\.0\.1:8000(/[\w/-]+)", shape["services"]["web"]["healthcheck"]["test"][-1])
    assert asked is not None
    from leerbudget.entrypoints.api.health import health

    assert any(asked[1].endswith(path) for path in health.paths)


def test_shell_scripts_parse():
    """The scripts that set things up are sound for a plain POSIX shell, and .ci/run for bash."""
    for script in [*sorted((ROOT / "scripts").glob("*.sh")), ROOT / ".ci" / "run"]:
        shell = "bash" if script.name == "run" else "sh"
        done = subprocess.run([shell, "-n", str(script)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_ci_runs_the_tests_without_input():
    """Continuous integration calls `make test` and gives it no standard input."""
    text = (ROOT / ".ci" / "run").read_text()
    assert "make test </dev/null" in text
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make on this machine")
def test_make_alone_prints_help():
    """`make` without a target prints the targets and does nothing."""
    done = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert {"make demo", "make test"} <= {" ".join(line.split()[:2]) for line in done.stdout.splitlines()}


def test_setup_says_plainly_that_a_python_is_too_old(tmp_path):
    """Set-up with an old Python ends with one line and changes nothing."""
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 3.8.2\nexit 1\n')
    old.chmod(0o755)
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", scripts)
    done = subprocess.run(
        ["sh", str(scripts / "setup.sh")],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHON": str(old), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("setup: ")
    assert "3.11" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()


def test_setup_says_plainly_that_no_index_answers(tmp_path):
    """Set-up without a reachable package index ends with one line that says so."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    shutil.copy(ROOT / "scripts" / "setup.sh", scripts)
    (tmp_path / "requirements.lock").write_text("uv==0.0.0 \\\n    --hash=sha256:" + "0" * 64 + "\n")
    python = tmp_path / ".venv" / "bin" / "python"  # stands for an environment that exists but is still empty
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    nowhere = "http://127.0.0.1:9/simple"
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": nowhere,
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
    }
    done = subprocess.run(
        ["sh", str(scripts / "setup.sh")], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 1
    assert re.fullmatch(r"setup: fetching uv \(is a package index reachable\?\) did not work: [^\n]+\n", done.stderr)
