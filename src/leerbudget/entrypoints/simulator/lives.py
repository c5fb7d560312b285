"""What families do in the year: book, wait, answer, cancel, stop, and make mistakes. By seeded chance."""

from dataclasses import replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from leerbudget.bookings import actions as bookings
from leerbudget.bookings import line, meetings, moving, own_meetings, waiting
from leerbudget.bookings import queries as booking_queries
from leerbudget.bookings.actions import BookingRequest
from leerbudget.bookings.meetings import CatchUpOrder
from leerbudget.bookings.moving import MoveRequest
from leerbudget.bookings.waiting import WaitingOrder
from leerbudget.budgets import actions as budgets
from leerbudget.budgets import queries as budget_queries
from leerbudget.catalogue.search import SearchQuery, SessionCard, search
from leerbudget.entrypoints.simulator.stage import Stage
from leerbudget.entrypoints.simulator.till import PAGE
from leerbudget.fictional.world import Family
from leerbudget.foundation import clock
from leerbudget.foundation.ids import new_id
from leerbudget.payments import own_shares
from leerbudget.people import actions as people
from leerbudget.rounds import actions as rounds
from leerbudget.rounds import queries as round_queries
from leerbudget.wishes import actions as wish_actions
from leerbudget.wishes import queries as wishes
from leerbudget.wishes.queries import WishView

LOOKS_A_YEAR: Final = 1.5
"""Times a year that a family looks for a course itself [guess]."""
ANSWERS_TONIGHT, ACCEPTS = 0.3, 0.9
"""Chance that an open offer is answered this evening, and that the answer is yes; one in twelve lapses [guess]."""
CANCELS_TONIGHT: Final = 0.002
"""About 12 % of the bookings: late cancellations and crises (requirements section 5)."""
FOR_A_CHILD: Final = 1 / 3
"""Four of those twelve are caused by a crisis (requirements section 5)."""
RATHER_MOVES: Final = 0.5
"""Chance that somebody who cannot come looks for another date first [guess]."""
ASKS_AGAIN: Final = 0.1
CATCHES_UP, DROPS_IT = 0.5, 0.1
"""Chance that who missed a meeting catches it up where that can be, and drops it again [guess]."""
AVOIDS_A_YEAR: Final = 0.03
PAYS_THE_REST, PAYS_AFTER_ALL, BANK_IS_SLOW = 0.7, 0.85, 0.15
"""Chance that a family wants to pay what its budgets cannot, that it then does, and that its bank takes hours [guess]."""
SEEN_MAX: Final = 5

YES = frozenset(("confirmed", "attended", "no_show", "cancelled"))
"""What may become of a booking once it was confirmed."""

REFUSED_HONESTLY: Final = (
    *("session_full", "party_full", "childcare_full", "not_bookable", "kept_for_waiting", "already_booked"),
    *("meetings_overlap", "budget_too_small", "earmark_excludes", "not_for_this_family", "not_together"),
    "wish_step_not_allowed",
)
"""Why a booking may be refused to a family that makes no mistake."""


async def look_around(stage: Stage) -> None:
    """Some families look for a course themselves, and book it or get in line."""
    for family in list(stage.families.values()):
        if stage.dice.chance(LOOKS_A_YEAR / 365):
            await _look(stage, family)
        if stage.dice.chance(AVOIDS_A_YEAR / 365):
            await _avoid(stage, family)


