"""The request as handlers see it: who asks, and JSON read strictly.

Litestar converts a JSON body leniently ("12" passes for 12) and reports only the first mistake. Here the
body must say `application/json`, is decoded straight into the handler's type, and every field that is
not right is named.
"""

from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import State

from leerbudget.entrypoints.http.failures import FieldError, MalformedBody, WrongContentType, field_error
from leerbudget.entrypoints.http.network import network_of
from leerbudget.foundation.errors import InvalidInput, NotLoggedIn
from leerbudget.identity.queries import LiveSession
from leerbudget.identity.rules import Actor

JSON = "application/json"


class HouseRequest(Request[Actor | None, LiveSession | None, State]):
    """A request whose `user` is the Actor who asks (or None) and whose `auth` is the web session (or None)."""

    @property
    def actor(self) -> Actor:
        """Who asks.

        Raises:
            NotLoggedIn: nobody is logged in.
        """
        if self.user is None:
            raise NotLoggedIn
        return self.user

    @property
    def network(self) -> str:
        """What tries are counted by: the network that the request comes from."""
        return network_of(self.scope["state"].get("client_address", ""))

    @property
    def session_token(self) -> str | None:
        """The token in the session cookie, whatever it is worth."""
        return self.cookies.get(self.app.state.session_cookie.name)

    async def json(self) -> Any:
        """The body, as the type of the handler's `data`.

        Raises:
            WrongContentType: it is not `application/json`.
            MalformedBody: it is not JSON in UTF-8, or nested too deep.
            InvalidInput: it has another shape; every field that is not right is named.
        """
        if self.content_type[0] != JSON or self.content_type[1].get("charset", "utf-8").lower() != "utf-8":
            raise WrongContentType(expected=JSON)
        wanted = self.route_handler.parsed_data_field
        return decoded(await self.body(), Any if wanted is None else wanted.annotation)


def decoded(body: bytes, kind: Any) -> Any:
    """JSON in UTF-8 as a value of the type.

    Raises:
        MalformedBody: it is not JSON in UTF-8, or nested too deep.
        InvalidInput: it has another shape; every field that is not right is named.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as first:
        raise InvalidInput(errors=_every_error(body, kind, first)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedBody from None


def _every_error(body: bytes, kind: Any, first: msgspec.ValidationError) -> list[dict[str, str]]:
    try:
        raw = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedBody from None
    found: list[FieldError] = []
    if isinstance(raw, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        found = _errors_by_field(raw, kind)
    return [{"path": error.path, "message": error.message} for error in found or [field_error(first)]]


def _errors_by_field(raw: dict[str, Any], kind: type[msgspec.Struct]) -> list[FieldError]:
    found = []
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for name, field in fields.items():
        if name not in raw:
            if field.required:
                found.append(FieldError(name, "Object missing required field"))
            continue
        try:
            msgspec.convert(raw[name], field.type)
        except msgspec.ValidationError as error:
            found.append(field_error(error, within=name))
    if kind.__struct_config__.forbid_unknown_fields:
        found += [FieldError(name, "Object contains unknown field") for name in raw if name not in fields]
    return found
