"""A made-up trainer pool and the sessions it could lead, as a file `leerbudget-staffing/1`. Everybody is fictief."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from leerbudget.fictional import figures
from leerbudget.fictional.calendar import HORIZON, bit, hours, interval, slot, weekly
from leerbudget.fictional.dice import Chances, Dice
from leerbudget.fictional.regions import Region, regions
from leerbudget.fictional.subjects import SUBJECTS
from leerbudget.geography.postcodes import Place

FORMAT = "leerbudget-staffing/1"
START_ON = date(2027, 1, 4)
"""The first day of every generated file, so that the seed alone decides."""
TRAINERS_MAX, SESSIONS_MAX = 10_000, 100_000
HOURS_PER_SESSION = 7.0
"""Mean weighted hours of one session here, co-trainers included; so that what trainers wish follows what is asked."""
SUPPLY = 1.15
"""Hours that all trainers together wish at most, as a share of the hours that are asked [guess]."""
SESSION_UNIT = 0.25
"""Trainers who say how many sessions instead of how many hours [guess]."""
CO_PLACE = 0.15
"""Sessions that ask for a co-trainer, dialogues aside: those always have two who lead (R63) [guess]."""
SIZES = Chances({6: 1.0, 8: 2.0, 10: 3.0, 12: 3.0, 16: 1.0})
FORM_LIMITS = 0.15
"""Trainers who do not do every form [guess]."""
ONLINE_OK = 0.7
TRAVEL = Chances({45: 0.2, 60: 0.5, 75: 0.2, 90: 0.1})
PUBLIC_TRANSPORT = 0.3
FREE = {"evening": 0.75, "day": 0.5, "saturday": 0.55, "sunday": 0.03}
"""Chance that a day-part is free for a trainer [guess]."""
BLOCKED_WEEKS = Chances({0: 0.4, 1: 0.4, 2: 0.2})
AVOID = 0.03
DECLINED = 0.1
"""Trainers who declined one session before [guess]."""
FIXED = 0.05
"""Sessions whose leader people confirmed before [guess]."""
EXPIRING = 0.08
"""Certificates that end within the period [guess]."""

Row = dict[str, object]


def generate_staffing(trainers: int, sessions: int, seed: int) -> Row:
    """So many trainers and sessions, with every hard rule in play; the same seed gives the same file.

    Raises:
        ValueError: a size is out of bounds.
    """
    if not (0 <= trainers <= TRAINERS_MAX and 0 <= sessions <= SESSIONS_MAX):
        raise ValueError(f"at most {TRAINERS_MAX} trainers and {SESSIONS_MAX} sessions")
    dice = Dice(seed, "staffing")
    made = [_session(f"S{row + 1:05d}", dice) for row in range(sessions)]
    hours_each = SUPPLY * HOURS_PER_SESSION * sessions / max(1, trainers)
    pool = [_trainer(row, hours_each, dice) for row in range(trainers)]
    return {
        "format": FORMAT,
        "policy": {},
        "trainers": pool,
        "sessions": made,
        "fixed": [],
        "forbidden": [],
        "declined": _declined(pool, made, dice),
    }


def _moments(pairs: Sequence[tuple[datetime, datetime]]) -> list[list[str]]:
    return [[begin.isoformat(timespec="minutes"), end.isoformat(timespec="minutes")] for begin, end in pairs]


def _region(dice: Dice) -> Region:
    return dice.draw(Chances({region: region.weight for region in regions()}))


def _session(ref: str, dice: Dice) -> Row:
    dialogue = dice.chance(figures.DIALOGUES)
    form = "dialogue" if dialogue else dice.draw(figures.SESSION_FORMS)
    online = form == "webinar" or (form == "group_training" and dice.chance(figures.ONLINE_TRAINING))
    weekday, part = slot(dice.draw(figures.SLOTS), dice)
    start, length = hours(weekday, part, dice)
    count = dice.draw(figures.MEETINGS[form]) if form in figures.MEETINGS else 1
    first = START_ON + timedelta(days=14 + 7 * dice.between(0, 7) + weekday)
    region = _region(dice)
    place: Place = dice.draw(region.homes)
    return {
        "id": ref,
        "theme": dice.draw(Chances({subject.theme: subject.weight for subject in SUBJECTS})),
        "form": form,
        "meetings": _moments([interval(day, start, length) for day in weekly(first, count, dice.between(1, 2))]),
        "participants": dice.draw(SIZES),
        "lead": 1,
        "co": 1 if dialogue or dice.chance(CO_PLACE) else 0,
        "region": None if online else region.name,
        "pc4": None if online else place.postcode4,
    }


def _trainer(number: int, hours_each: float, dice: Dice) -> Row:
    """The trainer after so many others; now and then somebody avoids one of those."""
    home = _region(dice)
    place: Place = dice.draw(home.homes)
    shuffled = _themes(dice)
    known = dice.between(2, 5)
    until = timedelta(days=dice.between(40, 120)) if dice.chance(EXPIRING) else HORIZON + timedelta(days=400)
    return {
        "id": f"T{number + 1:04d}",
        "wished_load": _wished_load(hours_each * dice.real(0.4, 1.6), dice),
        "certificate_until": (START_ON + until).isoformat(),
        "themes": shuffled[:known],
        "co_themes": shuffled[known : known + 2],
        "forms": _forms(dice) if dice.chance(FORM_LIMITS) else None,
        "availability": _week(dice),
        "blocked": _moments(_blocked(dice)),
        "pc4": place.postcode4,
        "travel_minutes_max": _travel(dice),
        "online_ok": dice.chance(ONLINE_OK),
        "wished_themes": dice.some(shuffled[:known], dice.between(0, 2)),
        "wished_regions": [home.name] if dice.chance(0.6) else [],
        "avoid": [f"T{dice.between(1, number):04d}"] if dice.chance(AVOID) and number else [],
    }


def _themes(dice: Dice) -> list[str]:
    """All themes in random order, the ones families often wish more likely first."""
    keys = {subject.theme: dice.share() ** (1 / subject.weight) for subject in SUBJECTS if subject.weight > 0}
    return sorted(keys, key=keys.__getitem__, reverse=True)


def _wished_load(hours_wished: float, dice: Dice) -> Row:
    if dice.chance(SESSION_UNIT):
        most = max(1, round(hours_wished / HOURS_PER_SESSION * 1.2))
        return {"unit": "sessions", "most": most, "least": most // 3}
    most = max(4, round(hours_wished))
    return {"unit": "hours", "most": most, "least": round(most * dice.pick((0.0, 0.25, 0.5)))}


def _forms(dice: Dice) -> list[str]:
    values = [*figures.SESSION_FORMS.values, "dialogue"]
    return dice.some(values, dice.between(3, 6))


def _week(dice: Dice) -> str:
    free = set()
    for day in range(7):
        for part in range(3):
            kind = "sunday" if day == 6 else "saturday" if day == 5 else "evening" if part == 2 else "day"
            if dice.chance(FREE[kind]):
                free.add(bit(day, part))
    return "".join("1" if place in free else "0" for place in range(21))


def _blocked(dice: Dice) -> list[tuple[datetime, datetime]]:
    """Some weeks away."""
    weeks = []
    for _ in range(dice.draw(BLOCKED_WEEKS)):
        monday = START_ON + timedelta(weeks=dice.between(0, 17))
        begin, _ = interval(monday, datetime.min.time(), timedelta())
        end, _ = interval(monday + timedelta(days=7), datetime.min.time(), timedelta())
        weeks.append((begin, end))
    return weeks


def _travel(dice: Dice) -> dict[str, int]:
    minutes = dice.draw(TRAVEL)
    return {"public_transport": minutes} if dice.chance(PUBLIC_TRANSPORT / 3) else {"car": minutes, "bike": 25}


def _declined(pool: Sequence[Row], made: Sequence[Row], dice: Dice) -> list[tuple[object, object]]:
    if not made:
        return []
    return [(trainer["id"], dice.pick(made)["id"]) for trainer in pool if dice.chance(DECLINED)]
