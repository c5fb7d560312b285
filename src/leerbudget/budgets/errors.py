"""What the budgets refuse. Every named constraint of its tables has its error here."""

from leerbudget.foundation.errors import IdempotencyMismatch, InvalidInput, LeerbudgetError, NotFound


class BudgetTooSmall(LeerbudgetError):
    """The family's budgets that may pay this hold too little. `missing_cents` short of it, `free_cents` there is."""

    code = "budget_too_small"
    message_nl = "Er staat niet genoeg op uw leerbudget: er is {missing_euros} te weinig."


class EarmarkExcludes(LeerbudgetError):
    """The family has enough on that day, but earmarks keep this session out.

    `missing_cents` short of it, `free_cents` that may pay it, `elsewhere_cents` that are meant for something else.
    """

    code = "earmark_excludes"
    message_nl = (
        "Op uw leerbudget staat genoeg, maar een deel is voor iets anders bedoeld. "
        "Voor deze bijeenkomst is er {missing_euros} te weinig."
    )


class PotTooSmall(LeerbudgetError):
    """The organisation's pot holds too little to grant this. `organisation`, `missing_cents`, `free_cents`."""

    code = "pot_too_small"
    message_nl = "Er staat niet genoeg in de pot van de organisatie om dit toe te kennen."


class LoweringTooLarge(LeerbudgetError):
    """A budget cannot be lowered below what is held and spent. `free_cents` is the most that can go."""

    code = "lowering_too_large"
    message_nl = "Een leerbudget kan niet lager worden dan wat al is vastgelegd of uitgegeven."


class GrantKnown(IdempotencyMismatch):
    """The budget's id, or the organisation's number for it, was used before for another grant. `external_ref`."""

    code = "grant_known"
    message_nl = "Deze toekenning bestaat al, met een andere inhoud."
    constraint = ("budget_ref_once_per_organisation", "budget_account_once", "budget_pkey")


class BudgetUnknown(NotFound):
    """There is no such budget."""

    code = "budget_unknown"


class HolderUnknown(NotFound):
    """A grant names a family or an organisation that does not exist."""

    code = "budget_holder_unknown"
    message_nl = "Dit gezin of deze organisatie bestaat niet."
    constraint = (
        "budget_family_fkey",
        "budget_organisation_fkey",
        "budget_account_fkey",
        "grant_policy_organisation_fkey",
        "cohort_family_organisation_fkey",
        "cohort_family_family_fkey",
        "grant_limit_organisation_fkey",
        "grant_day_organisation_fkey",
        "grant_request_organisation_fkey",
    )


class UnusableGrant(InvalidInput):
    """A grant without a meaning: no amount, a period that runs backwards, an unknown earmark or state."""

    code = "unusable_grant"
    message_nl = "Deze toekenning kan niet bestaan."
    constraint = (
        "budget_state_is_known",
        "budget_period_runs_forward",
        "grant_is_positive",
        "budget_themes_are_known",
        "budget_forms_are_known",
        "budget_municipalities_are_named",
        "budget_courses_are_named",
    )


class HoldKnown(IdempotencyMismatch):
    """The purpose holds money already: of another family, for another amount or to another payee."""

    code = "hold_known"
    message_nl = "Hiervoor is al een ander bedrag vastgelegd."
    constraint = ("budget_once_per_purpose", "reservation_once", "budget_hold_pkey")


class UnusableHold(InvalidInput):
    """A hold without an amount, or on a budget or a reservation that does not exist."""

    code = "unusable_hold"
    message_nl = "Dit bedrag kan niet worden vastgelegd."
    constraint = (
        *("hold_is_positive", "hold_payer_is_known", "only_budgets_have_an_id"),
        *("budget_hold_budget_fkey", "budget_hold_reservation_fkey"),
    )


class OwnShareChanged(LeerbudgetError):
    """What the family would pay itself is not what was shown before confirming. `own_cents` is what it is now."""

    code = "own_share_changed"
    message_nl = "Uw eigen deel is veranderd sinds u de pagina opende. Kijk opnieuw wat het kost."


