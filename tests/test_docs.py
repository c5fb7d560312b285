"""Documentation that fails when it lies: commands, settings, links, words and rooms are held against the code.

What is found wrong is printed line by line, so that a message is a list of things to write.
"""

import ast
import importlib.util
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

import click
import pytest

import leerbudget
from leerbudget.entrypoints.cli.main import leerbudget as command_line
from leerbudget.matcher import vocabulary
from leerbudget.matcher.criteria import weights
from leerbudget.piccolo_app import APP_CONFIG

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "leerbudget"
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
DICTIONARY = ROOT / "docs" / "begrippen.md"
DECISION_LINES_MAX = 40
IN_LIST = re.compile(r"^\(*([a-z_]+) IN \(([^)]*)\)$")
WITHOUT_CHECK = {
    "family.care_forms": vocabulary.CareForm,
    "family.experience": vocabulary.ExperienceBand,
    "course.audience": vocabulary.Fit,
    "learning_preference.travel_minutes_max": vocabulary.TravelMode,
}
"""Columns that hold several codes or a document: no CHECK lists these, the matching files do."""


@cache
def writer() -> ModuleType:
    """The script that writes the generated parts."""
    spec = importlib.util.spec_from_file_location("write_docs", ROOT / "scripts" / "write_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def by_name(path: Path) -> str:
    """A page's place, for the names of tests."""
    return str(path.relative_to(ROOT))


# --- commands ------------------------------------------------------------------------------------------------


def make_targets() -> set[str]:
    """The targets of the Makefile that people call."""
    return set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))


def commands_in(text: str) -> Iterator[str]:
    """Every `make …` and `leerbudget …` in code blocks and in code between backticks."""
    code = [line for block in re.findall(r"```\w*\n(.*?)```", text, flags=re.DOTALL) for line in block.splitlines()]
    code += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    for line in code:
        plain = line.split(" #")[0].strip().removeprefix(".venv/bin/")
        if re.match(r"(make|leerbudget)( |$)", plain):
            yield plain


def wrong_commands(text: str) -> Iterator[str]:
    """The commands of a page that do not exist, with what is wrong."""
    for line in commands_in(text):
        program, *words = line.replace("…", "").split()
        if program == "make":
            yield from (f"{line}: no such target" for w in words[:1] if w.isalpha() and w not in make_targets())
        else:
            yield from (f"{line}: {trouble}" for trouble in troubles(command_line, words))


def troubles(command: click.Command, words: list[str]) -> Iterator[str]:
    """What of these words the command line does not know."""
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(click.Context(command), words[0])
        if below is None:
            yield f"no command {words[0]}"
            return
        command, words = below, words[1:]
    known = {"--help", *(opt for p in command.params for opt in [*p.opts, *p.secondary_opts])}
    yield from (f"no option {w}" for w in words if re.match(r"--\w", w) and w.split("=")[0] not in known)


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_commands_on_a_page_exist(page):
    """Every make target, command and option that a page mentions exists."""
    assert "\n".join(wrong_commands(page.read_text())) == ""


@pytest.mark.parametrize(
    "lie",
    ["`make magic`", "```sh\nleerbudget conjure --now\n```", "`leerbudget serve --prot 1`", "`leerbudget ledger burn`"],
)
def test_a_command_that_does_not_exist_is_noticed(lie):
    """An invented target, command or option is found, in a block and between backticks."""
    assert list(wrong_commands(lie))


