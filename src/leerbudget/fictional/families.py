"""Foster families: who they are, when they can come, how far they travel."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from leerbudget.fictional import figures, names
from leerbudget.fictional.calendar import EVENING, HOURS, SATURDAY, WEEKS
from leerbudget.fictional.dice import Chances, Dice
from leerbudget.fictional.organisations import Landscape
from leerbudget.fictional.world import Family, Interval, Parent
from leerbudget.foundation.clock import AMSTERDAM

DAYTIME_RHYTHMS = ("school_hours", "saturday")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all families of one world share."""

    landscape: Landscape
    start_on: date
    seed: int


def make_families(count: int, around: Circumstances) -> list[Family]:
    """So many families, larger towns first in chance; avoid lists and professionals come later."""
    dice = Dice(around.seed, "families")
    shares = Chances({region: region.weight for region in around.landscape.regions})
    made = []
    for number in range(1, count + 1):
        region = dice.draw(shares)
        rhythm = dice.draw(figures.RHYTHMS)
        children = tuple(dice.draw(figures.CHILD_AGES) for _ in range(dice.draw(figures.CHILDREN)))
        ref = reference(number)
        made.append(
            Family(
                ref=ref,
                label=names.fictional(f"Gezin {number:04d}"),
                region=region.name,
                pc4=dice.draw(region.homes).postcode4,
                organisation_ref=dice.draw(around.landscape.providers[region.name]).ref,
                family_type=dice.draw(figures.FAMILY_TYPES),
                care_forms=_care_forms(dice),
                first_placement_on=_first_placement(around.start_on, dice),
                children=children,
                parents=_parents(ref, rhythm, around.start_on, dice),
                travel_minutes_max=_travel(dice),
                online_ok=dice.chance(figures.ONLINE_OK),
                places_max=dice.draw(figures.PLACES_MAX),
                own_contribution_cents_max=dice.draw(figures.OWN_CONTRIBUTION_CENTS),
                childcare_need=_childcare_need(rhythm, children, dice),
                avoid_refs=(),
                professional_refs=(),
            )
        )
    return made


def reference(number: int) -> str:
    """What an organisation calls its family of this number; parents have a letter behind it. Above 99,999 it is longer."""
    return f"F{number:05d}"


def childcare(family: Family) -> dict[str, int]:
    """How many children of each band need somebody while their foster parents learn; empty when none do."""
    if family.childcare_need == "none":
        return {}
    young = Counter(band for band in family.children if band in figures.CHILDCARE_BANDS)
    return {band: young[band] for band in figures.CHILDCARE_BANDS if young[band]}


def _care_forms(dice: Dice) -> tuple[str, ...]:
    care = dice.draw(figures.CARE)
    forms = []
    if care != "part_time":
        forms.append("full_time_long" if dice.chance(figures.FULL_TIME_LONG) else "full_time_temporary")
    if care != "full_time":
        forms.append("part_time")
    if dice.chance(figures.CRISIS):
        forms.append("crisis")
    return tuple(forms)


def _first_placement(start_on: date, dice: Dice) -> date:
    """The first day of a month; more is not needed and would tell too much. A twelfth keeps it inside its band."""
    low, high = dice.draw(figures.EXPERIENCE_YEARS)
    return (start_on - timedelta(days=int(365.25 * dice.real(low, high - 1 / 12)))).replace(day=1)


def _travel(dice: Dice) -> dict[str, int]:
    modes = {mode: dice.draw(minutes) for mode, (share, minutes) in figures.TRAVEL.items() if dice.chance(share)}
    return modes or {"public_transport": 60}


def _childcare_need(rhythm: str, children: tuple[str, ...], dice: Dice) -> str:
    daytime = rhythm in DAYTIME_RHYTHMS
    if not any(band in figures.CHILDCARE_BANDS for band in children):
        return "none"
    if not dice.chance(figures.CHILDCARE_DAYTIME if daytime else figures.CHILDCARE_EVENING):
        return "none"
    return dice.draw(figures.CHILDCARE_DAYTIME_HOW if daytime else figures.CHILDCARE_EVENING_HOW)


def _parents(ref: str, rhythm: str, start_on: date, dice: Dice) -> tuple[Parent, ...]:
    first = _parent(f"{ref}a", rhythm, start_on, dice)
    if not dice.chance(figures.TWO_ADULTS):
        return (first,)
    other = rhythm if dice.chance(figures.SAME_RHYTHM) else dice.draw(figures.RHYTHMS)
    return (first, _parent(f"{ref}b", other, start_on, dice))


def _parent(ref: str, rhythm: str, start_on: date, dice: Dice) -> Parent:
    first_name = dice.pick(names.FIRST_NAMES)
    return Parent(
        ref=ref,
        name=names.fictional(first_name),
        email=names.address(first_name, ref, "gezin"),
        week=week(rhythm, dice),
        blocked=_blocked(start_on, dice) if dice.chance(figures.BLOCKED) else (),
    )


def week(rhythm: str, dice: Dice) -> str:
    """21 bits for somebody with this rhythm; at least one day-part is free."""
    chances = figures.WEEK_CHANCES[rhythm]
    bits = ""
    for weekday in range(7):
        for daypart in range(3):
            share = figures.SUNDAY if weekday > SATURDAY else chances[daypart + (3 if weekday == SATURDAY else 0)]
            if (weekday, daypart) == (4, EVENING):
                share *= figures.FRIDAY_EVENING
            bits += "1" if dice.chance(share) else "0"
    return bits if "1" in bits else "000001" + "0" * 15


def _blocked(start_on: date, dice: Dice) -> tuple[Interval, ...]:
    """One to three day-parts, or now and then a whole week, on which somebody cannot come after all."""
    found = []
    for _ in range(dice.between(1, 3)):
        day = start_on + timedelta(days=dice.between(0, 7 * WEEKS - 1))
        if dice.chance(0.2):
            begin = datetime.combine(day, time(0), AMSTERDAM)
            found.append((begin, begin + timedelta(days=7)))
        else:
            first, last = dice.pick(HOURS)
            found.append((datetime.combine(day, time(first), AMSTERDAM), datetime.combine(day, time(last), AMSTERDAM)))
    return tuple(sorted(found))
