"""The verbs of wishes: say when and how you can come, state a wish, change it, withdraw it; all in sets."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.foundation import clock
from leerbudget.foundation.database import copy_in, execute, fetch_all, fetch_one, together
from leerbudget.foundation.errors import IdempotencyMismatch
from leerbudget.foundation.ids import new_id
from leerbudget.people import queries as people
from leerbudget.wishes.errors import (
    ExceptionNotValid,
    PreferenceNotValid,
    WeekNotValid,
    WishFixed,
    WishNotPossible,
    WishStepNotAllowed,
    WishUnknown,
)
from leerbudget.wishes.rules import (
    CHANGEABLE,
    WISH_STATES,
    ExceptionOrder,
    Learner,
    PreferenceOrder,
    WeekOrder,
    WishChange,
    WishOrder,
    is_week,
    preference_problems,
    sources_of,
    wish_problems,
)

# --- when and how ------------------------------------------------------------------------------------------


async def set_week(person: UUID, week: str) -> None:
    """Keep on which day-parts a person can usually come.

    Raises:
        WeekNotValid: not 21 characters 0 or 1.
        LearnerUnknown: there is no such person.
    """
    await set_weeks([WeekOrder(person, week)])


async def set_weeks(orders: Sequence[WeekOrder]) -> int:
    """Keep the weeks of many persons; how many were new or changed.

    Raises:
        WeekNotValid: not 21 characters 0 or 1.
        LearnerUnknown: a person who does not exist.
    """
    last = {order.person: order.week for order in orders}
    wrong = [str(person) for person, week in last.items() if not is_week(week)]
    if wrong:
        raise WeekNotValid(persons=wrong)
    return await execute(
        """INSERT INTO week_availability AS w (id, person, week, changed_at)
           SELECT id, person, week, $4 FROM unnest($1::uuid[], $2::uuid[], $3::text[]) AS x(id, person, week)
           ON CONFLICT (person) DO UPDATE SET week = excluded.week, changed_at = excluded.changed_at
           WHERE w.week IS DISTINCT FROM excluded.week""",
        [new_id() for _ in last],
        list(last),
        list(last.values()),
        clock.now(),
    )


async def add_exception(id: UUID, person: UUID, starts_at: datetime, ends_at: datetime) -> None:  # noqa: A002
    """Keep a time on which a person cannot come after all. There is no reason to give, on purpose (R93).

    Raises:
        ExceptionNotValid: it ends before it begins, or has no zone.
        IdempotencyMismatch: the id was used for something else.
        LearnerUnknown: there is no such person.
    """
    await add_exceptions([ExceptionOrder(id, person, starts_at, ends_at)])


async def add_exceptions(orders: Sequence[ExceptionOrder]) -> int:
    """Keep times on which people cannot come; how many were not there yet. The same time twice is one time.

    Raises:
        ExceptionNotValid: one ends before it begins, or has no zone.
        IdempotencyMismatch: an id was used for something else.
        LearnerUnknown: a person who does not exist.
    """
    if any(moment.utcoffset() is None for order in orders for moment in (order.starts_at, order.ends_at)):
        raise ExceptionNotValid
    columns = (
        [order.id for order in orders],
        [order.person for order in orders],
        [order.starts_at for order in orders],
        [order.ends_at for order in orders],
    )
    async with together():
        clash = await fetch_one(_EXCEPTION_CLASH, *columns)
        if clash is not None:
            raise IdempotencyMismatch(id=str(clash["id"]))
        return await execute(_EXCEPTIONS, *columns)


_EXCEPTION_CLASH = """
SELECT e.id FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS x(id, person, starts, ends)
JOIN availability_exception e ON e.id = x.id
WHERE (e.person, e.starts_at, e.ends_at) IS DISTINCT FROM (x.person, x.starts, x.ends) LIMIT 1
"""
_EXCEPTIONS = """
INSERT INTO availability_exception (id, person, starts_at, ends_at)
SELECT DISTINCT ON (person, starts, ends) id, person, starts, ends
FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[]) AS x(id, person, starts, ends)
WHERE NOT EXISTS (SELECT FROM availability_exception e
                  WHERE e.person = x.person AND e.starts_at = x.starts AND e.ends_at = x.ends)
