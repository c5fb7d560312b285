"""Pages for everybody: start, search, a course session, sources; and the page that tells about a failure."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, Request, Response, get
from litestar.params import FromPath

from leerbudget.bookings import line
from leerbudget.bookings import queries as bookings
from leerbudget.bookings.errors import NotForThisFamily
from leerbudget.budgets import queries as budgets
from leerbudget.budgets.earmarks import spendable_cents
from leerbudget.catalogue import queries as catalogue
from leerbudget.catalogue.errors import SearchPostcodeUnknown
from leerbudget.catalogue.queries import SearchQuery, SessionDetail
from leerbudget.catalogue.search import SessionCard
from leerbudget.entrypoints.http.csrf import csrf_token
from leerbudget.entrypoints.http.failures import Failure
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web import session_views as sessions
from leerbudget.entrypoints.web.pages import View, many, page, paged, render
from leerbudget.entrypoints.web.templating import Form, Shell
from leerbudget.entrypoints.web.wording import LABELS
from leerbudget.foundation import clock

RESULTS_MAX = 5_000
RESULTS_ON_PAGE = 20
DAY_PARTS = {"overdag": "110" * 5 + "000" * 2, "avond": "001" * 5 + "000" * 2, "weekend": "000" * 5 + "111" * 2}
FULL = "Alle plaatsen zijn bezet."
PARENTS_FULL = "De plaatsen voor pleegouders zijn bezet."
KEPT = "Er kwam een plaats vrij. Die is eerst voor gezinnen op de wachtlijst."
SORTS = {"datum": "date", "afstand": "travel", "prijs": "price"}


class PublicPages(Controller):
    """What visitors see."""

    include_in_schema = False

    @get("/")
    async def start(self, request: HouseRequest) -> Response[str]:
        """What this is, in three sentences, and a search."""
        cards = (await catalogue.search(SearchQuery(limit=RESULTS_MAX))).cards
        counts: dict[str, int] = {}
        for each in cards:
            counts[each.theme] = counts.get(each.theme, 0) + 1
        themes = sorted(counts.items(), key=lambda row: (-row[1], row[0]))
        view = View(
            sessions_count=len(cards),
            places_count=len({each.place for each in cards if each.place}),
            themes=[View(code=code, count=count) for code, count in themes],
        )
        return await page(request, "start.html", view)

    @get("/zoeken")
    async def search(self, request: HouseRequest) -> Response[str]:
        """Everything that can be joined; htmx swaps only the results."""
        form = _asked(request)
        query, errors = await _query(request, form)
        found: tuple[Any, ...] = ()
        try:
            found = (await catalogue.search(query)).cards if not errors else ()
        except SearchPostcodeUnknown as refusal:
            errors["postcode"] = str(refusal)
        shown, number, last = paged(found, request.query_params.get("pagina", ""), RESULTS_ON_PAGE)
        own = await _own_budgets(request)
        view = View(
            total=len(found),
            page=number,
            last_page=last,
            page_address=_address(form),
            results=[_result(each, own) for each in shown],
            for_family=_family(request) is not None,
        )
        return await page(request, "zoeken.html", view, form=Form(values=form.values, errors=errors))

    @get("/bijeenkomsten/{session_id:uuid}")
    async def session(self, request: HouseRequest, session_id: FromPath[UUID]) -> Response[str]:
        """One course session: for whom, when, where, what it costs and what cancelling costs."""
        found = await catalogue.session_detail(session_id)
        family = _family(request)
        view = _session(found, await sessions.traveller_of(family))
        own = await bookings.bookings_of(family) if family is not None else []
        states = {each.state for each in own if each.session == session_id}
        view.booked, view.offered = bool(states & {"confirmed", "attended", "no_show"}), "offered" in states
        booked = view.booked or view.offered
        view.waits = view.may_book = view.may_wait = False
        view.why_not_book = _closed(found)
        if family is not None and not booked:
            view.why_not_book = view.why_not_book or await _why_not(found, family)
            view.may_book = view.why_not_book is None
            view.waits = found.course.id in {each.course for each in await line.waiting_of(family)}
            view.may_wait = view.why_not_book in (FULL, PARENTS_FULL, KEPT)
        return await page(request, "bijeenkomst.html", view)

    @get("/bronnen")
    async def sources(self, request: HouseRequest) -> Response[str]:
        """What this site is made with."""
        return await page(request, "bronnen.html")


def error_page(request: Request[Any, Any, Any], failure: Failure) -> Response[str]:
    """The page that tells about a failure, in the frame of the site; strangers are sent to log in.

    An address that only takes forms stands in the browser after a form came back; who opens it again is led
    to the page above it.
    """
    path = request.scope["path"]
    if failure.status == 401:
        return Response("", status_code=303, headers={"Location": "/inloggen"})
    if failure.status == 405 and request.method == "GET":
        return Response("", status_code=303, headers={"Location": path.rpartition("/")[0] or "/"})
    settings = request.app.state.settings
    actor = request.scope.get("user")
    shell = Shell(
        path=path,
        csrf_token=csrf_token(request),
        display_name=actor.email if actor is not None else None,
        roles=actor.role_names if actor is not None else frozenset(),
        demo=settings.environment == "demo",
    )
    reference = request.scope.get("state", {}).get("request_id") if failure.unexpected else None
    view = View(status=failure.status, message=failure.detail_nl, reference=reference, back="/")
    return Response(render(shell, "fout.html", view), media_type="text/html", status_code=failure.status)


def _family(request: HouseRequest) -> UUID | None:
    return min(request.user.scopes("foster_parent"), key=str, default=None) if request.user is not None else None


async def _own_budgets(request: HouseRequest) -> list[budgets.BudgetView] | None:
    family = _family(request)
    return None if family is None else await budgets.budgets_of(family)


def _asked(request: HouseRequest) -> Form:
    lists = {name: request.query_params.getall(name, []) for name in request.query_params}
    return Form(
        values={name: [v[:80] for v in found] if len(found) > 1 else found[0][:80] for name, found in lists.items()}
    )


async def _query(request: HouseRequest, form: Form) -> tuple[SearchQuery, dict[str, str]]:
    errors: dict[str, str] = {}
    postcode, price = form.value("postcode"), form.value("prijs")
    if postcode and not (len(postcode) == 4 and postcode.isascii() and postcode.isdigit()):
        errors["postcode"] = "Vul de vier cijfers van uw postcode in, zoals 3511."
    if price and not (price.isascii() and price.isdigit() and len(price) <= 5):
        errors["prijs"] = "Vul een bedrag in hele euro's in, zoals 50."
    minutes = form.value("minuten")
    week = [DAY_PARTS[part] for part in many(form, "dagdeel") if part in DAY_PARTS]
    query = SearchQuery(
        text=form.value("q").replace("\x00", ""),
        postcode4=postcode or (await sessions.traveller_of(_family(request))).postcode4
        if "postcode" not in errors
        else None,
        travel_minutes_max={"car": int(minutes)} if minutes in ("20", "30", "45", "60") else {},
        week="".join("1" if "1" in bits else "0" for bits in zip(*week, strict=True)) if week else None,
        themes=tuple(t for t in many(form, "thema") if t in LABELS["theme"]),
        forms=tuple(f for f in many(form, "vorm") if f in LABELS["form"]),
        price_cents_max=int(price) * 100 if price and "prijs" not in errors else None,
        family=None if form.value("andere") else _family(request),
        with_childcare=bool(form.value("opvang")),
        persons=0 if form.value("vol") else 1,
        family_type=form.value("gezin") if form.value("gezin") in LABELS["family_type"] else None,
        child_age_bands=tuple(b for b in many(form, "leeftijd") if b in LABELS["age_band"]),
        sort=SORTS.get(form.value("sorteer"), "date"),  # type: ignore[arg-type] # the table holds only sorts
        limit=RESULTS_MAX,
    )
    if query.sort == "travel" and query.postcode4 is None:
        query = SearchQuery(**{**{f: getattr(query, f) for f in query.__dataclass_fields__}, "sort": "date"})
    return query, errors


def _address(form: Form) -> str:
    pairs = [(name, value) for name in form.values if name != "pagina" for value in many(form, name)]
    return "/zoeken?" + urlencode([*pairs, ("pagina", "")])


def _result(found: SessionCard, own: list[budgets.BudgetView] | None) -> View:
    return View(
        id=found.id,
        course_title=found.title,
        theme=found.theme,
        form=found.form,
        state=found.state,
        starts_at=found.starts_at,
        ends_at=found.ends_at,
        meetings_count=found.meetings,
        place=found.place,
        travel_minutes=found.travel_minutes,
        travel_mode=found.travel_mode,
        price_cents=found.price_cents,
        seats_free=found.seats_free,
        childcare=bool(found.childcare_bands),
        fits=[],
        affordable=None if own is None else found.price_cents <= spendable_cents(own, sessions.spending(found)),
    )


def _session(found: SessionDetail, traveller: sessions.Traveller) -> View:
    view = sessions.card(found, traveller)
    facets = {"family_type": "family_type", "care_forms": "care_form", "child_age_bands": "age_band"}
    view.municipality = found.venue.municipality if found.venue else None
    view.trainers = [leader.name for leader in found.leaders]
    view.meetings = sessions.meetings(found)
    view.cancelled_meetings = [View(starts_at=start, ends_at=end) for start, end in found.cancelled_meetings]
    view.to_come = found.to_come
    view.price_source = sessions.where_the_price_comes_from(found)
    view.free_when_replaced = found.course.free_when_replaced
    view.emergencies_per_year = found.course.emergencies_per_year
    view.no_show_percent = found.course.no_show_percent
    view.wheelchair = found.venue.wheelchair if found.venue else False
    view.seats_min, view.seats_max, view.decide_on = found.seats_min, found.seats_max, found.decide_on
    view.childcare = [
        View(age_band=band, places_free=places - taken) for band, (places, taken) in found.childcare.items()
    ]
    view.audience = [
        View(fit=fit, who=LABELS[facets[facet]].get(value, value))
        for facet, marks in found.course.audience.items()
        if facet in facets
        for value, fit in marks.items()
        if fit != "suits"
    ]
    view.cancellation = sorted(
        (View(**line) for line in found.course.cancellation), key=lambda line: line.days_before, reverse=True
    )
    return view


def _closed(found: SessionDetail) -> str | None:
    """Why nobody can book any more, in one sentence, or None."""
    if found.state == "cancelled":
        return "Deze bijeenkomst gaat niet door."
    return "Deze bijeenkomst is al begonnen." if found.starts_at <= clock.now() else None


async def _why_not(found: SessionDetail, family: UUID) -> str | None:
    """Why a family cannot book, in one sentence; None when it can, as far as one can see from here."""
    if not await catalogue.suits(found.course.id, family):
        return NotForThisFamily.message_nl
    if not found.to_come:
        return "Inschrijven kan nu niet."
    if (full := _full(found)) is not None:
        return full
    return KEPT if await line.others_wait(found.id, family, clock.now()) else None


def _full(found: SessionDetail) -> str | None:
    """That there is no seat for a parent, or None."""
    if found.seats_free <= 0:
        return FULL
    parents = found.parties.get("foster_parents")
    return PARENTS_FULL if parents is not None and parents.seats_taken >= parents.seats_max else None