class KeepsTooMuch(InvalidInput):
    """More would be kept than was held for the purpose. `held_cents`."""

    code = "keeps_too_much"
    message_nl = "Er kan niet meer worden afgerekend dan is vastgelegd."


class AlreadySettled(LeerbudgetError):
    """The purpose was settled before, with another amount. `kept_cents` is what was kept then."""

    code = "already_settled"
    message_nl = "Dit is al afgerekend."


class SecondApproverNeeded(LeerbudgetError):
    """Who asked for a grant above the limit cannot decide on it (four eyes)."""

    code = "second_approver_needed"
    status = 403
    message_nl = "U vroeg dit zelf aan. Een collega beslist erover."
    constraint = "four_eyes_on_grants"


class GrantRequestUnknown(NotFound):
    """This organisation has no such request."""

    code = "grant_request_unknown"
    message_nl = "Deze aanvraag is er niet, of u mag haar niet zien."


class GrantRequestKnown(IdempotencyMismatch):
    """The id stands for a request for other grants."""

    code = "grant_request_known"
    message_nl = "Deze aanvraag bestaat al, met een andere inhoud."
    constraint = "grant_request_pkey"


class GrantRequestEnded(LeerbudgetError):
    """The request was decided before, the other way. `state` says how."""

    code = "grant_request_ended"
    message_nl = "Over deze aanvraag is al beslist."


class UnusableGrantRequest(InvalidInput):
    """A request without cents, in an unknown state, decided by nobody, or refused without a reason."""

    code = "unusable_grant_request"
    message_nl = "Deze aanvraag kan niet bestaan."
    constraint = (
        "grant_request_state_is_known",
        "grant_request_has_cents",
        "decision_names_who_and_when",
        "refusal_has_a_reason",
    )


class UnusableLimit(InvalidInput):
    """A limit or a day's sum below zero, or a second one."""

    code = "unusable_limit"
    message_nl = "Deze grens kan niet bestaan."
    constraint = (
        "limit_is_not_negative",
        "day_sum_is_not_negative",
        "one_limit_per_organisation",
        "one_sum_per_login_and_day",
        "grant_limit_pkey",
        "grant_day_pkey",
    )


class PolicyUnknown(NotFound):
    """The organisation has no such policy."""

    code = "policy_unknown"
    message_nl = "Dit beleid is er niet, of u mag het niet zien."
    constraint = ("budget_policy_fkey", "cohort_family_policy_fkey")


class PolicyKnown(IdempotencyMismatch):
    """The id or the name stands for another policy of this organisation."""

    code = "policy_known"
    message_nl = "Er is al een beleid met deze naam, of met een andere inhoud."
    constraint = ("grant_policy_pkey", "policy_name_once")


class PolicyFollowed(LeerbudgetError):
    """Another policy follows the same one already: what is left can go to one place only."""

    code = "policy_followed"
    message_nl = "Er volgt al een ander beleid op dat beleid."
    constraint = "policy_followed_once"


class PolicyOver(LeerbudgetError):
    """The policy's last day is over: nobody joins its cohort and nothing is granted by it."""

    code = "policy_over"
    message_nl = "De periode van dit beleid is voorbij."


class FamilyInCohort(LeerbudgetError):
    """A family is in another cohort of this organisation in (a part of) the same period; nobody moves in between."""

    code = "family_in_cohort"
    message_nl = "Een gezin zit in deze periode al in een andere groep. Het blijft daar tot de periode voorbij is."
    constraint = ("one_cohort_at_a_time", "once_in_a_cohort", "cohort_family_pkey")


class UnusablePolicy(InvalidInput):
    """A policy without a meaning: no amount, a period that runs backwards, an unknown unit, earmark or carry-over."""

    code = "unusable_policy"
    message_nl = "Dit beleid kan niet bestaan."
    constraint = (
        "policy_unit_is_known",
        "policy_amount_is_positive",
        "policy_period_runs_forward",
        "policy_themes_are_known",
        "policy_forms_are_known",
        "policy_municipalities_are_named",
        "policy_courses_are_named",
        "policy_carries_a_part",
    )
