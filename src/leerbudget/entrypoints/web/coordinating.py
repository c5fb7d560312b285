"""Matching rounds as the coordinator runs them: pseudonymous numbers, reasons, fairness, the next step."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.pages import View, an_id, filled_in, moved, page, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.entrypoints.web.wording import LABELS
from leerbudget.foundation import clock
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.identity.permissions import require
from leerbudget.matcher.reasons import WHY_NOT_NL
from leerbudget.people.rules import SMALLEST_GROUP
from leerbudget.rounds import actions
from leerbudget.rounds import queries as rounds
from leerbudget.rounds.errors import DeadlineInvalid, OutcomeRejected, PeriodInvalid, RoundUnknown, WrongRoundState
from leerbudget.rounds.queries import FairnessRow, RoundTotals, RoundView

ANSWER_DAYS = 7
SEED_MAX = 2**31 - 1
DIMENSIONS = {
    "region": ("Per regio", None),
    "family_type": ("Per soort gezin", "family_type"),
    "care_form": ("Per vorm van zorg", "care_form"),
    "experience": ("Per ervaring", "experience"),
}
PARTITIONS = ("region", "family_type", "experience")
"""Dimensions in which every family is in exactly one group."""

DECIDED = ("audited", "published", "answered")


class RoundPages(Controller):
    """For the coordinator."""

    path = "/rondes"
    include_in_schema = False

    @get("/")
    async def all_rounds(self, request: HouseRequest) -> Response[str]:
        """Every round, and what a new one would find."""
        require(request.user, "see_rounds")
        return await _rounds_page(request, Form())

    @post("/")
    async def open_round(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Open a round."""
        require(request.user, "run_rounds")
        form = await filled_in(request)
        starts_on, ends_on, seed = _day(form.value("starts_on")), _day(form.value("ends_on")), form.value("seed")
        errors = {}
        if not form.value("name"):
            errors["name"] = "Geef de ronde een naam."
        if starts_on is None:
            errors["starts_on"] = "Kies een dag."
        if ends_on is None:
            errors["ends_on"] = "Kies een dag."
        if not (seed.isascii() and seed.isdigit() and len(seed) <= 10 and int(seed) <= SEED_MAX):
            errors["seed"] = f"Vul een getal in van 0 tot en met {SEED_MAX}."
        round_id = an_id(form.value("round_id"))
        if round_id is None:
            errors["name"] = "Deze pagina was verlopen. Vul haar opnieuw in."
        if starts_on is not None and ends_on is not None and round_id is not None and not errors:
            if await rounds.round_view(round_id) is not None:  # the form was sent twice
                return moved(f"/rondes/{round_id}")
            try:
                await actions.open_round(
                    round_id,
                    name=form.value("name")[:120],
                    starts_on=starts_on,
                    ends_on=ends_on,
                    seed=int(seed),
                    actor=request.actor.login,
                )
                return moved(f"/rondes/{round_id}")
            except PeriodInvalid as refusal:
                errors["ends_on"] = str(refusal)
        return await _rounds_page(request, with_errors(form, errors), status=422)

    @get("/{round_id:uuid}")
    async def one(self, request: HouseRequest, round_id: FromPath[UUID]) -> Response[str]:
        """One round."""
        require(request.user, "see_rounds")
        return await _round_page(request, round_id, None)

    @post("/{round_id:uuid}/berekenen")
    async def compute(self, request: HouseRequest, round_id: FromPath[UUID]) -> Response[None]:
        """Ask the worker to freeze, solve and audit."""
        require(request.user, "run_rounds")
        await actions.request_solve(round_id, actor=request.actor.login)
        return moved(f"/rondes/{round_id}")

    @post("/{round_id:uuid}/publiceren")
    async def publish(self, request: HouseRequest, round_id: FromPath[UUID]) -> Response[str] | Response[None]:
        """Offer every proposal to its family."""
        require(request.user, "publish_round")
        form = await filled_in(request)
        found = await rounds.round_view(round_id)
        last = _day(form.value("answer_until"))
        until = clock.end_of_day(last) if last is not None else None
        if found is not None and found.state == "published" and found.answer_until == until:  # sent twice
            return moved(f"/rondes/{round_id}", "ronde")
        if until is None:
            wrong = with_errors(form, {"answer_until": "Kies de laatste dag waarop gezinnen kunnen antwoorden."})
            return await _round_page(request, round_id, wrong, status=422)
        try:
            await actions.announce(round_id, answer_until=until, actor=request.actor.login)
        except LeerbudgetError as refusal:
            if not isinstance(refusal, DeadlineInvalid | OutcomeRejected | WrongRoundState):
                raise
            wrong = with_errors(form, {"answer_until": str(refusal)})
            return await _round_page(request, round_id, wrong, status=refusal.status)
        return moved(f"/rondes/{round_id}", "ronde")


