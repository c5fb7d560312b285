"""Who may come in: guards for handlers, and ids as they are written.

They wait for nothing, but are async: Litestar hands what is not to a thread, three times a request.
"""

from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from leerbudget.foundation.errors import NotFound, NotLoggedIn
from leerbudget.identity.permissions import PERMISSIONS, require


async def logged_in(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Strangers may not come in.

    Raises:
        NotLoggedIn: nobody is logged in.
    """
    if connection.user is None:
        raise NotLoggedIn


def requires(verb: str, **path_parameters: str) -> Guard:
    """A guard that asks the permission table, with ids taken from the path.

    `requires("see_pot", organisation="organisation_id")` lets in who may see the pot of the organisation in
    the path parameter `organisation_id`. Where the id is not in the path, the handler calls
    `permissions.require` itself once it has read whose thing it is.

    Raises:
        KeyError: at start-up, when the table has no such verb.
    """
    PERMISSIONS[verb]

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        ids = {relation: connection.path_params[name] for relation, name in path_parameters.items()}
        require(connection.user, verb, **ids)

    return guard


async def canonical_ids(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """An id has one way of writing: what Python also takes for a UUID (braces, capitals) is not there.

    Raises:
        NotFound: an id in the path is written differently.
    """
    parts = connection.scope["path"].split("/")
    if any(isinstance(value, UUID) and str(value) not in parts for value in connection.path_params.values()):
        raise NotFound
