"""The verbs of a round: open, freeze, solve, audit, publish, answer, close.

Each step follows from the state before it and can be repeated after an interruption. The solver and
the audit run outside any transaction.
"""

import asyncio
import gzip
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Any
from uuid import UUID

import msgspec

from leerbudget.bookings import actions as bookings
from leerbudget.bookings.errors import OfferLapsed
from leerbudget.foundation import clock
from leerbudget.foundation.database import execute, fetch_all, fetch_one, own_connection, together
from leerbudget.foundation.errors import Busy, LeerbudgetError
from leerbudget.foundation.ids import new_id
from leerbudget.identity.actions import record_audit
from leerbudget.matcher.audit import audit
from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.hard_rules import CODES
from leerbudget.matcher.instance import read_instance
from leerbudget.matcher.outcome import Outcome, read_outcome
from leerbudget.rounds import figures, rules, snapshot
from leerbudget.rounds.errors import (
    DeadlineInvalid,
    OutcomeRejected,
    PeriodInvalid,
    ProposalUnknown,
    RoundUnknown,
    SolverFailed,
    WrongRoundState,
)
from leerbudget.rounds.solving import SolveLimits, packed, solve_in_own_process
from leerbudget.wishes import actions as wishes

DECLINE_REASONS = ("no_time", "too_far", "other_wish", "rather_not_say")
"""What a family may say on declining; saying nothing is as good (R73)."""

ANSWER_TIME_LEAST = timedelta(days=1)
"""The deadline of a round leaves at least this time to answer."""

OFFER_TIME_LEAST = timedelta(hours=12)
"""An offer that leaves less is not made: making all offers takes a while, and a session may be decided on before."""


async def open_round(
    round_id: UUID,
    *,
    name: str,
    starts_on: date,
    ends_on: date,
    seed: int,
    policy: Mapping[str, object] | None = None,
    actor: UUID | None,  # noqa: ARG001 - every verb knows who asked
) -> None:
    """Begin a round for the course sessions that start in the period. The seed is published with the outcome.

    Raises:
        PeriodInvalid: it ended already, runs backwards or lasts longer than a year.
    """
    if ends_on <= clock.today() or not starts_on <= ends_on <= starts_on + timedelta(days=366):
        raise PeriodInvalid
    async with together():
        await execute(
            "INSERT INTO matching_round (id, name, state, seed, policy, starts_on, ends_on, opened_at)"
            " VALUES ($1, $2, 'open', $3, $4, $5, $6, $7)",
            *(round_id, name, seed, msgspec.json.encode(policy or {}).decode(), starts_on, ends_on, clock.now()),
        )


async def freeze(round_id: UUID, *, actor: UUID | None) -> int:  # noqa: ARG001
    """Write down the question: everything the round decides on. Answers the number of seekers.

    Raises:
        RoundUnknown: there is no such round.
        WrongRoundState: it was published already.
        SolverFailed: the data contradict each other (a mistake in this program).
    """
    row = await _round(round_id, to="frozen")
    plain = await snapshot.take(row["starts_on"], row["ends_on"], msgspec.json.decode(row["policy"]))
    instance = msgspec.json.encode(plain)
    try:
        await asyncio.to_thread(read_instance, instance)
    except InstanceRefused as refusal:
        raise SolverFailed(reason=f"de gegevens spreken elkaar tegen ({refusal})") from refusal
    content = await asyncio.to_thread(packed, instance)
    async with together():
        await _step(_FROZEN, round_id, row["state"], content, clock.now(), _json(figures.counts(plain)))
    return len(plain["seekers"])


async def solve(round_id: UUID, limits: SolveLimits | None = None, *, actor: UUID | None) -> None:  # noqa: ARG001
    """Answer the question, in a process of its own.

    Raises:
        RoundUnknown: there is no such round.
        WrongRoundState: it is not frozen, or was solved meanwhile.
        SolverFailed: the solving process ended without an outcome; the round stays frozen.
    """
    row = await _round(round_id, to="solved")
    content = await solve_in_own_process(row["instance"], row["seed"], limits or SolveLimits())
    outcome = await asyncio.to_thread(_outcome, content)
    async with together():
        seconds = msgspec.json.encode(outcome.seconds).decode()
        values = (content, outcome.score, outcome.bound, seconds, version("leerbudget"), clock.now())
        await _step(_SOLVED, round_id, "frozen", *values)


async def request_solve(round_id: UUID, *, actor: UUID | None) -> None:  # noqa: ARG001
    """Ask the worker to freeze, solve and audit the round; the answer shows on the round's page.

    Raises:
        RoundUnknown: there is no such round.
        WrongRoundState: it was published already.
    """
    await _round(round_id, to="frozen")
    await execute("UPDATE matching_round SET solve_requested_at = $2 WHERE id = $1", round_id, clock.now())