async def _rounds_page(request: HouseRequest, form: Form, *, status: int = 200) -> Response[str]:
    lines = []
    for each in await rounds.rounds():
        totals = await rounds.totals(each.round) if each.state in DECIDED else None
        lines.append(
            View(
                id=each.round,
                name=each.name,
                state=each.state,
                starts_on=each.starts_on,
                ends_on=each.ends_on,
                opened_at=each.opened_at,
                seekers=totals.families if totals else None,
                placed_share=totals.share_placed if totals else None,
            )
        )
    today = clock.today()
    if not form.values:
        period = {"starts_on": today.isoformat(), "ends_on": (today + timedelta(days=120)).isoformat()}
        form = Form(values={"round_id": str(new_id()), "seed": f"{today:%Y%m%d}", **period}, errors=form.errors)
    view = View(rounds=lines, waiting=await rounds.waiting(), suggested_seed=int(f"{today:%Y%m%d}"))
    return await page(request, "rondes.html", view, form=form, status=status)


async def _round_page(request: HouseRequest, round_id: UUID, form: Form | None, *, status: int = 200) -> Response[str]:
    found = await rounds.round_view(round_id)
    if found is None:
        raise RoundUnknown
    totals = await rounds.totals(round_id) if found.state in DECIDED else None
    counts = found.counts or {}
    checked = found.state in (*DECIDED, "rejected")
    view = View(
        id=found.round,
        name=found.name,
        state=found.state,
        seed=found.seed,
        starts_on=found.starts_on,
        ends_on=found.ends_on,
        answer_until=found.answer_until,
        solving=found.solving or found.state in ("frozen", "solved"),
        seekers=counts.get("seekers"),
        wishes=counts.get("wishes"),
        sessions=counts.get("sessions"),
        seats=counts.get("seats"),
        result=_result(found, totals) if totals is not None else None,
        audit=View(passed=not found.violations, rules_checked=found.rules_checked, problems=list(found.violations[:20]))
        if checked
        else None,
        unplaced=[
            View(reason=WHY_NOT_NL.get(each.code, each.code), wishes=each.wishes)
            for each in (await rounds.unplaced_reasons(round_id) if totals is not None else ())
        ],
        fairness=await _fairness(round_id, totals.families) if totals is not None else [],
        answers=_answers(totals) if totals is not None and found.state in ("published", "answered") else None,
        to_send=totals.by_state.get("proposed", 0) if totals is not None and found.state == "published" else 0,
        steps=_steps(found),
    )
    suggested = clock.today() + timedelta(days=ANSWER_DAYS)
    asked = form or Form(values={"answer_until": suggested.isoformat()})
    return await page(request, "ronde.html", view, form=asked, status=status)


def _result(found: RoundView, totals: RoundTotals) -> View:
    result = found.result or {}
    return View(
        placed_wishes=totals.placed,
        placed_seekers=totals.families_placed,
        families=totals.families,
        placed_share=totals.share_placed,
        sessions_running=result.get("sessions_running") or 0,
        sessions_empty=result.get("sessions_empty") or 0,
        score=found.score,
        bound=found.bound,
        gap=found.gap,
        seconds=sorted(
            ((LABELS["phase"].get(phase, phase), seconds) for phase, seconds in found.seconds.items()),
            key=lambda row: -row[1],
        ),
        travel_minutes_median=result.get("travel_minutes_median"),
    )


def _answers(totals: RoundTotals) -> View:
    states = ("offered", "accepted", "declined", "expired", "refused")
    return View(**{state: totals.by_state.get(state, 0) for state in states})


def _shown(dimension: str, rows: Sequence[FairnessRow], families: int) -> Sequence[FairnessRow]:
    """The rows that may be shown: what is left out must not follow from the total (small groups, R35)."""
    left_out = families - sum(row.families for row in rows)
    if dimension in PARTITIONS and 0 < left_out < SMALLEST_GROUP and rows:
        smallest = min(rows, key=lambda row: row.families)
        return [row for row in rows if row is not smallest]
    return rows


async def _fairness(round_id: UUID, families: int) -> list[View]:
    tables = await rounds.fairness(round_id)
    return [
        View(
            title=title,
            rows=[
                View(
                    group=LABELS[labels].get(row.group, row.group) if labels else row.group,
                    seekers=row.families,
                    placed_share=row.share,
                )
                for row in _shown(dimension, tables[dimension], families)
            ],
        )
        for dimension, (title, labels) in DIMENSIONS.items()
        if dimension in tables
    ]


def _steps(found: RoundView) -> list[View]:
    if found.solving or found.state in ("published", "answered"):
        return []
    again = View(
        action="berekenen",
        text="Opnieuw vastzetten en berekenen",
        explain="De wensen en bijeenkomsten van nu worden opnieuw vastgezet.",
        primary=False,
    )
    if found.state in ("frozen", "solved"):  # the solver is at work, or it was cut off
        again.explain = "Duurt het langer dan een kwartier? Dan kunt u opnieuw beginnen."
        return [again]
    if found.state == "audited":
        publish = View(
            action="publiceren",
            text="Publiceren",
            explain="Elk gezin met een voorstel krijgt bericht. Daarna kan de ronde niet meer veranderen.",
            primary=True,
        )
        return [publish, again]
    first = View(
        action="berekenen",
        text="Vastzetten en berekenen",
        explain="Alle open wensen en bijeenkomsten worden vastgezet. Daarna zoekt de computer de beste verdeling.",
        primary=True,
    )
    return [again if found.state == "rejected" else first]


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None
