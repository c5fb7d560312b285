"""The four watchdogs run as tests, and each is shown to bark: lint, format, types, import contracts.

A planted violation lives in a copy or on standard input, never in the tree itself.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "leerbudget"
TOOLS = Path(sys.executable).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = [contract["name"] for contract in PROJECT["tool"]["importlinter"]["contracts"]]
ROOMS = sorted(path.parent.name for path in SRC.glob("*/tables.py"))

PLANTS = {
    "foundation/planted.py": "import leerbudget.app\n",
    "matcher/planted.py": "import socket\n",
    "matcher/audit.py": "import leerbudget.matcher.arrays\n",
    "entrypoints/web/planted.py": "import leerbudget.entrypoints.api\n",
    "entrypoints/http/planted.py": "import leerbudget.entrypoints.web\n",
    "entrypoints/planted.py": "".join(f"import leerbudget.{room}.tables\n" for room in ROOMS),
    "people/planted.py": "import litestar\nimport ortools\nimport stripe\nimport typst\n",
    "trainers/rules.py": "import asyncpg\n",
    "payments/planted.py": "import leerbudget.payments.bank_tables\n",
}
"""What is added to which file, so that every import contract is broken at least once."""


def run(*command: str | Path, cwd: Path = ROOT, given: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this environment; wide, so that it wraps no names."""
    environment = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1", **env}
    order = [str(part) for part in command]
    return subprocess.run(order, cwd=cwd, input=given, capture_output=True, text=True, check=False, env=environment)


def assert_green(done: subprocess.CompletedProcess[str]) -> None:
    """The tool found nothing; otherwise what it found is the message."""
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_lint_is_green():
    """Ruff finds nothing in the whole tree."""
    assert_green(run(TOOLS / "ruff", "check", "--no-cache", "--output-format=concise", "."))


def test_format_is_green():
    """Every file is written the way `ruff format` writes it."""
    assert_green(run(TOOLS / "ruff", "format", "--no-cache", "--check", "."))


def test_types_are_green(tmp_path):
    """`mypy --strict` finds nothing in the program."""
    kept = ROOT / ".mypy_cache"
    cache = kept if kept.is_dir() and os.access(kept, os.W_OK) else tmp_path
    assert_green(run(TOOLS / "mypy", "--cache-dir", cache))


def test_imports_are_green(tmp_path):
    """Every import contract is kept."""
    assert_green(run(TOOLS / "lint-imports", "--no-logo", "--cache-dir", tmp_path, PYTHONPATH=str(SRC.parent)))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("import os\n", "F401"),
        ("def f(x=[]):\n    return x\n", "B006"),
        ("def f() -> None:\n    pass\n", "D103"),
        ("import subprocess\n\nsubprocess.run('ls', shell=True, check=True)\n", "S602"),
        ("from datetime import datetime\n\nprint(datetime(2027, 1, 1))\n", "DTZ001"),
    ],
)
def test_lint_notices_a_planted_mess(line, code):
    """Ruff refuses bad code under the project's own settings."""
    done = run(
        TOOLS / "ruff",
        "check",
        "--output-format=concise",
        "--stdin-filename",
        SRC / "people" / "planted.py",
        "-",
        given=line,
    )
    assert done.returncode == 1
    assert code in done.stdout


def test_format_notices_a_planted_mess():
    """`ruff format` refuses a file that it would write otherwise."""
    done = run(
        TOOLS / "ruff", "format", "--check", "--stdin-filename", SRC / "people" / "planted.py", "-", given="x = ( 1 )\n"
    )
    assert done.returncode == 1


UNTYPED = {
    "no-untyped-def": "def f(x):\n    return x\n",
    "arg-type": "from leerbudget.foundation.money import euros\n\neuros('12')\n",
    "ignore-without-code": "x: int = 'a'  # type: ignore\n",
}


@pytest.fixture(scope="module")
def told_of_types(tmp_path_factory) -> str:
    """What mypy says of one file for each mess, named after it."""
    folder = tmp_path_factory.mktemp("untyped")
    for code, text in UNTYPED.items():
        (folder / f"{code.replace('-', '_')}.py").write_text(text)
    settings = ("--config-file", ROOT / "pyproject.toml", "--cache-dir", folder / "cache")
    done = run(TOOLS / "mypy", *settings, *sorted(folder.glob("*.py")), MYPYPATH=str(SRC.parent))
    assert done.returncode == 1
    return done.stdout


@pytest.mark.parametrize("code", UNTYPED)
def test_types_notice_a_planted_mess(told_of_types, code):
    """Mypy refuses untyped and wrongly typed code under the project's own settings."""
    assert re.search(rf"{code.replace('-', '_')}\.py:\d+: .*\[{code}\]", told_of_types), told_of_types


@pytest.fixture(scope="module")
def broken_contracts(tmp_path_factory) -> set[str]:
    """The names of the import contracts that a copy with every plant in it breaks."""
    copy = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", copy)
    shutil.copytree(
        SRC, copy / "src" / "leerbudget", ignore=shutil.ignore_patterns("__pycache__", "static", "templates")
    )
    for place, line in PLANTS.items():
        with (copy / "src" / "leerbudget" / place).open("a") as planted:
            planted.write(line)
    done = run(TOOLS / "lint-imports", "--no-logo", "--no-cache", cwd=copy, PYTHONPATH=str(copy / "src"))
    broken = set(re.findall(r"^(.+) BROKEN$", done.stdout, flags=re.MULTILINE))
    assert broken, done.stdout + done.stderr
    return broken


@pytest.mark.parametrize("contract", CONTRACTS)
def test_each_import_contract_notices_its_plant(broken_contracts, contract):
    """Each import contract is broken by a planted import; a contract without a plant in PLANTS fails here."""
    assert contract in broken_contracts


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_with_tables_is_guarded(room):
    """Every room that has tables has the contract that keeps others out of them."""
    assert f"Tables of {room}: own room, and foreign keys only" in CONTRACTS


def test_warnings_are_errors():
    """A test in which Python or Litestar warns of something outdated fails."""
    assert "error" in PROJECT["tool"]["pytest"]["ini_options"]["filterwarnings"]


def test_every_lint_exception_says_why():
    """No rule of ruff is switched off without a reason on the same line or, for tests, above the line."""
    text = (ROOT / "pyproject.toml").read_text()
    section = text.split("[tool.ruff.lint]", 1)[1].split("[tool.mypy]", 1)[0]
    codes = [line for line in section.splitlines() if re.match(r'\s+"[A-Z]+[0-9]*",', line)]
    assert codes
    assert [line for line in codes if "#" not in line] == []
