"""The imitation put together: Stripe's interface, the pages, and a door for who wants something to go wrong."""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from litestar import Litestar, MediaType, Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect

from leerbudget.entrypoints.sandbox import deeds, pages, parameters, resources
from leerbudget.entrypoints.sandbox.books import Books
from leerbudget.entrypoints.sandbox.faults import ANSWERS, Faults
from leerbudget.entrypoints.sandbox.refusals import Refusal
from leerbudget.entrypoints.sandbox.webhooks import Webhooks

REQUESTS_KEPT = 2000
KEY_LENGTH_MAX = 255
_KEYS = ("Bearer sk_test_", "Bearer rk_test_")
_STYLE = (Path(__file__).parent / "templates" / "pay.css").read_text()
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

Asking = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came in: for a test that looks at what left the house."""

    method: str
    path: str
    form: str
    headers: dict[str, str]


@dataclass
class Sandbox:
    """Everything of one imitation, for the program that runs it and for tests in the same process."""

    books: Books
    faults: Faults
    webhooks: Webhooks
    asked: deque[Asked] = field(default_factory=lambda: deque(maxlen=REQUESTS_KEPT))

    @classmethod
    def over(cls, books: Books, *, events_to: str | None, secret: str, as_thin: bool = False) -> "Sandbox":
        """One that tells an address what happened to these books."""
        faults = Faults()
        return cls(books, faults, Webhooks(books, faults, events_to, secret, as_thin=as_thin))

    def changed(self) -> None:
        """Keep what happened, and tell it."""
        self.books.save()
        self.webhooks.wake()


class Trouble(msgspec.Struct, forbid_unknown_fields=True):
    """What should go wrong from now on; what is not named stays as it is."""

    answers: list[str] = []
    drop: int = 0
    double: int = 0
    hold: bool = False
    release: bool = False
    backwards: bool = False
    pay_out: bool = False


def application(sandbox: Sandbox) -> Litestar:
    """The imitation as an application; it answers only who calls it by the name of this machine."""
    return Litestar(
        [asked_get, asked_post, pay_page, press_button, style, make_trouble],
        state=State({"sandbox": sandbox}),
        lifespan=[partial(_telling, sandbox)],
        before_request=_only_by_name_of_this_machine,
        openapi_config=None,
        logging_config=None,
    )


async def _only_by_name_of_this_machine(request: Asking) -> Response[None] | None:
    """A page elsewhere can make a name of its own point here; such a caller gets nothing."""
    return None if request.url.hostname in {"127.0.0.1", "localhost"} else Response(None, status_code=400)


@asynccontextmanager
async def _telling(sandbox: Sandbox, _: Litestar) -> AsyncIterator[None]:
    sandbox.webhooks.wake()
    teller = asyncio.create_task(sandbox.webhooks.live())
    try:
        yield
    finally:
        teller.cancel()
        with suppress(asyncio.CancelledError):
            await teller


@get("/v1/{path:path}")
async def asked_get(request: Asking) -> Response[dict[str, Any]]:
    """A question in Stripe's own interface."""
    return await _answered(request, request.scope["query_string"].decode("latin-1"))


@post("/v1/{path:path}", status_code=200)
async def asked_post(request: Asking) -> Response[dict[str, Any]]:
    """A command in Stripe's own interface."""
    return await _answered(request, (await request.body()).decode("latin-1"))


async def _answered(request: Asking, form: str) -> Response[dict[str, Any]]:
    sandbox: Sandbox = request.app.state.sandbox
    sandbox.asked.append(Asked(request.method, request.url.path, form, dict(request.headers)))
    fault = sandbox.faults.next_answer()
    if fault in _INSTEAD:
        return _INSTEAD[fault]()
    lapsed = deeds.lapse(sandbox.books)
    status, content = _judged(sandbox.books, request, form, stuck=fault == "stuck")
    if lapsed or request.method == "POST":
        sandbox.changed()
    if fault == "silence":
        while (await request.receive())["type"] != "http.disconnect":
            pass
    if fault in {"lost", "silence"}:
        return _INSTEAD["error"]()
    return Response(content, status_code=status)


def _error(status: int, kind: str, code: str | None = None) -> Response[dict[str, Any]]:
    refusal = Refusal("This went wrong on request.", status=status, kind=kind, code=code)
    return Response({"error": refusal.error}, status_code=status)


