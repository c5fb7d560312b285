"""Where all rooms meet: the web application is put together here and nowhere else.

A room adds its controllers to `API` or `PAGES`, one line each.
"""

import gc
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler

from leerbudget.entrypoints.api.allocating import AllocationController
from leerbudget.entrypoints.api.bank import BankController, FinanceTaskController
from leerbudget.entrypoints.api.bookings import BookingController, FamilyBookingController
from leerbudget.entrypoints.api.catalogue import CatalogueController
from leerbudget.entrypoints.api.catching_up import CatchingUpController
from leerbudget.entrypoints.api.dialogues import DialogueController
from leerbudget.entrypoints.api.documentation import PREFIX, openapi_config, openapi_document
from leerbudget.entrypoints.api.elearning import ElearningController
from leerbudget.entrypoints.api.families import FamilyController
from leerbudget.entrypoints.api.health import health
from leerbudget.entrypoints.api.invoices import TrainerPaperController
from leerbudget.entrypoints.api.logins import LoginController
from leerbudget.entrypoints.api.moving import MovingController
from leerbudget.entrypoints.api.organisations import OrganisationController, TopUpController
from leerbudget.entrypoints.api.own_seats import OwnSeatController
from leerbudget.entrypoints.api.papers import BillingController, TopUpPaperController, VatController
from leerbudget.entrypoints.api.payment_events import PaymentEventController
from leerbudget.entrypoints.api.payout_accounts import PayoutAccountController, TrainerAccountController
from leerbudget.entrypoints.api.payouts import PayoutController, RefundController
from leerbudget.entrypoints.api.policies import PolicyController
from leerbudget.entrypoints.api.problems import answer_problem
from leerbudget.entrypoints.api.proposals import FamilyProposalController, ProposalController
from leerbudget.entrypoints.api.rounds import RoundController
from leerbudget.entrypoints.api.settlements import SettlementController
from leerbudget.entrypoints.api.tariffs import OwnTariffController, TariffController
from leerbudget.entrypoints.api.trainers import TrainerController, TrainerSessionController
from leerbudget.entrypoints.api.waiting import FamilyWaitingController, WaitingController
from leerbudget.entrypoints.api.wishes import FamilyWishController, WishController
from leerbudget.entrypoints.http.answering import Teller, answering
from leerbudget.entrypoints.http.authentication import Authentication
from leerbudget.entrypoints.http.cookies import SessionCookie
from leerbudget.entrypoints.http.csrf import OwnOrigin, OwnPagesOnly
from leerbudget.entrypoints.http.envelope import Envelope
from leerbudget.entrypoints.http.guards import canonical_ids
from leerbudget.entrypoints.http.network import Proxies
from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.entrypoints.web.allocating import AllocationPages
from leerbudget.entrypoints.web.assets import asset
from leerbudget.entrypoints.web.bank import BankPages
from leerbudget.entrypoints.web.calling_off import CallingOffPages
from leerbudget.entrypoints.web.catching_up import CatchingUpPages
from leerbudget.entrypoints.web.changing import ChangingPages
from leerbudget.entrypoints.web.coordinating import RoundPages
from leerbudget.entrypoints.web.dialogues import DialoguePages
from leerbudget.entrypoints.web.elearning import ElearningPages
from leerbudget.entrypoints.web.enrolling import EnrolPages
from leerbudget.entrypoints.web.invoices import TrainerPaperPages
from leerbudget.entrypoints.web.logins import LoginPages
from leerbudget.entrypoints.web.organisations import OrganisationPages
from leerbudget.entrypoints.web.own_seats import OwnSeatPages
from leerbudget.entrypoints.web.papers import BillingPages, TopUpPaperPages
from leerbudget.entrypoints.web.parents import ParentPages
from leerbudget.entrypoints.web.paying import PayingPages
from leerbudget.entrypoints.web.payout_account import PayoutAccountPages
from leerbudget.entrypoints.web.payouts import PayoutPages
from leerbudget.entrypoints.web.policies import PolicyPages
from leerbudget.entrypoints.web.proposals import ProposalPages
from leerbudget.entrypoints.web.public import PublicPages, error_page
from leerbudget.entrypoints.web.refunds import RefundPages
from leerbudget.entrypoints.web.settlements import SettlementPages
from leerbudget.entrypoints.web.static_files import static_files
from leerbudget.entrypoints.web.tariffs import OwnTariffPages, TariffPages
from leerbudget.entrypoints.web.top_ups import TopUpPages
from leerbudget.entrypoints.web.trainers import TrainerPages
from leerbudget.entrypoints.web.waiting import WaitingPages
from leerbudget.entrypoints.web.wishing import WishPages
from leerbudget.foundation.clock import use_test_clock
from leerbudget.foundation.database import DB, close_pool, open_pool
from leerbudget.foundation.settings import Settings
from leerbudget.payments import choosing
from leerbudget.payments.gateways import Gateway

