"""What an instance may not contradict, beyond the types of its fields: every refusal names its place.

Nothing here is repaired or guessed: an unsound question gets no answer. Empty lists are sound.
"""

import math
from collections.abc import Collection, Iterable, Sequence

from leerbudget.matcher.criteria.weights import DEFAULTS
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.hard_rules import NEEDS_COMPANY, Placed, Rulebook, by_seeker, by_session
from leerbudget.matcher.instance import (
    Instance,
    LearningBudget,
    LearningWish,
    OfferedSession,
    Seeker,
    SeekerPerson,
)
from leerbudget.matcher.rooms import Breach
from leerbudget.matcher.soundness import check_interval, check_meetings, check_once, check_place
from leerbudget.matcher.vocabulary import FACET_VALUES


def check(instance: Instance) -> None:
    """Accept the instance, or refuse the first contradiction.

    Raises:
        InstanceRefused: with the place in the file.
    """
    for name in instance.policy.weights:
        if name not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            raise InstanceRefused(f"$.policy.weights.{name}", f"no such weight; there are {known}")
    check_once("$.seekers[{}].id", [seeker.id for seeker in instance.seekers])
    check_once("$.sessions[{}].id", [session.id for session in instance.sessions])
    for i, seeker in enumerate(instance.seekers):
        _check_seeker(seeker, f"$.seekers[{i}]")
    for i, session in enumerate(instance.sessions):
        _check_session(session, f"$.sessions[{i}]")
    _check_people(instance)
    _check_references(instance)
    _check_fixed(instance)


def _check_seeker(seeker: Seeker, path: str) -> None:
    check_place(seeker, path)
    _ids_once(path + ".persons", seeker.persons)
    _ids_once(path + ".wishes", seeker.wishes)
    _ids_once(path + ".budgets", seeker.budgets)
    if seeker.experience_years is not None and not math.isfinite(seeker.experience_years):
        raise InstanceRefused(f"{path}.experience_years", "a finite number was expected")
    persons = {person.id for person in seeker.persons}
    for j, wish in enumerate(seeker.wishes):
        if len(wish.persons) > 1:
            check_once(f"{path}.wishes[{j}].persons[{{}}]", wish.persons)
        if not persons.issuperset(wish.persons):
            _known(f"{path}.wishes[{j}].persons", wish.persons, persons, "a person of this seeker")
    for j, person in enumerate(seeker.persons):
        for k, interval in enumerate(person.blocked):
            check_interval(interval, f"{path}.persons[{j}].blocked[{k}]")
    own = {seeker.id, *persons}
    if not (own.isdisjoint(seeker.avoid) and own.isdisjoint(seeker.professionals)):
        raise InstanceRefused(f"{path}.avoid", "a seeker cannot avoid itself or its own persons")


def _ids_once(path: str, rows: Sequence[SeekerPerson | LearningWish | LearningBudget]) -> None:
    if len(rows) > 1:
        check_once(path + "[{}].id", [row.id for row in rows])


def _known(path: str, ids: Iterable[str], known: Collection[str], what: str) -> None:
    unknown = {name for name in ids if name not in known}
    if unknown:
        raise InstanceRefused(path, f"{min(unknown)!r} is not {what}")


def _check_session(session: OfferedSession, path: str) -> None:
    check_place(session, path)
    if session.seats_min > session.seats_max:
        raise InstanceRefused(f"{path}.seats_min", f"{session.seats_min} is more than seats_max {session.seats_max}")
    if session.seats_taken > session.seats_max:
        raise InstanceRefused(f"{path}.seats_taken", f"{session.seats_taken} is more than seats_max")
    check_meetings(session.meetings, f"{path}.meetings")
    for facet, fits in session.audience.items():
        _known(f"{path}.audience.{facet}", fits, FACET_VALUES[facet], f"a value of {facet}")
    check_once(path + ".people[{}]", session.people)
    _check_parties(session, path)


def _check_parties(session: OfferedSession, path: str) -> None:
    parties = session.parties or {}
    _known(f"{path}.parties_taken", session.parties_taken, parties, "a party of this session")
    for party, (least, most) in parties.items():
        if least > most:
            raise InstanceRefused(f"{path}.parties.{party}", f"at least {least} is more than at most {most}")
        if session.parties_taken.get(party, 0) > most:
            raise InstanceRefused(f"{path}.parties_taken.{party}", f"more than at most {most}")
    if sum(session.parties_taken.values()) > session.seats_taken:
        raise InstanceRefused(f"{path}.parties_taken", "together more than seats_taken")
    if sum(least for least, _ in parties.values()) > session.seats_max:
        raise InstanceRefused(f"{path}.parties", "together they need more than seats_max")


def _check_people(instance: Instance) -> None:
    """An id is one seeker or one person of one seeker: avoiding somebody must mean one somebody."""
    owner: dict[str, str] = {seeker.id: seeker.id for seeker in instance.seekers}
    for i, seeker in enumerate(instance.seekers):
        for j, person in enumerate(seeker.persons):
            if owner.setdefault(person.id, seeker.id) != seeker.id:
                path = f"$.seekers[{i}].persons[{j}].id"
                raise InstanceRefused(path, f"{person.id!r} also belongs to seeker {owner[person.id]!r}")


def _check_references(instance: Instance) -> None:
    _check_wishes_named("$.fixed[{}]", instance, instance.fixed)
    seekers, sessions = {seeker.id for seeker in instance.seekers}, {session.id for session in instance.sessions}
    for i, (seeker, session) in enumerate(instance.forbidden):
        _known(f"$.forbidden[{i}]", [seeker], seekers, "a seeker")
        _known(f"$.forbidden[{i}]", [session], sessions, "a session")
    candidates = [(seeker, wish, session) for seeker, wish, session, _ in instance.candidates or []]
    _check_wishes_named("$.candidates[{}]", instance, candidates)
    check_once("$.fixed[{}]", instance.fixed)
    check_once("$.forbidden[{}]", instance.forbidden)
    check_once("$.candidates[{}]", candidates)


def _check_wishes_named(path: str, instance: Instance, triples: Sequence[tuple[str, str, str]]) -> None:
    """Seeker, wish and session of every triple exist. An instance may name a million of them."""
    if not triples:
        return
    sessions = {session.id for session in instance.sessions}
    wishes = {(seeker.id, wish.id) for seeker in instance.seekers for wish in seeker.wishes}
    for i, (seeker, wish, session) in enumerate(triples):
        if (seeker, wish) not in wishes:
            _known(path.format(i), [seeker], {stated.id for stated in instance.seekers}, "a seeker")
            raise InstanceRefused(path.format(i), f"{wish!r} is not a wish of seeker {seeker!r}")
        if session not in sessions:
            raise InstanceRefused(path.format(i), f"{session!r} is not a session")


def _check_fixed(instance: Instance) -> None:
    """What is fixed may wait for company, but may not break any other rule."""
    if not instance.fixed:
        return
    rules = Rulebook.of(instance)
    fixed = [Placed(*triple) for triple in instance.fixed]
    number = {placed: i for i, placed in enumerate(fixed)}

    def refuse(last: Placed, breaches: Iterable[Breach]) -> None:
        for code, message in breaches:
            if code not in NEEDS_COMPANY:
                raise InstanceRefused(f"$.fixed[{number[last]}]", f"breaks the hard rule {code}: {message}")

    for placed in fixed:
        refuse(placed, rules.of_placement(placed))
    for seeker, group in by_seeker(fixed).items():
        refuse(group[-1], rules.of_seeker(seeker, group))
    for session, group in by_session(fixed).items():
        refuse(group[-1], rules.of_session(session, group))
