"""Sessions with seats by party, for the coordinator: who is missing, and seats for people without a family."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from leerbudget.bookings import dialogues, seating
from leerbudget.bookings.dialogues import DialogueView
from leerbudget.bookings.errors import BookingUnknown, NotCancellable, NotWaiting, WaitingUnknown
from leerbudget.bookings.seating import SeatOrder
from leerbudget.catalogue.errors import SessionUnknown
from leerbudget.entrypoints.api.types import CLEAN_LINE, Answer, Body, Instant, told
from leerbudget.entrypoints.http.guards import requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.identity.actions import record_audit
from leerbudget.identity.rules import EMAIL_LENGTH_MAX
from leerbudget.matcher.vocabulary import Party

Who = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=EMAIL_LENGTH_MAX,
        pattern=CLEAN_LINE,
        description="The e-mail address or the external reference of somebody without a family.",
    ),
]


class GuestOrder(Body, frozen=True, kw_only=True):
    """One person who said yes to this date. `id` is made by the caller: the same order again has one effect."""

    id: UUID
    who: Who


class PartyShare(Answer, frozen=True, kw_only=True):
    """The seats of one party. `taken` counts offers that wait for an answer; `waiting`: places in line for this session."""

    party: Party
    taken: int
    seats_min: int
    seats_max: int
    waiting: int


class Dialogue(Answer, frozen=True, kw_only=True):
    """A session with seats by party. `missing`: the parties with too few people by now (R64)."""

    course_session: UUID
    title: str
    state: str
    starts_at: Instant
    place: str | None
    seats_min: int
    seats_max: int
    seats_taken: int
    spread_max: int | None
    parties: list[PartyShare]
    missing: list[Party]


class Dialogues(Answer, frozen=True, kw_only=True):
    """The sessions with seats by party in which people can still get a seat, the nearest first."""

    items: list[Dialogue]


class GuestSeat(Answer, frozen=True, kw_only=True):
    """Somebody without a family who has a seat."""

    booking: UUID
    name: str
    party: Party
    state: str


class GuestInLine(Answer, frozen=True, kw_only=True):
    """Somebody without a family who waits for a seat of the party; within a party the first is first in line."""

    entry: UUID
    name: str
    party: Party
    asked_at: Instant


class DialogueWhole(Answer, frozen=True, kw_only=True):
    """A session with seats by party, with who sits and waits there without a family. Families are numbers only."""

    dialogue: Dialogue
    seated: list[GuestSeat]
    in_line: list[GuestInLine]


class SeatTold(Answer, frozen=True, kw_only=True):
    """What became of a seat or a place in line."""

    id: UUID
    course_session: UUID
    state: str


class DialogueController(Controller):
    """For the coordinator."""

    path = "/dialogues"
    tags = ("dialogues",)

    @get(guards=[requires("see_dialogues")], summary="Sessions with seats by party", operation_id="listDialogues")
    async def to_come(self) -> Dialogues:
        """How many of each party come, and who is missing."""
        return Dialogues(items=[_dialogue(view) for view in await dialogues.to_come()])

    @get(
        "/{session_id:uuid}",
        guards=[requires("see_dialogues")],
        summary="One session with seats by party",
        operation_id="getDialogue",
    )
    async def one(self, request: HouseRequest, session_id: FromPath[UUID]) -> DialogueWhole:
        """Its composition, and who sits and waits there without a family. Who looked is written down."""
        view = await _found(session_id)
        await record_audit(request.actor.login, "dialogue_seen", "course_session", session_id)
        return DialogueWhole(
            dialogue=_dialogue(view),
            seated=[told(GuestSeat, each) for each in await dialogues.seated(session_id)],
            in_line=[told(GuestInLine, each) for each in await dialogues.in_line(session_id)],
        )

    @post(
        "/{session_id:uuid}/seats",
        guards=[requires("give_seats")],
        summary="Give somebody without a family a seat",
        operation_id="giveSeat",
    )
    async def give(self, request: HouseRequest, session_id: FromPath[UUID], data: JSONBody[GuestOrder]) -> SeatTold:
        """Free of charge; the seats of the party, who must not meet and one meeting at a time are guarded as ever."""
        await _found(session_id)
        order = SeatOrder(data.id, session_id, await seating.guest(data.who))
        receipt = await again(lambda: seating.give(order, actor=request.actor.login))
        return SeatTold(id=data.id, course_session=session_id, state=receipt.state)

    @delete(
        "/{session_id:uuid}/seats/{booking_id:uuid}",
        guards=[requires("give_seats")],
        summary="Take a seat back",
        operation_id="takeSeatBack",
    )
    async def take_back(self, request: HouseRequest, session_id: FromPath[UUID], booking_id: FromPath[UUID]) -> None:
        """The seat goes to who waits of the same party. Again has no effect."""
        if await dialogues.seat_state(booking_id, session_id) is None:
            raise BookingUnknown
        try:
            await again(lambda: seating.take_back(booking_id, actor=request.actor.login))
        except NotCancellable:
            if await dialogues.seat_state(booking_id, session_id) != "cancelled":
                raise

    @post(
        "/{session_id:uuid}/waiting-entries",
        guards=[requires("give_seats")],
        summary="Put somebody without a family in line",
        operation_id="putInLine",
    )
    async def wait(self, request: HouseRequest, session_id: FromPath[UUID], data: JSONBody[GuestOrder]) -> SeatTold:
        """The first seat of the party that becomes free is theirs, without another question."""
        await _found(session_id)
        order = SeatOrder(data.id, session_id, await seating.guest(data.who))
        await again(lambda: seating.wait(order, actor=request.actor.login))
        state = await dialogues.waiting_state(data.id, session_id)
        return SeatTold(id=data.id, course_session=session_id, state=state or "waiting")

    @delete(
        "/{session_id:uuid}/waiting-entries/{entry_id:uuid}",
        guards=[requires("give_seats")],
        summary="Take somebody off the line",
        operation_id="takeOffLine",
    )
    async def leave(self, request: HouseRequest, session_id: FromPath[UUID], entry_id: FromPath[UUID]) -> None:
        """They wait no longer. Again has no effect."""
        if await dialogues.waiting_state(entry_id, session_id) is None:
            raise WaitingUnknown
        try:
            await again(lambda: seating.leave(entry_id, actor=request.actor.login))
        except NotWaiting:
            if await dialogues.waiting_state(entry_id, session_id) != "left":
                raise


async def _found(session_id: UUID) -> DialogueView:
    view = await dialogues.dialogue(session_id)
    if view is None:
        raise SessionUnknown
    return view


def _dialogue(view: DialogueView) -> Dialogue:
    return Dialogue(
        course_session=view.session,
        title=view.title,
        state=view.state,
        starts_at=view.starts_at,
        place=view.place,
        seats_min=view.seats_min,
        seats_max=view.seats_max,
        seats_taken=view.seats_taken,
        spread_max=view.spread_max,
        parties=[told(PartyShare, share) for share in view.parties],
        missing=[Party(party) for party in view.missing],
    )
