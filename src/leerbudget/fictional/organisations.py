"""The organisations: foster-care providers, municipalities and certified institutions, and where they work."""

from collections.abc import Sequence
from dataclasses import dataclass

from leerbudget.fictional import names
from leerbudget.fictional.dice import Chances, Dice
from leerbudget.fictional.regions import REGIONS_MAX, Region, around_centre, crow_km, regions
from leerbudget.fictional.world import Organisation

PROVIDERS_MAX = 32
"""Regional youth-care organisations that offer foster care (NJi 2022-23, requirements 2.3)."""
FAMILIES_PER_PROVIDER = 60
SESSIONS_PER_REGION = 20
SESSIONS_SHARED = 10
"""Below 840 or so sessions the world shows only some regions, and of those the surroundings of the centre:
so that families do find courses nearby, as in a pilot."""
SECOND_CONTRACT = 0.43
"""Regions with a second provider: 42 regions then have about 60 contracts [S24]."""
INSTITUTIONS_MAX = 8


@dataclass(frozen=True, slots=True)
class Landscape:
    """Which regions take part, and who works in each (all by region name)."""

    regions: tuple[Region, ...]
    organisations: tuple[Organisation, ...]
    providers: dict[str, Chances[Organisation]]
    municipality: dict[str, Organisation]
    institution: dict[str, Organisation]


def make_landscape(families: int, sessions: int, seed: int) -> Landscape:
    """Draw the regions that take part, larger ones more often, and found the organisations in them."""
    dice = Dice(seed, "organisations")
    count = max(1, min(REGIONS_MAX, round((sessions - SESSIONS_SHARED) / SESSIONS_PER_REGION)))
    active = _draw_regions(count, dice)
    houses = names.houses(dice)
    providers_count = max(1, min(PROVIDERS_MAX, round(families / FAMILIES_PER_PROVIDER), 2 * count))
    providers = _found(
        [active[i % count] for i in range(providers_count)],
        kind="provider",
        names_=[f"Pleegzorg De {house}" for house in houses],
        first=1,
    )
    municipalities = _found(
        active, kind="municipality", names_=[f"Gemeente {r.centre.municipality}" for r in active], first=101
    )
    institutions = _found(
        active[: max(1, min(INSTITUTIONS_MAX, count // 4))],
        kind="certified_institution",
        names_=[f"Jeugdbescherming De {house}" for house in reversed(houses[-INSTITUTIONS_MAX:])],
        first=201,
    )
    homes = {region.name: region for region in active}
    return Landscape(
        regions=tuple(active),
        organisations=(*providers, *municipalities, *institutions),
        providers={region.name: _contracts(region, providers, homes, dice) for region in active},
        municipality={org.region: org for org in municipalities},
        institution={region.name: _nearest(region, institutions, homes)[0] for region in active},
    )


def _draw_regions(count: int, dice: Dice) -> list[Region]:
    """`count` different regions, drawn by weight without replacement."""
    pool = list(regions())
    drawn: list[Region] = []
    for _ in range(count):
        chances = Chances({place: region.weight for place, region in enumerate(pool)})
        drawn.append(pool.pop(dice.draw(chances)))
    return drawn if count == REGIONS_MAX else [around_centre(region) for region in drawn]


def _found(homes: Sequence[Region], *, kind: str, names_: Sequence[str], first: int) -> list[Organisation]:
    """One organisation per home region."""
    return [
        Organisation(
            ref=f"O{number:03d}",
            name=names.fictional(name),
            kind=kind,
            region=region.name,
            email=f"leerbudget@o{number:03d}.fictief.example",
        )
        for number, (region, name) in enumerate(zip(homes, names_, strict=False), start=first)
    ]


def _nearest(region: Region, found: Sequence[Organisation], homes: dict[str, Region]) -> list[Organisation]:
    return sorted(found, key=lambda org: (crow_km(homes[org.region].centre, region.centre), org.ref))


def _contracts(
    region: Region, providers: Sequence[Organisation], homes: dict[str, Region], dice: Dice
) -> Chances[Organisation]:
    """The nearest provider, and in some regions a second one with a smaller share."""
    nearest = _nearest(region, providers, homes)
    if len(nearest) > 1 and dice.chance(SECOND_CONTRACT):
        return Chances({nearest[0]: 0.7, nearest[1]: 0.3})
    return Chances({nearest[0]: 1.0})