def test_make_alone_lists_every_target():
    """Every target that is not a file has a line of help."""
    phony = re.search(r"^\.PHONY: (help .*)$", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == make_targets()


def test_scripts_that_make_calls_exist():
    """Every script and test that the Makefile names is there."""
    named = re.findall(r"(?:scripts|tests|benchmarks)/[\w/]+(?:\.\w+)?", (ROOT / "Makefile").read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


# --- generated parts -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["errors", "settings", "commands", "weights", "weights_example", "weights_outcome"])
def test_generated_parts_are_current(part):
    """The tables of errors, settings, commands and weights are what the code says now; otherwise run `make docs`."""
    text = "".join(page.read_text() for page in writer().pages())
    found = re.search(rf"<!-- generated: {part} -->\n(.*?)<!-- end -->", text, flags=re.DOTALL)
    assert found is not None
    assert found[1] == writer().PARTS[part](), "run: make docs"


def test_an_outdated_part_is_noticed():
    """A generated part in which a line is missing is seen as out of date."""
    stale = "<!-- generated: settings -->\n| variable | default | meaning |\n<!-- end -->"
    assert writer().current(stale) != stale


# --- links and decisions ---------------------------------------------------------------------------------------


def broken_links(page: Path, text: str) -> Iterator[str]:
    """Relative links to a file or a heading that is not there."""
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)):
        address, _, heading = target.partition("#")
        if re.match(r"[a-z]+:", address):
            continue
        file = (page.parent / address).resolve() if address else page
        if not file.exists():
            yield f"{target}: no such file"
        elif heading and heading not in headings(file.read_text()):
            yield f"{target}: no such heading"


def headings(text: str) -> set[str]:
    """The anchors that the headings of a page get."""
    plain = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_links_on_a_page_lead_somewhere(page):
    """Every relative link of a page leads to a file, and to a heading where it names one."""
    assert "\n".join(broken_links(page, page.read_text())) == ""


@pytest.mark.parametrize("link", ["[a](docs/none.md)", "[a](docs/operations.md#no-such-heading)", "[a](#nowhere)"])
def test_a_broken_link_is_noticed(link):
    """A link to a missing file or heading is found."""
    assert list(broken_links(ROOT / "README.md", link))


def test_decisions_are_numbered_and_short():
    """Decision records are numbered without gaps, by file name and by title, and fit on a page."""
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [record.name[:4] for record in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    for number, record in enumerate(records, 1):
        text = record.read_text()
        assert text.startswith(f"# {number}. "), record.name
        assert text.count("\n") <= DECISION_LINES_MAX, record.name


# --- the dictionary --------------------------------------------------------------------------------------------


def closed_lists() -> dict[str, set[str]]:
    """Every column that a CHECK keeps to a list, with the list: read from the tables themselves."""
    found = {}
    for table in APP_CONFIG.table_classes:
        for constraint in table._meta.constraints:
            match = IN_LIST.match(str(getattr(constraint, "condition", "")))
            if match:
                found[f"{table._meta.tablename}.{match[1]}"] = set(re.findall(r"'([^']*)'", match[2]))
    return found


def dictionary_lists(text: str) -> dict[str, set[str]]:
    """The lists in the dictionary: the columns in a heading, and the codes below it."""
    found = {}
    for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
        heading, _, body = section.partition("\n")
        codes = set(re.findall(r"^\| `([^`]+)` \|", body.split("\n## ")[0], flags=re.MULTILINE))
        found.update(dict.fromkeys(re.findall(r"`([^`]+)`", heading), codes))
    return found


def wrong_lists(text: str) -> Iterator[str]:
    """Codes that the dictionary lacks, and codes that only the dictionary knows."""
    written = dictionary_lists(text)
    meant = closed_lists() | {column: set(values) for column, values in WITHOUT_CHECK.items()}
    for column, codes in sorted(meant.items()):
        yield from (f"missing: {column} {code}" for code in sorted(codes - written.get(column, set())))
        yield from (f"not in the code: {column} {code}" for code in sorted(written.get(column, set()) - codes))
    yield from (f"not in the code: {column}" for column in sorted(set(written) - set(meant)))


def section(text: str, heading: str) -> set[str]:
    """The codes in the tables below one heading of the second level."""
    body = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", maxsplit=1)[0]
    return set(re.findall(r"^\| `([^`]+)` \|", body, flags=re.MULTILINE))


def reason_codes() -> set[str]:
    """Every code with which the matcher or a round explains itself: weights, lists named CODES, WHY_NOT_NL, and `Reason(…)`."""
    found = set(weights.DEFAULTS)
    for info in pkgutil.walk_packages([str(SRC / "matcher")], "leerbudget.matcher."):
        module = import_module(info.name)
        for name, value in vars(module).items():
            if (name.endswith("CODES") or name == "WHY_NOT_NL") and isinstance(value, dict):
                found |= set(value)
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Reason"):
                given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "code")]
                found |= {part.value for part in given if isinstance(part, ast.Constant)}
    return found


