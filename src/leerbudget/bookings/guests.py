"""Whoever has no family and is offered or given a seat can log in: to answer, and to say that they cannot come."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from leerbudget.foundation.database import fetch_all
from leerbudget.foundation.ids import new_id
from leerbudget.identity import actions as identity
from leerbudget.identity.actions import LoginOrder

ROLE_OF: Final[Mapping[str, str]] = {
    "foster_care_workers": "foster_care_worker",
    "guardian_workers": "guardian_worker",
}
"""Party of a professional → their role. Everybody else without a family is a `guest`: a light account (R44)."""

_WITHOUT_A_LOGIN = """
SELECT p.id, p.email, p.party FROM person p
WHERE p.id = ANY($1::uuid[]) AND p.family IS NULL AND p.email IS NOT NULL
  AND NOT EXISTS (SELECT FROM login l WHERE l.email = p.email AND l.person IS DISTINCT FROM p.id)
  AND NOT EXISTS (SELECT FROM login l JOIN role_grant r ON r.login = l.id AND r.role = ANY($2::text[])
                  WHERE l.person = p.id)
ORDER BY p.id
"""


async def let_in(persons: Sequence[UUID]) -> None:
    """Give these people a login by their own address, where they have none. Again has no effect.

    An address that is another person's login gives nobody a second way in, and a role that was taken from somebody
    does not come back: such a person keeps to mail.
    """
    roles = ("guest", *ROLE_OF.values())
    rows = await fetch_all(_WITHOUT_A_LOGIN, list(persons), list(roles))
    if rows:
        await identity.give_logins(
            [
                LoginOrder(new_id(), row["email"], row["id"], ((ROLE_OF.get(row["party"], "guest"), None),))
                for row in rows
            ]
        )
