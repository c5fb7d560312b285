"""Wishes: closed lists, states, orders and what may be wished (requirements 4.5, 4.7; R29, R42, R64, R93).

The lists have one source, `leerbudget.matcher.vocabulary`; here they are plain strings for tables and checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from leerbudget.geography.postcodes import all_places
from leerbudget.matcher.vocabulary import ChildAgeBand, ChildcareNeed, LearningForm, Theme, TravelMode

WISH_STATES: Final = ("draft", "open", "proposed", "booked", "fulfilled", "withdrawn", "parked")
CHILDCARE_NEEDS: Final = tuple(value.value for value in ChildcareNeed)
TRAVEL_MODES: Final = tuple(value.value for value in TravelMode)

STEPS: Final[Mapping[str, frozenset[str]]] = {
    "draft": frozenset({"open", "withdrawn"}),
    "open": frozenset({"proposed", "booked", "parked", "withdrawn"}),
    "proposed": frozenset({"booked", "open"}),
    "booked": frozenset({"fulfilled", "open"}),
    "parked": frozenset({"open", "withdrawn"}),
    "fulfilled": frozenset(),
    "withdrawn": frozenset(),
}
CHANGEABLE: Final = ("draft", "open", "parked")
"""States in which the words and the choices of a wish can still change."""

DAY_PARTS: Final = 21
WORDS_MAX: Final = 2000
PERSONS_MAX: Final = 10
TRAVEL_MINUTES_MAX: Final = 240
CHILDREN_MAX: Final = 20
DIALOGUE: Final = "dialogue"


@dataclass(frozen=True, slots=True)
class WishOrder:
    """What somebody wants to learn. `persons` all go together, or nobody goes.

    Without `family` it is a professional's wish to join a dialogue, alone. `forms` None: any form.
    `situation` and `wants_to_learn` are private words, read by nobody but `stated_by` (R31).
    """

    id: UUID
    family: UUID | None
    stated_by: UUID
    persons: tuple[UUID, ...]
    theme: str
    forms: tuple[str, ...] | None = None
    rank: int = 1
    urgent: bool = False
    state: str = "open"
    situation: str = ""
    wants_to_learn: str = ""


@dataclass(frozen=True, slots=True)
class WishChange:
    """What a wish becomes: everything that can change, the private words included."""

    persons: tuple[UUID, ...]
    theme: str
    forms: tuple[str, ...] | None
    rank: int
    urgent: bool
    situation: str
    wants_to_learn: str


@dataclass(frozen=True, slots=True)
class WeekOrder:
    """When a person can usually come: 21 characters 0 or 1, Monday morning first."""

    person: UUID
    week: str


@dataclass(frozen=True, slots=True)
class ExceptionOrder:
    """A time on which a person cannot come after all; there is no reason, on purpose (R93)."""

    id: UUID
    person: UUID
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class PreferenceOrder:
    """How far, how often and how a family (or a professional who joins dialogues) wants to learn.

    `travel_minutes_max`: {mode: minutes one way}. `childcare`: {age band: children}, counted when a place is needed.
    """

    family: UUID | None
    professional: UUID | None
    postcode4: str
    travel_minutes_max: Mapping[str, int]
    online_ok: bool
    max_placements: int = 2
    childcare_need: str = "none"
    childcare: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, a stable code and a Dutch sentence."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Learner:
    """What the rules need to know of a person: the family and the party."""

    id: UUID
    family: UUID | None
    party: str


def is_week(text: str) -> bool:
    """Whether this is a week of 21 day-parts."""
    return len(text) == DAY_PARTS and set(text) <= {"0", "1"}


def may_step(state: str, to: str) -> bool:
    """Whether a wish in `state` may go to state `to`."""
    return to in STEPS.get(state, frozenset())


def sources_of(to: str) -> list[str]:
    """The states from which a wish may go to state `to`."""
    return [state for state, targets in STEPS.items() if to in targets]


def wish_problems(order: WishOrder, learners: Mapping[UUID, Learner]) -> list[Problem]:
    """What is wrong with a wish, given the persons it names."""
    problems = _choice_problems(order)
    if not 1 <= len(order.persons) <= PERSONS_MAX or len(set(order.persons)) != len(order.persons):
        problems.append(Problem("persons", "persons_number", "Zeg wie er meegaan, ieder één keer."))
    elif order.family is None:
        problems += _professional_problems(order, learners)
    elif not _one_family(order, learners):
        problems.append(Problem("persons", "not_one_family", "Wie samen gaan, horen bij hetzelfde gezin."))
    return problems


def _choice_problems(order: WishOrder) -> list[Problem]:
    problems = []
    if order.theme not in tuple(Theme):
        problems.append(Problem("theme", "unknown_theme", "Dit thema kennen we niet."))
    if order.forms is not None and (not order.forms or not set(order.forms) <= set(LearningForm)):
        problems.append(Problem("forms", "unknown_form", "Kies één of meer vormen, of geen voorkeur."))
    if order.forms is not None and len(set(order.forms)) != len(order.forms):
        problems.append(Problem("forms", "form_twice", "Dezelfde vorm staat er twee keer."))
    if not 1 <= order.rank <= 99:
        problems.append(Problem("rank", "rank", "De volgorde is een getal van 1 tot en met 99."))
    for path, words in (("situation", order.situation), ("wants_to_learn", order.wants_to_learn)):
        if len(words) > WORDS_MAX:
            problems.append(Problem(path, "too_long", f"Gebruik hoogstens {WORDS_MAX} tekens."))
    if order.state not in ("draft", "open"):
        problems.append(Problem("state", "state", "Een wens begint als concept of als open wens."))
    return problems


def _one_family(order: WishOrder, learners: Mapping[UUID, Learner]) -> bool:
    """Whether writer and goers are parents of the family of the wish."""
    everybody = {*order.persons, order.stated_by}
    return all(person in learners and learners[person].family == order.family for person in everybody)


def _professional_problems(order: WishOrder, learners: Mapping[UUID, Learner]) -> list[Problem]:
    """A wish without a family: one person without a family, who joins a dialogue (R64)."""
    problems = []
    writer = learners.get(order.stated_by)
    if order.persons != (order.stated_by,) or writer is None or writer.family is not None:
        problems.append(Problem("persons", "not_alone", "Wie zonder gezin meedoet, vraagt dat alleen voor zichzelf."))
    if order.forms != (DIALOGUE,):
        problems.append(Problem("forms", "dialogue_only", "Zonder pleeggezin kunt u alleen meedoen aan een dialoog."))
    return problems


def preference_problems(order: PreferenceOrder) -> list[Problem]:
    """What is wrong with somebody's way of learning."""
    problems = []
    if (order.family is None) == (order.professional is None):
        problems.append(Problem("family", "one_owner", "Dit is van één gezin of van één professional."))
    if order.postcode4 not in all_places():
        problems.append(Problem("postcode4", "postcode", "Deze postcode bestaat niet."))
    for mode, minutes in order.travel_minutes_max.items():
        if mode not in TRAVEL_MODES or not 0 <= minutes <= TRAVEL_MINUTES_MAX:
            message = f"Kies hoe u reist, met 0 tot en met {TRAVEL_MINUTES_MAX} minuten."
            problems.append(Problem(f"travel_minutes_max.{mode}", "travel", message))
    if not order.travel_minutes_max and not order.online_ok:
        message = "Kies minstens één manier om te reizen, of doe online mee."
        problems.append(Problem("travel_minutes_max", "cannot_come", message))
    for band, children in order.childcare.items():
        if band not in tuple(ChildAgeBand) or not 1 <= children <= CHILDREN_MAX:
            message = f"Kies een leeftijdsgroep met 1 tot en met {CHILDREN_MAX} kinderen."
            problems.append(Problem(f"childcare.{band}", "children", message))
    if order.childcare_need == ChildcareNeed.NEEDS_PLACE and not order.childcare:
        message = "Zeg voor hoeveel kinderen u opvang zoekt, en hoe oud ze zijn."
        problems.append(Problem("childcare", "children_missing", message))
    return problems
