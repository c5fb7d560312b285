"""Columns and named constraints of logins, web sessions, roles and the audit trail."""

from piccolo.columns import Integer
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.foundation.columns import content, document, flag, foreign, identifier, key, moment, one_of, text
from leerbudget.foundation.database import DB
from leerbudget.identity.rules import ROLES


class Login(Table, db=DB, tablename="login"):
    """Who can log in. `person` is the id of the person in the room `people` (a floor above)."""

    id = key()
    email = text(254)
    person = identifier(optional=True, index=True)
    locked = flag(default=False)
    created_at = moment()

    one_login_per_email = Unique([email])
    email_is_lower_case = Check("email = lower(email) AND email LIKE '%_@_%'")


class RoleGrant(Table, db=DB, tablename="role_grant"):
    """A role, and the family, organisation or trainer for which it holds (`scope`; empty for national roles)."""

    id = key()
    login = foreign(Login, index=False)
    role = text(40)
    scope = identifier(optional=True, index=True)
    granted_at = moment()
    ended_at = moment(optional=True)

    role_once_per_scope = Unique([login, role, scope], nulls_distinct=False)
    role_is_known = Check(one_of("role", ROLES))


class WebSession(Table, db=DB, tablename="web_session"):
    """A logged-in browser. Only the SHA-256 of its 256-bit token is kept."""

    id = key()
    token_sha256 = content(optional=False)
    login = foreign(Login)
    created_at = moment()
    last_seen_at = moment()
    expires_at = moment()
    ended_at = moment(optional=True)

    web_session_token_once = Unique([token_sha256])


class MagicLink(Table, db=DB, tablename="magic_link"):
    """A mailed one-time login: 15 minutes, single use (reliability: logins)."""

    id = key()
    token_sha256 = content(optional=False)
    login = foreign(Login)
    created_at = moment()
    expires_at = moment()
    used_at = moment(optional=True)

    magic_link_token_once = Unique([token_sha256])


class Throttle(Table, db=DB, tablename="throttle"):
    """How often something was tried in a time window, counted by one atomic upsert."""

    id = key()
    subject = text(200)
    window_starts_at = moment()
    tries = Integer(default=0, null=False)

    one_throttle_per_window = Unique([subject, window_starts_at])


class AuditEntry(Table, db=DB, tablename="audit_entry"):
    """Who did or saw what; append-only, written in the same transaction as the deed."""

    id = key()
    at = moment(index=True)
    login = identifier(optional=True)
    verb = text(60)
    subject_kind = text(40)
    subject = identifier(index=True)
    detail = document(optional=True)
