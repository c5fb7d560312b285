"""What is offered: courses and their sessions, at a place and time that trainers and rooms allow."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from leerbudget.fictional import figures
from leerbudget.fictional.calendar import FIRST_MEETING_AFTER_DAYS, HORIZON, SLOT_BITS, hours, interval, slot, weekly
from leerbudget.fictional.courses import Syllabus
from leerbudget.fictional.dice import Chances, Dice
from leerbudget.fictional.families import Circumstances
from leerbudget.fictional.pool import Houses, Trainers
from leerbudget.fictional.regions import Region
from leerbudget.fictional.subjects import DIALOGUE_THEMES, SUBJECTS
from leerbudget.fictional.world import Course, CourseSession, Family, Interval, Professional, Trainer, Venue, Wish

DRAFTS = 0.02
"""Sessions of courses that are not yet admitted, on top of the published ones [guess]."""
PROFESSIONAL_LEADS = 0.4
"""Dialogues of which one facilitator is a professional of the region [guess]."""
DIALOGUE_SEATS = (3, 5)
"""Seats for each of the three parties (R64)."""
SERIES_STARTS_WITHIN_DAYS = 70


@dataclass(frozen=True, slots=True)
class Supply:
    """Everything on offer."""

    trainers: list[Trainer]
    venues: list[Venue]
    courses: list[Course]
    sessions: list[CourseSession]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What somebody decides to organise, before place and time are found."""

    region: Region
    theme: str
    form: str
    slot: str
    online: bool = False
    draft: bool = False


_Want = tuple[Region, str, str]


@dataclass(slots=True)
class _Offices:
    """Those who can be asked while sessions are planned."""

    dice: Dice
    around: Circumstances
    syllabus: Syllabus
    houses: Houses
    trainers: Trainers
    workers: dict[str, list[Professional]] = field(default_factory=dict)


def make_supply(
    count: int,
    contention: float,
    *,
    families: Sequence[Family],
    wishes: Sequence[Wish],
    professionals: Sequence[Professional],
    around: Circumstances,
) -> Supply:
    """`count` published sessions that follow demand, except a share `contention` that ignores it; and some drafts."""
    dice = Dice(around.seed, "supply")
    workers: dict[str, list[Professional]] = defaultdict(list)
    for professional in professionals:
        if professional.role == "foster_care_worker":
            workers[professional.region].append(professional)
    offices = _Offices(
        dice=dice,
        around=around,
        syllabus=Syllabus(count, around, dice),
        houses=Houses(dice),
        trainers=Trainers(around, dice),
        workers=workers,
    )
    plans = _plans(count, contention, _wanted(families, wishes, around), around, dice)
    sessions = [_session(number, plan, offices) for number, plan in enumerate(plans, start=1)]
    offices.trainers.add_candidates(around.landscape.regions)
    return Supply(offices.trainers.all, offices.houses.all, offices.syllabus.all, sessions)


def _wanted(families: Sequence[Family], wishes: Sequence[Wish], around: Circumstances) -> list[_Want]:
    """Region, theme and best slot for every person of a wish, sorted, so that evenly spread picks follow demand."""
    homes = {region.name: region for region in around.landscape.regions}
    known = {family.ref: (family.region, _best_slot(family)) for family in families}
    wanted = sorted((known[w.seeker_ref][0], w.theme, known[w.seeker_ref][1]) for w in wishes for _ in w.person_refs)
    return [(homes[name], theme, kind) for name, theme, kind in wanted]


def _best_slot(family: Family) -> str:
    """The kind of slot at which the parents are most often free; evenings when that is undecided."""
    week = [parent.week for parent in family.parents]
    free = {kind: sum(w[place] == "1" for w in week for place in bits) / len(bits) for kind, bits in SLOT_BITS.items()}
    return max(free, key=lambda kind: free[kind])


def _plans(count: int, contention: float, wanted: Sequence[_Want], around: Circumstances, dice: Dice) -> list[_Plan]:
    dialogues = max(1, round(figures.DIALOGUES * count)) if count >= 10 else 0
    drafts = max(1, round(DRAFTS * count)) if count >= 10 else 0
    plans = _dialogue_plans(dialogues, around, dice)
    ordinary = count - dialogues
    offset = dice.share()
    subjects = sorted({(region, theme) for region, theme, _ in wanted}, key=lambda pair: (pair[0].name, pair[1]))
    subjects = subjects or [(region, SUBJECTS[0].theme) for region in around.landscape.regions]
    for i in range(ordinary):
        if wanted and not dice.chance(contention):
            region, theme, kind = wanted[int((i + offset) * len(wanted) / ordinary)]
        else:
            region, theme = dice.pick(subjects)
            kind = dice.draw(figures.SLOTS)
        plans.append(_ordinary_plan(region, theme, kind, dice))
    plans = dice.shuffled(plans)
    return plans + [replace(plan, form="theme_meeting", online=False, draft=True) for plan in plans[:drafts]]


