"""One made-up Netherlands from a seed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from leerbudget.fictional import figures
from leerbudget.fictional.cases import Stage, by_family, make_cases
from leerbudget.fictional.demand import make_agendas, make_dialogue_wishes, make_wishes
from leerbudget.fictional.dice import Dice
from leerbudget.fictional.families import Circumstances, make_families
from leerbudget.fictional.funding import make_grants, make_place_grants, make_top_ups
from leerbudget.fictional.organisations import make_landscape
from leerbudget.fictional.professionals import make_professionals
from leerbudget.fictional.supply import Supply, make_supply
from leerbudget.fictional.world import CourseSession, Family, Professional, Wish, World

FAMILIES_MAX = 1_000_000
SESSIONS_MAX = 100_000
CONTENTION = 0.2
"""Share of sessions planned without regard to demand, by default: some are then overfull and some too small."""


def make_world(
    families: int,
    sessions: int,
    seed: int,
    start_on: date,
    contention: float = CONTENTION,
    *,
    wishes_mean: float = figures.WISHES_MEAN,
) -> World:
    """The world of this seed: the same arguments give the same world.

    `sessions` counts the published sessions; about 2 % drafts come on top. Meetings lie in the 18 weeks
    from `start_on`. With 8 families a session and the default `contention` (0 to 1), a best plan serves
    about 70 % of 2,000 families and 55 to 60 % of a few hundred; more contention, fewer families. From
    200 families and 25 sessions on, every kind of `Case` occurs. `wishes_mean` is the mean number of wishes
    of a family, between 0 and 3.

    Raises:
        ValueError: a size, the contention or the mean is out of bounds.
    """
    if not (1 <= families <= FAMILIES_MAX and 1 <= sessions <= SESSIONS_MAX and 0 <= contention <= 1):
        raise ValueError(f"1 to {FAMILIES_MAX} families, 1 to {SESSIONS_MAX} sessions, contention 0 to 1")
    around = Circumstances(make_landscape(families, sessions, seed), start_on, seed)
    professionals, people = make_professionals(make_families(families, around), around)
    wishes = make_wishes(people, make_agendas(around.landscape.regions, sessions, seed), seed, start_on, wishes_mean)
    supply = make_supply(
        sessions, contention, families=people, wishes=wishes, professionals=professionals, around=around
    )
    people = _with_avoid_lists(people, professionals, supply, seed)
    stage = _stage(people, wishes, professionals, supply, around)
    cases = make_cases(stage)
    grants = tuple(grant for rows in stage.grants.values() for grant in rows)
    return World(
        seed=seed,
        start_on=start_on,
        organisations=around.landscape.organisations,
        families=tuple(stage.families.values()),
        professionals=tuple(professionals),
        wishes=(*_family_wishes(stage), *_dialogue_wishes(professionals, stage, len(wishes), seed)),
        trainers=tuple(supply.trainers),
        venues=tuple(supply.venues),
        courses=tuple(supply.courses),
        sessions=tuple(stage.sessions.values()),
        grants=grants,
        top_ups=tuple(make_top_ups(grants)),
        cases=cases,
    )


def _stage(
    people: Sequence[Family],
    wishes: Iterable[Wish],
    professionals: Iterable[Professional],
    supply: Supply,
    around: Circumstances,
) -> Stage:
    by_seeker: dict[str, list[Wish]] = defaultdict(list)
    wishes = list(wishes)
    for wish in wishes:
        by_seeker[wish.seeker_ref].append(wish)
    grants = make_grants(people, wishes, around)
    grants += make_place_grants(people, supply.venues, around, len(grants) + 1)
    return Stage(
        families={family.ref: family for family in people},
        wishes=by_seeker,
        sessions={session.ref: session for session in supply.sessions},
        grants=by_family(grants),
        courses={course.ref: course for course in supply.courses},
        venues={venue.ref: venue for venue in supply.venues},
        professionals={professional.ref: professional for professional in professionals},
        start_on=around.start_on,
        dice=Dice(around.seed, "cases"),
    )


def _family_wishes(stage: Stage) -> Iterable[Wish]:
    return (wish for rows in stage.wishes.values() for wish in rows)


def _dialogue_wishes(
    professionals: Sequence[Professional], stage: Stage, wishes_before: int, seed: int
) -> Iterable[Wish]:
    dialogues = [
        (session, stage.courses[session.course_ref])
        for session in stage.sessions.values()
        if session.parties is not None and session.state != "draft"
    ]
    return make_dialogue_wishes(professionals, dialogues, wishes_before + 1, seed)


def _with_avoid_lists(
    people: Iterable[Family], professionals: Iterable[Professional], supply: Supply, seed: int
) -> list[Family]:
    """A few families would rather not meet a certain trainer or professional of their region."""
    dice = Dice(seed, "avoid")
    nearby: dict[str, list[str]] = defaultdict(list)
    for session in supply.sessions:
        nearby[session.region].extend(session.trainer_refs)
    workers: dict[str, list[str]] = defaultdict(list)
    for professional in professionals:
        workers[professional.region].append(professional.ref)
    return [
        replace(family, avoid_refs=(dice.pick(pool),))
        if dice.chance(figures.AVOID) and (pool := (nearby if dice.chance(0.7) else workers)[family.region])
        else family
        for family in people
    ]


def published(world: World) -> tuple[CourseSession, ...]:
    """The sessions on which families can enrol."""
    return tuple(session for session in world.sessions if session.state != "draft")