async def solve_requested(limits: SolveLimits | None = None, *, actor: UUID | None = None) -> int:
    """Freeze, solve and audit the rounds that were asked for; one process at a time does this. Answers how many.

    A request stands until its round is audited: when the process dies, the next one begins anew.

    Raises:
        SolverFailed: the solving process ended without an outcome; that request is withdrawn, others stand.
    """
    if await fetch_one(_NEXT_REQUEST) is None:
        return 0
    async with own_connection() as alone:
        done = 0
        if await alone.fetchval("SELECT pg_try_advisory_lock(hashtextextended('solve rounds', 0))"):
            while (row := await fetch_one(_NEXT_REQUEST)) is not None:
                await _solve_requested(row["id"], limits, actor=actor)
                done += 1
        return done


_NEXT_REQUEST = """
SELECT id FROM matching_round WHERE solve_requested_at IS NOT NULL ORDER BY solve_requested_at, id LIMIT 1
"""


async def _solve_requested(round_id: UUID, limits: SolveLimits | None, *, actor: UUID | None) -> None:
    """What goes wrong with one round leaves the requests for the others standing, and is not tried for ever."""
    try:
        await freeze(round_id, actor=actor)
        await solve(round_id, limits, actor=actor)
        await check(round_id, actor=actor)
    except Busy:
        raise
    except Exception:
        await execute("UPDATE matching_round SET solve_requested_at = NULL WHERE id = $1", round_id)
        raise


async def check(round_id: UUID, *, actor: UUID | None) -> list[str]:  # noqa: ARG001
    """Audit the outcome independently of the solver and write down proposals and reasons when it is sound.

    Answers the violations, in plain words; empty when the round is now audited.

    Raises:
        RoundUnknown: there is no such round.
        WrongRoundState: it is not solved.
    """
    row = await _round(round_id, to="audited")
    outcome = await asyncio.to_thread(_outcome, row["outcome"])
    instance = await asyncio.to_thread(lambda: read_instance(gzip.decompress(row["instance"])))
    found = await asyncio.to_thread(audit, instance, outcome)
    result = await asyncio.to_thread(figures.result, instance, outcome)
    violations = [f"{violation.code} {violation.path}: {violation.message}" for violation in found]
    async with together():
        to = "rejected" if violations else "audited"
        report = {"violations": violations[:200], "count": len(violations), "rules": len(CODES)}
        await _step(_AUDITED, round_id, "solved", to, _json(report), clock.now(), _json(result))
        if not violations:
            await _write_down(round_id, outcome)
    return violations


async def announce(round_id: UUID, *, answer_until: datetime, actor: UUID | None) -> None:
    """Decide that an audited round is published; the worker then makes the offers (`offer_announced`).

    Wishes without a place gain priority for the next round. Announcing again with the same deadline does nothing.

    Raises:
        RoundUnknown: there is no such round.
        WrongRoundState: it is not audited, or was published with another deadline.
        OutcomeRejected: the audit found violations.
        DeadlineInvalid: less than a day to answer.
    """
    if answer_until < clock.now() + ANSWER_TIME_LEAST:
        raise DeadlineInvalid
    row = await _find(round_id)
    if row["state"] == "rejected":
        raise OutcomeRejected(first=msgspec.json.decode(row["audit"])["violations"][0])
    if row["state"] == "published" and row["answer_until"] == answer_until:
        return
    async with together():
        await _step(_PUBLISHED, round_id, "audited", answer_until, clock.now())
        unplaced = await fetch_all("SELECT wish FROM non_placement WHERE round = $1", round_id)
        await wishes.carry_over([unplaced_wish["wish"] for unplaced_wish in unplaced])
        await record_audit(actor, "round_published", "matching_round", round_id, {"answer_until": answer_until})


async def publish(round_id: UUID, *, answer_until: datetime, actor: UUID | None) -> tuple[int, int]:
    """Announce a round and make its offers at once. Answers (offered, refused).

    Raises:
        RoundUnknown, WrongRoundState, OutcomeRejected, DeadlineInvalid: from `announce`.
    """
    await announce(round_id, answer_until=answer_until, actor=actor)
    return await _offer_all(round_id, actor=actor)


async def offer_announced(*, actor: UUID | None = None) -> int:
    """Make the offers of announced rounds that are not made yet; the number of rounds worked on."""
    rows = await fetch_all(
        "SELECT id FROM matching_round r WHERE state = 'published'"
        " AND EXISTS (SELECT FROM proposal p WHERE p.round = r.id AND p.state = 'proposed') ORDER BY published_at, id"
    )
    for row in rows:
        await _offer_all(row["id"], actor=actor)
    return len(rows)


