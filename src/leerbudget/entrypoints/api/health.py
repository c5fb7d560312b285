"""Whether the service lives and reaches its database."""

import asyncio
from typing import Literal

from litestar import Response, get

from leerbudget.entrypoints.api.types import Answer
from leerbudget.entrypoints.http.authentication import PUBLIC
from leerbudget.foundation.database import fetch_value
from leerbudget.foundation.errors import LeerbudgetError

DATABASE_SECONDS_MAX = 2.0


class Health(Answer, frozen=True, kw_only=True):
    """Being able to answer is `live`; `database` says whether a query came back in two seconds."""

    status: Literal["ok", "unavailable"]
    live: bool
    database: Literal["ok", "unavailable"]


@get("/health", opt={PUBLIC: True}, tags=["service"], summary="Is the service up", operation_id="getHealth")
async def health() -> Response[Health]:
    """200 when the database answers, 503 otherwise."""
    try:
        async with asyncio.timeout(DATABASE_SECONDS_MAX):
            await fetch_value("SELECT 1")
    except (LeerbudgetError, OSError, TimeoutError):
        return Response(Health(status="unavailable", live=True, database="unavailable"), status_code=503)
    return Response(Health(status="ok", live=True, database="ok"))
