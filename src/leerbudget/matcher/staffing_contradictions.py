"""What a staffing may not contradict, beyond the types of its fields: every refusal names its place.

Nothing is repaired or guessed: an unsound question gets no answer. Empty lists are sound.
"""

from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.soundness import check_interval, check_meetings, check_once, check_place
from leerbudget.matcher.staffing import Staffing, StaffTrainer
from leerbudget.matcher.staffing_points import LOAD, WEIGHTS
from leerbudget.matcher.staffing_rules import Assigned, StaffingRules, by_session, by_trainer


def check(staffing: Staffing) -> None:
    """Accept the staffing, or refuse the first contradiction.

    Raises:
        InstanceRefused: with the place in the file.
    """
    _names("$.policy.weights", staffing.policy.weights, WEIGHTS)
    _names("$.policy.load", staffing.policy.load, LOAD)
    check_once("$.trainers[{}].id", [trainer.id for trainer in staffing.trainers])
    check_once("$.sessions[{}].id", [session.id for session in staffing.sessions])
    for i, trainer in enumerate(staffing.trainers):
        _check_trainer(trainer, f"$.trainers[{i}]")
    for i, session in enumerate(staffing.sessions):
        check_place(session, f"$.sessions[{i}]")
        check_meetings(session.meetings, f"$.sessions[{i}].meetings")
    _check_references(staffing)
    _check_fixed(staffing)


def _names(path: str, given: dict[str, int], known: dict[str, int]) -> None:
    for name in given:
        if name not in known:
            raise InstanceRefused(f"{path}.{name}", f"no such figure; there are {', '.join(known)}")


def _check_trainer(trainer: StaffTrainer, path: str) -> None:
    check_place(trainer, path)
    if trainer.wished_load.least > trainer.wished_load.most:
        raise InstanceRefused(f"{path}.wished_load.least", f"more than most, {trainer.wished_load.most}")
    for i, interval in enumerate(trainer.blocked):
        check_interval(interval, f"{path}.blocked[{i}]")
    if trainer.id in trainer.avoid:
        raise InstanceRefused(f"{path}.avoid", "nobody can avoid themselves")


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
        check_once(f"$.{key}[{{}}]", rows)


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
