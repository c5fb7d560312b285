"""What went wrong, as one value: every exception is mapped here once, and told by the API or by a page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from litestar.exceptions import HTTPException, SerializationException, ValidationException

from leerbudget.foundation.errors import Busy, InvalidInput, LeerbudgetError, NotFound, NotLoggedIn

BUSY_RETRY_SECONDS = 5

_UNEXPECTED_NL = "Er ging iets mis. Wij zijn op de hoogte. Probeer het later opnieuw."
_PLACE = re.compile(r" - at `(?:key in )?\$?\.?(?P<path>[^`]*)`$")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One place in what was sent, and what is not right there."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What is told about an exception.

    `code` is for programs and never changes; `detail_nl` is for people; `data` holds amounts and the like
    that a program can use. `unexpected`: a mistake of ours, of which nothing is told.
    """

    status: int
    code: str
    detail_nl: str
    errors: tuple[FieldError, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    unexpected: bool = False


class MalformedBody(LeerbudgetError):
    """The body is not what its content type says."""

    code = "malformed_body"
    status = 400
    message_nl = "De inhoud van het verzoek is niet leesbaar."


class WrongContentType(LeerbudgetError):
    """The body is of another kind than asked for."""

    code = "wrong_content_type"
    status = 415
    message_nl = "Stuur de inhoud als {expected}."


class ForgedRequest(LeerbudgetError):
    """The request does not come from our own pages, or from a page of an earlier login."""

    code = "forged_request"
    status = 403
    message_nl = "Deze pagina was verlopen. Ga terug, vernieuw de pagina en probeer het opnieuw."


_CODES = {
    400: "bad_request",
    401: NotLoggedIn.code,
    403: "forbidden",
    404: NotFound.code,
    405: "method_not_allowed",
    413: "too_large",
    415: WrongContentType.code,
    422: InvalidInput.code,
    429: "too_many_tries",
    503: Busy.code,
}
_SENTENCES_NL = {
    400: "Het verzoek is niet leesbaar.",
    401: NotLoggedIn.message_nl,
    403: "Dat mag niet.",
    404: NotFound.message_nl,
    405: "Dat kan hier niet.",
    413: "Dat is te groot om te ontvangen.",
    422: InvalidInput.message_nl,
    503: Busy.message_nl,
}


def failure_of(error: Exception) -> Failure:
    """What is told about this exception."""
    if isinstance(error, LeerbudgetError):
        return _of_ours(error)
    if isinstance(error, HTTPException):
        return _of_litestar(error)
    return _of_library(error)


def _of_ours(error: LeerbudgetError) -> Failure:
    if isinstance(error, NotFound):  # forbidden and missing look the same, down to the last byte (I10)
        return Failure(404, NotFound.code, NotFound.message_nl)
    if isinstance(error, Busy):
        return Failure(503, Busy.code, Busy.message_nl, headers={"Retry-After": str(BUSY_RETRY_SECONDS)})
    if error.status >= 500:
        return Failure(error.status, "unexpected", _UNEXPECTED_NL, unexpected=True)
    headers = {"WWW-Authenticate": 'Cookie realm="leerbudget"'} if error.status == 401 else {}
    if "retry_after_seconds" in error.data:
        headers["Retry-After"] = str(error.data["retry_after_seconds"])
    errors = tuple(
        FieldError(str(place.get("path") or ""), str(place.get("message") or ""))
        for place in (*error.data.get("errors", ()), *error.data.get("problems", ()))
        if isinstance(place, Mapping)
    )
    return Failure(error.status, error.code, str(error), errors, _tellable(error.data), headers)


def _tellable(data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an error's data that callers may see: plain values, without names of constraints."""
    hidden = {"errors", "problems", "constraint", "message"}
    return {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in data.items()
        if name not in hidden and isinstance(value, str | int | UUID | None)
    }


def _of_litestar(error: HTTPException) -> Failure:
    status = error.status_code
    if isinstance(error, ValidationException):
        return Failure(422, InvalidInput.code, InvalidInput.message_nl, errors=_places(error.extra))
    if status >= 500 and status != 503:
        return Failure(status, "unexpected", _UNEXPECTED_NL, unexpected=True)
    code = _CODES.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "_").replace("-", "_")
    allow = {name.lower(): value for name, value in (error.headers or {}).items()}.get("allow")
    headers = {} if allow is None else {"Allow": allow}
    return Failure(status, code, _SENTENCES_NL.get(status, _SENTENCES_NL[400]), headers=headers)


def _of_library(error: Exception) -> Failure:
    if isinstance(error, msgspec.ValidationError):
        return Failure(422, InvalidInput.code, InvalidInput.message_nl, errors=(field_error(error),))
    if isinstance(error, asyncpg.DataError):  # a value that PostgreSQL cannot hold: NUL, beyond 64 bits, year 10000
        return Failure(422, InvalidInput.code, InvalidInput.message_nl)
    if isinstance(error, SerializationException | UnicodeError | msgspec.DecodeError):
        return Failure(400, MalformedBody.code, MalformedBody.message_nl)
    if isinstance(error, asyncpg.InterfaceError | ConnectionError):
        return _of_ours(Busy())
    return Failure(500, "unexpected", _UNEXPECTED_NL, unexpected=True)


def _places(extra: object) -> tuple[FieldError, ...]:
    return tuple(
        FieldError(str(place.get("key", "")), str(place.get("message", "")))
        for place in (extra if isinstance(extra, Sequence) else ())
        if isinstance(place, Mapping)
    )


def field_error(error: msgspec.ValidationError, within: str = "") -> FieldError:
    """The message of msgspec, split in the place and what is not right there."""
    message, path = str(error), within
    while found := _PLACE.search(message):  # the outermost place stands last
        message, path = message[: found.start()], _joined(path, found["path"])
    return FieldError(path, message)


def _joined(outer: str, inner: str) -> str:
    return f"{outer}.{inner}" if outer and inner and not inner.startswith("[") else outer + inner