_INSTEAD: dict[str | None, Callable[[], Response[dict[str, Any]]]] = {
    "error": lambda: _error(500, "api_error"),
    "busy": lambda: _error(429, "invalid_request_error", "rate_limit"),
    "conflict": lambda: _error(409, "idempotency_error", "idempotency_key_in_use"),
}


_STUCK = {"error": {"type": "api_error", "message": "This went wrong on request, and stays so under this key."}}


def _judged(books: Books, request: Asking, form: str, *, stuck: bool) -> tuple[int, dict[str, Any]]:
    """Nothing changes when it is refused."""
    try:
        return _content(books, request, form, stuck=stuck)
    except Refusal as refusal:
        return refusal.status, {"error": refusal.error}


def _content(books: Books, request: Asking, form: str, *, stuck: bool) -> tuple[int, dict[str, Any]]:
    """A command with a key that is known is told what it was told before."""
    if not request.headers.get("Authorization", "").startswith(_KEYS):
        raise Refusal("Invalid API Key provided.", status=401)
    resource, identifier = resources.find(request.method, request.url.path)
    params = parameters.read(resource.operation, form)
    key = request.headers.get("Idempotency-Key", "")
    if request.method == "GET" or not key:
        return 200, resource.answer(books, identifier, params)
    if len(key) > KEY_LENGTH_MAX:
        raise Refusal(f"Idempotency keys have at most {KEY_LENGTH_MAX} characters.", kind="idempotency_error")
    fingerprint = hashlib.sha256(f"{request.url.path}?{form}".encode()).hexdigest()
    known = books.answered(key, fingerprint)
    if known is not None:
        return known
    content = resource.answer(books, identifier, params)
    told = (500, _STUCK) if stuck else (200, content)
    books.remember(key, fingerprint, *told)
    return told


@get("/betalen/{session_id:str}", media_type=MediaType.HTML)
async def pay_page(request: Asking, session_id: FromPath[str]) -> Response[str]:
    """The page where a session is paid."""
    sandbox: Sandbox = request.app.state.sandbox
    if deeds.lapse(sandbox.books):
        sandbox.changed()
    return _page(sandbox, session_id)


@post("/betalen/{session_id:str}", media_type=MediaType.HTML, status_code=200)
async def press_button(request: Asking, session_id: FromPath[str]) -> Response[str] | Redirect:
    """A button on that page; one that cannot be pressed now changes nothing."""
    sandbox: Sandbox = request.app.state.sandbox
    deeds.lapse(sandbox.books)
    try:
        session = sandbox.books.get("checkout.session", session_id)
        onwards = pages.press(sandbox.books, session, parameters.nested((await request.body()).decode("latin-1")))
    except Refusal:
        return _page(sandbox, session_id, "Dat kan nu niet.")
    finally:
        sandbox.changed()
    if onwards is not None:
        return Redirect(onwards, status_code=303)
    told = "De betaling is niet gelukt. Probeer het opnieuw." if session["status"] == "open" else ""
    return _page(sandbox, session_id, told)


def _page(sandbox: Sandbox, session_id: str, told: str = "") -> Response[str]:
    try:
        session = sandbox.books.get("checkout.session", session_id)
    except Refusal:
        return Response("Deze betaling is er niet.", status_code=404, media_type="text/plain; charset=utf-8")
    content = pages.shown(sandbox.books, session, told)
    return Response(content, media_type=MediaType.HTML, headers=_PAGE_HEADERS)


@get("/pay.css", media_type="text/css")
async def style() -> str:
    """How the page looks."""
    return _STYLE


@post("/trouble", status_code=204)
async def make_trouble(request: Asking) -> Response[None]:
    """Let something go wrong, or let the bank pay out: for tests in another process."""
    sandbox: Sandbox = request.app.state.sandbox
    try:
        trouble = msgspec.json.decode(await request.body(), type=Trouble)
    except msgspec.DecodeError:
        return Response(None, status_code=400)
    if not set(trouble.answers) <= set(ANSWERS):
        return Response(None, status_code=400)
    faults = sandbox.faults
    faults.answers.extend(trouble.answers)
    faults.drop += trouble.drop
    faults.double += trouble.double
    faults.held = faults.held or trouble.hold
    if trouble.release:
        faults.release(backwards=trouble.backwards)
    with suppress(Refusal):  # an empty balance
        if trouble.pay_out:
            deeds.pay_out(sandbox.books)
    sandbox.changed()
    return Response(None, status_code=204)
