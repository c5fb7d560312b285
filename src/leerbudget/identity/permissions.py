"""The one permission table: who may do what, to whose things. Deny by default (reliability section 4).

A verb is allowed when one of the actor's roles is in its row and the relation holds. The relation says
how the role's scope must relate to what is touched:

- `family`: the role is for this very family;
- `organisation`: the role is for this very organisation (the one that owns the pot, granted the
  budget, or guides the family; the caller passes the organisation that the thing really belongs to);
- `trainer`: the role is for this very trainer;
- `self`: it is about the actor's own person;
- `all`: the role alone is enough.

What is not allowed looks as if it were not there (I10): `require` raises `NotFound`.
"""

from collections.abc import Mapping
from uuid import UUID

from leerbudget.foundation.errors import NotFound, NotLoggedIn
from leerbudget.identity.rules import ROLES, Actor

Rule = tuple[str, str]

_PARENT: Rule = ("foster_parent", "family")
_TRAINER: Rule = ("trainer", "trainer")
_FINANCE: Rule = ("organisation_finance", "organisation")
_ADMIN: Rule = ("organisation_admin", "organisation")
_MUNICIPALITY: Rule = ("municipality_viewer", "organisation")
_COORDINATOR: Rule = ("coordinator", "all")
_PLATFORM: Rule = ("platform_admin", "all")
_WITHOUT_FAMILY: tuple[Rule, ...] = tuple((role, "self") for role in ("foster_care_worker", "guardian_worker", "guest"))
_EVERYONE: tuple[Rule, ...] = tuple((role, "all") for role in ROLES)
_ONESELF: tuple[Rule, ...] = tuple((role, "self") for role in ROLES)