"""


async def remove_exception(id: UUID, person: UUID) -> None:  # noqa: A002
    """Take back such a time; nothing happens when this person has none with that id."""
    await execute("DELETE FROM availability_exception WHERE id = $1 AND person = $2", id, person)


async def replace_exceptions(persons: Collection[UUID], orders: Sequence[ExceptionOrder]) -> None:
    """Let these orders be all the times on which these persons cannot come from now on; the past stays.

    Raises:
        ExceptionNotValid: one ends before it begins, or has no zone.
        LearnerUnknown: a person who does not exist.
    """
    async with together():
        await execute(
            """DELETE FROM availability_exception e WHERE e.person = ANY($1::uuid[]) AND e.ends_at > $2
               AND NOT EXISTS (SELECT FROM unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[]) AS x(p, s, e2)
                               WHERE x.p = e.person AND x.s = e.starts_at AND x.e2 = e.ends_at)""",
            list(persons),
            clock.now(),
            [order.person for order in orders],
            [order.starts_at for order in orders],
            [order.ends_at for order in orders],
        )
        await add_exceptions(orders)


async def set_preference(order: PreferenceOrder) -> None:
    """Keep how far, how often and how a family or a professional wants to learn.

    Raises:
        PreferenceNotValid: values that cannot be.
        LearnerUnknown: the family or person does not exist.
    """
    await set_preferences([order])


async def set_preferences(orders: Sequence[PreferenceOrder]) -> int:
    """Keep the preferences of many; how many were new or changed.

    Raises:
        PreferenceNotValid: values that cannot be.
        LearnerUnknown: a family or person that does not exist.
    """
    problems = [
        {"owner": str(order.family or order.professional), "path": found.path, "code": found.code}
        | {"message": found.message}
        for order in orders
        for found in preference_problems(order)
    ]
    if problems:
        raise PreferenceNotValid(problems=problems)
    async with together():
        changed = 0
        for owner, sql in (("family", _FAMILY_PREFERENCES), ("professional", _PROFESSIONAL_PREFERENCES)):
            last = {key: order for order in orders if (key := getattr(order, owner)) is not None}
            changed += await execute(sql, msgspec.json.encode(list(last.values())).decode(), clock.now())
        return changed


_PREFERENCES = """
INSERT INTO learning_preference AS p (id, family, professional, postcode4, travel_minutes_max, online_ok,
                                      max_placements, childcare_need, childcare, changed_at)
SELECT uuidv7(), family, professional, postcode4, travel_minutes_max, online_ok, max_placements, childcare_need,
       childcare, $2
FROM jsonb_to_recordset($1::jsonb) AS x(
  family uuid, professional uuid, postcode4 text, travel_minutes_max jsonb, online_ok boolean,
  max_placements int, childcare_need text, childcare jsonb)
ON CONFLICT ({owner}) DO UPDATE
SET postcode4 = excluded.postcode4, travel_minutes_max = excluded.travel_minutes_max, online_ok = excluded.online_ok,
    max_placements = excluded.max_placements, childcare_need = excluded.childcare_need,
    childcare = excluded.childcare, changed_at = excluded.changed_at
WHERE (p.postcode4, p.travel_minutes_max, p.online_ok, p.max_placements, p.childcare_need, p.childcare)
      IS DISTINCT FROM
      (excluded.postcode4, excluded.travel_minutes_max, excluded.online_ok, excluded.max_placements,
       excluded.childcare_need, excluded.childcare)