API: tuple[ControllerRouterHandler, ...] = (
    health,
    openapi_document,
    LoginController,
    CatalogueController,
    FamilyController,
    FamilyWishController,
    WishController,
    FamilyProposalController,
    ProposalController,
    FamilyBookingController,
    BookingController,
    MovingController,
    CatchingUpController,
    ElearningController,
    FamilyWaitingController,
    WaitingController,
    DialogueController,
    OwnSeatController,
    TrainerController,
    TrainerAccountController,
    PayoutAccountController,
    TrainerSessionController,
    OrganisationController,
    TopUpController,
    TopUpPaperController,
    BillingController,
    VatController,
    TrainerPaperController,
    PaymentEventController,
    BankController,
    FinanceTaskController,
    PayoutController,
    RefundController,
    AllocationController,
    PolicyController,
    SettlementController,
    TariffController,
    OwnTariffController,
    RoundController,
)
"""What answers below `/api/v1`; paths are given without that prefix."""

PAGES: tuple[ControllerRouterHandler, ...] = (
    static_files,
    PublicPages,
    LoginPages,
    ParentPages,
    WishPages,
    ProposalPages,
    EnrolPages,
    ChangingPages,
    CatchingUpPages,
    WaitingPages,
    OrganisationPages,
    PayingPages,
    TopUpPages,
    TopUpPaperPages,
    BillingPages,
    RefundPages,
    BankPages,
    PayoutPages,
    PayoutAccountPages,
    AllocationPages,
    PolicyPages,
    SettlementPages,
    TariffPages,
    OwnTariffPages,
    TrainerPages,
    TrainerPaperPages,
    CallingOffPages,
    ElearningPages,
    DialoguePages,
    OwnSeatPages,
    RoundPages,
)
"""What answers people; paths are given whole."""

ERROR_PAGE: Teller = error_page
"""Makes the page that tells about a failure."""

BODY_BYTES_MAX = 256 * 1024
"""Largest request body; a handler that takes files says so itself with `request_max_body_size`."""


GARBAGE_LOOKED_FOR_AFTER = 10_000
"""Objects made beyond those that went, before the web process looks for rings of garbage; a request makes hundreds."""


def create_app(
    settings: Settings,
    *,
    dsn: str | None = None,
    pool_size: int = 20,
    api: Sequence[ControllerRouterHandler] = API,
    pages: Sequence[ControllerRouterHandler] = PAGES,
    error_page: Teller = ERROR_PAGE,
    gateways: Mapping[str, Gateway] | None = None,
) -> Litestar:
    """The web application.

    Args:
        settings: of this installation.
        dsn: the database to open a pool on for the application's life; None when one is open already.
        pool_size: connections in that pool.
        api: controllers below `/api/v1`.
        pages: controllers of pages.
        error_page: makes the page that tells about a failure.
        gateways: payment services by name; None: those that the settings name.
    """
    https = settings.base_url.startswith("https://")
    cookie = SessionCookie(secure=https)
    origin = OwnOrigin(settings.base_url, any_loopback=settings.environment != "production")
    app = Litestar(
        route_handlers=[
            Router(PREFIX, route_handlers=list(api)),
            Router("/", route_handlers=list(pages), include_in_schema=False),
        ],
        middleware=[Authentication(cookie), OwnPagesOnly(origin, cookie)],
        guards=[canonical_ids],
        exception_handlers={Exception: answering(api=answer_problem, pages=error_page)},
        request_class=HouseRequest,
        request_max_body_size=BODY_BYTES_MAX,
        multipart_form_part_limit=200,
        openapi_config=openapi_config(settings.base_url),
        logging_config=None,
        lifespan=[_pool(dsn, pool_size)],
        state=State(
            {
                "session_cookie": cookie,
                "settings": settings,
                "asset": asset,
                "gateways": choosing.gateways(settings, manual=None) if gateways is None else dict(gateways),
            }
        ),
    )
    app.asgi_handler = Envelope(app.asgi_handler, proxies=Proxies(settings.trusted_proxies), https=https)
    return app


def web_application() -> Litestar:
    """The application of one web process; the environment names the database and everything else."""
    settings = Settings.from_environment()
    use_test_clock(settings.test_clock)
    app = create_app(settings, dsn=settings.database_url)
    gc.freeze()  # what is there by now stays: no collection need look at it again
    gc.set_threshold(GARBAGE_LOOKED_FOR_AFTER)
    return app


def _pool(dsn: str | None, size: int) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        if dsn is None or DB.pool is not None:
            yield
            return
        await open_pool(dsn, size)
        try:
            yield
        finally:
            await close_pool()

    return lifespan
