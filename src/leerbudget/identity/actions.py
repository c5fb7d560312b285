"""Logging in and out, giving and taking roles, counting tries, and writing the audit trail."""

import asyncio
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from leerbudget.foundation import clock
from leerbudget.foundation.database import again, execute, fetch_all, fetch_value, together
from leerbudget.foundation.ids import new_id
from leerbudget.identity.errors import LinkNotUsable, LoginTaken, LoginUnknown, TooManyTries
from leerbudget.identity.rules import (
    LINK_LIFETIME,
    LINK_PATH,
    TOKEN_BYTES,
    normal_email,
    plausible_token,
    session_limits,
    token_sha256,
    window_start,
)
from leerbudget.notifications.actions import Notice, post_many

LINK_ANSWER_SECONDS = 0.1
"""Shortest time that asking for a link takes, far above what writing one costs: the time tells nothing."""

_LINK_WINDOW_SECONDS = 900
_LINKS_PER_ADDRESS_AND_NETWORK = 5
_LINKS_PER_ADDRESS = 20
_LINKS_PER_NETWORK = 60
_REDEEMS_PER_NETWORK = 60
_SESSIONS_KEPT = timedelta(days=30)
_TRIES_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LoginOrder:
    """A login to be: address, person, and (role, scope) pairs."""

    id: UUID
    email: str
    person: UUID | None
    roles: tuple[tuple[str, UUID | None], ...] = ()


@dataclass(frozen=True, slots=True)
class NewWebSession:
    """A fresh web session. `token` goes into the browser's cookie and is nowhere else."""

    id: UUID
    token: str = field(repr=False)
    login: UUID
    expires_at: datetime
    lifetime: timedelta


# --- logging in ------------------------------------------------------------------------------------------------


async def request_link(email: str, *, network: str) -> None:
    """Mail a login link to the address, when a login has it; the answer and its time are the same when not.

    Must not be called inside `together()`: tries are counted whatever comes of it.

    Raises:
        InvalidInput: it does not look like an e-mail address.
        TooManyTries: too many links were asked for this address or from this network.
    """
    loop = asyncio.get_running_loop()
    started = loop.time()
    address = normal_email(email)
    await throttle(f"link:network:{network}", _LINKS_PER_NETWORK, _LINK_WINDOW_SECONDS)
    await throttle(f"link:{address}:{network}", _LINKS_PER_ADDRESS_AND_NETWORK, _LINK_WINDOW_SECONDS)
    await throttle(f"link:address:{address}", _LINKS_PER_ADDRESS, _LINK_WINDOW_SECONDS)
    await again(lambda: _make_link(address))
    await asyncio.sleep(max(0.0, started + LINK_ANSWER_SECONDS - loop.time()))


