"""An index card per seeker and per session: what the hard rules ask again and again, worked out once.

Nothing here decides anything: plain values of the instance, put where they are found at once. The travel
minutes are those of `geography.travel`, asked for in bulk and remembered.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from leerbudget.geography.postcodes import place_of
from leerbudget.geography.travel import Point, pair_minutes, points
from leerbudget.matcher.day_parts import day_parts_of, local_date
from leerbudget.matcher.instance import LearningBudget, LearningWish, OfferedSession, Seeker, SeekerPerson
from leerbudget.matcher.vocabulary import Facet, Fit, TravelMode, experience_band

DAY_PARTS = 21
MODE_NUMBER = {mode: number for number, mode in enumerate(TravelMode)}
FAMILY_TYPE, CARE_FORMS, EXPERIENCE, CHILD_AGE_BANDS = Facet
Saying = tuple[Facet, str]
"""A criterion and one of its values, such as (care_forms, crisis)."""
ON_CARD = (
    *("persons", "wishes", "budgets", "avoid", "professionals", "care_forms", "child_age_bands"),
    *("pc4", "lat", "lon", "family_type", "experience_years"),
)
"""What the parts of a seeker's card are made of."""


class SeekerCard(NamedTuple):
    """One seeker. `goes`: the persons of a wish, by its id; `shunned`: ids it never shares a room with.

    `facets`: what is known of it by criterion; unknown is not there.
    """

    seeker: Seeker
    home: Point | None
    shunned: frozenset[str]
    facets: frozenset[Saying]
    wishes: dict[str, LearningWish]
    goes: dict[str, list[SeekerPerson]]
    budgets: dict[str, LearningBudget]

    @staticmethod
    def of(seeker: Seeker) -> "SeekerCard":
        """The card of a seeker."""
        return SeekerCard(
            seeker,
            where(seeker),
            frozenset((*seeker.avoid, *seeker.professionals)),
            facets_of(seeker),
            {wish.id: wish for wish in seeker.wishes},
            {wish.id: [person for person in seeker.persons if person.id in wish.persons] for wish in seeker.wishes},
            {budget.id: budget for budget in seeker.budgets},
        )

    def restated(self, seeker: Seeker) -> "SeekerCard":
        """The card of the same seeker who states something else; what the change does not touch is kept."""
        if all(getattr(seeker, field) is getattr(self.seeker, field) for field in ON_CARD):
            return self._replace(seeker=seeker)
        return SeekerCard.of(seeker)


class SessionCard(NamedTuple):
    """One session. `day_parts`: numbers of those its meetings touch; `dates`: of its meetings (Amsterdam).

    `made_for` and `not_for`: what a seeker has for whom the offer is especially meant, or not meant.
    """

    session: OfferedSession
    venue: Point | None
    day_parts: list[int]
    dates: list[date]
    first_on: date | None
    people: frozenset[str]
    made_for: frozenset[Saying]
    not_for: frozenset[Saying]

    @staticmethod
    def of(session: OfferedSession) -> "SessionCard":
        """The card of a session."""
        touched = 0
        for start, end in session.meetings:
            touched |= day_parts_of(start, end)
        dates = [local_date(start) for start, _ in session.meetings]
        return SessionCard(
            session,
            where(session),
            [part for part in range(DAY_PARTS) if touched >> part & 1],
            dates,
            min(dates, default=None),
            frozenset(session.people),
            _meant(session, Fit.FOR),
            _meant(session, Fit.NOT_FOR),
        )


def _meant(session: OfferedSession, said: Fit) -> frozenset[Saying]:
    return frozenset(
        (facet, value) for facet, fits in session.audience.items() for value, fit in fits.items() if fit is said
    )


class SeekerCards(dict[str, SeekerCard]):
    """The cards of all seekers by id, each made when it is first asked for."""

    def __init__(self, seekers: Mapping[str, Seeker]) -> None:
        super().__init__()
        self.seekers = seekers

    def __missing__(self, seeker: str) -> SeekerCard:
        """Make the card that is not there yet."""
        card = self[seeker] = SeekerCard.of(self.seekers[seeker])
        return card


class ChangedCards(dict[str, SeekerCard]):
    """The cards of some seekers who state something else; the others are as they were."""

    def __init__(self, changed: Seeker, others: dict[str, SeekerCard]) -> None:
        super().__init__({changed.id: others[changed.id].restated(changed)})
        self.others = others

    def __missing__(self, seeker: str) -> SeekerCard:
        """The card of somebody who did not change."""
        return self.others[seeker]


class SessionCards(dict[str, SessionCard]):
    """The cards of all sessions by id, each made when it is first asked for."""

    def __init__(self, sessions: Mapping[str, OfferedSession]) -> None:
        super().__init__()
        self.sessions = sessions

    def __missing__(self, session: str) -> SessionCard:
        """Make the card that is not there yet."""
        card = self[session] = SessionCard.of(self.sessions[session])
        return card


@dataclass(frozen=True, slots=True)
class Roads:
    """Whole minutes one way between places, by mode of travel."""

    known: dict[tuple[Point, Point], Sequence[int]] = field(default_factory=dict)

    def minutes(self, here: Point, there: Point) -> Sequence[int]:
        """The minutes from one place to another, by `MODE_NUMBER`."""
        if (here, there) not in self.known:
            self.learn([(here, there)])
        return self.known[here, there]

    def learn(self, pairs: Iterable[tuple[Point, Point]]) -> None:
        """Look up many pairs of places at once."""
        asked = list({pair for pair in pairs if pair not in self.known})
        row: dict[Point, int] = {}
        ends = np.array([[row.setdefault(end, len(row)) for end in pair] for pair in asked], np.int64).reshape(-1, 2)
        places = points(list(row))
        self.known.update(zip(asked, pair_minutes(places, ends[:, 0], places, ends[:, 1]).T.tolist(), strict=True))


def where(someone: Seeker | OfferedSession) -> Point | None:
    """The place of a seeker or session; None is nowhere (online)."""
    if someone.lat is not None and someone.lon is not None:
        return Point(someone.lat, someone.lon)
    return None if someone.pc4 is None else _point_of(someone.pc4)


@lru_cache(maxsize=8192)
def _point_of(pc4: str) -> Point:
    place = place_of(pc4)
    return Point(place.lat, place.lon)


def facets_of(seeker: Seeker) -> frozenset[Saying]:
    """What is known of a seeker by criterion."""
    known: list[Saying] = [(CARE_FORMS, form) for form in seeker.care_forms]
    known += [(CHILD_AGE_BANDS, band) for band in seeker.child_age_bands]
    if seeker.family_type is not None:
        known.append((FAMILY_TYPE, seeker.family_type))
    if seeker.experience_years is not None:
        known.append((EXPERIENCE, experience_band(seeker.experience_years)))
    return frozenset(known)