async def _offer_all(round_id: UUID, *, actor: UUID | None) -> tuple[int, int]:
    """Turn every proposal into an offered booking, by the ordinary booking action with all its checks.

    Each proposal has its own transaction and a booking id of its own that never changes, so work that was
    interrupted goes on where it stopped, and two workers at once make one offer. The answer is due before
    the session's decision date, or a day before a session that is sure to go on; when that leaves less than
    `OFFER_TIME_LEAST` (the round was published late) no offer is made.
    """
    row = await _find(round_id)
    childcare = await asyncio.to_thread(_childcare_by_seeker, row["instance"])
    for proposal in await fetch_all(_TO_OFFER, round_id):
        last = proposal["starts_at"] - timedelta(days=1)
        if proposal["session_state"] == "conditional":
            last = clock.end_of_day(proposal["decide_on"] - timedelta(days=1))
        await _offer(proposal, childcare, min(row["answer_until"], last), actor=actor)
    counts = await fetch_one(
        "SELECT count(*) FILTER (WHERE booking IS NOT NULL) AS offered,"
        " count(*) FILTER (WHERE state = 'refused') AS refused FROM proposal WHERE round = $1",
        round_id,
    )
    return (counts["offered"], counts["refused"]) if counts else (0, 0)


async def accept(proposal: UUID, *, seeker: UUID, actor: UUID | None) -> None:
    """The family (or professional) says yes.

    Raises:
        ProposalUnknown: it is not theirs.
        OfferLapsed: it was answered before or its time is over.
    """
    async with together():
        await bookings.accept(await _booking_of(proposal, seeker), actor=actor)
        await _answered(proposal, "accepted")


async def decline(proposal: UUID, *, seeker: UUID, reason: str | None = None, actor: UUID | None) -> None:
    """The family says no; a reason is welcome and never asked twice. The wish waits for the next round.

    Raises:
        ProposalUnknown: it is not theirs, or the reason is not on the list.
        OfferLapsed: it was answered before or its time is over.
    """
    if reason is not None and reason not in DECLINE_REASONS:
        raise ProposalUnknown
    async with together():
        await bookings.decline(await _booking_of(proposal, seeker), actor=actor)
        await _answered(proposal, "declined", reason)


async def expire_answers(*, actor: UUID | None = None) -> int:
    """Offers whose time is over lapse; their proposals say so. Answers how many.

    An offer that ended otherwise (cancelled by the family, or with its session) ends its proposal too.
    """
    expired = await bookings.expire_offers(actor=actor)
    async with together():
        await execute(
            "UPDATE proposal p SET answered_at = $1,"
            " state = CASE WHEN b.end_reason = 'cancelled' THEN 'declined' ELSE 'expired' END FROM booking b"
            " WHERE b.id = p.booking AND b.ended_at IS NOT NULL AND p.state = 'offered'",
            clock.now(),
        )
    return len(expired)


async def close(*, actor: UUID | None = None) -> list[UUID]:  # noqa: ARG001
    """Published rounds without open offers are answered; their ids."""
    rows = await fetch_all(
        "UPDATE matching_round r SET state = 'answered', answered_at = $1 WHERE r.state = 'published'"
        " AND NOT EXISTS (SELECT FROM proposal p WHERE p.round = r.id AND p.state IN ('proposed', 'offered'))"
        " RETURNING r.id",
        clock.now(),
    )
    return [row["id"] for row in rows]


_TO_OFFER = """
SELECT p.*, s.state AS session_state, s.decide_on, s.starts_at FROM proposal p JOIN course_session s ON s.id = p.session
WHERE p.round = $1 AND p.state = 'proposed' ORDER BY p.session, p.family NULLS FIRST, p.id
"""


# --- the steps' inner parts ----------------------------------------------------------------------------------


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _outcome(content: bytes) -> Outcome:
    return read_outcome(gzip.decompress(content))


async def _find(round_id: UUID) -> Any:
    row = await fetch_one("SELECT * FROM matching_round WHERE id = $1", round_id)
    if row is None:
        raise RoundUnknown
    return row


async def _round(round_id: UUID, *, to: str) -> Any:
    row = await _find(round_id)
    if not rules.may_step(str(row["state"]), to):
        raise WrongRoundState(state=row["state"])
    return row


async def _step(sql: str, round_id: UUID, state: object, *values: object) -> None:
    """One conditional update: whoever comes second finds the state moved on."""
    if not await execute(sql, round_id, state, *values):
        raise WrongRoundState(state=state)


