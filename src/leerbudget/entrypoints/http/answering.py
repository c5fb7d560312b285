"""Telling what went wrong: a problem document to programs, a page to people."""

from collections.abc import Callable
from html import escape
from typing import Any

import structlog
from litestar import Request, Response

from leerbudget.entrypoints.http.failures import Failure, failure_of

Teller = Callable[[Request[Any, Any, Any], Failure], Response[Any]]
"""Makes the answer that tells about a failure."""

log = structlog.get_logger("leerbudget.http")


def answering(*, api: Teller, pages: Teller) -> Callable[[Request[Any, Any, Any], Exception], Response[Any]]:
    """The application's one exception handler: `api` below `/api`, `pages` everywhere else."""

    def answer(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        failure = failure_of(error)
        if failure.unexpected:
            log.error(
                "unexpected",
                path=request.scope["path"],
                request_id=_request_id(request),
                exc_info=error,
                status=failure.status,
            )
        path = request.scope["path"]
        tell = api if path == "/api" or path.startswith("/api/") else pages
        response = tell(request, failure)
        response.headers.update(failure.headers)
        return response

    return answer


def _request_id(request: Request[Any, Any, Any]) -> str | None:
    found: str | None = request.scope["state"].get("request_id")
    return found


def plain_page(_: Request[Any, Any, Any], failure: Failure) -> Response[str]:
    """The barest error page, for when there are no templates."""
    body = (
        '<!doctype html><html lang="nl"><head><meta charset="utf-8"><title>Fout - leerbudget</title></head>'
        f'<body><main><h1>{escape(failure.detail_nl)}</h1><p><a href="/">Naar de startpagina</a></p></main></body></html>'
    )
    return Response(body, status_code=failure.status, media_type="text/html")
