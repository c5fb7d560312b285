"""Situations that must not be missing from any sizeable world, made by moving a few families next to a session.

Chance alone would leave some of them out of a small world; a demonstration and a test need them by name.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date

from leerbudget.fictional import figures
from leerbudget.fictional.dice import Dice
from leerbudget.fictional.fitting import bits_of, in_reach, is_for, spendable_cents
from leerbudget.fictional.world import Case, Course, CourseSession, Family, Grant, Parent, Professional, Venue, Wish

CASES_PER_KIND = 3
SMALL_GRANT_CENTS = 10_000
"""The lowest grant that occurs; every series costs more."""
EVENING_STARTS = 18
NEARBY = {"bike": 15}
USUAL = {"car": 45, "bike": 25}


@dataclass(slots=True)
class Stage:
    """The parts of a world that the cases may change; dictionaries by reference."""

    families: dict[str, Family]
    wishes: dict[str, list[Wish]]
    sessions: dict[str, CourseSession]
    grants: dict[str, list[Grant]]
    courses: Mapping[str, Course]
    venues: Mapping[str, Venue]
    professionals: Mapping[str, Professional]
    start_on: date
    dice: Dice

    def pc4(self, session: CourseSession) -> str | None:
        """Where a session is held; None is online."""
        return None if session.venue_ref is None else self.venues[session.venue_ref].pc4

    def theme(self, session: CourseSession) -> str:
        """What a session is about."""
        return self.courses[session.course_ref].theme


def make_cases(stage: Stage) -> tuple[Case, ...]:
    """Up to three families of each kind; every family has one case at most and its wish is its only one."""
    kinds: dict[str, Callable[[Stage, Family, CourseSession], CourseSession | None]] = {
        "own_professional": _own_professional,
        "too_little_money": _too_little_money,
        "childcare_place": _childcare_place,
        "avoided_trainer": _avoided_trainer,
        "couple_together": _couple_together,
    }
    used: set[str] = set()
    made: list[Case] = []
    for kind, arrange in kinds.items():
        for _ in range(CASES_PER_KIND):
            case = next(_tries(kind, arrange, stage, used), None)
            if case is not None:
                used |= {case.family_ref, case.session_ref}
                made.append(case)
    return tuple(made)


def _tries(
    kind: str,
    arrange: Callable[[Stage, Family, CourseSession], CourseSession | None],
    stage: Stage,
    used: set[str],
) -> Iterator[Case]:
    """Pairs of a session and a family of its region, until one can be arranged."""
    nearby: dict[str, list[Family]] = defaultdict(list)
    for family in stage.families.values():
        if family.ref not in used and stage.wishes[family.ref]:
            nearby[family.region].append(family)
    for session in stage.dice.shuffled(list(stage.sessions.values())):
        if session.state == "draft" or session.venue_ref is None:
            continue
        if (session.ref in used or session.parties is not None) != (kind == "own_professional"):
            continue
        course = stage.courses[session.course_ref]
        for family in stage.dice.some(nearby[session.region], 40):
            if is_for(course, family, stage.start_on):
                arranged = arrange(stage, family, session)
                if arranged is not None:
                    stage.sessions[session.ref] = arranged
                    yield Case(kind, family.ref, stage.wishes[family.ref][0].ref, session.ref)


def _settle(
    stage: Stage, family: Family, session: CourseSession, *, travel: Mapping[str, int], together: bool = False
) -> Family:
    """The family lives in the street of the session, can come, and has this theme as its only wish."""
    pc4 = stage.pc4(session)
    theme = stage.theme(session)
    wish = stage.wishes[family.ref][0]
    everybody = tuple(parent.ref for parent in family.parents)
    stage.wishes[family.ref] = [
        replace(wish, theme=theme, rank=1, forms=None, person_refs=everybody if together else everybody[:1])
    ]
    settled = replace(
        family,
        pc4=pc4 or family.pc4,
        parents=tuple(_free(parent, session) for parent in family.parents),
        travel_minutes_max=dict(travel),
        online_ok=False,
        own_contribution_cents_max=0,
        childcare_need="none",
        avoid_refs=(),
    )
    stage.families[family.ref] = settled
    return settled


def _free(parent: Parent, session: CourseSession) -> Parent:
    bits = bits_of(session)
    week = "".join("1" if place in bits else bit for place, bit in enumerate(parent.week))
    return replace(parent, week=week, blocked=())


def _rivals(stage: Stage, family: Family, session: CourseSession) -> Iterator[CourseSession]:
    """Other published sessions on the same theme within reach of somebody who lives next to this one."""
    home = replace(family, pc4=stage.pc4(session) or family.pc4, travel_minutes_max=NEARBY, online_ok=False)
    for other in stage.sessions.values():
        if other.ref != session.ref and other.state != "draft" and stage.theme(other) == stage.theme(session):
            pc4 = stage.pc4(other)
            if pc4 is not None and in_reach(home, pc4):
                yield other


def _money_cents(stage: Stage, family: Family, session: CourseSession) -> int:
    return spendable_cents(stage.grants[family.ref], stage.theme(session), session.meetings[0][0].date())


def _own_professional(stage: Stage, family: Family, session: CourseSession) -> CourseSession | None:
    """The family's own worker leads the only dialogue nearby (R65)."""
    workers = [ref for ref in family.professional_refs if stage.professionals[ref].role == "foster_care_worker"]
    taken = [ref for ref in session.facilitator_refs if ref in stage.professionals]
    if not workers or (taken and taken != workers[:1]):
        return None
    if any(other.parties is not None for other in _rivals(stage, family, session)):
        return None
    settled = _settle(stage, family, session, travel=NEARBY)
    stage.wishes[settled.ref] = [replace(stage.wishes[settled.ref][0], forms=("dialogue",))]
    return replace(session, facilitator_refs=(workers[0],))