def _dialogue_plans(count: int, around: Circumstances, dice: Dice) -> list[_Plan]:
    """Dialogues spread over the regions, so that most families have at most one nearby."""
    regions = dice.shuffled(around.landscape.regions)
    themes = Chances(DIALOGUE_THEMES)
    return [_Plan(regions[i % len(regions)], dice.draw(themes), "dialogue", "evening") for i in range(count)]


def _ordinary_plan(region: Region, theme: str, kind: str, dice: Dice) -> _Plan:
    form = "train_the_trainer" if theme == "training_others" else dice.draw(figures.SESSION_FORMS)
    online = form == "webinar" or (form == "group_training" and dice.chance(figures.ONLINE_TRAINING))
    if online and dice.chance(0.7):
        kind = "evening"
    return _Plan(region, theme, form, kind, online)


def _session(number: int, plan: _Plan, offices: _Offices) -> CourseSession:
    dice = offices.dice
    course = offices.syllabus.course(plan.theme, plan.form, plan.region, draft=plan.draft)
    weekday, daypart = slot(plan.slot, dice)
    meetings = _meetings(course.meetings, weekday, daypart, offices)
    venue_ref = None if plan.online else offices.houses.book(plan.region, meetings).ref
    trainer_refs, facilitator_refs = _leaders(plan, meetings, offices)
    dialogue = plan.form == "dialogue"
    seats_min, seats_max = (9, 15) if dialogue else (dice.between(6, 8), dice.between(12, 16))
    return CourseSession(
        ref=f"S{number:05d}",
        course_ref=course.ref,
        venue_ref=venue_ref,
        region=plan.region.name,
        state="draft" if plan.draft else "conditional" if dice.chance(0.7) else "confirmed",
        meetings=meetings,
        price_cents=course.price_cents,
        seats_min=seats_min,
        seats_max=seats_max,
        childcare_places={}
        if plan.online or dialogue
        else _childcare_places(daytime=plan.slot != "evening", dice=dice),
        trainer_refs=trainer_refs,
        facilitator_refs=facilitator_refs,
        parties=dict.fromkeys(("foster_parents", "foster_care_workers", "guardian_workers"), DIALOGUE_SEATS)
        if dialogue
        else None,
        party_spread_max=1 if dialogue else None,
        decide_on=meetings[0][0].date() - timedelta(days=7),
    )


def _meetings(count: int, weekday: int, daypart: int, offices: _Offices) -> tuple[Interval, ...]:
    """Every week or every other week at the same hour, all before the horizon."""
    dice, start_on = offices.dice, offices.around.start_on
    start, length = hours(weekday, daypart, dice)
    earliest = start_on + timedelta(days=FIRST_MEETING_AFTER_DAYS)
    earliest += timedelta(days=(weekday - earliest.weekday()) % 7)
    last_day = start_on + HORIZON - timedelta(days=1)
    pace = 2 if 1 < count <= 5 and dice.chance(0.4) else 1
    spare_weeks = max(0, (last_day - earliest).days // 7 - (count - 1) * pace)
    first = earliest + timedelta(weeks=dice.between(0, min(spare_weeks, SERIES_STARTS_WITHIN_DAYS // 7)))
    days: tuple[date, ...] = weekly(first, count, pace)
    while days[-1] > last_day and first > earliest:
        first -= timedelta(weeks=1)
        days = weekly(first, count, pace)
    return tuple(interval(day, start, length) for day in days)


def _leaders(plan: _Plan, meetings: Sequence[Interval], offices: _Offices) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Trainers, and for a dialogue a second facilitator: two lead it together (R63)."""
    dice = offices.dice
    first = offices.trainers.hire(plan.region, plan.theme, meetings)
    if plan.form != "dialogue":
        second = dice.chance(0.45) and plan.form != "webinar"
        refs = (first, offices.trainers.hire(plan.region, plan.theme, meetings)) if second else (first,)
        return tuple(trainer.ref for trainer in refs), ()
    workers = offices.workers.get(plan.region.name, [])
    if workers and dice.chance(PROFESSIONAL_LEADS):
        return (first.ref,), (dice.pick(workers).ref,)
    return (first.ref,), (offices.trainers.hire(plan.region, plan.theme, meetings).ref,)


def _childcare_places(*, daytime: bool, dice: Dice) -> dict[str, int]:
    """Places by age band: at 60 % of the daytime sessions and 6 % of the evenings [guess]."""
    if not dice.chance(0.60 if daytime else 0.06):
        return {}
    return {"a0_3": dice.between(2, 4), "a4_8": dice.between(4, 6), "a9_11": dice.between(2, 4)}
