# ruff: noqa: INP001 (a folder of commands, not a package)
"""Write the parts of the documentation that come from the code: errors, settings, commands, weights.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; everything else is left alone.
tests/test_docs.py fails when a part is out of date.

Usage: python scripts/write_docs.py [--check]
"""

import argparse
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import click
from msgspec.structs import replace

import leerbudget
from leerbudget.entrypoints.cli.main import leerbudget as command_line
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.settings import documented_settings
from leerbudget.matcher.audit import facts_of
from leerbudget.matcher.criteria import first_placement
from leerbudget.matcher.criteria.weights import CRITERIA, DEFAULTS
from leerbudget.matcher.hard_rules import Placed, Rulebook
from leerbudget.matcher.instance import Instance, read_instance
from leerbudget.matcher.solving import Limits, solve
from leerbudget.matcher.weights_file import weight_rows

ROOT = Path(__file__).resolve().parent.parent
PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def every_error() -> list[type[LeerbudgetError]]:
    """Every error class of the whole program, by code."""
    for module in pkgutil.walk_packages(leerbudget.__path__, "leerbudget."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)
    found, queue = set[type[LeerbudgetError]](), [LeerbudgetError]
    while queue:
        kinds = [kind for kind in queue.pop().__subclasses__() if kind.__module__.startswith("leerbudget.")]
        queue += kinds
        found.update(kinds)
    return sorted(found, key=lambda kind: (kind.code, kind.__name__))


def every_command(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below (and with) this one that does something itself, with its full name."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        if below is not None and not below.hidden:
            yield from every_command(below, f"{path} {name}")


def table(heads: list[str], rows: Iterator[list[str]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def errors() -> str:
    """Code, status and the sentence people read."""
    rows = (
        [f"`{kind.code}`", str(kind.status), kind.message_nl, kind.__module__.split(".")[1]] for kind in every_error()
    )
    return table(["code", "HTTP", "wat mensen lezen", "kamer"], rows)


def settings() -> str:
    """Variable, default and meaning, in the program's own words."""
    rows = ([f"`{s.variable}`", f"`{s.default}`" if s.default else "unset", s.meaning] for s in documented_settings())
    return table(["variable", "default", "meaning"], rows)


def commands() -> str:
    """Every command with its arguments and the first sentence of its help."""
    rows = []
    for path, command in every_command(command_line, "leerbudget"):
        arguments = [p.make_metavar(click.Context(command)) for p in command.params if isinstance(p, click.Argument)]
        options = [p.opts[-1] for p in command.params if isinstance(p, click.Option)]
        what = command.get_short_help_str(limit=200)
        rows.append([f"`{' '.join([path, *arguments])}`", what, " ".join(f"`{option}`" for option in options)])
    return table(["command", "what it does", "options"], iter(rows))


def weights() -> str:
    """Every weight of the matcher: what it rewards, its default, and how much of it a placement gets."""
    rows = (
        [f"`{name}`", label, str(default), meaning, share] for name, label, default, meaning, share in weight_rows()
    )
    return table(["naam", "wat het is", "punten", "wanneer", "hoeveel"], rows)


def example() -> Instance:
    """The round of the worked example in docs/gewichten.md."""
    return read_instance((ROOT / "docs" / "voorbeelden" / "gewichten.json").read_bytes())


def weights_example() -> str:
    """The points of everybody who would like the one seat of the example, criterion by criterion."""
    instance = example()
    rules = Rulebook.of(instance)
    wanted = [Placed(seeker.id, seeker.wishes[0].id, "cursus 1") for seeker in instance.seekers]
    points = [criterion.points(facts_of(rules, wanted), criterion.weight).tolist() for criterion in CRITERIA]
    rows = [[c.label_nl, *(str(n) for n in row)] for c, row in zip(CRITERIA, points, strict=True)]
    rows.append(["**deze plek**", *(f"**{sum(column)}**" for column in zip(*points, strict=True))])
    bonus = [first_placement.bonus(rules.seekers[placed.seeker], DEFAULTS) for placed in wanted]
    rows.append([f"{first_placement.LABEL_NL}, met wachten", *(str(n) for n in bonus)])
    return table(["", *(placed.seeker for placed in wanted)], iter(rows))


def weights_outcome() -> str:
    """What the round of the example is worth for each family that could get the one seat; the matcher's own choice bold."""
    instance, exact = example(), Limits(seconds=10, gap=0.0)
    best = solve(instance, exact)
    rows = []
    for seeker in instance.seekers:
        outcome = solve(replace(instance, fixed=[(seeker.id, seeker.wishes[0].id, "cursus 1")]), exact)
        places = ", ".join(f"{p.seeker}: {p.session}" for p in outcome.placements)
        total = f"**{outcome.score}**" if outcome.score == best.score else str(outcome.score)
        rows.append([seeker.id, places, str(len({p.seeker for p in outcome.placements})), total])
    return table(
        ["cursus 1 gaat naar", "de beste verdeling is dan", "gezinnen met een plek", "punten samen"], iter(rows)
    )


PARTS: dict[str, Callable[[], str]] = {
    "errors": errors,
    "settings": settings,
    "commands": commands,
    "weights": weights,
    "weights_example": weights_example,
    "weights_outcome": weights_outcome,
}


def current(text: str) -> str:
    """The text with every generated part as the code has it now."""
    return PART.sub(lambda found: found[1] + PARTS[found[2]]() + found[3], text)


def pages() -> list[Path]:
    """Every page that has generated parts."""
    return [page for page in sorted((ROOT / "docs").glob("*.md")) if PART.search(page.read_text())]


def main() -> int:
    """Write what is out of date; with --check only say so. Exit code 1 when --check finds something."""
    parser = argparse.ArgumentParser(description="Write the parts of the documentation that come from the code.")
    parser.add_argument("--check", action="store_true", help="change nothing; say what is out of date")
    check = parser.parse_args().check
    stale = [page for page in pages() if current(page.read_text()) != page.read_text()]
    for page in stale:
        if not check:
            page.write_text(current(page.read_text()))
        sys.stdout.write(f"docs: {page.relative_to(ROOT)} {'is out of date' if check else 'written'}\n")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
