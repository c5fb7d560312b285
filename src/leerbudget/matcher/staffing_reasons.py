"""Why a trainer is proposed, why a place stays open, and what would have helped: in plain Dutch.

Who declined, who is kept apart and whom the team ruled out is one neutral sentence: nobody reads here who
avoids whom (R66), and a declined session needs no reason (R61).
"""

from collections import Counter

from leerbudget.geography.travel import travel_minutes
from leerbudget.matcher.outcome import Whole
from leerbudget.matcher.staffing import Assignment, Helped, LoadUnit, Role, StaffSession, StaffTrainer, Told, Unstaffed
from leerbudget.matcher.staffing_audit import kept, open_places
from leerbudget.matcher.staffing_points import UNIT, pair_points, weights_of
from leerbudget.matcher.staffing_rules import (
    Assigned,
    StaffingRules,
    TrainerWay,
    by_session,
    by_trainer,
    knows,
    way_to,
    where,
)
from leerbudget.matcher.vocabulary import THEME_NL, TRAVEL_NL, TravelMode

HELPED_MAX = 3
NOT_AVAILABLE = "not_available"
UNIT_NL = {LoadUnit.HOURS: "uur", LoadUnit.SESSIONS: "keer een groep"}


STAFFING_WHY = {
    "confirmed": "Dit is al afgesproken.",
    "available": "{trainer} kan op alle data en geeft dit thema.",
    "wished_theme": "Dit thema ({theme}) staat bij de wensen van {trainer}.",
    "wished_region": "De regio staat bij de wensen van {trainer}.",
    "travel": "Ongeveer {minutes} minuten reizen {how}; de grens is {limit} minuten.",
    "travel_online": "Het is online: reizen hoeft niet.",
    "load": "Het telt mee voor {load} {unit}. Met alles samen is dat {percent} procent van wat {trainer} hoogstens wil.",
}
"""Reasons for an assignment, by code."""

STAFFING_WHY_NOT = {
    "theme": "{n} geven dit thema niet in deze rol.",
    "form": "{n} geven deze vorm niet.",
    "certificate": "Bij {n} geldt de VOG niet op alle data.",
    "online": "{n} werken niet online.",
    "travel": "Voor {n} is het verder reizen dan hun grens.",
    "day_part": "{n} zijn niet vrij op deze dagdelen.",
    "blocked": "{n} kunnen op een van de data niet.",
    "load": "{n} komen boven de belasting die zij willen.",
    "overlap": "{n} hebben rond die tijd al een andere groep.",
    "twice": "{n} staan al voor deze groep.",
    NOT_AVAILABLE: "{n} zijn voor deze groep niet beschikbaar.",
    "co_needs_lead": "Er is nog niemand die de groep leidt.",
    "free": "{n} kunnen wel. Een langere berekening kan hen nog voorstellen.",
}
"""What is in the way of a place, by code; `{n}` is how many trainers."""

ORDER = ("co_needs_lead", "twice", "theme", "form", "certificate", "online", "travel", "day_part", "blocked")

HELPED_NL = {
    "theme": "Als {trainer} ook het thema {theme} kan geven.",
    "form": "Als {trainer} ook deze vorm kan geven.",
    "online": "Als {trainer} ook online wil werken.",
    "travel": "Als {trainer} {minutes} minuten {how} wil reizen.",
    "day_part": "Als {trainer} op deze dagdelen vrij kan zijn.",
    "blocked": "Als {trainer} op deze data toch kan.",
    "load": "Als {trainer} in deze periode {most} {unit} wil doen.",
}
"""What would have helped, by the rule that is in the way, the smallest request first in `HELPED_ORDER`."""

HELPED_ORDER = ("blocked", "travel", "load", "day_part", "online", "form", "theme")


def why(rules: StaffingRules, a: Assignment, relative: int) -> list[Told]:
    """The reasons for an assignment. `relative`: the trainer's whole load, hundredths of a percent."""
    trainer, session = rules.trainers[a.trainer], rules.sessions[a.session]
    way = way_to(trainer, session)
    weights = weights_of(rules.staffing.policy)
    theme, region, travel = pair_points(weights, trainer, session, 0 if way is None else way.share)
    told = [_told("confirmed")] if a.fixed else []
    told.append(_told("available", trainer=trainer.id))
    if theme:
        told.append(_told("wished_theme", theme, theme=THEME_NL[session.theme], trainer=trainer.id))
    if region:
        told.append(_told("wished_region", region, trainer=trainer.id))
    told.append(_travel(trainer, way, travel))
    percent, unit = round(relative / 100), UNIT_NL[trainer.wished_load.unit]
    told.append(_told("load", load=_number(a.load), unit=unit, percent=percent, trainer=trainer.id))
    return told


def _travel(trainer: StaffTrainer, way: TrainerWay | None, points: int) -> Told:
    if way is None:
        return _told("travel_online", points)
    limit = trainer.travel_minutes_max[way.mode]
    return _told("travel", points, minutes=way.minutes, how=TRAVEL_NL[way.mode], limit=limit)


def _told(code: str, points: Whole | None = None, **words: object) -> Told:
    return Told(code, STAFFING_WHY[code].format(**words), points)


def _number(hundredths: int) -> str:
    """Hundredths as people write them: 7,5."""
    return f"{hundredths / UNIT:.1f}".replace(".", ",").removesuffix(",0")


