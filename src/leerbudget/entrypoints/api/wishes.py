"""Development wishes: state, read, change, withdraw. Private words are for their writer only (R31)."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, delete, get, post, put
from litestar.params import FromPath, JSONBody
from msgspec import Meta, field

from leerbudget.entrypoints.api.access import own_person
from leerbudget.entrypoints.api.types import Answer, Body, Instant, PersonIds, PrivateText, told
from leerbudget.entrypoints.http.guards import logged_in, requires
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.database import again
from leerbudget.foundation.errors import IdempotencyMismatch
from leerbudget.identity.permissions import may, require
from leerbudget.matcher.vocabulary import LearningForm, Theme
from leerbudget.wishes import actions
from leerbudget.wishes import queries as wishes
from leerbudget.wishes.queries import WishView
from leerbudget.wishes.rules import WishChange, WishOrder

Rank = Annotated[int, Meta(ge=1, le=99, description="1 comes first.")]
Forms = Annotated[list[LearningForm], Meta(min_length=1, max_length=11, description="Null: any form.")]


class WordsOrder(Body, frozen=True, kw_only=True):
    """What is behind a wish, in the writer's own words."""

    situation: PrivateText = ""
    wants_to_learn: PrivateText = ""


class WishOrderBody(Body, frozen=True, kw_only=True):
    """A wish. `id` is made by the caller: the same order again has no effect."""

    id: UUID
    persons: PersonIds
    theme: Theme
    forms: Forms | None = None
    rank: Rank = 1
    urgent: bool = False
    state: Literal["draft", "open"] = "open"
    words: WordsOrder = field(default_factory=WordsOrder)


class WishChangeBody(Body, frozen=True, kw_only=True):
    """Everything of a wish that can change. `words` must be given: left out, they would be lost unseen."""

    persons: PersonIds
    theme: Theme
    forms: Forms | None = None
    rank: Rank
    urgent: bool
    words: WordsOrder


class Words(Answer, frozen=True, kw_only=True):
    """The private words behind a wish."""

    situation: str
    wants_to_learn: str


class Wish(Answer, frozen=True, kw_only=True):
    """A wish without its private words."""

    id: UUID
    stated_by: UUID
    persons: list[UUID]
    theme: Theme
    forms: list[LearningForm] | None
    rank: int
    urgent: bool
    state: str
    waiting_rounds: int
    stated_at: Instant
    changed_at: Instant


class WishWhole(Wish, frozen=True, kw_only=True):
    """A wish; `words` is null for everybody but their writer."""

    words: Words | None


class Wishes(Answer, frozen=True, kw_only=True):
    """A family's wishes in its own order."""

    items: list[Wish]


class FamilyWishController(Controller):
    """The wishes of a family."""

    path = "/families/{family_id:uuid}/wishes"
    tags = ("wishes",)

    @get(
        guards=[requires("see_wishes", family="family_id")],
        summary="The family's wishes",
        operation_id="listWishes",
    )
    async def wishes(self, family_id: FromPath[UUID]) -> Wishes:
        """Every wish that was not withdrawn, without private words."""
        return Wishes(items=[told(Wish, wish) for wish in await wishes.wishes_of(family_id)])

    @post(
        guards=[requires("state_wish", family="family_id")],
        summary="State a wish",
        operation_id="stateWish",
    )
    async def state(self, request: HouseRequest, family_id: FromPath[UUID], data: JSONBody[WishOrderBody]) -> WishWhole:
        """State a wish; open wishes take part in the next matching round."""
        order = WishOrder(
            id=data.id,
            family=family_id,
            stated_by=own_person(request),
            persons=tuple(data.persons),
            theme=data.theme.value,
            forms=_forms(data.forms),
            rank=data.rank,
            urgent=data.urgent,
            state=data.state,
            situation=data.words.situation,
            wants_to_learn=data.words.wants_to_learn,
        )
        await again(lambda: actions.state_wish(order, actor=request.actor.login))
        found = await wishes.wish(data.id)
        if found.family != family_id:  # of a withdrawn wish nothing is left to compare but whose it was
            raise IdempotencyMismatch
        return await _whole(request, found)


class WishController(Controller):
    """One wish."""

    path = "/wishes/{wish_id:uuid}"
    tags = ("wishes",)
    guards = (logged_in,)

    @get(summary="One wish", operation_id="getWish")
    async def wish(self, request: HouseRequest, wish_id: FromPath[UUID]) -> WishWhole:
        """A wish of the own family; with its private words for whoever wrote them."""
        return await _whole(request, await _own(request, wish_id, "see_wishes"))

    @put(summary="Change a wish", operation_id="changeWish")
    async def change(self, request: HouseRequest, wish_id: FromPath[UUID], data: JSONBody[WishChangeBody]) -> WishWhole:
        """Change a wish, its words included; only its writer can, and not while there is a proposal for it."""
        await _own(request, wish_id, "change_wish")
        change = WishChange(
            persons=tuple(data.persons),
            theme=data.theme.value,
            forms=_forms(data.forms),
            rank=data.rank,
            urgent=data.urgent,
            situation=data.words.situation,
            wants_to_learn=data.words.wants_to_learn,
        )
        writer = own_person(request)
        await again(lambda: actions.change_wish(wish_id, change, by=writer))
        return await _whole(request, await wishes.wish(wish_id))

    @delete(summary="Withdraw a wish", operation_id="withdrawWish")
    async def withdraw(self, request: HouseRequest, wish_id: FromPath[UUID]) -> None:
        """Withdraw a wish without a reason; its private words go for good. Again has no effect."""
        found = await _own(request, wish_id, "change_wish")
        if found.state != "withdrawn":
            await again(lambda: actions.withdraw_wish(wish_id, actor=request.actor.login))


def _forms(forms: list[LearningForm] | None) -> tuple[str, ...] | None:
    return None if forms is None else tuple(form.value for form in forms)


async def _own(request: HouseRequest, wish_id: UUID, verb: str) -> WishView:
    found = await wishes.wish(wish_id)
    require(request.actor, verb, family=found.family)
    return found


async def _whole(request: HouseRequest, wish: WishView) -> WishWhole:
    words = None
    if may(request.actor, "read_wish_text", person=wish.stated_by):
        words = told(Words, await wishes.wish_text(wish.id, own_person(request)))
    bare = told(Wish, wish)
    return WishWhole(**{name: getattr(bare, name) for name in Wish.__struct_fields__}, words=words)
