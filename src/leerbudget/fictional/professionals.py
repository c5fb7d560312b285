"""Foster-care workers and guardian workers, and whose professional they are."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta

from leerbudget.fictional import figures, names
from leerbudget.fictional.dice import Dice
from leerbudget.fictional.families import Circumstances, week
from leerbudget.fictional.regions import Region
from leerbudget.fictional.world import Family, Professional

ROLES = ("foster_care_worker", "guardian_worker")


def make_professionals(families: Iterable[Family], around: Circumstances) -> tuple[list[Professional], list[Family]]:
    """The professionals, and the families with the references of theirs.

    Every family has a worker of its provider; 57 % also have a guardian worker of the institution of
    their region. One worker serves about 15 families, all in one region.
    """
    dice = Dice(around.seed, "professionals")
    families = list(families)
    teams: dict[tuple[str, str, str], list[Family]] = defaultdict(list)
    for family in families:
        teams["foster_care_worker", family.organisation_ref, family.region].append(family)
        if dice.chance(figures.GUARDIANSHIP):
            teams["guardian_worker", around.landscape.institution[family.region].ref, family.region].append(family)
    homes = {region.name: region for region in around.landscape.regions}
    made: list[Professional] = []
    for (role, organisation_ref, region), clients in teams.items():
        guardian = role == "guardian_worker"
        load = figures.FAMILIES_PER_PROFESSIONAL * (figures.GUARDIANSHIP if guardian else 1)
        size = max(1, round(len(clients) / load))
        for i in range(size):
            ref = f"W{len(made) + 1:05d}"
            since = {family.ref: _since(family, around.start_on, dice) for family in clients[i::size]}
            made.append(_professional(ref, role, organisation_ref, home=homes[region], since=since, dice=dice))
    return made, _with_professionals(families, made)


def _professional(
    ref: str, role: str, organisation_ref: str, *, home: Region, since: Mapping[str, date], dice: Dice
) -> Professional:
    first_name, surname = names.person(dice)
    return Professional(
        ref=ref,
        name=names.fictional(f"{first_name} {surname}"),
        email=names.address(first_name, ref, organisation_ref),
        role=role,
        organisation_ref=organisation_ref,
        region=home.name,
        pc4=dice.draw(home.homes).postcode4,
        week=week("flexible", dice),
        travel_minutes_max={"car": 60, "public_transport": 75},
        since=since,
    )


def _since(family: Family, start_on: date, dice: Dice) -> date:
    """The first day of this worker: some time in the last three years, never before the first placement."""
    return max(family.first_placement_on, (start_on - timedelta(days=dice.between(30, 1100))).replace(day=1))


def _with_professionals(families: Iterable[Family], made: Iterable[Professional]) -> list[Family]:
    mine: dict[str, list[str]] = defaultdict(list)
    for professional in made:
        for family_ref in professional.since:
            mine[family_ref].append(professional.ref)
    return [replace(family, professional_refs=tuple(mine[family.ref])) for family in families]
