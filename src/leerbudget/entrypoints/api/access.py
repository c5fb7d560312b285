"""Whose thing it is, when the path names only the thing: asked of the permission table, told as if it were not there."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from leerbudget.entrypoints.http.requests import HouseRequest
from leerbudget.foundation.errors import NotFound
from leerbudget.identity.permissions import require

Thing = TypeVar("Thing")


async def of_own_family(
    request: HouseRequest, verb: str, find: Callable[[UUID], Awaitable[Thing | None]]
) -> tuple[UUID, Thing]:
    """The asker's family that `find` finds the thing in, and the thing. Hardly anybody has more than one family.

    Raises:
        NotLoggedIn: nobody is logged in.
        NotFound: in none of the asker's families, or they may not.
    """
    for family in sorted(request.actor.scopes("foster_parent"), key=str):
        found = await find(family)
        if found is not None:
            require(request.actor, verb, family=family)
            return family, found
    raise NotFound


def own_person(request: HouseRequest) -> UUID:
    """The person behind the login.

    Raises:
        NotLoggedIn: nobody is logged in.
        NotFound: the login stands for nobody.
    """
    if request.actor.person is None:
        raise NotFound
    return request.actor.person