PERMISSIONS: Mapping[str, tuple[Rule, ...]] = {
    # the own family: R30, R34
    "see_family": (_PARENT,),
    "change_family": (_PARENT,),
    "see_availability": (_PARENT,),
    "change_availability": (_PARENT,),
    # the private words of a wish are for whoever wrote them; a co-parent sees only the theme (R31)
    "read_wish_text": (("foster_parent", "self"),),
    "see_wishes": (_PARENT,),
    "state_wish": (_PARENT,),
    "change_wish": (_PARENT,),
    "see_proposals": (_PARENT,),
    "answer_proposal": (_PARENT,),
    # bookings and money of a family
    "see_bookings": (_PARENT,),
    "book": (_PARENT,),
    "cancel_booking": (_PARENT,),
    "see_budget": (_PARENT,),
    "see_amounts": (_PARENT, _FINANCE, _ADMIN),
    # the offer
    "publish_session": (_TRAINER,),
    "change_session": (_TRAINER,),
    "see_own_sessions": (_TRAINER,),
    "see_roster": (_TRAINER,),
    "mark_attendance": (_TRAINER,),
    "finish_session": (_TRAINER,),
    "cancel_session": (_TRAINER, _COORDINATOR),
    "admit_course": (_COORDINATOR,),
    "decide_session": (_COORDINATOR,),
    # seats of people without a family in a dialogue; families stay numbers
    "see_dialogues": (_COORDINATOR,),
    "give_seats": (_COORDINATOR,),
    # the own seats and offers of who has no family: nothing of families, nobody else who comes (R66, R79)
    "see_own_seats": _WITHOUT_FAMILY,
    "answer_offered_seat": _WITHOUT_FAMILY,
    "give_up_own_seat": _WITHOUT_FAMILY,
    # tariffs are public to read (R06); of the country, regions and municipalities, and of one organisation
    "set_tariffs": (_COORDINATOR,),
    "set_own_tariffs": (_FINANCE, _ADMIN),
    "see_demand": (_TRAINER, _COORDINATOR, _MUNICIPALITY),
    # organisations: amounts and counts, never wishes or course titles
    "see_organisation": (_FINANCE, _ADMIN, _MUNICIPALITY),
    "see_pot": (_FINANCE, _ADMIN, _MUNICIPALITY),
    "see_settlements": (_FINANCE, _ADMIN),
    "request_top_up": (_FINANCE, _ADMIN),
    "cancel_top_up": (_FINANCE, _ADMIN),
    "confirm_top_up": (_COORDINATOR,),
    "handle_finance_tasks": (_COORDINATOR,),
    # the bank: what came in for nothing known, and what goes out; two people for each payout
    "see_bank": (_COORDINATOR,),
    "import_bank_file": (_COORDINATOR,),
    "explain_bank_entry": (_COORDINATOR,),
    "draft_payout": (_COORDINATOR,),
    "approve_payout": (_COORDINATOR,),
    "refund_top_up": (_COORDINATOR,),
    "trust_payer": (_COORDINATOR,),
    "propose_payout_account": (_TRAINER,),
    "see_payout_account": (_TRAINER,),
    "confirm_payout_account": (_COORDINATOR,),
    # papers of money: to whom they are addressed, VAT, and invoices that are made out for trainers
    "set_billing": (_FINANCE, _ADMIN),
    "set_vat": (_COORDINATOR,),
    "see_invoices": (_TRAINER,),
    "agree_self_billing": (_TRAINER,),
    "grant": (_FINANCE, _ADMIN),
    "decide_grant": (_FINANCE, _ADMIN),
    "import_families": (_ADMIN,),
    "manage_logins": (_ADMIN,),
    # rounds: pseudonymous for the coordinator
    "see_rounds": (_COORDINATOR,),
    "run_rounds": (_COORDINATOR,),
    "publish_round": (_COORDINATOR,),
    # exports
    "export_own": (_PARENT, *_ONESELF),
    "export_roster": (_TRAINER,),
    "export_finance": (_FINANCE, _ADMIN),
    "export_organisation": (_ADMIN,),
    "export_aggregate": (_MUNICIPALITY, _COORDINATOR),
    "export_ledger": (_PLATFORM,),
    # oneself, and who looked
    "see_self": _EVERYONE,
    "see_who_looked": (_PARENT, *_ONESELF),
    "see_organisation_audit": (_ADMIN,),
    "see_audit": (_PLATFORM,),
    "see_system": (_PLATFORM,),
}
"""Verb → the (role, relation) pairs that allow it."""


def may(
    actor: Actor | None,
    verb: str,
    *,
    family: UUID | None = None,
    organisation: UUID | None = None,
    trainer: UUID | None = None,
    person: UUID | None = None,
) -> bool:
    """Whether the actor may do this to what belongs to these ids. Nobody is allowed an unknown verb.

    A relation whose id was not given does not hold: forgetting to pass an id refuses.
    """
    if actor is None:
        return False
    targets = {"family": family, "organisation": organisation, "trainer": trainer}
    return any(
        role == needed and _holds(relation, scope, actor.person, person, targets)
        for needed, relation in PERMISSIONS.get(verb, ())
        for role, scope in actor.roles
    )


def _holds(
    relation: str, scope: UUID | None, own: UUID | None, person: UUID | None, targets: Mapping[str, UUID | None]
) -> bool:
    if relation == "all":
        return True
    if relation == "self":
        return person is not None and person == own
    target = targets.get(relation)
    return target is not None and target == scope


def require(
    actor: Actor | None,
    verb: str,
    *,
    family: UUID | None = None,
    organisation: UUID | None = None,
    trainer: UUID | None = None,
    person: UUID | None = None,
) -> Actor:
    """The actor, when `may` allows it.

    Raises:
        NotLoggedIn: nobody is logged in.
        NotFound: it is not allowed; it looks like what is not there (I10).
    """
    if actor is None:
        raise NotLoggedIn
    if not may(actor, verb, family=family, organisation=organisation, trainer=trainer, person=person):
        raise NotFound
    return actor