"""
_FAMILY_PREFERENCES = _PREFERENCES.replace("{owner}", "family")
_PROFESSIONAL_PREFERENCES = _PREFERENCES.replace("{owner}", "professional")


# --- wishes ------------------------------------------------------------------------------------------------


async def state_wish(order: WishOrder, *, actor: UUID | None) -> None:
    """State a wish. The same order again has no effect.

    Raises:
        WishNotPossible: unknown words, persons of another family, or a professional's wish that is no dialogue.
        IdempotencyMismatch: the id was used for another wish.
    """
    await state_many([order], actor=actor)


async def state_many(orders: Sequence[WishOrder], *, actor: UUID | None) -> int:  # noqa: ARG001 - every verb knows who asked
    """State many wishes at once; how many were not there yet.

    Raises:
        WishNotPossible: one or more cannot be; all problems are listed and nothing is kept.
        IdempotencyMismatch: an id was used for another wish, or twice.
    """
    if len({order.id for order in orders}) != len(orders):
        raise IdempotencyMismatch
    async with together():
        await _check(orders)
        rows = await fetch_all(_WISHES, msgspec.json.encode(orders).decode(), clock.now())
        added = {row["id"] for row in rows}
        repeats = [order for order in orders if order.id not in added]
        if repeats:
            await _same(repeats)
        await _insert_parts([order for order in orders if order.id in added])
        return len(added)


async def change_wish(wish: UUID, change: WishChange, *, by: UUID) -> None:
    """Change a wish; only the person who stated it can, for its private words are theirs.

    Raises:
        WishUnknown: there is no such wish, or somebody else stated it.
        WishFixed: there is a proposal or a place for it, or it is over.
        WishNotPossible: unknown words or persons of another family.
    """
    async with together():
        row = await fetch_one("SELECT family, stated_by, state FROM wish WHERE id = $1 FOR NO KEY UPDATE", wish)
        if row is None or row["stated_by"] != by:
            raise WishUnknown
        if row["state"] not in CHANGEABLE:
            raise WishFixed(state=row["state"])
        order = _changed(wish, row["family"], by, change)
        await _check([order])
        await execute(
            "UPDATE wish SET theme = $2, forms = $3, rank = $4, urgent = $5, changed_at = $6 WHERE id = $1",
            wish,
            change.theme,
            None if change.forms is None else list(change.forms),
            change.rank,
            change.urgent,
            clock.now(),
        )
        await execute("DELETE FROM wish_person WHERE wish = $1", wish)
        await execute("DELETE FROM wish_text WHERE wish = $1", wish)
        await _insert_parts([order])


async def move_up(wish: UUID, family: UUID) -> None:
    """Put a wish one place higher in its family's own order; the first stays where it is.

    Raises:
        WishUnknown: this family has no such wish.
    """
    async with together():
        rows = await fetch_all(
            "SELECT id FROM wish WHERE family = $1 AND state <> 'withdrawn' ORDER BY rank, stated_at, id"
            " FOR NO KEY UPDATE",
            family,
        )
        order = [row["id"] for row in rows]
        if wish not in order:
            raise WishUnknown
        at = order.index(wish)
        order.insert(max(at - 1, 0), order.pop(at))
        await execute(
            "UPDATE wish w SET rank = least(n.rank, 99)::int, changed_at = $2"
            " FROM unnest($1::uuid[]) WITH ORDINALITY AS n(id, rank) WHERE w.id = n.id AND w.rank <> least(n.rank, 99)",
            order,
            clock.now(),
        )


async def withdraw_wish(wish: UUID, *, actor: UUID | None) -> None:
    """Withdraw a wish, without a reason. Its private words go for good. A proposal is answered first.

    Raises:
        WishUnknown: there is no such wish.
        WishStepNotAllowed: there is a proposal or a place for it, or it is over.
    """
    async with together():
        await mark([wish], "withdrawn", actor=actor)
        await execute("DELETE FROM wish_text WHERE wish = $1", wish)


async def mark(wish_ids: Collection[UUID], state: str, *, actor: UUID | None = None) -> None:  # noqa: ARG001 - as above
    """Bring wishes to another state: all of them, or none.

    Raises:
        WishUnknown: one or more do not exist.
        WishStepNotAllowed: one or more cannot go there; `wishes` lists them with their state.
    """
    if state not in WISH_STATES:
        raise WishStepNotAllowed(to=state)
    async with together():
        ids = sorted(set(wish_ids))
        rows = await fetch_all(
            "SELECT id, state FROM wish WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE", ids
        )
        if len(rows) < len(ids):
            raise WishUnknown(wishes=[str(wish) for wish in set(ids) - {row["id"] for row in rows}])
        sources = sources_of(state)
        refused = {str(row["id"]): row["state"] for row in rows if row["state"] not in sources}
        if refused:
            raise WishStepNotAllowed(wishes=refused, to=state)
        await execute("UPDATE wish SET state = $2, changed_at = $3 WHERE id = ANY($1::uuid[])", ids, state, clock.now())


async def carry_over(wish_ids: Collection[UUID]) -> int:
    """Wishes that stayed open in a round wait one round more, which counts next time; how many there were."""
    return await execute(
        "UPDATE wish SET waiting_rounds = waiting_rounds + 1 WHERE id = ANY($1::uuid[]) AND state = 'open'",
        list(wish_ids),
    )


_WISHES = """
INSERT INTO wish (id, family, stated_by, theme, forms, rank, urgent, state, waiting_rounds, stated_at, changed_at)
SELECT id, family, stated_by, theme, forms, rank, urgent, state, 0, $2, $2
FROM jsonb_to_recordset($1::jsonb) AS x(
  id uuid, family uuid, stated_by uuid, theme text, forms text[], rank int, urgent boolean, state text)