def _too_little_money(stage: Stage, family: Family, session: CourseSession) -> CourseSession | None:
    """Every session nearby on the only theme the family wishes for costs more than its budget."""
    if min([session.price_cents, *(other.price_cents for other in _rivals(stage, family, session))]) <= (
        SMALL_GRANT_CENTS
    ):
        return None
    _settle(stage, family, session, travel=NEARBY)
    stage.grants[family.ref] = [replace(stage.grants[family.ref][0], amount_cents=SMALL_GRANT_CENTS)]
    return session


def _avoided_trainer(stage: Stage, family: Family, session: CourseSession) -> CourseSession | None:
    """The session would fit, but the family would rather not meet its trainer (R66)."""
    if _money_cents(stage, family, session) < session.price_cents:
        return None
    settled = _settle(stage, family, session, travel=USUAL)
    stage.families[family.ref] = replace(settled, avoid_refs=session.trainer_refs[:1])
    return session


def _childcare_place(stage: Stage, family: Family, session: CourseSession) -> CourseSession | None:
    """The family can come only when there is a place for each of its young children (R52)."""
    young = {band: family.children.count(band) for band in figures.CHILDCARE_BANDS if band in family.children}
    by_day = session.meetings[0][0].hour < EVENING_STARTS
    if not young or not (by_day or session.childcare_places):
        return None
    if _money_cents(stage, family, session) < session.price_cents:
        return None
    settled = _settle(stage, family, session, travel=USUAL)
    stage.families[family.ref] = replace(settled, childcare_need="needs_place")
    places = {
        band: max(2, session.childcare_places.get(band, 0), young.get(band, 0)) for band in figures.CHILDCARE_BANDS
    }
    return replace(session, childcare_places=places)


def _couple_together(stage: Stage, family: Family, session: CourseSession) -> CourseSession | None:
    """Two parents who want to go together, or not at all."""
    if len(family.parents) != 2 or _money_cents(stage, family, session) < 2 * session.price_cents:
        return None
    _settle(stage, family, session, travel=USUAL, together=True)
    return session


def by_family(grants: Iterable[Grant]) -> dict[str, list[Grant]]:
    """Grants by the family that receives them."""
    found: dict[str, list[Grant]] = defaultdict(list)
    for grant in grants:
        found[grant.family_ref].append(grant)
    return found
