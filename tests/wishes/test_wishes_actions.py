"""Stating wishes: private words, couples, idempotence, states, and everything in sets."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import world
from firing import constraints_of, fires, goes_in
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all, fetch_value
from leerbudget.foundation.errors import IdempotencyMismatch
from leerbudget.foundation.ids import new_id
from leerbudget.wishes import actions, queries
from leerbudget.wishes.errors import (
    ExceptionNotValid,
    LearnerUnknown,
    PreferenceNotValid,
    WeekNotValid,
    WishFixed,
    WishNotPossible,
    WishStepNotAllowed,
    WishUnknown,
)
from leerbudget.wishes.rules import ExceptionOrder, PreferenceOrder, WishChange, WishOrder

pytestmark = pytest.mark.usefixtures("world_db")
EVENINGS = "001" * 7
START = datetime(2027, 3, 1, 18, tzinfo=UTC)


async def a_couple():
    family = await world.a_family(parents=2)
    return family, *await world.parents_of(family)


def a_wish(family, *persons, **changes):
    values = {"situation": "Het is druk.", "wants_to_learn": "Rust houden.", "forms": ("webinar",)}
    return WishOrder(new_id(), family, persons[0], persons, "trauma", **(values | changes))


async def test_private_words_are_read_by_their_writer_only():
    """R31 and R79: the co-parent, another parent and a professional get the same answer as for no wish at all."""
    family, anne, ben = await a_couple()
    wish = a_wish(family, anne, ben)
    await actions.state_wish(wish, actor=None)
    assert await queries.wish_text(wish.id, anne) == queries.WishWords("Het is druk.", "Rust houden.")
    stranger = (await world.parents_of(await world.a_family()))[0]
    worker = await world.a_professional(families=[family])
    for person, asked in ((ben, wish.id), (stranger, wish.id), (worker, wish.id), (anne, new_id())):
        with pytest.raises(WishUnknown) as refusal:
            await queries.wish_text(asked, person)
        assert refusal.value.data == {}


async def test_no_list_of_wishes_carries_private_words():
    """What is shown of a wish, and what the matcher gets, has no field for its words."""
    family, anne, _ = await a_couple()
    await actions.state_wish(a_wish(family, anne), actor=None)
    shown = await queries.wishes_of(family)
    given = await queries.for_matching(starts_at=START, ends_at=START + timedelta(days=90))
    assert shown == list(given.wishes)
    assert "druk" not in repr(shown) + repr(given)


async def test_the_same_wish_again_has_no_effect_and_another_under_its_id_is_refused():
    """I5: an id stands for one wish; the order of the people makes no difference, a word does."""
    family, anne, ben = await a_couple()
    wish = a_wish(family, anne, ben)
    await actions.state_wish(wish, actor=None)
    await actions.mark([wish.id], "proposed")
    assert await actions.state_many([replace(wish, persons=(ben, anne))], actor=None) == 0
    for changes in ({"theme": "attachment"}, {"persons": (anne,)}, {"situation": "Anders."}, {"forms": None}):
        with pytest.raises(IdempotencyMismatch) as refusal:
            await actions.state_wish(replace(wish, **changes), actor=None)
        assert refusal.value.data["ids"] == [str(wish.id)]
    with pytest.raises(IdempotencyMismatch):
        await actions.state_many([wish, wish], actor=None)
    assert (await queries.wish(wish.id)).state == "proposed"


async def test_couples_are_of_one_family():
    """Somebody of another family keeps the whole set out; every problem is told with its wish."""
    family, anne, ben = await a_couple()
    stranger = (await world.parents_of(await world.a_family()))[0]
    good, wrong = a_wish(family, anne, ben), a_wish(family, anne, stranger, rank=0)
    with pytest.raises(WishNotPossible) as refusal:
        await actions.state_many([good, wrong], actor=None)
    told = [(p["wish"], p["code"]) for p in refusal.value.data["problems"]]
    assert told == [(str(wrong.id), "rank"), (str(wrong.id), "not_one_family")]
    assert await queries.wishes_of(family) == []


async def test_a_professional_wishes_to_join_a_dialogue():
    """R64: without a family, only a dialogue, only for oneself."""
    worker = await world.a_professional()
    await actions.state_wish(a_wish(None, worker, forms=("dialogue",)), actor=None)
    assert [wish.forms for wish in await queries.wishes_stated_by(worker)] == [("dialogue",)]
    with pytest.raises(WishNotPossible):
        await actions.state_wish(a_wish(None, worker), actor=None)


async def test_only_its_writer_changes_a_wish_and_only_in_time():
    """The words and choices change while there is no proposal; for anybody else the wish is not there."""
    family, anne, ben = await a_couple()
    wish = a_wish(family, anne, ben)
    await actions.state_wish(wish, actor=None)
    change = WishChange((anne,), "self_care", None, 2, urgent=True, situation="", wants_to_learn="Slapen.")
    with pytest.raises(WishUnknown):
        await actions.change_wish(wish.id, change, by=ben)
    await actions.change_wish(wish.id, change, by=anne)
    stored = await queries.wish(wish.id)
    assert (stored.theme, stored.forms, stored.rank, stored.urgent) == ("self_care", None, 2, True)
    assert stored.persons == (anne,)
    assert await queries.wish_text(wish.id, anne) == queries.WishWords("", "Slapen.")
    with pytest.raises(WishNotPossible):
        await actions.change_wish(wish.id, replace(change, persons=()), by=anne)
    await actions.mark([wish.id], "proposed")
    with pytest.raises(WishFixed):
        await actions.change_wish(wish.id, change, by=anne)


async def test_withdrawing_forgets_the_words():
    """A withdrawn wish is in no list and its words are gone; with a proposal it is answered first."""
    family, anne, _ = await a_couple()
    wish = a_wish(family, anne)
    await actions.state_wish(wish, actor=None)
    await actions.mark([wish.id], "proposed")
    with pytest.raises(WishStepNotAllowed):
        await actions.withdraw_wish(wish.id, actor=None)
    await actions.mark([wish.id], "open")
    await actions.withdraw_wish(wish.id, actor=None)
    assert await queries.wishes_of(family) == []
    assert await fetch_value("SELECT count(*) FROM wish_text") == 0
    assert await actions.state_many([wish], actor=None) == 0
    with pytest.raises(WishUnknown):
        await actions.withdraw_wish(new_id(), actor=None)


async def test_marking_is_all_or_nothing():
    """One wish that cannot go there keeps all where they are, and is named with its state."""
    family, anne, _ = await a_couple()
    wishes = [a_wish(family, anne) for _ in range(3)]
    await actions.state_many(wishes, actor=None)
    ids = [wish.id for wish in wishes]
    await actions.mark(ids[:1], "booked")
    with pytest.raises(WishStepNotAllowed) as refusal:
        await actions.mark(ids, "proposed")
    assert refusal.value.data["wishes"] == {str(ids[0]): "booked"}
    with pytest.raises(WishUnknown):
        await actions.mark([ids[1], new_id()], "proposed")
    with pytest.raises(WishStepNotAllowed):
        await actions.mark(ids, "magic")
    assert await queries.numbers_by_state() == {"booked": 1, "open": 2}
    assert await actions.carry_over(ids) == 2
    assert sorted(wish.waiting_rounds for wish in await queries.wishes_of(family)) == [0, 1, 1]


async def test_weeks_and_exceptions_are_kept_without_a_reason():
    """The last week counts; the same time twice is one time; there is no column for why (R93)."""
    _, anne, ben = await a_couple()
    await actions.set_week(anne, "0" * 21)
    await actions.set_week(anne, EVENINGS)
    assert await queries.weeks_of([anne, ben]) == {anne: EVENINGS}
    for week in ("1" * 20, "2" * 21, "1" * 22, ""):
        with pytest.raises(WeekNotValid):
            await actions.set_week(anne, week)
    first, again = new_id(), new_id()
    await actions.add_exception(first, anne, START, START + timedelta(hours=2))
    await actions.add_exception(first, anne, START, START + timedelta(hours=2))
    await actions.add_exception(again, anne, START, START + timedelta(hours=2))
    assert [e.id for e in await queries.exceptions_of([anne, ben], after=START)] == [first]
    with pytest.raises(IdempotencyMismatch):
        await actions.add_exception(first, anne, START, START + timedelta(hours=3))
    for starts, ends in ((START, START), (START.replace(tzinfo=None), START)):
        with pytest.raises(ExceptionNotValid):
            await actions.add_exception(new_id(), anne, starts, ends)
    await actions.remove_exception(first, ben)
    await actions.remove_exception(first, anne)
    assert await queries.exceptions_of([anne], after=START) == []
    columns = await fetch_all(
        "SELECT column_name FROM information_schema.columns WHERE table_name = 'availability_exception'"
    )
    assert {row["column_name"] for row in columns} == {"id", "person", "starts_at", "ends_at"}


async def test_times_can_be_replaced_at_once():
    """The new times are all there are from now on; what is the same keeps its id, other people keep theirs."""
    _, anne, ben = await a_couple()
    soon = clock.now() + timedelta(days=3)
    kept, gone, bens = (new_id() for _ in range(3))
    hour = timedelta(hours=1)
    await actions.add_exceptions(
        [
            ExceptionOrder(kept, anne, soon, soon + hour),
            ExceptionOrder(gone, anne, soon + hour, soon + 2 * hour),
            ExceptionOrder(bens, ben, soon, soon + hour),
        ]
    )
    fresh = ExceptionOrder(new_id(), anne, soon + 5 * hour, soon + 6 * hour)
    await actions.replace_exceptions([anne], [ExceptionOrder(new_id(), anne, soon, soon + hour), fresh])
    assert {e.id for e in await queries.exceptions_of([anne, ben], after=clock.now())} == {kept, fresh.id, bens}


async def test_preferences_belong_to_a_family_or_a_professional():
    """The last preference counts, one per owner; values that cannot be are told by owner."""
    family, worker = await world.a_family(), await world.a_professional()
    mine = PreferenceOrder(family, None, "3511", {"car": 45}, online_ok=False, childcare={"a4_8": 1})
    theirs = PreferenceOrder(None, worker, "1011", {"bike": 20}, online_ok=True)
    assert await actions.set_preferences([mine, theirs]) == 2
    assert await actions.set_preferences([mine, theirs]) == 0
    await actions.set_preference(replace(mine, childcare_need="needs_place", max_placements=1))
    stored = await queries.preference_of(family)
    assert (stored.childcare_need, stored.childcare, stored.max_placements) == ("needs_place", {"a4_8": 1}, 1)
    assert (await queries.preference_of(worker)).travel_minutes_max == {"bike": 20}
    assert await queries.preference_of(new_id()) is None
    for changes in (
        {"travel_minutes_max": {"car": 999}},
        {"max_placements": 11},
        {"postcode4": "x"},
        {"childcare_need": "magic"},
    ):
        with pytest.raises(PreferenceNotValid):
            await actions.set_preference(replace(mine, **changes))
    with pytest.raises(LearnerUnknown):
        await actions.set_preference(replace(mine, family=new_id()))


async def test_the_matcher_gets_what_it_needs_in_one_go():
    """Open wishes only, with weeks, times that touch the period, and preferences, all keyed by id."""
    family, anne, ben = await a_couple()
    wish, parked = a_wish(family, anne, ben), a_wish(family, anne)
    await actions.state_many([wish, parked], actor=None)
    await actions.mark([parked.id], "parked")
    await actions.set_week(anne, EVENINGS)
    await actions.set_preference(PreferenceOrder(family, None, "3511", {"car": 45}, online_ok=False))
    for days in (-400, 3):
        at = START + timedelta(days=days)
        await actions.add_exception(new_id(), ben, at, at + timedelta(hours=1))
    given = await queries.for_matching(starts_at=START, ends_at=START + timedelta(days=30))
    assert [w.id for w in given.wishes] == [wish.id]
    assert set(given.wishes[0].persons) == {anne, ben}
    assert given.weeks == {anne: EVENINGS}
    later = START + timedelta(days=3)
    assert given.blocked == {ben: ((later, later + timedelta(hours=1)),)}
    assert given.preferences[family].postcode4 == "3511"
    assert (await queries.for_matching(starts_at=START, ends_at=START, wishes=[parked.id])).wishes == ()


async def test_wishes_come_in_sets():
    """3,000 wishes of one family are a handful of statements."""
    family, anne, ben = await a_couple()
    wishes = [a_wish(family, anne, ben) for _ in range(3_000)]
    assert await actions.state_many(wishes, actor=None) == 3_000
    assert await actions.state_many(wishes, actor=None) == 0
    assert await fetch_value("SELECT count(*) FROM wish_person") == 6_000


async def test_every_constraint_of_wishes_fires():
    """Each CHECK, UNIQUE and foreign key of these tables answers with the error that claims it; none is left out."""
    family, anne, _ = await a_couple()
    worker = await world.a_professional()
    wish = a_wish(family, anne, situation="", wants_to_learn="")
    await actions.state_wish(wish, actor=None)
    at, later = "2027-03-01T18:00:00Z", "2027-03-01T20:00:00Z"
    week = {"person": anne, "week": EVENINGS, "changed_at": at}
    time = {"person": anne, "starts_at": at, "ends_at": later}
    way = {"family": family, "postcode4": "3511", "travel_minutes_max": {}, "online_ok": True, "max_placements": 1}
    way |= {"childcare_need": "none", "childcare": {}, "changed_at": at}
    theirs = {**way, "family": None, "professional": worker}
    row = {"family": family, "stated_by": anne, "theme": "trauma", "rank": 1, "urgent": False, "state": "open"}
    row |= {"waiting_rounds": 0, "stated_at": at, "changed_at": at}
    goer, words = {"wish": wish.id, "person": worker}, {"wish": wish.id, "situation": "", "wants_to_learn": ""}
    attempts = [
        ("one_week_per_person", "week_availability", week, {}),
        ("week_has_21_day_parts", "week_availability", week, {"week": "1"}),
        ("week_availability_person_fkey", "week_availability", week, {"person": new_id()}),
        ("exception_ends_after_start", "availability_exception", time, {"ends_at": at}),
        ("availability_exception_person_fkey", "availability_exception", time, {"person": new_id()}),
        ("one_preference_per_family", "learning_preference", way, {}),
        ("one_preference_per_professional", "learning_preference", theirs, {}),
        ("preference_has_one_owner", "learning_preference", way, {"professional": worker}),
        ("childcare_need_is_known", "learning_preference", way, {"childcare_need": "x"}),
        ("max_placements_within_bounds", "learning_preference", way, {"max_placements": 0}),
        ("preference_postcode_has_four_digits", "learning_preference", way, {"postcode4": "x"}),
        ("learning_preference_family_fkey", "learning_preference", way, {"family": new_id()}),
        ("learning_preference_professional_fkey", "learning_preference", theirs, {"professional": new_id()}),
        ("wish_theme_is_known", "wish", row, {"theme": "x"}),
        ("wish_state_is_known", "wish", row, {"state": "x"}),
        ("wish_rank_within_bounds", "wish", row, {"rank": 0}),
        ("wish_family_fkey", "wish", row, {"family": new_id()}),
        ("wish_stated_by_fkey", "wish", row, {"stated_by": new_id()}),
        ("wish_person_once", "wish_person", goer, {}),
        ("wish_person_wish_fkey", "wish_person", goer, {"wish": new_id()}),
        ("wish_person_person_fkey", "wish_person", goer, {"person": new_id()}),
        ("one_text_per_wish", "wish_text", words, {}),
        ("wish_text_is_bounded", "wish_text", words, {"situation": "x" * 2001}),
        ("wish_text_wish_fkey", "wish_text", words, {"wish": new_id()}),
    ]
    for constraint, table, good, bad in attempts:
        await goes_in(table, good)
        await fires(constraint, table, good, **bad)
    tables = {attempt[1] for attempt in attempts}
    assert {attempt[0] for attempt in attempts} == await constraints_of(*tables)