async def _make_link(address: str) -> None:
    token, link, now = secrets.token_urlsafe(TOKEN_BYTES), new_id(), clock.now()
    expires_at = now + LINK_LIFETIME
    async with together():
        login = await fetch_value(
            """
            INSERT INTO magic_link (id, token_sha256, login, created_at, expires_at)
            SELECT $1, $2, l.id, $4, $5 FROM login l WHERE l.email = $3 AND NOT l.locked RETURNING login
            """,
            link,
            token_sha256(token),
            address,
            now,
            expires_at,
        )
        if login is None:
            return
        context = {"link": f"{LINK_PATH}{token}", "minutes": int(LINK_LIFETIME.total_seconds() // 60)}
        await post_many(
            [
                Notice(
                    kind="magic_link",
                    business_ref=str(link),
                    address=address,
                    context=context,
                    useless_after=expires_at,
                )
            ]
        )


async def redeem_link(token: str, *, network: str = "", previous_token: str | None = None) -> NewWebSession:
    """Log in with a mailed link: once, within 15 minutes. Other open links of the login are used up too.

    The session's token is always fresh; the browser's previous session, if any, is ended.

    Raises:
        LinkNotUsable: unknown, used, expired, or the login is locked.
        TooManyTries: too many links were tried from this network.
    """
    await throttle(f"redeem:network:{network}", _REDEEMS_PER_NETWORK, _LINK_WINDOW_SECONDS)
    if not plausible_token(token):
        raise LinkNotUsable
    # two open links of one login used at the same moment may lock each other out: one of them starts over
    return await again(lambda: _redeem(token, previous_token))


async def _redeem(token: str, previous_token: str | None) -> NewWebSession:
    async with together():
        now = clock.now()
        login = await fetch_value(
            """
            UPDATE magic_link m SET used_at = $2 FROM login l
            WHERE m.token_sha256 = $1 AND m.used_at IS NULL AND m.expires_at > $2 AND l.id = m.login AND NOT l.locked
            RETURNING m.login
            """,
            token_sha256(token),
            now,
        )
        if login is None:
            raise LinkNotUsable
        await execute("UPDATE magic_link SET used_at = $2 WHERE login = $1 AND used_at IS NULL", login, now)
        if previous_token is not None:
            await end_session(previous_token)
        session = await _new_session(login, now)
        await record_audit(login, "log_in", "login", login)
        return session


async def _new_session(login: UUID, now: datetime) -> NewWebSession:
    rows = await fetch_all("SELECT role FROM role_grant WHERE login = $1 AND ended_at IS NULL", login)
    lifetime = session_limits(frozenset(row["role"] for row in rows)).absolute
    session = NewWebSession(new_id(), secrets.token_urlsafe(TOKEN_BYTES), login, now + lifetime, lifetime)
    await execute(
        """
        INSERT INTO web_session (id, token_sha256, login, created_at, last_seen_at, expires_at)
        VALUES ($1, $2, $3, $4, $4, $5)
        """,
        session.id,
        token_sha256(session.token),
        login,
        now,
        session.expires_at,
    )
    return session


async def rotate(token: str) -> NewWebSession:
    """Replace a live session by one with a fresh token and the limits of the roles of now (step-up, role change).

    Raises:
        LinkNotUsable: the session was not live any more.
    """
    async with together():
        now = clock.now()
        login = await fetch_value(
            """
            UPDATE web_session SET ended_at = $2
            WHERE token_sha256 = $1 AND ended_at IS NULL AND expires_at > $2 RETURNING login
            """,
            token_sha256(token),
            now,
        )
        if login is None:
            raise LinkNotUsable
        return await _new_session(login, now)


async def end_session(token: str) -> None:
    """Log out; an unknown or ended session is fine."""
    await execute(
        "UPDATE web_session SET ended_at = $2 WHERE token_sha256 = $1 AND ended_at IS NULL",
        token_sha256(token),
        clock.now(),
    )


async def seen(session: UUID) -> None:
    """Write down a session's sign of life."""
    await execute(
        "UPDATE web_session SET last_seen_at = GREATEST(last_seen_at, $2) WHERE id = $1", session, clock.now()
    )


# --- logins and roles -------------------------------------------------------------------------------------------


async def give_login(email: str, person: UUID | None, roles: Sequence[tuple[str, UUID | None]]) -> UUID:
    """The login of this address, with at least these roles; its id.

    Raises:
        InvalidInput: it does not look like an e-mail address.
        LoginTaken: the address is another person's login.
    """
    (login,) = (await give_logins([LoginOrder(new_id(), email, person, tuple(roles))])).values()
    return login


async def give_logins(orders: Sequence[LoginOrder]) -> dict[str, UUID]:
    """Logins with at least these roles, in three statements; address → login id. A second time does nothing.

    Raises:
        InvalidInput: something does not look like an e-mail address.
        LoginTaken: an address is another person's login, or two orders give it to two persons.
    """
    by_email: dict[str, LoginOrder] = {}
    for order in orders:
        email = normal_email(order.email)
        first = by_email.get(email)
        if first is not None and first.person != order.person:
            raise LoginTaken
        roles = order.roles if first is None else (*first.roles, *order.roles)
        by_email[email] = LoginOrder(order.id if first is None else first.id, email, order.person, roles)
    async with together():
        found = await _put_logins(by_email)
        await _put_roles([(found[email], *pair) for email, order in by_email.items() for pair in order.roles])
        return found


async def _put_logins(orders: Mapping[str, LoginOrder]) -> dict[str, UUID]:
    rows = await fetch_all(
        """
        INSERT INTO login AS l (id, email, person, locked, created_at)
        SELECT id, email, person, false, $4 FROM unnest($1::uuid[], $2::text[], $3::uuid[]) AS o (id, email, person)
        ON CONFLICT ON CONSTRAINT one_login_per_email DO UPDATE SET person = COALESCE(l.person, excluded.person)
        RETURNING id, email, person
        """,
        [order.id for order in orders.values()],
        list(orders),
        [order.person for order in orders.values()],
        clock.now(),
    )
    for row in rows:
        wanted = orders[row["email"]].person
        if wanted is not None and row["person"] != wanted:
            raise LoginTaken
    return {row["email"]: row["id"] for row in rows}


async def _put_roles(grants: Sequence[tuple[UUID, str, UUID | None]]) -> None:
    distinct = list(dict.fromkeys(grants))
    await execute(
        """
        INSERT INTO role_grant (id, login, role, scope, granted_at)
        SELECT id, login, role, scope, $5 FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[])
             AS g (id, login, role, scope)
        ON CONFLICT ON CONSTRAINT role_once_per_scope DO UPDATE SET ended_at = NULL
            WHERE role_grant.ended_at IS NOT NULL
        """,
        [new_id() for _ in distinct],
        [login for login, _, _ in distinct],
        [role for _, role, _ in distinct],
        [scope for _, _, scope in distinct],
        clock.now(),
    )


async def take_role(login: UUID, role: str, scope: UUID | None, *, actor: UUID | None) -> None:
    """End a role and every web session of the login, so that the role's longer reach ends at once."""
    async with together():
        now = clock.now()
        touched = await execute(
            """
            UPDATE role_grant SET ended_at = $4
            WHERE login = $1 AND role = $2 AND scope IS NOT DISTINCT FROM $3 AND ended_at IS NULL
            """,
            login,
            role,
            scope,
            now,
        )
        if touched:
            await _end_sessions(login, now)
            await record_audit(actor, "take_role", "login", login, {"role": role})


async def set_locked(login: UUID, *, locked: bool, actor: UUID | None) -> None:
    """Close a login, and its web sessions and links with it; or open it again.

    Raises:
        LoginUnknown: there is no such login.
    """
    async with together():
        now = clock.now()
        if not await execute("UPDATE login SET locked = $2 WHERE id = $1", login, locked):
            raise LoginUnknown
        if locked:
            await _end_sessions(login, now)
            await execute("UPDATE magic_link SET used_at = $2 WHERE login = $1 AND used_at IS NULL", login, now)
        await record_audit(actor, "lock_login" if locked else "unlock_login", "login", login)


async def _end_sessions(login: UUID, now: datetime) -> None:
    await execute("UPDATE web_session SET ended_at = $2 WHERE login = $1 AND ended_at IS NULL", login, now)


# --- tries and traces -------------------------------------------------------------------------------------------


async def throttle(subject: str, limit: int, window_seconds: int) -> None:
    """Count one try of the subject in the present fixed window, by one atomic upsert.

    Raises:
        TooManyTries: this try is over the limit; `retry_after_seconds` says when the window ends.
    """
    now = clock.now()
    starts_at = window_start(now, timedelta(seconds=window_seconds))
    tries: int = await fetch_value(
        """
        INSERT INTO throttle AS t (id, subject, window_starts_at, tries) VALUES ($1, $2, $3, 1)
        ON CONFLICT ON CONSTRAINT one_throttle_per_window DO UPDATE SET tries = LEAST(t.tries + 1, 1000000)
        RETURNING tries
        """,
        new_id(),
        subject if len(subject) <= 200 else token_sha256(subject).hex(),
        starts_at,
    )
    if tries > limit:
        ends_at = starts_at + timedelta(seconds=window_seconds)
        raise TooManyTries(retry_after_seconds=max(1, int((ends_at - now).total_seconds()) + 1))


async def record_audit(
    actor: UUID | None, verb: str, subject_kind: str, subject: UUID, detail: Mapping[str, Any] | None = None
) -> None:
    """Append a line to the audit trail; call it in the transaction of the deed. No private words in `detail`."""
    await execute(
        """
        INSERT INTO audit_entry (id, at, login, verb, subject_kind, subject, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb)
        """,
        new_id(),
        clock.now(),
        actor,
        verb,
        subject_kind,
        subject,
        None if detail is None else json.dumps(dict(detail), default=str),
    )


async def record_audits(
    actor: UUID | None, verb: str, subject_kind: str, subjects: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """Append a line per subject, with its detail: for a deed that touches many."""
    await execute(
        """
        INSERT INTO audit_entry (id, at, login, verb, subject_kind, subject, detail)
        SELECT uuidv7(), $1, $2, $3, $4, s.subject, s.detail
        FROM unnest($5::uuid[], $6::jsonb[]) AS s(subject, detail)
        """,
        clock.now(),
        actor,
        verb,
        subject_kind,
        list(subjects),
        [json.dumps(dict(detail), default=str) for detail in subjects.values()],
    )


async def prune() -> None:
    """Delete links and web sessions that ended over thirty days ago, and tries of over a day: they tell who was here."""
    now = clock.now()
    await execute("DELETE FROM magic_link WHERE expires_at < $1", now - _SESSIONS_KEPT)
    await execute("DELETE FROM web_session WHERE COALESCE(ended_at, expires_at) < $1", now - _SESSIONS_KEPT)
    await execute("DELETE FROM throttle WHERE window_starts_at < $1", now - _TRIES_KEPT)
