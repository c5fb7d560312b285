"""The Dutch words of the pages cover the closed lists of the rooms."""

import pytest

from leerbudget.bookings.rules import LIVE_STATES
from leerbudget.bookings.waiting import NOT_THEIR_DAYS, OUT_OF_REACH
from leerbudget.catalogue.rules import FORMS, TARIFF_SCOPES, THEMES
from leerbudget.entrypoints.web.wording import LABELS, TONES
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.identity.rules import ROLES
from leerbudget.matcher import vocabulary
from leerbudget.people.rules import experience_band
from leerbudget.rounds.actions import DECLINE_REASONS
from leerbudget.rounds.rules import PROPOSAL_STATES, ROUND_STATES
from leerbudget.wishes.rules import CHILDCARE_NEEDS, TRAVEL_MODES, WISH_STATES

LISTS = {
    "theme": THEMES,
    "form": FORMS,
    "family_type": tuple(vocabulary.FamilyType),
    "care_form": tuple(vocabulary.CareForm),
    "age_band": tuple(vocabulary.ChildAgeBand),
    "experience": tuple({experience_band(years / 2) for years in range(50)}),
    "travel_mode": TRAVEL_MODES,
    "childcare_need": CHILDCARE_NEEDS,
    "wish": WISH_STATES,
    "booking": LIVE_STATES,
    "round": ROUND_STATES,
    "proposal": PROPOSAL_STATES,
    "decline_reason": DECLINE_REASONS,
    "role": ROLES,
    "tariff_scope": TARIFF_SCOPES,
}


@pytest.mark.parametrize("kind", LISTS)
def test_every_code_has_its_word(kind):
    """Nothing a room can say is without a Dutch word on the pages."""
    assert {str(code) for code in LISTS[kind]} - LABELS[kind].keys() == set()


def test_tones_are_of_known_states():
    """A badge's tone belongs to a state that exists."""
    assert {(kind, state) for kind, states in TONES.items() for state in states} <= {
        (kind, state) for kind, states in LABELS.items() for state in states
    }


def test_tones_are_of_the_four_kinds():
    """A badge looks one of four ways; anything else is a word that strayed into the table."""
    tones = {tone for states in TONES.values() for tone in states.values()}
    assert tones == {"success", "warning", "neutral", "danger"}


def test_every_reason_of_the_waiting_list_has_its_words():
    """What the list itself decides, and what a booking refuses for who may wait, is told in words."""
    refused = {"session_full", "party_full", "childcare_full", "budget_too_small", "meetings_overlap", "not_together"}
    refused |= {"earmark_excludes"}
    assert {OUT_OF_REACH, NOT_THEIR_DAYS, *refused} <= LABELS["passed_over"].keys()
    assert refused <= LeerbudgetError._by_code.keys()
