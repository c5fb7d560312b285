"""What a staffing may not contradict, beyond the types of its fields: every refusal names its place.

Nothing is repaired or guessed: an unsound question gets no answer. Empty lists are sound.
"""

from collections.abc import Hashable, Sequence
from datetime import timedelta
from itertools import pairwise

from leerbudget.geography.postcodes import all_places
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import Interval
from leerbudget.matcher.staffing import Staffing, StaffSession, StaffTrainer
from leerbudget.matcher.staffing_points import LOAD, WEIGHTS
from leerbudget.matcher.staffing_rules import Assigned, StaffingRules, by_session, by_trainer

MEETING_HOURS_MAX = 24


def check(staffing: Staffing) -> None:
    """Accept the staffing, or refuse the first contradiction.

    Raises:
        InstanceRefused: with the place in the file.
    """
    _names("$.policy.weights", staffing.policy.weights, WEIGHTS)
    _names("$.policy.load", staffing.policy.load, LOAD)
    _once("$.trainers[{}].id", [trainer.id for trainer in staffing.trainers])
    _once("$.sessions[{}].id", [session.id for session in staffing.sessions])
    for i, trainer in enumerate(staffing.trainers):
        _check_trainer(trainer, f"$.trainers[{i}]")
    for i, session in enumerate(staffing.sessions):
        _check_place(session, f"$.sessions[{i}]")
        _check_meetings(session.meetings, f"$.sessions[{i}].meetings")
    _check_references(staffing)
    _check_fixed(staffing)


def _names(path: str, given: dict[str, int], known: dict[str, int]) -> None:
    for name in given:
        if name not in known:
            raise InstanceRefused(f"{path}.{name}", f"no such figure; there are {', '.join(known)}")


def _once(path: str, values: Sequence[Hashable]) -> None:
    seen: set[Hashable] = set()
    for i, value in enumerate(values):
        if value in seen:
            raise InstanceRefused(path.format(i), f"{value!r} is there twice")
        seen.add(value)


def _check_trainer(trainer: StaffTrainer, path: str) -> None:
    _check_place(trainer, path)
    if trainer.wished_load.least > trainer.wished_load.most:
        raise InstanceRefused(f"{path}.wished_load.least", f"more than most, {trainer.wished_load.most}")
    for i, interval in enumerate(trainer.blocked):
        _check_interval(interval, f"{path}.blocked[{i}]")
    if trainer.id in trainer.avoid:
        raise InstanceRefused(f"{path}.avoid", "nobody can avoid themselves")


def _check_place(someone: StaffTrainer | StaffSession, path: str) -> None:
    if (someone.lat is None) != (someone.lon is None):
        raise InstanceRefused(f"{path}.lat", "give both lat and lon, or neither")
    if someone.lat is not None and someone.lon is not None:
        if someone.pc4 is not None:
            raise InstanceRefused(f"{path}.pc4", "give pc4 or lat and lon, not both")
        if not (abs(someone.lat) <= 90 and abs(someone.lon) <= 180):
            raise InstanceRefused(f"{path}.lat", "these degrees are not on the globe")
    if someone.pc4 is not None and someone.pc4 not in all_places():
        raise InstanceRefused(f"{path}.pc4", f"{someone.pc4[:20]!r} is not a known Dutch postcode of four digits")


def _check_interval(interval: Interval, path: str) -> None:
    for side, moment in enumerate(interval):
        if moment.tzinfo is None or moment.utcoffset() is None:
            raise InstanceRefused(f"{path}[{side}]", "a moment needs its zone, such as +01:00")
        if moment.microsecond:
            raise InstanceRefused(f"{path}[{side}]", "a moment is given in whole seconds")
    if not interval[0] < interval[1]:
        raise InstanceRefused(path, "it ends before it starts")


def _check_meetings(meetings: Sequence[Interval], path: str) -> None:
    for i, (start, end) in enumerate(meetings):
        _check_interval((start, end), f"{path}[{i}]")
        if end - start > timedelta(hours=MEETING_HOURS_MAX):
            raise InstanceRefused(f"{path}[{i}]", f"a meeting lasts at most {MEETING_HOURS_MAX} hours")
    in_order = sorted(range(len(meetings)), key=lambda i: meetings[i][0])
    for i, j in pairwise(in_order):
        if meetings[j][0] < meetings[i][1]:
            raise InstanceRefused(f"{path}[{j}]", f"it overlaps meeting {i} of the same session")


def _check_references(staffing: Staffing) -> None:
    trainers = {trainer.id for trainer in staffing.trainers}
    sessions = {session.id for session in staffing.sessions}
    for key in ("fixed", "forbidden", "declined"):
        rows = getattr(staffing, key)
        for i, (trainer, session, *_) in enumerate(rows):
            if trainer not in trainers:
                raise InstanceRefused(f"$.{key}[{i}][0]", f"{trainer!r} is not a trainer")
            if session not in sessions:
                raise InstanceRefused(f"$.{key}[{i}][1]", f"{session!r} is not a session")
        _once(f"$.{key}[{{}}]", rows)


def _check_fixed(staffing: Staffing) -> None:
    """What is fixed breaks no hard rule; a confirmed co-trainer may still wait for a leader."""
    fixed = [Assigned(*row) for row in staffing.fixed]
    rules, number = StaffingRules(staffing), {one: i for i, one in enumerate(fixed)}
    found = [(one, breach) for one in fixed for breach in rules.of_pair(one)]
    for trainer, group in by_trainer(fixed).items():
        found += [(group[-1], breach) for breach in rules.of_trainer(trainer, group)]
    for session, group in by_session(fixed).items():
        found += [(group[-1], breach) for breach in rules.of_session(session, group)]
    for one, (code, message) in found:
        raise InstanceRefused(f"$.fixed[{number[one]}]", f"breaks the hard rule {code}: {message}")
