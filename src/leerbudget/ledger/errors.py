"""What the ledger refuses. Every named constraint of its tables has its error here."""

from leerbudget.foundation.errors import IdempotencyMismatch, InvalidInput, LeerbudgetError


class NeverOverspent(LeerbudgetError):
    """A constrained account would pay out more than came in, reservations included (I2)."""

    code = "never_overspent"
    message_nl = "Er staat niet genoeg geld op deze rekening."
    constraint = "never_overspent"


class TransferKnown(IdempotencyMismatch):
    """The business event (or the id) was recorded before with another content. `business_ref` says which."""

    code = "transfer_known"
    message_nl = "Deze mutatie is al geboekt met een andere inhoud."
    constraint = ("every_business_event_once", "transfer_pkey")


class AlreadyResolved(LeerbudgetError):
    """The reservation was posted, voided or expired before; that happens exactly once."""

    code = "already_resolved"
    message_nl = "Deze reservering is al afgerond."
    constraint = "resolved_once"


class ResolutionDoesNotFit(LeerbudgetError):
    """A resolution names no reservation, other accounts, or more than was reserved."""

    code = "resolution_does_not_fit"
    message_nl = "De afronding past niet bij de reservering."
    constraint = "resolution_fits_reservation"


class UnusableTransfer(InvalidInput):
    """A transfer without a meaning: no amount, one account, an unknown kind or phase, no reason."""

    code = "unusable_transfer"
    message_nl = "Deze mutatie kan niet bestaan."
    constraint = (
        "amount_is_positive",
        "two_sides",
        "transfer_kind_is_known",
        "phase_is_known",
        "resolution_names_its_reservation",
        "only_reservations_expire",
        "corrections_have_a_reason",
    )


class AccountUnknown(LeerbudgetError):
    """A transfer names an account that was never opened."""

    code = "account_unknown"
    status = 404
    message_nl = "Deze rekening bestaat niet."
    constraint = ("transfer_debit_fkey", "transfer_credit_fkey")


class AccountKnown(IdempotencyMismatch):
    """The owner has another account of this kind, or the id is in use, or it has the other constraint."""

    code = "account_known"
    message_nl = "Deze rekening bestaat al, met een andere inhoud."
    constraint = ("one_account_per_owner", "account_pkey")


class AccountKindUnknown(InvalidInput):
    """There is no such kind of account."""

    code = "account_kind_unknown"
    message_nl = "Deze soort rekening bestaat niet."
    constraint = "account_kind_is_known"


class CountersBroken(LeerbudgetError):
    """A counter would go below zero, or an unconstrained account would count: only a defect can cause it."""

    code = "counters_broken"
    status = 500
    message_nl = "De tellers van een rekening kloppen niet. Er is niets gewijzigd."
    constraint = ("counters_not_negative", "only_constrained_counts")
