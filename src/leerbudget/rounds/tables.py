"""Columns and named constraints of matching rounds, proposals and non-placements."""

from piccolo.columns import UUID, Array, BigInt
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.bookings.tables import Booking
from leerbudget.catalogue.tables import CourseSession
from leerbudget.foundation.columns import content, day, document, foreign, key, moment, one_of, text, whole
from leerbudget.foundation.database import DB
from leerbudget.people.tables import Family
from leerbudget.rounds.rules import PROPOSAL_STATES, ROUND_STATES
from leerbudget.wishes.tables import Wish


class MatchingRound(Table, db=DB, tablename="matching_round"):
    """One fair decision for all open wishes. `instance` and `outcome` are the gzipped matching files of the interface."""

    id = key()
    name = text(120)
    state = text(20)
    seed = BigInt(default=None, null=False)
    policy = document()
    starts_on = day()
    ends_on = day()
    answer_until = moment(optional=True)
    solve_requested_at = moment(optional=True)
    instance = content()
    outcome = content()
    counts = document(optional=True)
    audit = document(optional=True)
    result = document(optional=True)
    code_version = text(40, optional=True)
    score = BigInt(default=None, null=True)
    bound = BigInt(default=None, null=True)
    seconds = document(optional=True)
    opened_at = moment()
    frozen_at = moment(optional=True)
    solved_at = moment(optional=True)
    audited_at = moment(optional=True)
    published_at = moment(optional=True)
    answered_at = moment(optional=True)

    round_state_is_known = Check(one_of("state", ROUND_STATES))
    round_period_runs_forward = Check("ends_on >= starts_on")
    published_rounds_were_audited = Check("state NOT IN ('published', 'answered') OR audited_at IS NOT NULL")
    frozen_rounds_have_an_instance = Check("state = 'open' OR instance IS NOT NULL")


class Proposal(Table, db=DB, tablename="proposal"):
    """A place that the round found for a wish; published as an offered booking, answered by the family (R73)."""

    id = key()
    round = foreign(MatchingRound, index=False)
    wish = foreign(Wish)
    family = foreign(Family, optional=True)
    session = foreign(CourseSession)
    persons = Array(base_column=UUID(), default=None, null=False)
    score = whole()
    reasons = document()
    payment = document()
    state = text(20)
    refusal_code = text(60, optional=True)
    booking = foreign(Booking, optional=True)
    answered_at = moment(optional=True)
    decline_reason = text(20, optional=True)

    one_proposal_per_wish = Unique([round, wish])  # noqa: A003 - a round of matching, in a class body that rounds nothing
    proposal_state_is_known = Check(one_of("state", PROPOSAL_STATES))
    offered_proposals_have_a_booking = Check(
        "state NOT IN ('offered', 'accepted', 'declined', 'expired') OR booking IS NOT NULL"
    )


class NonPlacement(Table, db=DB, tablename="non_placement"):
    """Why a wish got no place, and what would have helped (R75)."""

    id = key()
    round = foreign(MatchingRound, index=False)
    wish = foreign(Wish)
    family = foreign(Family, optional=True)
    reasons = document()
    would_have_helped = document()

    one_non_placement_per_wish = Unique([round, wish])  # noqa: A003 - a round of matching, in a class body that rounds nothing