def unstaffed(rules: StaffingRules, assigned: list[Assigned]) -> list[Unstaffed]:
    """Every open place, with what was in the way and what would have helped."""
    mine, present = by_trainer(assigned), by_session(assigned)
    found = []
    for (session, role), places in open_places(rules, assigned).items():
        counts: Counter[str] = Counter()
        near: list[tuple[str, str]] = []
        lacking = []
        for name, trainer in rules.trainers.items():
            if not knows(trainer, rules.sessions[session], role):
                counts["theme"] += 1
                lacking.append(name)
                continue
            codes = _codes(rules, Assigned(name, session, role), mine, present)
            counts[_first(codes)] += 1
            if len(codes) == 1 and min(codes) in HELPED_ORDER:
                near.append((min(codes), name))
        helped = _helped(rules, near, (session, role), mine, present)
        for name in lacking if counts["co_needs_lead"] == 0 else ():
            if len(helped) < HELPED_MAX and _codes(rules, Assigned(name, session, role), mine, present) == {"theme"}:
                helped += _helped(rules, [("theme", name)], (session, role), mine, present)
        found.append(Unstaffed(session, role, places, _reasons(counts), helped))
    return found


def _codes(
    rules: StaffingRules, wanted: Assigned, mine: dict[str, list[Assigned]], present: dict[str, list[Assigned]]
) -> set[str]:
    """The rules that stand in the way; when one assignment breaks several by itself, two of them."""
    here = present.get(wanted.session, [])
    if any(one.trainer == wanted.trainer for one in here):
        return {"twice"}
    codes = set()
    for breach in rules.of_pair(wanted):
        codes.add(breach.code)
        if len(codes) > 1:
            return codes
    codes |= {breach.code for breach in rules.of_addition(wanted, mine.get(wanted.trainer, []))}
    return codes | {breach.code for breach in rules.of_session(wanted.session, [*here, wanted])}


def _first(codes: set[str]) -> str:
    """The one reason a trainer is counted under."""
    if not codes:
        return "free"
    if codes & {"not_together", "declined", "forbidden"}:
        return NOT_AVAILABLE
    return next((code for code in ORDER if code in codes), min(codes))


def _reasons(counts: Counter[str]) -> list[Told]:
    if counts["co_needs_lead"]:
        return [Told("co_needs_lead", STAFFING_WHY_NOT["co_needs_lead"])]
    order = sorted(counts, key=lambda code: (code == "theme", -counts[code], code))
    return [Told(code, _counted(STAFFING_WHY_NOT[code], counts[code]), trainers=counts[code]) for code in order]


def _counted(sentence: str, count: int) -> str:
    text = sentence.format(n="1 trainer" if count == 1 else f"{count} trainers")
    if count != 1:
        return text
    singular = {
        " geven ": " geeft ", " zijn ": " is ", " kunnen ": " kan ", " komen ": " komt ", " hebben ": " heeft ",
        " werken ": " werkt ", " staan ": " staat ", " zij willen": " die wil", " hun ": " de ", " hen ": " die ",
    }  # fmt: skip
    for many, one in singular.items():
        text = text.replace(many, one)
    return text


def _helped(
    rules: StaffingRules,
    near: list[tuple[str, str]],
    place: tuple[str, Role],
    mine: dict[str, list[Assigned]],
    present: dict[str, list[Assigned]],
) -> list[Helped]:
    """Up to three changes, each tried out, the smallest requests first."""
    session, role = place
    asked = [
        (HELPED_ORDER.index(code), size, helped)
        for code, trainer in near
        if code in HELPED_ORDER
        for size, helped in [_change(rules, code, Assigned(trainer, session, role), mine)]
    ]
    asked.sort(key=lambda row: (row[0], row[1], row[2].trainer))
    found: list[Helped] = []
    for _, _, helped in asked:
        if len(found) < HELPED_MAX and kept(rules, Assigned(helped.trainer, session, role), helped, mine, present):
            found.append(helped)
    return found


def _change(rules: StaffingRules, code: str, wanted: Assigned, mine: dict[str, list[Assigned]]) -> tuple[int, Helped]:
    """How much is asked, and the change in words."""
    trainer, session = rules.trainers[wanted.trainer], rules.sessions[wanted.session]
    mode, minutes, most, size = None, None, None, 0
    if code == "travel" and trainer.travel_minutes_max:
        mode, minutes = _shortest(trainer, session)
        size = minutes - trainer.travel_minutes_max[mode] if mode is not None and minutes is not None else 0
    if code == "load":
        load = sum(rules.load(one) for one in [*mine.get(trainer.id, []), wanted])
        most = -(-load // UNIT)
        size = most - trainer.wished_load.most
    sentence = HELPED_NL[code].format(
        trainer=trainer.id,
        theme=THEME_NL[session.theme],
        minutes=minutes,
        how="" if mode is None else TRAVEL_NL[mode],
        most=most,
        unit=UNIT_NL[trainer.wished_load.unit],
    )
    return size, Helped(trainer.id, code, sentence, mode, minutes, most)


def _shortest(trainer: StaffTrainer, session: StaffSession) -> tuple[TravelMode | None, int | None]:
    """The mode the trainer uses already that needs the fewest minutes more, and how many it takes."""
    home, venue = where(trainer), where(session)
    if home is None or venue is None:
        return None, None
    minutes = travel_minutes(home, venue)
    mode = min(trainer.travel_minutes_max, key=lambda mode: minutes[mode] - trainer.travel_minutes_max[mode])
    return mode, minutes[mode]
