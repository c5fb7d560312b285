"""Roles, login links and web sessions: plain values in, plain values out."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from leerbudget.foundation.errors import InvalidInput

ROLES = (
    "foster_parent",
    "foster_care_worker",
    "guardian_worker",
    "guest",
    "trainer",
    "organisation_finance",
    "organisation_admin",
    "municipality_viewer",
    "coordinator",
    "platform_admin",
)
"""Closed list of roles (requirements 4.6, reliability section 4)."""

SCOPED_ROLES = {
    "foster_parent": "family",
    "trainer": "trainer",
    "organisation_finance": "organisation",
    "organisation_admin": "organisation",
    "municipality_viewer": "organisation",
}
"""Role → what its scope is the id of. The other roles hold for the whole country and have no scope."""

LINK_LIFETIME = timedelta(minutes=15)
"""How long a mailed login link can be used (reliability section 4: logins)."""

LINK_PATH = "/inloggen/bevestigen?sleutel="
"""Where a login link leads: a page with a button. Only the button logs in, so a mail scanner does not."""

TOKEN_BYTES = 32
TOKEN_LENGTH_MAX = 64
EMAIL_LENGTH_MAX = 254
SEEN_EVERY = timedelta(minutes=1)
"""How often a web session's last sign of life is written down."""

EMAIL_PATTERN = (
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}$"
)
"""An ordinary address: what mail servers deliver to without SMTPUTF8 (RFC 5321, without quoted local parts)."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a login, the person behind it, and the roles with the id for which each holds."""

    login: UUID
    email: str
    person: UUID | None
    roles: frozenset[tuple[str, UUID | None]]

    def scopes(self, role: str) -> frozenset[UUID]:
        """The ids for which the actor has the role."""
        return frozenset(scope for name, scope in self.roles if name == role and scope is not None)

    @property
    def role_names(self) -> frozenset[str]:
        """The names of the actor's roles, without their scopes."""
        return frozenset(name for name, _ in self.roles)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a web session lives at most, and how long without a sign of life."""

    absolute: timedelta
    idle: timedelta


PARENT_LIMITS = SessionLimits(absolute=timedelta(days=30), idle=timedelta(days=14))
"""Parents log in on their own phone, often in a spare minute; a mail each time would keep them away."""

STAFF_LIMITS = SessionLimits(absolute=timedelta(hours=12), idle=timedelta(hours=2))
"""Trainers and organisations see other people's data, often on a shared desk: one working day."""


def session_limits(role_names: frozenset[str]) -> SessionLimits:
    """The limits for somebody with these roles; one staff role is enough for the short ones."""
    return PARENT_LIMITS if role_names <= {"foster_parent", "guest"} else STAFF_LIMITS


def session_lives(*, last_seen_at: datetime, expires_at: datetime, now: datetime, limits: SessionLimits) -> bool:
    """Whether a web session that was not ended may still be used."""
    return now < expires_at and now < last_seen_at + limits.idle


def token_sha256(token: str) -> bytes:
    """What the database keeps of a token. Plain SHA-256 is enough: a token is 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def plausible_token(token: str) -> bool:
    """Whether the text could be one of our tokens, so that rubbish is not looked up."""
    return 0 < len(token) <= TOKEN_LENGTH_MAX and token.isascii()


def normal_email(text: str) -> str:
    """The e-mail address as it is stored: trimmed, lower case.

    Raises:
        InvalidInput: it does not look like an e-mail address.
    """
    address = unicodedata.normalize("NFC", text).strip().lower()
    if len(address) > EMAIL_LENGTH_MAX or not re.fullmatch(EMAIL_PATTERN, address):
        message = "Vul een e-mailadres in, zoals naam@voorbeeld.nl."
        raise InvalidInput(errors=[{"path": "email", "message": message}])
    return address


def window_start(now: datetime, window: timedelta) -> datetime:
    """The start of the fixed time window that holds `now`."""
    return now - timedelta(seconds=now.timestamp() % window.total_seconds())