async def _look(stage: Stage, family: Family) -> None:
    key = stage.ids.families[family.ref]
    wanted = [wish for wish in await wishes.wishes_of(key) if wish.state == "open"]
    preference = await wishes.preference_of(key)
    if not wanted or preference is None:
        stage.desk.counts["looks, without a wish"] += 1
        return
    wish = wanted[0]
    query = SearchQuery(
        postcode4=preference.postcode4,
        travel_minutes_max=preference.travel_minutes_max,
        themes=(wish.theme,),
        online=None if preference.online_ok else False,
        family=key,
        persons=0,
        limit=20,
    )
    cards = (await search(query)).cards
    free = [card for card in cards if card.seats_free >= len(wish.persons)]
    if free:
        await _book(stage, family, wish, stage.dice.pick(free[:SEEN_MAX]))
    elif cards:
        await _wait(stage, key, wish, stage.dice.pick(cards[:SEEN_MAX]))
    else:
        stage.desk.counts["looks, and finds nothing"] += 1


async def _book(stage: Stage, family: Family, wish: WishView, card: SessionCard) -> None:
    desk, key = stage.desk, stage.ids.families[family.ref]
    shown = card.price_cents * len(wish.persons)
    request = BookingRequest(new_id(), key, card.id, wish.persons, wish=wish.id, price_shown_cents=shown)
    answer = await desk.ask("books", bookings.book, request, actor=None, refusals=REFUSED_HONESTLY)
    if answer.code in ("session_full", "kept_for_waiting"):
        await _wait(stage, key, wish, card)
    if answer.code in ("budget_too_small", "earmark_excludes") and stage.dice.chance(PAYS_THE_REST):
        await _book_and_pay(stage, replace(request, id=new_id()))
    if not answer.done:
        return
    desk.bookings[request.id] = YES
    if answer.value.price_cents != shown:
        desk.troubles.append(f"booking {request.id} costs {answer.value.price_cents}, {shown} was shown")
    if stage.dice.chance(ASKS_AGAIN):
        again = await desk.ask("books again under the same id", bookings.book, request, actor=None)
        if again.value != answer.value:
            desk.troubles.append(f"I5: booking {request.id} was answered otherwise the second time")
        other = BookingRequest(request.id, key, card.id, wish.persons[:1], price_shown_cents=shown)
        await desk.must_refuse(
            "books something else under the same id",
            "idempotency_mismatch",
            bookings.book,
            other,
            actor=None,
        )


async def _book_and_pay(stage: Stage, request: BookingRequest) -> None:
    """What the budgets do not pay the family pays itself: at once, through a bank that is slow, or not after all."""
    desk, till = stage.desk, stage.till
    shown = await desk.ask(
        *("asks what it would pay itself", own_shares.quote, request),
        gateway=till,
        actor=None,
        refusals=REFUSED_HONESTLY,
    )
    if not shown.done:
        return
    sure = replace(request, price_shown_cents=shown.value.price_cents, own_shown_cents=shown.value.own_cents)
    answer = await desk.ask(
        *("books, and pays a part itself", own_shares.book, sure),
        gateway=till,
        return_url=f"https://leerbudget.example/betaald/{request.id}",
        actor=None,
        refusals=(*REFUSED_HONESTLY, "another_seat_unpaid", "too_late_to_pay"),
    )
    if not answer.done:
        return
    desk.bookings[request.id] = YES | {"offered", "expired"}
    if answer.value.pay_url is None:
        desk.counts["cannot pay now"] += 1
        return
    ref = answer.value.pay_url.removeprefix(PAGE)
    if not stage.dice.chance(PAYS_AFTER_ALL):
        desk.counts["does not pay after all"] += 1
    elif stage.dice.chance(BANK_IS_SLOW):
        desk.counts["pays, slowly"] += 1
        till.begin(ref)
        stage.slow.append(ref)
    else:
        desk.counts["pays at once"] += 1
        till.pay(ref)


def pay_at_last(stage: Stage) -> None:
    """Slow banks pay after all, when the time to pay is over long since."""
    for ref in stage.slow:
        stage.till.pay(ref)
    stage.slow.clear()


async def _wait(stage: Stage, key: UUID, wish: WishView, card: SessionCard) -> None:
    order = WaitingOrder(new_id(), key, card.id, wish.persons)
    expected = ("already_waiting", "already_in_course", "not_bookable", "not_for_this_family")
    await stage.desk.ask("gets in line", waiting.join, order, actor=None, refusals=expected)


