"""Error answers of the API: problem documents (RFC 9457) with a stable `code`."""

from typing import Any

from litestar import Request, Response

from leerbudget.entrypoints.http.failures import Failure

MEDIA_TYPE = "application/problem+json"
_RESERVED = frozenset({"type", "title", "status", "detail", "code", "errors"})


def problem(failure: Failure) -> dict[str, Any]:
    """The problem document of a failure. No `instance`: a path would tell forbidden from missing."""
    document: dict[str, Any] = {
        "type": f"urn:leerbudget:problem:{failure.code}",
        "title": failure.code.replace("_", " ").capitalize(),
        "status": failure.status,
        "detail": failure.detail_nl,
        "code": failure.code,
    }
    if failure.errors:
        document["errors"] = [{"path": error.path, "message": error.message} for error in failure.errors]
    return document | {name: value for name, value in failure.data.items() if name not in _RESERVED}


def answer_problem(_: Request[Any, Any, Any], failure: Failure) -> Response[dict[str, Any]]:
    """The failure as an `application/problem+json` answer."""
    return Response(problem(failure), status_code=failure.status, media_type=MEDIA_TYPE)