_FROZEN = """
UPDATE matching_round SET state = 'frozen', instance = $3, frozen_at = $4, counts = $5,
  outcome = NULL, audit = NULL, result = NULL, score = NULL, bound = NULL, solved_at = NULL, audited_at = NULL
WHERE id = $1 AND state = $2
"""
_SOLVED = """
UPDATE matching_round SET state = 'solved', outcome = $3, score = $4, bound = $5, seconds = $6, code_version = $7,
  solved_at = $8
WHERE id = $1 AND state = $2
"""
_AUDITED = """
UPDATE matching_round SET state = $3, audit = $4, audited_at = $5, result = $6,
  solve_requested_at = NULL
WHERE id = $1 AND state = $2
"""
_PUBLISHED = """
UPDATE matching_round SET state = 'published', answer_until = $3, published_at = $4 WHERE id = $1 AND state = $2
"""


async def _write_down(round_id: UUID, outcome: Outcome) -> None:
    families = {
        row["id"]: row["family"]
        for row in await fetch_all(
            "SELECT id, family FROM wish WHERE id = ANY($1::uuid[])",
            [UUID(p.wish) for p in outcome.placements] + [UUID(u.wish) for u in outcome.unplaced],
        )
    }
    encode = msgspec.json.encode
    await execute("DELETE FROM proposal WHERE round = $1", round_id)
    await execute("DELETE FROM non_placement WHERE round = $1", round_id)
    async with together() as connection:
        await connection.executemany(
            "INSERT INTO proposal (id, round, wish, family, session, persons, score, reasons, payment, state)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'proposed')",
            [
                (
                    *(new_id(), round_id, UUID(p.wish), families[UUID(p.wish)], UUID(p.session)),
                    *([UUID(person) for person in p.persons], p.score),
                    *(encode(p.reasons).decode(), encode(p.payment).decode()),
                )
                for p in outcome.placements
            ],
        )
        await connection.executemany(
            "INSERT INTO non_placement (id, round, wish, family, reasons, would_have_helped)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            [
                (
                    *(new_id(), round_id, UUID(u.wish), families[UUID(u.wish)]),
                    *(encode(u.reasons).decode(), encode(u.would_have_helped).decode()),
                )
                for u in outcome.unplaced
            ],
        )


def _childcare_by_seeker(instance: object) -> dict[str, dict[str, int]]:
    plain = msgspec.json.decode(gzip.decompress(instance))  # type: ignore[arg-type] # a bytea column
    return {s["id"]: s["childcare"] for s in plain["seekers"] if s["childcare_need"] == "needs_place"}


async def _offer(
    proposal: Any,
    childcare: Mapping[str, dict[str, int]],
    answer_until: datetime,
    *,
    actor: UUID | None,
) -> None:
    request = bookings.BookingRequest(
        id=rules.booking_id(proposal["round"], proposal["wish"]),
        family=proposal["family"],
        session=proposal["session"],
        persons=tuple(proposal["persons"]),
        wish=proposal["wish"],
        childcare=childcare.get(str(proposal["family"]), {}),
        origin="round",
        offered_until=answer_until,
    )
    async with together():
        still = "SELECT id FROM proposal WHERE id = $1 AND state = 'proposed' FOR NO KEY UPDATE"
        if await fetch_one(still, proposal["id"]) is None:
            return  # another worker made this offer; it may be answered by now
        try:
            if answer_until < clock.now() + OFFER_TIME_LEAST:
                raise OfferLapsed
            await bookings.book(request, actor=actor)
        except LeerbudgetError as refusal:
            if refusal.status >= 500:
                raise
            answer: tuple[str, str | None, UUID | None] = ("refused", refusal.code, None)
        else:
            answer = ("offered", None, request.id)
        await execute(
            "UPDATE proposal SET state = $2, refusal_code = $3, booking = $4 WHERE id = $1", proposal["id"], *answer
        )


async def _booking_of(proposal: UUID, seeker: UUID) -> UUID:
    row = await fetch_one(
        "SELECT p.booking FROM proposal p JOIN wish w ON w.id = p.wish"
        " WHERE p.id = $1 AND coalesce(w.family, w.stated_by) = $2 AND p.booking IS NOT NULL",
        proposal,
        seeker,
    )
    if row is None:
        raise ProposalUnknown
    found: UUID = row["booking"]
    return found


async def _answered(proposal: UUID, state: str, reason: str | None = None) -> None:
    await execute(
        "UPDATE proposal SET state = $2, answered_at = $3, decline_reason = $4 WHERE id = $1",
        proposal,
        state,
        clock.now(),
        reason,
    )
