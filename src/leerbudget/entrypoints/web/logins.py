"""Logging in by mail, logging out, and the local mailbox of the demonstration."""

import re
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.params import FromPath

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.pages import View, filled_in, moved, page, paged, with_errors
from leerbudget.entrypoints.web.templating import Form
from leerbudget.foundation.errors import InvalidInput, NotFound
from leerbudget.identity import actions as identity
from leerbudget.identity import queries as identity_queries
from leerbudget.identity.errors import LinkNotUsable, TooManyTries
from leerbudget.identity.rules import LINK_LIFETIME, Actor
from leerbudget.notifications import queries as notifications
from leerbudget.rounds import queries as rounds

MAILS_ON_PAGE = 25
HOME = (
    ("foster_parent", "/mijn"),
    ("trainer", "/trainer"),
    ("coordinator", "/rondes"),
    ("organisation_finance", "/organisatie"),
    ("organisation_admin", "/organisatie"),
    ("municipality_viewer", "/organisatie"),
    ("foster_care_worker", "/mijn-plekken"),
    ("guardian_worker", "/mijn-plekken"),
    ("guest", "/mijn-plekken"),
)
"""Where somebody with a role begins; the first that fits."""


class LoginPages(Controller):
    """Logging in and out."""

    include_in_schema = False

    @get("/inloggen")
    async def ask(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Ask for a link by mail."""
        if request.user is not None:
            return moved(home_of(request.user))
        return await _ask_page(request, Form())

    @post("/inloggen", status_code=200)
    async def mail(self, request: HouseRequest) -> Response[str]:
        """Mail a link; the answer is the same for unknown addresses."""
        form = await filled_in(request)
        try:
            await identity.request_link(form.value("email"), network=request.network)
        except (InvalidInput, TooManyTries) as refusal:
            places = refusal.data.get("errors") or [{"message": str(refusal)}]
            form = with_errors(form, {"email": places[0]["message"]})
            return await _ask_page(request, form, status=refusal.status)
        view = View(email=form.value("email"), minutes_valid=int(LINK_LIFETIME.total_seconds() // 60))
        return await page(request, "inloggen_mail.html", view)

    @get("/inloggen/bevestigen")
    async def confirm(self, request: HouseRequest) -> Response[str]:
        """The page behind the mailed link: only its button logs in, so a mail scanner does not."""
        token = request.query_params.get("sleutel", "")
        known = re.fullmatch(r"[A-Za-z0-9_-]{1,64}", token)
        view = View(action=f"/inloggen/bevestigen?sleutel={token}" if known else "/inloggen/bevestigen")
        return await page(request, "inloggen_bevestigen.html", view)

    @post("/inloggen/bevestigen")
    async def redeem(self, request: HouseRequest) -> Response[str] | Response[None]:
        """Log in, once per link."""
        token = request.query_params.get("sleutel", "")
        try:
            made = await identity.redeem_link(token, network=request.network, previous_token=request.session_token)
        except LinkNotUsable as refusal:
            form = Form(errors={"email": f"{refusal} Vraag hieronder een nieuwe link aan."})
            return await _ask_page(request, form, status=422)
        response = moved("/welkom")
        response.set_cookie(request.app.state.session_cookie.holding(made.token, made.lifetime))
        return response

    @get("/welkom")
    async def home(self, request: HouseRequest) -> Response[None]:
        """On to where this person's work begins."""
        return moved(home_of(request.actor))

    @post("/uitloggen")
    async def leave(self, request: HouseRequest) -> Response[None]:
        """Log out; the cookie is worthless afterwards."""
        await identity.end_session(request.session_token or "")
        response = moved("/", "uitgelogd")
        response.set_cookie(request.app.state.session_cookie.gone())
        return response

    @get("/postbus")
    async def mailbox(self, request: HouseRequest) -> Response[str]:
        """The mails of the demonstration."""
        _only_in_demo(request)
        asked = request.query_params.get("aan", "")[:254]
        mails = await notifications.mailbox(address=asked.strip().lower() or None, limit=500)
        shown, number, last = paged(mails, request.query_params.get("pagina", ""), MAILS_ON_PAGE)
        view = View(
            mails=[View(id=m.id, sent_at=m.delivered_at, to=m.address, subject=m.subject) for m in shown],
            page=number,
            last_page=last,
        )
        return await page(request, "postbus.html", view, form=Form(values={"aan": asked}))

    @get("/postbus/{mail_id:uuid}")
    async def letter(self, request: HouseRequest, mail_id: FromPath[UUID]) -> Response[str]:
        """One mail of the demonstration, its link made clickable."""
        _only_in_demo(request)
        mail = await notifications.letter(mail_id)
        if mail is None:
            raise NotFound
        found = re.search(r"https?://\S+", mail.body)
        parts = urlsplit(found[0]) if found else None
        view = View(
            to=mail.address,
            subject=mail.subject,
            sent_at=mail.delivered_at,
            paragraphs=[part.strip() for part in _without_link(mail.body, found).split("\n\n") if part.strip()],
            link=f"{parts.path}?{parts.query}" if parts and parts.query else (parts.path if parts else None),
            link_text="Open de link uit deze mail",
        )
        return await page(request, "postbus_bericht.html", view)


async def _ask_page(request: HouseRequest, form: Form, *, status: int = 200) -> Response[str]:
    demo = request.app.state.settings.environment == "demo"
    view = View(demo_logins=await _demo_logins() if demo else [])
    return await page(request, "inloggen.html", view, form=form, status=status)


async def _demo_logins() -> list[View]:
    """Whom to be in the demonstration, with one click."""
    found = await rounds.visitors()
    coordinators = (await identity_queries.emails_with_role("coordinator")).get(None, [])
    who = (
        (found.parent, "Een pleegouder met een voorstel"),
        (found.trainer, "Een trainer met deelnemers"),
        (found.professional, "Een professional met een plek in een gesprek"),
        (found.organisation, "Financiën van een pleegzorgaanbieder"),
        (coordinators[0] if coordinators else None, "De coördinator van de koppelrondes"),
        (coordinators[1] if len(coordinators) > 1 else None, "Wie stortingen bevestigt"),
    )
    return [View(email=email, who=text) for email, text in who if email]


def _without_link(body: str, found: re.Match[str] | None) -> str:
    return body if found is None else body.replace(found[0], "")


def home_of(actor: Actor) -> str:
    """The page where somebody with these roles begins."""
    return next((address for role, address in HOME if role in actor.role_names), "/")


def _only_in_demo(request: HouseRequest) -> None:
    if request.app.state.settings.environment != "demo":
        raise NotFound