ON CONFLICT (id) DO NOTHING
RETURNING id
"""
_STATED = """
SELECT w.id, w.family, w.stated_by, w.theme, w.forms, w.rank, w.urgent, w.state,
       array(SELECT p.person FROM wish_person p WHERE p.wish = w.id) AS persons,
       coalesce(t.situation, '') AS situation, coalesce(t.wants_to_learn, '') AS wants_to_learn
FROM wish w LEFT JOIN wish_text t ON t.wish = w.id WHERE w.id = ANY($1::uuid[])
"""


async def _check(orders: Sequence[WishOrder]) -> None:
    named = {person for order in orders for person in (*order.persons, order.stated_by)}
    learners = {
        person.id: Learner(person.id, person.family, person.party) for person in (await people.persons(named)).values()
    }
    problems = [
        {"wish": str(order.id), "path": found.path, "code": found.code, "message": found.message}
        for order in orders
        for found in wish_problems(order, learners)
    ]
    if problems:
        raise WishNotPossible(problems=problems)


async def _same(orders: Sequence[WishOrder]) -> None:
    """Refuse orders whose id stands for another wish. A wish that has moved on since is still the same wish.

    Raises:
        IdempotencyMismatch: with the `ids` of all of them.
    """
    known = {row["id"]: row for row in await fetch_all(_STATED, [order.id for order in orders])}
    others = [str(order.id) for order in orders if not _stands_for(known[order.id], order)]
    if others:
        raise IdempotencyMismatch(ids=others)


def _stands_for(known: Any, order: WishOrder) -> bool:
    """Whether the wish that is known is the order's. Of a withdrawn wish the words are gone: its owner decides."""
    if known["state"] == "withdrawn":
        return bool(known["family"] == order.family and known["stated_by"] == order.stated_by)
    return _content(known) == _content({name: getattr(order, name) for name in _COMPARED})


_COMPARED = ("family", "stated_by", "theme", "forms", "rank", "urgent", "persons", "situation", "wants_to_learn")


def _content(values: Any) -> tuple[object, ...]:
    plain = tuple(values[name] for name in _COMPARED if name not in ("forms", "persons"))
    forms = None if values["forms"] is None else tuple(values["forms"])
    return (*plain, forms, frozenset(values["persons"]))


def _changed(wish: UUID, family: UUID | None, by: UUID, change: WishChange) -> WishOrder:
    return WishOrder(
        id=wish,
        family=family,
        stated_by=by,
        persons=change.persons,
        theme=change.theme,
        forms=change.forms,
        rank=change.rank,
        urgent=change.urgent,
        situation=change.situation,
        wants_to_learn=change.wants_to_learn,
    )


async def _insert_parts(orders: Sequence[WishOrder]) -> None:
    goers = [(new_id(), order.id, person) for order in orders for person in order.persons]
    await copy_in("wish_person", ("id", "wish", "person"), goers)
    texts = [
        (new_id(), order.id, order.situation, order.wants_to_learn)
        for order in orders
        if order.situation or order.wants_to_learn
    ]
    await copy_in("wish_text", ("id", "wish", "situation", "wants_to_learn"), texts)