def test_the_dictionary_has_every_table():
    """Every table has a Dutch word, and no word is left of a table that went."""
    tables = {table._meta.tablename for table in APP_CONFIG.table_classes}
    assert section(DICTIONARY.read_text(), "Tabellen") == tables


def test_the_dictionary_has_every_list():
    """Every state, kind and role that a CHECK allows has a Dutch word, and no other has."""
    assert "\n".join(wrong_lists(DICTIONARY.read_text())) == ""


def test_the_dictionary_has_every_reason():
    """Every code with which the matcher explains itself has a Dutch word, and no other has."""
    assert section(DICTIONARY.read_text(), "Redenen van de koppeling") == reason_codes()


def test_a_missing_and_a_left_over_word_are_noticed():
    """A state that the dictionary lacks is found, and so is one that only the dictionary knows."""
    text = DICTIONARY.read_text()
    assert list(wrong_lists(text.replace("| `no_show` |", "| `stayed_home` |"))) == [
        "missing: booking.state no_show",
        "not in the code: booking.state stayed_home",
    ]


def test_tables_are_read_at_all():
    """The lists above are not empty: a CHECK and a reason that surely exist are among them."""
    assert "offered" in closed_lists()["booking.state"]
    assert {"capacity", "money", "wish_rank"} <= reason_codes()


# --- the picture of the house ----------------------------------------------------------------------------------


def drawn_rooms() -> list[tuple[str, str]]:
    """The rooms of architecture.md from the roof down: (room, floor)."""
    return re.findall(r"^\| `(\w+)` \| (\w+) \|", (ROOT / "docs" / "architecture.md").read_text(), flags=re.MULTILINE)


def test_the_picture_shows_every_room():
    """architecture.md draws exactly the rooms that exist."""
    exist = {info.name for info in pkgutil.iter_modules(leerbudget.__path__)} - {"migrations", "__main__"}
    assert {room for room, _ in drawn_rooms()} == exist


def test_the_picture_has_the_floors_of_the_contract():
    """architecture.md puts the rooms on the floors of the import contract, from the roof down."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    floors: dict[str, set[str]] = {}
    for room, floor in drawn_rooms():
        floors.setdefault(floor, set()).add(room)
    assert list(floors.values()) == [{room.strip() for room in layer.split("|")} for layer in layers]


def test_the_picture_shows_every_way_in():
    """architecture.md names every entrypoint."""
    row = next(
        line for line in (ROOT / "docs" / "architecture.md").read_text().splitlines() if "| `entrypoints` |" in line
    )
    exist = {info.name for info in pkgutil.iter_modules([str(SRC / "entrypoints")])}
    assert set(re.findall(r"`(\w+)`", row)) - {"entrypoints"} == exist


@pytest.mark.parametrize(
    "room", sorted({info.name for info in pkgutil.iter_modules(leerbudget.__path__) if info.ispkg})
)
def test_every_room_says_what_lives_there(room):
    """Every room's own docstring says what lives in it."""
    if room != "migrations":
        assert len((import_module(f"leerbudget.{room}").__doc__ or "").split()) >= 8


def test_the_changelog_knows_this_version():
    """The version of pyproject.toml has its chapter in the changelog, and the README asks for the right Python."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"\n## {project['version']} " in (ROOT / "CHANGELOG.md").read_text()
    assert f"Python {project['requires-python'].removeprefix('>=')} or newer" in (ROOT / "README.md").read_text()


def test_the_licence_is_the_european_one():
    """The licence file is the EUPL 1.2 in full: from its title to its appendix."""
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\nEUPL © the European Union 2007, 2016")
    assert text.rstrip().endswith("require the production of a new EUPL version.")
