"""A family's wishes, when its parents can come, how far they travel."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, many, moved, own_family, page, with_errors
from leerbudget.entrypoints.web.templating import Form, minutes
from leerbudget.entrypoints.web.wording import LABELS
from leerbudget.foundation import clock
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.geography.postcodes import all_places
from leerbudget.matcher.day_parts import local_date
from leerbudget.people import queries as people
from leerbudget.people.queries import PersonView
from leerbudget.rounds import queries as rounds
from leerbudget.wishes import actions
from leerbudget.wishes import queries as wishes
from leerbudget.wishes.errors import PreferenceNotValid, WishNotPossible, WishUnknown
from leerbudget.wishes.queries import PreferenceView, WishView
from leerbudget.wishes.rules import (
    CHANGEABLE,
    TRAVEL_MODES,
    ExceptionOrder,
    PreferenceOrder,
    WeekOrder,
    WishChange,
    WishOrder,
)

PARTS = {
    "dag": (time(0), time(0)),
    "ochtend": (time(0), time(12, 30)),
    "middag": (time(12, 30), time(17, 30)),
    "avond": (time(17, 30), time(0)),
}
"""Parts of a day as the matcher cuts them; an end at midnight is the next day's."""


class WishPages(Controller):
    """Wishes and what the matching knows about when and how far."""

    path = "/wensen"
    include_in_schema = False

    @get("/")
    async def list_wishes(self, request: HouseRequest) -> Response[str]:
        """The family's wishes, with the reasons of the last round."""
        family = own_family(request, "see_wishes")
        persons = await people.persons_of(family)
        preference = await wishes.preference_of(family)
        weeks = await wishes.weeks_of(person.id for person in persons)
        exceptions = await wishes.exceptions_of([p.id for p in persons], after=clock.now())
        view = View(
            wishes=await _items(family, persons, request.actor.person),
            availability=[
                View(
                    person=person.name,
                    day_parts_count=weeks.get(person.id, "").count("1"),
                    exceptions_count=sum(each.person == person.id for each in exceptions),
                )
                for person in persons
            ],
            travel=_travel_sentences(preference),
            online_ok=preference is not None and preference.online_ok,
            childcare=preference.childcare_need if preference else "none",
            next_round_on=None,
        )
        return await page(request, "wensen.html", view)

    @get("/toevoegen")
    async def add(self, request: HouseRequest) -> Response[str]:
        """The guided form."""
        family = own_family(request, "state_wish")
        me = [str(p.id) for p in await people.persons_of(family) if p.id == request.actor.person]
        form = Form(values={"wish_id": str(new_id()), "persons": me, "urgent": "nee"})
        return await _wish_form(request, family, form, None)

    @post("/")
    async def state(self, request: HouseRequest) -> Response[str] | Response[None]:
        """State a wish; the id made with the page makes sending twice harmless."""
        family = own_family(request, "state_wish")
        form = await filled_in(request)
        wish_id, writer = an_id(form.value("wish_id")), request.actor.person
        errors = _wish_errors(form)
        if wish_id is None or writer is None:
            errors["theme"] = "Deze pagina was verlopen. Open haar opnieuw."
        if errors or wish_id is None or writer is None:
            return await _wish_form(request, family, with_errors(form, errors), None, status=422)
        change = _change(form, rank=await _rank(wish_id, family))
        order = WishOrder(
            id=wish_id,
            family=family,
            stated_by=writer,
            persons=change.persons,
            theme=change.theme,
            forms=change.forms,
            rank=change.rank,
            urgent=change.urgent,
            situation=change.situation,
            wants_to_learn=change.wants_to_learn,
        )
        try:
            await actions.state_wish(order, actor=request.actor.login)
        except WishNotPossible as refusal:
            return await _wish_form(request, family, with_errors(form, _problems(refusal)), None, status=422)
        return moved("/wensen", "wens-opgeslagen")

    @get("/{wish_id:uuid}/wijzigen")
    async def edit(self, request: HouseRequest, wish_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """The form with what was stated; only for its writer, because of the private words."""
        family = own_family(request, "change_wish")
        found = await _own_wish(wish_id, family)
        if found.state not in CHANGEABLE:
            return moved("/wensen")
        text = await wishes.wish_text(wish_id, request.actor.person or wish_id)
        form = Form(
            values={
                "situation": text.situation,
                "wants_to_learn": text.wants_to_learn,
                "theme": found.theme,
                "forms": list(found.forms or ()),
                "urgent": "ja" if found.urgent else "nee",
                "persons": [str(person) for person in found.persons],
            }
        )
        return await _wish_form(request, family, form, wish_id)

    @post("/{wish_id:uuid}")
    async def change(self, request: HouseRequest, wish_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Change a wish."""
        family = own_family(request, "change_wish")
        found = await _own_wish(wish_id, family)
        form = await filled_in(request)
        errors = _wish_errors(form)
        if not errors:
            try:
                await actions.change_wish(wish_id, _change(form, rank=found.rank), by=request.actor.person or wish_id)
                return moved("/wensen", "wens-opgeslagen")
            except WishNotPossible as refusal:
                errors = _problems(refusal)
        return await _wish_form(request, family, with_errors(form, errors), wish_id, status=422)

    @post("/{wish_id:uuid}/omhoog")
    async def move_up(self, request: HouseRequest, wish_id: FromPath[UUID]) -> Response[None]:
        """One place higher."""
        await actions.move_up(wish_id, own_family(request, "change_wish"))
        return moved("/wensen")

    @post("/{wish_id:uuid}/intrekken")
    async def withdraw(self, request: HouseRequest, wish_id: FromPath[UUID]) -> Response[None]:
        """Take a wish away, without a reason."""
        found = await _own_wish(wish_id, own_family(request, "change_wish"))
        if found.state != "withdrawn":
            await actions.withdraw_wish(wish_id, actor=request.actor.login)
        return moved("/wensen", "wens-weg")

    @get("/beschikbaarheid")
    async def week(self, request: HouseRequest) -> Response[str]:
        """The week of each parent, and exceptions."""
        return await _week_page(request, own_family(request, "see_availability"))

    @post("/beschikbaarheid")
    async def keep_week(self, request: HouseRequest) -> Response[None]:
        """Keep the weeks."""
        family = own_family(request, "change_availability")
        form = await filled_in(request)
        orders = []
        for person in await people.persons_of(family):
            ticked = set(many(form, f"week-{person.id}"))
            orders.append(WeekOrder(person.id, "".join("1" if str(n) in ticked else "0" for n in range(21))))
        await actions.set_weeks(orders)
        return moved("/wensen", "opgeslagen")

    @post("/uitzonderingen")
    async def add_exception(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Add a time on which somebody cannot come; nobody asks why."""
        family = own_family(request, "change_availability")
        form = await filled_in(request)
        order, errors = _exception(form, await people.persons_of(family))
        if order is None:
            return await _week_page(request, family, exception_form=with_errors(form, errors), status=422)
        await actions.add_exception(order.id, order.person, order.starts_at, order.ends_at)
        return moved("/wensen/beschikbaarheid", "opgeslagen")

    @post("/uitzonderingen/{exception_id:uuid}/weghalen")
    async def remove_exception(self, request: HouseRequest, exception_id: FromPath[UUID]) -> Response[None]:
        """Take it away again; another family's is not there."""
        family = own_family(request, "change_availability")
        persons = [person.id for person in await people.persons_of(family)]
        for each in await wishes.exceptions_of(persons, after=clock.now()):
            if each.id == exception_id:
                await actions.remove_exception(exception_id, each.person)
        return moved("/wensen/beschikbaarheid", "opgeslagen")

    @get("/reizen")
    async def travel(self, request: HouseRequest) -> Response[str]:
        """How far, online or not, how many proposals, childcare."""
        family = own_family(request, "see_availability")
        preference = await wishes.preference_of(family)
        home = (await people.family(family)).postcode4
        return await _travel_page(request, family, _travel_values(preference, home))

    @post("/reizen")
    async def keep_travel(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Keep it."""
        family = own_family(request, "change_availability")
        form = await filled_in(request)
        order, errors = _preference(form, family)
        if not errors:
            try:
                await actions.set_preference(order)
                return moved("/wensen", "opgeslagen")
            except PreferenceNotValid as refusal:
                errors = _problems(refusal) or {"minutes-car": str(refusal)}
        return await _travel_page(request, family, with_errors(form, errors), status=422)


# --- wishes --------------------------------------------------------------------------------------------------


async def _own_wish(wish_id: UUID, family: UUID) -> WishView:
    found = await wishes.wish(wish_id)
    if found.family != family:
        raise WishUnknown
    return found


async def _rank(wish_id: UUID, family: UUID) -> int:
    """The last place; for a form that was sent twice, the place that the wish has already."""
    own = await wishes.wishes_of(family)
    return next((each.rank for each in own if each.id == wish_id), min(99, 1 + len(own)))


async def _items(family: UUID, persons: Sequence[PersonView], me: UUID | None) -> list[View]:
    names = {person.id: person.name for person in persons}
    offers = {each.wish: each.proposal for each in await rounds.proposals_of(family) if each.state == "offered"}
    why = {each.wish: each for each in await rounds.non_placements_of(family)}
    return [
        View(
            id=wish.id,
            theme=wish.theme,
            forms=list(wish.forms or ()),
            urgent=wish.urgent,
            state=wish.state,
            persons=[names[person] for person in wish.persons if person in names],
            waiting_rounds=wish.waiting_rounds,
            why_not=[reason.sentence for reason in why[wish.id].reasons][:3] if wish.id in why else [],
            would_help=[each.sentence for each in why[wish.id].would_have_helped] if wish.id in why else [],
            proposal_id=offers.get(wish.id),
            may_change=wish.state in CHANGEABLE and wish.stated_by == me,
            may_withdraw=wish.state in CHANGEABLE,
        )
        for wish in await wishes.wishes_of(family)
    ]


async def _wish_form(
    request: HouseRequest, family: UUID, form: Form, wish_id: UUID | None, *, status: int = 200
) -> Response[str]:
    view = View(
        action="/wensen" if wish_id is None else f"/wensen/{wish_id}",
        adding=wish_id is None,
        persons=[
            View(id=p.id, name=p.name, is_me=p.id == request.actor.person) for p in await people.persons_of(family)
        ],
    )
    return await page(request, "wens_formulier.html", view, form=form, status=status)


def _wish_errors(form: Form) -> dict[str, str]:
    errors = {}
    if form.value("theme") not in LABELS["theme"]:
        errors["theme"] = "Kies een thema. Weet u het nog niet? Kies dan de laatste regel."
    if not many(form, "persons"):
        errors["persons"] = "Kies wie er meegaat."
    elif any(an_id(text) is None for text in many(form, "persons")):
        errors["persons"] = "Kies wie er meegaat uit de lijst."
    return errors


def _change(form: Form, *, rank: int) -> WishChange:
    persons = [an_id(text) for text in many(form, "persons")]
    return WishChange(
        persons=tuple(person for person in persons if person is not None),
        theme=form.value("theme"),
        forms=tuple(many(form, "forms")) or None,
        rank=rank,
        urgent=form.value("urgent") == "ja",
        situation=form.value("situation"),
        wants_to_learn=form.value("wants_to_learn"),
    )


def _problems(refusal: LeerbudgetError) -> dict[str, str]:
    return {_field(problem["path"]): problem["message"] for problem in refusal.data.get("problems", ())}


def _field(path: str) -> str:
    """The form field that a path of the room's own orders stands for."""
    name, _, part = path.partition(".")
    if name == "travel_minutes_max":
        return f"minutes-{part or 'car'}"
    if name == "childcare":
        return f"children-{part}" if part else "childcare_need"
    return name


# --- availability --------------------------------------------------------------------------------------------


async def _week_page(
    request: HouseRequest, family: UUID, *, exception_form: Form | None = None, status: int = 200
) -> Response[str]:
    persons = await people.persons_of(family)
    names = {person.id: person.name for person in persons}
    weeks = await wishes.weeks_of(names)
    exceptions = await wishes.exceptions_of(list(names), after=clock.now())
    form = Form(
        values={
            f"week-{person}": [str(n) for n, bit in enumerate(weeks.get(person, "")) if bit == "1"] for person in names
        }
    )
    view = View(
        persons=[View(id=person, name=name) for person, name in names.items()],
        exceptions=[
            View(
                id=each.id,
                person=names[each.person],
                starts_at=each.starts_at,
                ends_at=each.ends_at,
                one_day=local_date(each.starts_at) == local_date(each.ends_at),
            )
            for each in exceptions
        ],
    )
    asked = exception_form or Form(values={"part": "dag"})
    return await page(request, "beschikbaarheid.html", view, form=form, status=status, exception_form=asked)


def _exception(form: Form, persons: Sequence[PersonView]) -> tuple[ExceptionOrder | None, dict[str, str]]:
    errors: dict[str, str] = {}
    person = an_id(form.value("person"))
    if person is None or all(each.id != person for each in persons):
        errors["person"] = "Kies voor wie dit geldt."
    first, last = _day(form.value("from_day")), _day(form.value("to_day") or form.value("from_day"))
    if first is None:
        errors["from_day"] = "Kies een dag."
    if last is None or (first is not None and not first <= last <= first + timedelta(days=366)):
        errors["to_day"] = "De laatste dag valt niet voor de eerste, en niet meer dan een jaar later."
    begin, end = PARTS.get(form.value("part"), PARTS["dag"])
    if errors or person is None or first is None or last is None:
        return None, errors
    if end == time(0):
        last += timedelta(days=1)
    starts_at = datetime.combine(first, begin, clock.AMSTERDAM)
    return ExceptionOrder(new_id(), person, starts_at, datetime.combine(last, end, clock.AMSTERDAM)), {}


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if abs(found - clock.today()) < timedelta(days=2000) else None


# --- travel --------------------------------------------------------------------------------------------------


def _travel_sentences(preference: PreferenceView | None) -> list[str]:
    if preference is None:
        return []
    return [
        f"{LABELS['by_travel_mode'][mode]} hooguit {minutes(limit)}"
        for mode, limit in preference.travel_minutes_max.items()
    ]


def _travel_values(preference: PreferenceView | None, home: str) -> Form:
    if preference is None:
        return Form(values={"postcode4": home, "minutes-car": "45", "max_placements": "2", "childcare_need": "none"})
    values = {
        "postcode4": preference.postcode4,
        "online_ok": "ja" if preference.online_ok else "",
        "max_placements": str(preference.max_placements),
        "childcare_need": preference.childcare_need,
    }
    values |= {f"minutes-{mode}": str(limit) for mode, limit in preference.travel_minutes_max.items()}
    values |= {f"children-{band}": str(count) for band, count in preference.childcare.items()}
    return Form(values=values)


async def _travel_page(request: HouseRequest, family: UUID, form: Form, *, status: int = 200) -> Response[str]:
    bands = (await people.family(family)).child_age_bands
    return await page(request, "reizen.html", View(child_age_bands=list(bands)), form=form, status=status)


def _preference(form: Form, family: UUID) -> tuple[PreferenceOrder, dict[str, str]]:
    errors: dict[str, str] = {}
    if form.value("postcode4") not in all_places():
        errors["postcode4"] = "Vul de vier cijfers van uw postcode in, zoals 3511."
    limits = _numbers(form, {f"minutes-{mode}": mode for mode in TRAVEL_MODES}, 240, errors)
    children = _numbers(form, {f"children-{band}": band for band in LABELS["age_band"]}, 20, errors)
    need = form.value("childcare_need") or "none"
    if need not in LABELS["childcare_need"]:
        errors["childcare_need"] = "Kies wat bij u past."
    if form.value("max_placements") not in tuple("12345"):
        errors["max_placements"] = "Kies een aantal van 1 tot en met 5."
    order = PreferenceOrder(
        family=family,
        professional=None,
        postcode4=form.value("postcode4"),
        travel_minutes_max=limits,
        online_ok=form.value("online_ok") == "ja",
        max_placements=int(form.value("max_placements")) if "max_placements" not in errors else 1,
        childcare_need=need,
        childcare=children if need == "needs_place" else {},
    )
    return order, errors


def _numbers(form: Form, fields: Mapping[str, str], largest: int, errors: dict[str, str]) -> dict[str, int]:
    found = {}
    for field, key in fields.items():
        text = form.value(field)
        if not text:
            continue
        if not (text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= largest):
            errors[field] = f"Vul een getal in van 0 tot en met {largest}."
        elif int(text):
            found[key] = int(text)
    return found