async def _avoid(stage: Stage, family: Family) -> None:
    trainer = stage.dice.pick(sorted(stage.ids.trainers))
    person, key = stage.ids.persons[trainer], stage.ids.families[family.ref]
    await stage.desk.ask("would rather not meet somebody", people.avoid, key, person)


async def answer(stage: Stage) -> None:
    """Proposals of the round and offers from the waiting list: yes, no, or not tonight."""
    if stage.round is not None:
        for offer in await round_queries.open_offers(stage.round):
            if stage.dice.chance(ANSWERS_TONIGHT):
                verb = rounds.accept if stage.dice.chance(ACCEPTS) else rounds.decline
                name = f"{'accepts' if verb is rounds.accept else 'declines'} a proposal"
                await stage.desk.ask(
                    name,
                    verb,
                    offer.proposal,
                    seeker=offer.seeker,
                    actor=None,
                    refusals=("offer_lapsed",),
                )
    for place in await line.offered():
        if stage.dice.chance(ANSWERS_TONIGHT):
            await _answer_place(stage, place)


async def _answer_place(stage: Stage, place: line.Place) -> None:
    desk, late = stage.desk, ("offer_lapsed",)
    if not stage.dice.chance(ACCEPTS):
        await desk.ask("declines a seat that became free", waiting.decline, place.entry, actor=None, refusals=late)
        return
    answer = await desk.ask("accepts a seat that became free", waiting.accept, place.entry, actor=None, refusals=late)
    if answer.done:
        desk.bookings[answer.value] = YES


async def cancel_some(stage: Stage) -> None:
    """A few families cancel, or go to another date; what they were shown before is what they get."""
    for booking, family in await booking_queries.cancellable():
        if not stage.dice.chance(CANCELS_TONIGHT):
            continue
        child, rather_moves = stage.dice.chance(FOR_A_CHILD), stage.dice.chance(RATHER_MOVES)
        if child or not rather_moves or not await _move(stage, booking, family):
            await _cancel(stage, booking, child=child)


async def _move(stage: Stage, booking: UUID, family: UUID) -> bool:
    """Whether the family found another date for its booking."""
    desk, dates = stage.desk, await moving.sisters_of(booking, family)
    if not dates:
        return False
    order = MoveRequest(new_id(), booking, stage.dice.pick(dates[:SEEN_MAX]).session)
    shown = await desk.ask("asks what another date costs", moving.preview, order, actor=None, refusals=REFUSED_HONESTLY)
    if not shown.done:
        return False
    price, fee = shown.value.receipt.price_cents, shown.value.cancellation.fee_cents
    sure = replace(order, price_shown_cents=price, fee_shown_cents=fee)
    answer = await desk.ask("goes to another date", moving.move, sure, actor=None, refusals=REFUSED_HONESTLY)
    if answer.done:
        desk.bookings |= {booking: frozenset(("cancelled",)), order.id: YES}
        if (answer.value.receipt.price_cents, answer.value.cancellation.fee_cents) != (price, fee):
            desk.troubles.append(f"move {order.id}: {shown.value} was shown, {answer.value} happened")
    return answer.done


async def _cancel(stage: Stage, booking: UUID, *, child: bool = False) -> None:
    desk = stage.desk
    shown = await desk.ask(
        *("asks what cancelling costs", bookings.cancel, booking),
        actor=None,
        emergency=child,
        dry_run=True,
        refusals=("emergencies_used",),
    )
    if not shown.done and child:
        await _cancel(stage, booking)
        return
    what = "cancels for a child" if child else "cancels"
    answer = await desk.ask(what, bookings.cancel, booking, actor=None, emergency=child, refusals=("not_cancellable",))
    if answer.done:
        desk.bookings[booking] = frozenset(("cancelled",))
        if answer.value != shown.value:
            desk.troubles.append(f"booking {booking}: {shown.value} was shown, {answer.value} happened")


