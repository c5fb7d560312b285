"""What page templates can use: the Jinja environment, its filters, and the three objects every page may get.

A page is rendered with `shell` (the frame around it), `view` (what it shows; its fields are listed in
the template's head comment) and, when it has a form, `form` (what was filled in and what is not right).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import ceil
from pathlib import Path

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from leerbudget.entrypoints.web.assets import asset
from leerbudget.entrypoints.web.wording import label, tone
from leerbudget.foundation import money
from leerbudget.foundation.clock import AMSTERDAM

TEMPLATES = Path(__file__).parent / "templates"
NO_BREAK = "\u00a0"
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Sent with every page. Nothing inline and nothing from elsewhere (reliability section 4)."""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A message on top of a page about what just happened. `kind`: ok, info, warning or error."""

    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Shell:
    """The frame around every page.

    `roles` are role names of `identity.rules`; they decide which links the header offers, never what
    is allowed. `csrf_token` goes into every form as `_csrf_token`.
    """

    path: str
    csrf_token: str
    display_name: str | None = None
    roles: frozenset[str] = frozenset()
    demo: bool = False
    notice: Notice | None = None


@dataclass(frozen=True, kw_only=True)
class Form:
    """What somebody filled in, and per field the sentence that says what to change."""

    values: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """The single value of a field; empty when nothing was filled in."""
        found = self.values.get(name, "")
        return found if isinstance(found, str) else next(iter(found), "")

    def chosen(self, name: str, option: object) -> bool:
        """Whether an option of a choice is ticked."""
        found = self.values.get(name, ())
        return str(option) == found if isinstance(found, str) else str(option) in found

    def error(self, name: str) -> str:
        """The sentence that says what to change in a field; empty when it is fine."""
        return self.errors.get(name, "")


@dataclass(frozen=True, kw_only=True)
class NavLink:
    """A link in the header."""

    href: str
    text: str
    current: bool


LINKS: tuple[tuple[frozenset[str], str, str], ...] = (
    (frozenset({"foster_parent"}), "/mijn", "Overzicht"),
    (frozenset({"foster_parent"}), "/wensen", "Wensen"),
    (frozenset({"foster_care_worker", "guardian_worker", "guest"}), "/mijn-plekken", "Mijn plekken"),
    (frozenset(), "/zoeken", "Aanbod"),
    (frozenset({"foster_parent"}), "/inschrijvingen", "Inschrijvingen"),
    (frozenset({"foster_parent"}), "/budget", "Leerbudget"),
    (frozenset({"trainer"}), "/trainer", "Mijn bijeenkomsten"),
    (frozenset({"trainer"}), "/mijn-rekening", "Mijn rekening"),
    (frozenset({"organisation_finance", "organisation_admin", "municipality_viewer"}), "/organisatie", "Organisatie"),
    (frozenset({"coordinator"}), "/rondes", "Koppelrondes"),
    (frozenset({"coordinator"}), "/gesprekken", "Gesprekken"),
    (frozenset({"coordinator"}), "/stortingen", "Stortingen"),
    (frozenset({"coordinator"}), "/bank", "Bank"),
    (frozenset({"coordinator"}), "/uitbetalingen", "Uitbetalingen"),
    (frozenset({"coordinator"}), "/tarieven", "Tarieven"),
)
"""(roles, one of which is needed; none = everybody), address, text."""


def navigation(shell: Shell) -> list[NavLink]:
    """The header's links for somebody with these roles, the present part of the site marked."""
    return [
        NavLink(href=href, text=text, current=shell.path == href or shell.path.startswith(href + "/"))
        for roles, href, text in LINKS
        if not roles or roles & shell.roles
    ]


def euros(cents: int) -> str:
    """Cents as a Dutch amount that stays on one line."""
    return money.euros(cents).replace(" ", NO_BREAK)


def day(value: date | datetime, length: str = "long") -> str:
    """A date in Amsterdam: `maandag 1 maart 2027`; `short`: `ma 1 mrt 2027`; `plain`: `1 maart 2027`."""
    patterns = {"long": "EEEE d MMMM y", "short": "EEEEEE d MMM y", "plain": "d MMMM y"}
    local = value.astimezone(AMSTERDAM).date() if isinstance(value, datetime) else value
    return format_date(local, patterns[length], locale="nl").replace(".", "").replace(" ", NO_BREAK)


def month(value: date) -> str:
    """The month of a date: `maart 2027`."""
    return str(format_date(value, "MMMM y", locale="nl")).replace(" ", NO_BREAK)


def clock_time(value: datetime) -> str:
    """A time of day in Amsterdam: `19.00`."""
    return format_datetime(value.astimezone(AMSTERDAM), "HH.mm", locale="nl")


def moment(value: datetime) -> str:
    """Day and time: `maandag 1 maart 2027 om 19.00 uur`."""
    return f"{day(value)} om {clock_time(value)}{NO_BREAK}uur"


def until(value: datetime) -> str:
    """Up to a moment: `tot maandag 1 maart 2027 om 19.00 uur`; at midnight `tot en met` the day that ends."""
    if value.astimezone(AMSTERDAM).time() == time(0):
        return f"tot en met {day(value - timedelta(seconds=1))}"
    return f"tot {moment(value)}"


def iso(value: date | datetime) -> str:
    """The machine's way of writing it, for the `datetime` attribute of `<time>`."""
    return value.isoformat()


def minutes(count: int) -> str:
    """`45 minuten`, `1 uur`, `1 uur en 10 minuten`."""
    hours, rest = divmod(count, 60)
    parts = ([f"{hours}{NO_BREAK}uur"] if hours else []) + (
        [plural(rest, "minuut", "minuten")] if rest or not hours else []
    )
    return " en ".join(parts)


def plural(count: int, one: str, more: str) -> str:
    """`1 wens`, `3 wensen`; large numbers with points."""
    return f"{number(count)}{NO_BREAK}{one if count == 1 else more}"


def number(value: float) -> str:
    """A number the Dutch way, at most one decimal: `1.234` or `2,5`."""
    return str(format_decimal(Decimal(str(value)), format="#,##0.#", locale="nl"))


def percent(share: float) -> str:
    """A share between 0 and 1 as `87%`, rounded; never `100%` for less than all, never `0%` for more than none."""
    whole = round(share * 100)
    if whole == 100 and share < 1:
        whole = 99
    if whole == 0 and share > 0:
        return "<1%"
    return f"{whole}%"


def at_most(share: float) -> str:
    """A share between 0 and 1 as a bound, `hooguit 0,28%`: rounded up to a hundredth of a percent, so that it stays true."""
    return f"hooguit {format_decimal(ceil(share * 10_000) / 100, format='0.00', locale='nl_NL')}%"


def listed(words: Sequence[str]) -> str:
    """`Anna`, `Anna en Bram`, `Anna, Bram en Carla`."""
    return " en ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def threefold(option: Sequence[str]) -> tuple[str, str, str]:
    """An option of a choice as (value, text, help); the help may be left out."""
    value, text, *more = option
    return value, text, more[0] if more else ""


def environment() -> Environment:
    """The Jinja environment of the pages: escapes everything, and a field that is not there is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    made.filters |= {
        f.__name__: f
        for f in (
            euros,
            day,
            month,
            clock_time,
            moment,
            until,
            iso,
            minutes,
            plural,
            number,
            percent,
            at_most,
            listed,
            threefold,
            label,
            tone,
        )
    }
    made.globals |= {"asset": asset, "navigation": navigation, "NO_FORM": Form()}
    return made
