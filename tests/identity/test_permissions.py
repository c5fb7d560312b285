"""The permission table as a matrix: every verb, every role, own and foreign ids."""

from itertools import product
from uuid import uuid4

import pytest

from leerbudget.foundation.errors import NotFound, NotLoggedIn
from leerbudget.identity.permissions import PERMISSIONS, may, require
from leerbudget.identity.rules import ROLES, SCOPED_ROLES, Actor

P, T, F, A, M, C, X = (
    "foster_parent",
    "trainer",
    "organisation_finance",
    "organisation_admin",
    "municipality_viewer",
    "coordinator",
    "platform_admin",
)
G, J = "foster_care_worker", "guardian_worker"

# Written out a second time, by verb, from reliability section 4: who may, when it is their own.
OWN = {
    "see_family": {P},
    "change_family": {P},
    "see_availability": {P},
    "change_availability": {P},
    "read_wish_text": {P},
    "see_wishes": {P},
    "state_wish": {P},
    "change_wish": {P},
    "see_proposals": {P},
    "answer_proposal": {P},
    "see_bookings": {P},
    "book": {P},
    "cancel_booking": {P},
    "see_budget": {P},
    "see_amounts": {P, F, A},
    "publish_session": {T},
    "change_session": {T},
    "see_own_sessions": {T},
    "see_roster": {T},
    "mark_attendance": {T},
    "finish_session": {T},
    "cancel_session": {T, C},
    "admit_course": {C},
    "decide_session": {C},
    "see_dialogues": {C},
    "give_seats": {C},
    "see_own_seats": {G, J, "guest"},
    "answer_offered_seat": {G, J, "guest"},
    "give_up_own_seat": {G, J, "guest"},
    "set_tariffs": {C},
    "set_own_tariffs": {F, A},
    "see_demand": {T, C, M},
    "see_organisation": {F, A, M},
    "see_pot": {F, A, M},
    "see_settlements": {F, A},
    "request_top_up": {F, A},
    "cancel_top_up": {F, A},
    "confirm_top_up": {C},
    "handle_finance_tasks": {C},
    "see_bank": {C},
    "import_bank_file": {C},
    "explain_bank_entry": {C},
    "draft_payout": {C},
    "approve_payout": {C},
    "refund_top_up": {C},
    "trust_payer": {C},
    "propose_payout_account": {T},
    "see_payout_account": {T},
    "confirm_payout_account": {C},
    "set_billing": {F, A},
    "set_vat": {C},
    "see_invoices": {T},
    "agree_self_billing": {T},
    "grant": {F, A},
    "decide_grant": {F, A},
    "import_families": {A},
    "manage_logins": {A},
    "see_rounds": {C},
    "run_rounds": {C},
    "publish_round": {C},
    "export_own": set(ROLES),
    "export_roster": {T},
    "export_finance": {F, A},
    "export_organisation": {A},
    "export_aggregate": {M, C},
    "export_ledger": {X},
    "see_self": set(ROLES),
    "see_who_looked": set(ROLES),
    "see_organisation_audit": {A},
    "see_audit": {X},
    "see_system": {X},
}
NATIONAL = {  # may, whatever it is about
    "cancel_session": {C},
    "admit_course": {C},
    "decide_session": {C},
    "see_dialogues": {C},
    "give_seats": {C},
    "set_tariffs": {C},
    "see_demand": {C},
    "confirm_top_up": {C},
    "handle_finance_tasks": {C},
    "see_bank": {C},
    "import_bank_file": {C},
    "explain_bank_entry": {C},
    "draft_payout": {C},
    "approve_payout": {C},
    "refund_top_up": {C},
    "trust_payer": {C},
    "confirm_payout_account": {C},
    "set_vat": {C},
    "see_rounds": {C},
    "run_rounds": {C},
    "publish_round": {C},
    "export_aggregate": {C},
    "export_ledger": {X},
    "see_self": set(ROLES),
    "see_audit": {X},
    "see_system": {X},
}
MINE = {relation: uuid4() for relation in ("family", "organisation", "trainer", "person")}
FOREIGN = {relation: uuid4() for relation in MINE}


def somebody(role: str) -> Actor:
    """Somebody with this one role for their own family, organisation or trainer."""
    return Actor(
        uuid4(), "iemand@fictief.example", MINE["person"], frozenset({(role, MINE.get(SCOPED_ROLES.get(role)))})
    )


def test_the_matrix_names_every_verb():
    """A verb that is added must be decided here as well."""
    assert set(OWN) == set(PERMISSIONS)


@pytest.mark.parametrize("verb", OWN)
def test_who_may_do_it_with_what_is_theirs(verb):
    """Exactly the roles of the matrix, and no other."""
    assert {role for role in ROLES if may(somebody(role), verb, **MINE)} == OWN[verb]


@pytest.mark.parametrize("verb", OWN)
def test_who_may_do_it_with_what_is_somebody_elses(verb):
    """Only the roles that hold for the whole country."""
    assert {role for role in ROLES if may(somebody(role), verb, **FOREIGN)} == NATIONAL.get(verb, set())


@pytest.mark.parametrize("verb", OWN)
def test_forgetting_to_say_whose_it_is_refuses(verb):
    """Without an id only the country-wide roles remain."""
    assert {role for role in ROLES if may(somebody(role), verb)} == NATIONAL.get(verb, set())


def test_strangers_and_unknown_verbs_are_refused():
    """Deny by default."""
    assert not any(may(None, verb, **MINE) for verb in PERMISSIONS)
    assert not any(may(somebody(role), "fly", **MINE) for role in ROLES)
    nobody = Actor(uuid4(), "x@fictief.example", MINE["person"], frozenset())
    assert not any(may(nobody, verb, **MINE) for verb in PERMISSIONS)


@pytest.mark.parametrize(
    ("verb", "role"), list(product(("see_wishes", "read_wish_text", "book"), (G, J, F, A, M, C, X, T)))
)
def test_a_wish_never_opens_to_professionals_or_organisations(verb, role):
    """Whoever guides, pays or programmes sees no family's wishes, even inside the own organisation."""
    assert not may(somebody(role), verb, **MINE)


def test_a_role_for_one_thing_is_no_role_for_another_kind_of_thing():
    """The family's id given as an organisation does not open the organisation."""
    parent = somebody(P)
    assert not may(parent, "see_pot", organisation=MINE["family"])
    finance = somebody(F)
    assert not may(finance, "see_budget", family=MINE["organisation"])


def test_a_scoped_role_without_scope_opens_nothing():
    """A role row whose scope is missing must not become a role for everything."""
    broken = Actor(uuid4(), "x@fictief.example", None, frozenset({(P, None), (F, None), (T, None)}))
    assert not any(may(broken, verb) for verb in set(PERMISSIONS) - set(NATIONAL))
    assert not may(broken, "read_wish_text", person=None)


def test_require_tells_strangers_to_log_in_and_others_that_it_is_not_there():
    """401 before anything is looked at; 404 for what is not allowed."""
    with pytest.raises(NotLoggedIn):
        require(None, "see_pot", **MINE)
    with pytest.raises(NotFound):
        require(somebody(P), "see_pot", **MINE)
    finance = somebody(F)
    assert require(finance, "see_pot", **MINE) is finance
