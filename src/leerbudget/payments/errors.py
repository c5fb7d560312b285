"""What the payments refuse. Every named constraint of its tables has its error here."""

from leerbudget.foundation.errors import IdempotencyMismatch, InvalidInput, LeerbudgetError, NotFound


class TopUpOutOfBounds(InvalidInput):
    """A top-up is at least EUR 50 and at most EUR 250 million."""

    code = "top_up_out_of_bounds"
    message_nl = "Een storting is minstens € 50,00 en hoogstens € 250.000.000,00."
    constraint = "top_up_within_bounds"


class TopUpKnown(IdempotencyMismatch):
    """The id was used before for another top-up."""

    code = "top_up_known"
    message_nl = "Deze storting bestaat al, met een andere inhoud."
    constraint = ("payment_pkey", "payment_reference_once")


class TopUpUnknown(NotFound):
    """There is no top-up with this id or reference."""

    code = "top_up_unknown"
    message_nl = "Deze storting is er niet, of u mag haar niet zien."


class PayerUnknown(NotFound):
    """A top-up names an organisation that does not exist."""

    code = "top_up_organisation_unknown"
    message_nl = "Deze organisatie bestaat niet."
    constraint = ("payment_organisation_fkey", "payer_trust_organisation_fkey")


class SecondPersonNeeded(LeerbudgetError):
    """Who asked for a top-up cannot confirm that it arrived (four eyes)."""

    code = "second_person_needed"
    status = 403
    message_nl = "Iemand anders moet bevestigen dat het geld binnen is."
    constraint = "four_eyes"


class TopUpEnded(LeerbudgetError):
    """The top-up was confirmed or cancelled before, and not in this way. `state` says which."""

    code = "top_up_ended"
    message_nl = "Deze storting is al afgehandeld."


class AmountDiffers(LeerbudgetError):
    """Another amount arrived than was announced: a person must look at it. `expected_cents`, `received_cents`."""

    code = "amount_differs"
    message_nl = "Er is een ander bedrag binnengekomen dan was aangekondigd."


class UnusableTopUp(InvalidInput):
    """A payment in a state that does not exist, confirmed without a day of arrival, or credited with too much."""

    code = "unusable_top_up"
    message_nl = "Deze storting kan niet bestaan."
    constraint = (
        *("payment_state_is_known", "payment_gateway_is_known", "confirmed_payment_has_arrived"),
        *("received_within_amount", "only_held_money_is_released", "one_payment_per_gateway_ref"),
        *("payment_is_for_one_thing", "one_payment_per_booking", "payment_booking_fkey"),
    )


class MonthNotOver(InvalidInput):
    """A month is settled once it is over for a day. `month` says which."""

    code = "month_not_over"
    message_nl = "De maand {month} kan nog niet worden verrekend. Dat kan vanaf de tweede dag van de volgende maand."


class GatewayRefused(LeerbudgetError):
    """The gateway will not do this, now or later. `reason` is its own short code."""

    code = "gateway_refused"
    status = 502
    message_nl = "De betaaldienst nam de opdracht niet aan. Er is niets betaald."

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason=reason)


class GatewaySilent(LeerbudgetError):
    """The gateway gave no answer, or none that says what happened. The same question with the same key is safe."""

    code = "gateway_silent"
    status = 503
    message_nl = "De betaaldienst antwoordt niet. Probeer het straks opnieuw; u betaalt nooit dubbel."


class EventRefused(InvalidInput):
    """An incoming event is not what it seems. `reason` says why, for the log; the sender learns nothing."""

    code = "event_refused"
    message_nl = "Dit bericht van een betaaldienst is niet aangenomen."

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason=reason)


class RefundTooLarge(InvalidInput):
    """More would go back than came in."""

    code = "refund_too_large"
    message_nl = "Er kan niet meer terug dan er is betaald."
    constraint = "refunded_within_received"


class UnusableFact(InvalidInput):
    """Something that cannot happen to money, or a message or question about it that cannot be."""

    code = "unusable_fact"
    message_nl = "Dit kan niet met een betaling gebeurd zijn."
    constraint = (
        *("fact_kind_is_known", "fact_amount_not_negative", "fact_once", "payment_fact_payment_fkey", "event_once"),
        *("payment_fact_pkey", "payment_event_pkey"),
        *("attempt_kind_is_known", "attempt_state_is_known", "attempt_amount_is_positive"),
        *("only_ended_attempts_have_ended", "payment_attempt_payment_fkey"),
    )


class AttemptKnown(IdempotencyMismatch):
    """The id was used before for another question to a gateway."""

    code = "attempt_known"
    message_nl = "Deze opdracht bestaat al, met een andere inhoud."
    constraint = "payment_attempt_pkey"


class TaskUnknown(NotFound):
    """There is no such task, or it was closed with another outcome."""

    code = "finance_task_unknown"
    message_nl = "Deze taak is er niet, of is al afgerond."
    constraint = (
        "finance_task_pkey",
        "task_once",
        "task_kind_is_known",
        "closed_task_has_an_outcome",
        "finance_task_payment_fkey",
    )


class PayerTrusted(LeerbudgetError):
    """The organisation is trusted already."""

    code = "payer_trusted"
    message_nl = "Deze organisatie wordt al vertrouwd."
    constraint = ("payer_trust_pkey", "trusted_once")


class MethodUnavailable(InvalidInput):
    """This amount cannot be paid through this gateway; a bank transfer is always possible."""

    code = "method_unavailable"
    message_nl = "Dit bedrag kan niet via de betaaldienst. Kies voor overboeken."


class OwnShareUnavailable(InvalidInput):
    """There is no payment service here, or it does not take this amount: the budgets must pay all of it."""

    code = "own_share_unavailable"
    message_nl = "Zelf bijbetalen kan hier niet. Vraag de organisatie van uw budget wat er kan."


class TooLateToPay(LeerbudgetError):
    """The course begins before the time to pay one's own share is over."""

    code = "too_late_to_pay"
    message_nl = "Deze cursus begint te snel om nu nog zelf te betalen."


class GatewayUnknown(NotFound):
    """There is no such gateway here."""

    code = "gateway_unknown"
    message_nl = "Deze betaaldienst gebruiken wij hier niet."