async def catch_up_some(stage: Stage) -> None:
    """Who missed a meeting yesterday or today may come to the same one of another group; a few drop that again."""
    now = clock.now()
    for missed in await own_meetings.missed_between(now - timedelta(days=1), now):
        own = await own_meetings.meetings_of(missed.booking, missed.family)
        options = next((each.options for each in own if each.meeting == missed.meeting), ())
        if not options or not stage.dice.chance(CATCHES_UP):
            continue
        order = CatchUpOrder(missed.booking, missed.meeting, stage.dice.pick(options).meeting, missed.persons)
        refused = ("meetings_overlap", "session_full", "kept_for_waiting", "not_together", "catch_up_used")
        done = await stage.desk.ask("catches up a meeting", meetings.catch_up, order, actor=None, refusals=refused)
        if done.done and stage.dice.chance(DROPS_IT):
            name = "does not catch up after all"
            await stage.desk.ask(name, meetings.drop_catch_up, missed.booking, missed.meeting, actor=None)


async def stop(stage: Stage, families: list[Family]) -> None:
    """Families that stop: what is booked is cancelled, wishes and places in line end, free money goes back."""
    desk = stage.desk
    for family in families:
        if stage.families.pop(family.ref, None) is None:
            continue
        key = stage.ids.families[family.ref]
        desk.counts["families that stop"] += 1
        for booking in sorted(await booking_queries.bookings_of(key), key=lambda each: each.booking):
            if booking.state in ("offered", "confirmed") and booking.starts_at > clock.now():
                await _cancel(stage, booking.booking)
        for place in sorted(await line.waiting_of(key), key=lambda each: each.entry):
            await desk.ask("leaves the line", waiting.leave, place.entry, actor=None, refusals=("not_waiting",))
        for wish in await wishes.wishes_of(key):
            if wish.state == "open":
                await desk.ask("withdraws a wish", wish_actions.withdraw_wish, wish.id, actor=None)
        await _give_back(stage, key)


async def _give_back(stage: Stage, family: UUID) -> None:
    for budget in sorted(await budget_queries.budgets_of(family), key=lambda each: each.id):
        if budget.free_cents > 0:
            key, cents = new_id(), budget.free_cents
            await stage.desk.must_refuse(
                "takes back more than is free",
                "lowering_too_large",
                budgets.lower,
                budget.id,
                budget.free_cents + 1,
                lowering=new_id(),
                actor=None,
                reason="te veel",
            )
            await stage.desk.ask(
                "takes back what is free", budgets.lower, budget.id, cents, lowering=key, actor=None, reason="gestopt"
            )


async def make_mistakes(stage: Stage) -> None:
    """Once a week somebody asks what cannot be: somebody else's parent, a booking that ended, one that never was."""
    families = list(stage.families.values())
    if len(families) < 2:
        return
    one, other = stage.dice.some(families, 2)
    session = stage.dice.pick(sorted(stage.ids.sessions))
    stranger = stage.ids.persons[other.parents[0].ref]
    request = BookingRequest(new_id(), stage.ids.families[one.ref], stage.ids.sessions[session], (stranger,))
    await stage.desk.must_refuse(
        "books for another family's parent", "persons_unknown", bookings.book, request, actor=None
    )
    ended = sorted(key for key, states in stage.desk.bookings.items() if states == {"cancelled"})
    if ended:
        gone = stage.dice.pick(ended)
        await stage.desk.must_refuse("cancels twice", "not_cancellable", bookings.cancel, gone, actor=None)
        await stage.desk.must_refuse("answers too late", "offer_lapsed", bookings.accept, gone, actor=None)
    never = new_id()
    await stage.desk.must_refuse("cancels what was never booked", "booking_unknown", bookings.cancel, never, actor=None)
