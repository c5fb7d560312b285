"""Earmarks on pages: what money is for, in words, and the fields in which an organisation says so (R02)."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from typing import Any, Protocol

from leerbudget.budgets.rules import EARMARKS
from leerbudget.catalogue import queries as catalogue
from leerbudget.entrypoints.web.pages import View, an_id, many
from leerbudget.entrypoints.web.templating import Form, listed
from leerbudget.entrypoints.web.wording import LABELS
from leerbudget.geography.postcodes import municipalities

NAMES_SHOWN = 4
"""Of more places or courses the rest is counted."""


class Earmarked(Protocol):
    """Money, or a rule for it, with its earmarks; None and empty both mean everything."""

    @property
    def themes(self) -> Sequence[str] | None:
        """Codes of themes."""

    @property
    def forms(self) -> Sequence[str] | None:
        """Codes of forms."""

    @property
    def municipalities(self) -> Sequence[str] | None:
        """Names."""

    @property
    def course_titles(self) -> Sequence[str]:
        """Titles."""


def for_what(money: Earmarked, most: int = NAMES_SHOWN) -> str:
    """What the money is for. Of more than `most` places or courses the rest is counted."""
    words = [LABELS["theme"].get(code, code) for code in money.themes or ()]
    words += [LABELS["form"].get(code, code) for code in money.forms or ()]
    if money.municipalities:
        words.append(f"alleen in {_some(money.municipalities, most, 'andere gemeenten')}")
    if money.course_titles:
        courses = "de cursus" if len(money.course_titles) == 1 else "de cursussen"
        quoted = [f"\N{LEFT SINGLE QUOTATION MARK}{t}\N{RIGHT SINGLE QUOTATION MARK}" for t in money.course_titles]
        words.append(f"alleen {courses} {_some(quoted, most, 'andere')}")
    told = ", ".join(words) or "Alles in het aanbod"
    return told[:1].upper() + told[1:]


def _some(names: Sequence[str], most: int, others: str) -> str:
    if len(names) <= most + 1:  # "and one other" is no shorter than its name
        return listed(list(names))
    return f"{', '.join(names[:most])} en {len(names) - most} {others}"


def kind_of(money: Earmarked) -> str:
    """The money in two or three words, in lower case."""
    kinds = [
        *(["budget voor een thema"] if money.themes or money.forms else []),
        *(["budget voor een plaats"] if money.municipalities else []),
        *(["budget voor een cursus"] if money.course_titles else []),
    ]
    return "budget voor een deel van het aanbod" if len(kinds) > 1 else "".join(kinds) or "leerbudget"


async def choices() -> View:
    """What can be chosen in the fields of earmarks: codes or ids with their words."""
    return View(
        themes=list(LABELS["theme"].items()),
        forms=list(LABELS["form"].items()),
        courses=[(str(each.id), each.title) for each in await catalogue.courses(state="admitted")],
    )


def earmarks_in(form: Form) -> tuple[dict[str, Any], dict[str, str]]:
    """The earmarks that the form says, and what is not right by field. Nothing chosen is no earmark."""
    places, unknown = _places(form.value("municipalities"))
    courses = [an_id(text) for text in many(form, "courses")]
    errors = {"courses": "Kies cursussen uit de lijst."} if None in courses else {}
    if unknown:
        errors["municipalities"] = _did_you_mean(unknown)
    found: dict[str, list[Any]] = {"themes": many(form, "themes"), "forms": many(form, "forms")}
    found |= {"municipalities": places, "courses": courses}
    return {name: tuple(found[name]) or None for name in EARMARKS}, errors


@cache
def _by_sound() -> Mapping[str, str]:
    return {name.casefold(): name for name in sorted(municipalities())}


def _places(text: str) -> tuple[list[str], str | None]:
    """The municipalities on these lines, and the first name that is none. A line may hold several, with commas."""
    found: list[str] = []
    for line in filter(None, (" ".join(line.split()) for line in text.splitlines())):
        whole = _by_sound().get(line.casefold())  # one municipality has a comma in its name
        for part in [line] if whole else filter(None, map(str.strip, line.split(","))):
            name = _by_sound().get(part.casefold())
            if name is None:
                return found, part
            if name not in found:
                found.append(name)
    return found, None


def _did_you_mean(name: str) -> str:
    close = get_close_matches(name.casefold(), _by_sound(), n=1)
    hint = f" Bedoelt u {_by_sound()[close[0]]}?" if close else " Kijk of de naam klopt."
    return f"De gemeente {name[:60]} kennen we niet.{hint}"
