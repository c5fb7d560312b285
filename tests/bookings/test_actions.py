"""A seat and a hold of money: both or neither."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

import world
from leerbudget.bookings import actions, queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.errors import (
    AlreadyBooked,
    AttendanceMissing,
    BookingUnknown,
    ChildcareMismatch,
    MeetingNotOver,
    MeetingsOverlap,
    NotCancellable,
    NotForThisFamily,
    NotTogether,
    OfferLapsed,
    PersonsUnknown,
    PriceChanged,
)
from leerbudget.budgets.errors import BudgetTooSmall, EarmarkExcludes
from leerbudget.catalogue.errors import ChildcareFull, NotBookable, PartyFull, SessionFull
from leerbudget.foundation import clock
from leerbudget.foundation.database import again, fetch_one, fetch_value
from leerbudget.foundation.errors import IdempotencyMismatch, LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.ledger import queries as ledger
from leerbudget.people import actions as people
from leerbudget.wishes import actions as wishes
from leerbudget.wishes.errors import WishUnknown
from leerbudget.wishes.rules import WishOrder


async def ask(family, session, **more):
    persons = more.pop("persons", None) or tuple(await world.parents_of(family))
    return BookingRequest(id=more.pop("id", new_id()), family=family, session=session, persons=persons, **more)


async def free_cents(budget):
    return await fetch_value(
        "SELECT a.credits_posted_cents - a.debits_posted_cents - a.debits_pending_cents"
        " FROM budget b JOIN account a ON a.id = b.account WHERE b.id = $1",
        budget,
    )


async def seats_taken(session):
    return await fetch_value("SELECT seats_taken FROM course_session WHERE id = $1", session)


async def nothing_is_wrong():
    assert await queries.inconsistencies() == []
    assert await ledger.check() == []


async def test_a_booking_takes_a_seat_and_holds_the_price(world_db):
    """After booking the seat is taken, the money is held, the family is told, and the books balance."""
    family = await world.a_family(parents=2)
    budget = await world.a_budget(family, euros=250)
    session = await world.a_session(price_cents=4500)
    receipt = await actions.book(await ask(family, session), actor=None)
    assert (receipt.state, receipt.price_cents) == ("confirmed", 9000)
    assert [(share.budget, share.amount_cents) for share in receipt.shares] == [(budget, 9000)]
    assert await seats_taken(session) == 2
    assert await free_cents(budget) == 16000
    assert await fetch_value("SELECT count(*) FROM outbox_message WHERE kind = 'booking_confirmed'") == 2
    await nothing_is_wrong()


async def test_several_budgets_pay_one_seat_earmarked_first(world_db):
    """The earmarked budget pays first, the free one the rest (R04)."""
    family = await world.a_family()
    free = await world.a_budget(family, euros=100)
    earmarked = await world.a_budget(family, euros=30, themes=("trauma",))
    receipt = await actions.book(await ask(family, await world.a_session(price_cents=4500)), actor=None)
    assert [(s.budget, s.amount_cents) for s in receipt.shares] == [(earmarked, 3000), (free, 1500)]
    await nothing_is_wrong()


async def test_money_for_a_place_pays_there_and_nowhere_else(world_db):
    """In the municipality it pays first; elsewhere, and online, the family is told that it is meant for something else."""
    family = await world.a_family()
    free = await world.a_budget(family, euros=30)
    local = await world.a_budget(family, euros=100, municipalities=("Renkum",))
    places = {"6861": 30, "3511": 40, None: 50}
    made = [await world.a_session(postcode4=p, meetings=[world.in_days(days)]) for p, days in places.items()]
    there, elsewhere, online = made
    receipt = await actions.book(await ask(family, there), actor=None)
    assert [(s.budget, s.amount_cents) for s in receipt.shares] == [(local, 4500)]
    for session in (elsewhere, online):
        with pytest.raises(EarmarkExcludes) as refused:
            await actions.quote(await ask(family, session), actor=None)
        assert refused.value.data == {"missing_cents": 1500, "free_cents": 3000, "elsewhere_cents": 5500}
        with pytest.raises(EarmarkExcludes):
            await actions.book(await ask(family, session), actor=None)
        assert await seats_taken(session) == 0
    assert await free_cents(free) == 3000
    await nothing_is_wrong()


async def test_money_for_a_course_pays_that_course_only(world_db):
    """A session of the course is paid from it; one of another course is not, with the same theme and form."""
    family, course = await world.a_family(), await world.a_course()
    only = await world.a_budget(family, euros=100, courses=(course,))
    receipt = await actions.book(await ask(family, await world.a_session(course=course)), actor=None)
    assert [(s.budget, s.amount_cents) for s in receipt.shares] == [(only, 4500)]
    with pytest.raises(EarmarkExcludes):
        await actions.book(await ask(family, await world.a_session(meetings=[world.in_days(40)])), actor=None)
    await nothing_is_wrong()


async def test_the_same_request_again_changes_nothing(world_db):
    """A repeat answers with the same receipt; another content under the same id is refused (I5)."""
    family = await world.a_family()
    await world.a_budget(family)
    request = await ask(family, await world.a_session())
    first = await actions.book(request, actor=None)
    assert await actions.book(request, actor=None) == first
    with pytest.raises(IdempotencyMismatch):
        await actions.book(await ask(family, await world.a_session(), id=request.id), actor=None)
    assert await fetch_value("SELECT count(*) FROM booking") == 1
    await nothing_is_wrong()


async def test_twins_under_one_id_have_one_effect(world_db):
    """Twenty simultaneous copies of one request make one booking, and all get its receipt."""
    family = await world.a_family()
    await world.a_budget(family)
    session = await world.a_session()
    request = await ask(family, session)
    receipts = await asyncio.gather(*(again(lambda: actions.book(request, actor=None)) for _ in range(20)))
    assert len({receipt.booking for receipt in receipts}) == 1
    assert await seats_taken(session) == 1
    await nothing_is_wrong()


REFUSALS = {
    "too_little_money": BudgetTooSmall,
    "full": SessionFull,
    "own_professional_leads": NotTogether,
    "avoided_parent_inside": NotTogether,
    "inside_avoids_us": NotTogether,
    "not_for": NotForThisFamily,
    "overlap": MeetingsOverlap,
    "already": AlreadyBooked,
    "strangers": PersonsUnknown,
    "nobody": PersonsUnknown,
    "no_childcare": ChildcareFull,
    "silly_childcare": ChildcareMismatch,
    "begun": NotBookable,
}


async def _refused(kind):
    """A family with € 100 and a request that must be refused for the reason `kind`."""
    family = await world.a_family()
    await world.a_budget(family, euros=100)
    (parent,) = await world.parents_of(family)
    session = await world.a_session(seats=2)
    if kind == "too_little_money":
        session = await world.a_session(price_cents=10001)
    elif kind == "full":
        other = await world.a_family(parents=2)
        await world.a_budget(other)
        await actions.book(await ask(other, session), actor=None)
    elif kind == "own_professional_leads":
        worker = await world.a_professional(families=[family])
        session = await world.a_session(people_there=((worker, "facilitator"),))
    elif kind in ("avoided_parent_inside", "inside_avoids_us"):
        other = await world.a_family()
        await world.a_budget(other)
        await actions.book(await ask(other, session), actor=None)
        (stranger,) = await world.parents_of(other)
        await people.avoid(*((family, stranger) if kind == "avoided_parent_inside" else (other, parent)))
    elif kind == "not_for":
        course = await world.a_course(
            audience={**world.FOR_ALL, "family_type": {"recruited": "not_for", "kinship": "for"}}
        )
        session = await world.a_session(course=course)
    elif kind == "overlap":
        await actions.book(await ask(family, session), actor=None)
        start, _ = world.in_days(30)
        session = await world.a_session(meetings=[(start + timedelta(hours=1), start + timedelta(hours=3))])
    elif kind == "already":
        await actions.book(await ask(family, session), actor=None)
    elif kind == "begun":
        session = await world.a_session(meetings=[world.in_days(1)], decide_days_before=1)
    persons = {
        "strangers": tuple(await world.parents_of(await world.a_family())),
        "nobody": (),
    }.get(kind, (parent,))
    childcare = {"no_childcare": {"a4_8": 1}, "silly_childcare": {"a4_8": 0}}.get(kind, {})
    return BookingRequest(id=new_id(), family=family, session=session, persons=persons, childcare=childcare)


@pytest.mark.parametrize("kind", REFUSALS)
async def test_a_refusal_has_its_own_error_and_changes_nothing(world_db, kind):
    """Every refusal names its reason, and neither seat nor money moves."""
    request = await _refused(kind)
    before = await fetch_one("SELECT (SELECT count(*) FROM booking), (SELECT count(*) FROM transfer)")
    later = clock.now() + timedelta(days=3 if kind == "begun" else 0)
    with clock.travelling(later), pytest.raises(REFUSALS[kind]):
        await actions.book(request, actor=None)
    assert await fetch_one("SELECT (SELECT count(*) FROM booking), (SELECT count(*) FROM transfer)") == before
    await nothing_is_wrong()


async def test_refusals_read_the_same_for_own_professional_and_avoided_person(world_db):
    """Nobody can learn from the refusal whom a family avoids (R65, R66)."""
    codes = set()
    for kind in ("own_professional_leads", "avoided_parent_inside", "inside_avoids_us"):
        with pytest.raises(NotTogether) as refusal:
            await actions.book(await _refused(kind), actor=None)
        codes.add((str(refusal.value), refusal.value.code, str(refusal.value.data)))
    assert len(codes) == 1


async def test_a_professional_joins_a_dialogue_without_money_and_keeps_own_families_out(world_db):
    """A worker's seat costs a family nothing; after it the worker's own family is refused, another is welcome."""
    own, other = await world.a_family(), await world.a_family()
    worker = await world.a_professional(families=[own])
    dialogue = await world.a_dialogue()
    await actions.book(BookingRequest(id=new_id(), family=None, session=dialogue, persons=(worker,)), actor=None)
    with pytest.raises(NotTogether):
        await actions.book(await ask(own, dialogue), actor=None)
    await actions.book(await ask(other, dialogue), actor=None)
    await nothing_is_wrong()


async def test_a_professional_is_refused_where_an_own_family_sits(world_db):
    """The rule holds in both directions, whoever comes first."""
    family = await world.a_family()
    worker = await world.a_professional(families=[family])
    dialogue = await world.a_dialogue()
    await actions.book(await ask(family, dialogue), actor=None)
    with pytest.raises(NotTogether):
        await actions.book(BookingRequest(id=new_id(), family=None, session=dialogue, persons=(worker,)), actor=None)


async def test_a_party_has_its_own_seats(world_db):
    """A dialogue with free seats still refuses the fourth foster parent (R64)."""
    dialogue = await world.a_dialogue()
    for _ in range(3):
        await actions.book(await ask(await world.a_family(), dialogue), actor=None)
    with pytest.raises(PartyFull):
        await actions.book(await ask(await world.a_family(), dialogue), actor=None)
    await nothing_is_wrong()


async def test_an_offer_holds_the_seat_until_it_is_answered(world_db):
    """Accepting keeps seat and money; declining frees both; answering twice is refused."""
    family = await world.a_family()
    budget = await world.a_budget(family, euros=100)
    session, until = await world.a_session(price_cents=4000), clock.now() + timedelta(days=3)
    first, second = await ask(family, session, offered_until=until), await ask(family, session, offered_until=until)
    assert (await actions.book(first, actor=None)).state == "offered"
    await actions.decline(first.id, actor=None)
    assert (await free_cents(budget), await seats_taken(session)) == (10000, 0)
    await actions.book(second, actor=None)
    await actions.accept(second.id, actor=None)
    assert (await free_cents(budget), await seats_taken(session)) == (6000, 1)
    for verb in (actions.accept, actions.decline):
        with pytest.raises(OfferLapsed):
            await verb(second.id, actor=None)
    with pytest.raises(BookingUnknown):
        await actions.accept(new_id(), actor=None)
    await nothing_is_wrong()


async def test_an_offer_ends_at_its_deadline(world_db):
    """At the deadline it can still be accepted; a second later it cannot, and expiry frees seat and money once."""
    family = await world.a_family()
    budget = await world.a_budget(family, euros=100)
    session, until = await world.a_session(price_cents=4000), clock.now() + timedelta(days=3)
    request = await ask(family, session, offered_until=until)
    await actions.book(request, actor=None)
    with clock.travelling(until + timedelta(seconds=1)):
        with pytest.raises(OfferLapsed):
            await actions.accept(request.id, actor=None)
        assert await actions.expire_offers() == [request.id]
        assert await actions.expire_offers() == []
    assert (await free_cents(budget), await seats_taken(session)) == (10000, 0)
    await nothing_is_wrong()


@pytest.mark.parametrize(("days_before", "fee_cents"), [(20, 0), (10, 2250), (3, 4500)])
async def test_cancelling_follows_the_courses_rule_and_the_dry_run_tells_the_truth(world_db, days_before, fee_cents):
    """Free until two weeks before, half the price until one week before, then the whole price."""
    family = await world.a_family()
    budget = await world.a_budget(family, euros=100)
    session = await world.a_session(price_cents=4500)
    request = await ask(family, session)
    await actions.book(request, actor=None)
    starts_at = world.in_days(30)[0]
    with clock.travelling(starts_at - timedelta(days=days_before)):
        told = await actions.cancel(request.id, actor=None, dry_run=True)
        assert await seats_taken(session) == 1
        assert await actions.cancel(request.id, actor=None) == told
        with pytest.raises(NotCancellable):
            await actions.cancel(request.id, actor=None)
    assert (told.fee_cents, told.refund_cents) == (fee_cents, 4500 - fee_cents)
    assert (await free_cents(budget), await seats_taken(session)) == (10000 - fee_cents, 0)
    await nothing_is_wrong()


async def test_a_cancelled_session_makes_everyone_whole(world_db):
    """Whatever the ladder says: when the session does not go on, everything comes back."""
    session, budgets = await world.a_session(seats_min=5), []
    for _ in range(3):
        family = await world.a_family()
        budgets.append(await world.a_budget(family, euros=100))
        await actions.book(await ask(family, session), actor=None)
    with clock.travelling(world.in_days(24)[0]):
        assert await actions.decide_sessions() == ([], [session])
        assert await actions.decide_sessions() == ([], [])
    assert [await free_cents(budget) for budget in budgets] == [10000] * 3
    assert await seats_taken(session) == 0
    assert await fetch_value("SELECT count(*) FROM outbox_message WHERE kind = 'session_cancelled'") == 3
    await nothing_is_wrong()


async def test_offers_that_are_still_open_do_not_make_a_session_go_on(world_db):
    """Only a yes counts towards the minimum on the decision date."""
    family = await world.a_family()
    await world.a_budget(family)
    session = await world.a_session(seats_min=1)
    await actions.book(await ask(family, session, offered_until=clock.now() + timedelta(days=25)), actor=None)
    with clock.travelling(world.in_days(24)[0]):
        assert await actions.decide_sessions() == ([], [session])


async def test_attendance_turns_the_hold_into_a_payment(world_db):
    """Who came and who did not both used their seat: the trainer is paid, nothing stays held (R01)."""
    trainer, _ = await world.a_trainer()
    session = await world.a_session(trainer=trainer, price_cents=4500)
    families = [await world.a_family() for _ in range(2)]
    budgets = [await world.a_budget(family, euros=100) for family in families]
    requests = [await ask(family, session) for family in families]
    for request in requests:
        await actions.book(request, actor=None)
    meeting = await fetch_value("SELECT id FROM meeting WHERE session = $1", session)
    with pytest.raises(MeetingNotOver):
        await actions.record_attendance(meeting, [], actor=None)
    with clock.travelling(world.in_days(24)[0]):
        await actions.decide_sessions()
    with clock.travelling(world.in_days(31)[0]):
        with pytest.raises(AttendanceMissing):
            await actions.finish_session(session, actor=None)
        assert await actions.record_attendance(meeting, requests[0].persons, actor=None) == 1
        assert await actions.finish_session(session, actor=None) == 2
    states = [await fetch_value("SELECT state FROM booking WHERE id = $1", r.id) for r in requests]
    assert states == ["no_show", "attended"]
    assert [await free_cents(budget) for budget in budgets] == [5500, 5500]
    paid = "SELECT sum(amount_cents)::int FROM transfer t JOIN account a ON a.id = t.credit WHERE a.owner = $1 AND t.phase = 'post'"
    assert await fetch_value(paid, trainer) == 9000
    await nothing_is_wrong()


async def test_childcare_places_are_a_second_capacity(world_db):
    """Children are booked with their parents and never outnumber the places (R52)."""
    session = await world.a_session(childcare={"a4_8": 2})
    requests = []
    for _ in range(2):
        family = await world.a_family()
        await world.a_budget(family)
        requests.append(await ask(family, session, childcare={"a4_8": 2}))
    await actions.book(requests[0], actor=None)
    with pytest.raises(ChildcareFull):
        await actions.book(requests[1], actor=None)
    await actions.cancel(requests[0].id, actor=None)
    await actions.book(requests[1], actor=None)
    await nothing_is_wrong()


async def outcome_of(coroutine):
    try:
        return await coroutine
    except LeerbudgetError as refusal:
        return refusal.code


async def test_sixty_families_race_for_twenty_seats(world_db):
    """Exactly the free seats are sold, every other client hears `session_full`, no money is lost."""
    session = await world.a_session(seats=20, price_cents=1000)
    requests = []
    for _ in range(60):
        family = await world.a_family()
        await world.a_budget(family, euros=50)
        requests.append(await ask(family, session))
    answers = await asyncio.gather(*(outcome_of(again(lambda r=r: actions.book(r, actor=None))) for r in requests))
    assert sum(not isinstance(answer, str) for answer in answers) == 20
    assert {answer for answer in answers if isinstance(answer, str)} == {"session_full"}
    assert await seats_taken(session) == 20
    await nothing_is_wrong()


async def test_one_person_in_two_overlapping_sessions_at_the_same_moment(world_db):
    """Of ten simultaneous bookings for overlapping sessions exactly one succeeds (I7)."""
    family = await world.a_family()
    await world.a_budget(family, euros=1000)
    sessions = [await world.a_session() for _ in range(10)]
    requests = [await ask(family, session) for session in sessions]
    answers = await asyncio.gather(*(outcome_of(again(lambda r=r: actions.book(r, actor=None))) for r in requests))
    assert sum(not isinstance(answer, str) for answer in answers) == 1
    assert {answer for answer in answers if isinstance(answer, str)} <= {"meetings_overlap", "busy"}
    await nothing_is_wrong()


async def test_without_the_exclusion_constraint_the_same_race_double_books(world_db, admin):
    """The negative control: take the guard away and one person sits in several sessions at once."""
    await admin.execute("ALTER TABLE attendance DROP CONSTRAINT one_meeting_at_a_time")
    family = await world.a_family()
    await world.a_budget(family, euros=1000)
    requests = [await ask(family, await world.a_session()) for _ in range(10)]
    answers = await asyncio.gather(*(outcome_of(again(lambda r=r: actions.book(r, actor=None))) for r in requests))
    assert sum(not isinstance(answer, str) for answer in answers) > 1
    assert any("I7" in problem for problem in await queries.inconsistencies())


async def test_a_former_professional_stays_apart_for_a_year(world_db):
    """The rule outlives the relation by twelve months, so a change of worker is no way around it (R65)."""
    family = await world.a_family()
    worker = await world.a_professional(families=[family])
    dialogue = await world.a_dialogue()
    await actions.book(BookingRequest(id=new_id(), family=None, session=dialogue, persons=(worker,)), actor=None)
    await people.end_relations(family, worker, clock.today() - timedelta(days=300))
    with pytest.raises(NotTogether):
        await actions.book(await ask(family, dialogue), actor=None)


async def test_a_session_whose_trainer_lost_the_certificate_does_not_go_on(world_db, admin):
    """Enough people but no admitted trainer on the day: everyone gets everything back (R56)."""
    trainer, _ = await world.a_trainer()
    session = await world.a_session(trainer=trainer)
    family = await world.a_family()
    budget = await world.a_budget(family, euros=100)
    await actions.book(await ask(family, session), actor=None)
    await admin.execute("UPDATE trainer SET certificate_valid_until = $2 WHERE id = $1", trainer, clock.today())
    with clock.travelling(world.in_days(24)[0]):
        assert await actions.decide_sessions() == ([], [session])
    assert await free_cents(budget) == 10000
    await nothing_is_wrong()


async def test_a_booking_never_fulfils_another_familys_wish(world_db):
    """The wish named in a request must be the family's own; a stranger's wish looks as if it were not there."""
    mine, other = await world.a_family(), await world.a_family()
    await world.a_budget(mine)
    wish = new_id()
    going = tuple(await world.parents_of(other))
    await wishes.state_wish(
        WishOrder(id=wish, family=other, stated_by=going[0], persons=going, theme="trauma"), actor=None
    )
    with pytest.raises(WishUnknown):
        await actions.book(await ask(mine, await world.a_session(), wish=wish), actor=None)
    assert await fetch_value("SELECT state FROM wish WHERE id = $1", wish) == "open"
    await nothing_is_wrong()


async def test_nobody_pays_another_price_than_was_shown(world_db, admin):
    """A price that was raised between showing and confirming is refused with the present price; nothing is kept (R04)."""
    family = await world.a_family(parents=2)
    await world.a_budget(family, euros=900)
    session = await world.a_session(price_cents=1000)
    request = await ask(family, session, price_shown_cents=2000)
    await admin.execute("UPDATE course_session SET price_cents = 40000 WHERE id = $1", session)
    with pytest.raises(PriceChanged) as refusal:
        await actions.book(request, actor=None)
    assert (refusal.value.data["price_cents"], await seats_taken(session)) == (80000, 0)
    receipt = await actions.book(replace(request, price_shown_cents=80000), actor=None)
    assert receipt == await actions.book(request, actor=None)  # the same request again, whatever it had seen
    await nothing_is_wrong()
