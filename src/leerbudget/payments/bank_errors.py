"""What the bank side of the payments refuses: files, statements, payout accounts and payouts."""

from leerbudget.foundation.errors import IdempotencyMismatch, InvalidInput, LeerbudgetError, NotFound


class NoOwnAccount(LeerbudgetError):
    """This installation does not know its own bank account."""

    code = "no_own_bank_account"
    message_nl = "Ons eigen rekeningnummer is nog niet ingesteld (LEERBUDGET_BANK_IBAN)."


class BankFileTooLarge(InvalidInput):
    """A file from a bank is larger than any honest one."""

    code = "bank_file_too_large"
    status = 413
    message_nl = "Dit bankbestand is te groot. Vraag de bank om een bestand per dag."


class BankFileNotText(InvalidInput):
    """A file from a bank is not in UTF-8."""

    code = "bank_file_not_utf8"
    message_nl = "Dit bankbestand is niet in UTF-8 geschreven. Haal het opnieuw op bij de bank."


class BankFileNotXml(InvalidInput):
    """A file from a bank is no XML, or only a piece of it."""

    code = "bank_file_not_xml"
    message_nl = "Dit bankbestand is geen XML, of het is niet heel. Haal het opnieuw op bij de bank."


class BankFileDefines(InvalidInput):
    """A file brings its own definitions (a DTD): no bank does, and they can hide anything."""

    code = "bank_file_has_dtd"
    message_nl = "Dit bankbestand heeft een DTD. Dat doet geen bank; vertrouw dit bestand niet."


class BankFileUnknown(InvalidInput):
    """XML, but no message that is read here. `expected` names what is."""

    code = "bank_file_other_message"
    message_nl = "Dit is geen bericht dat hier wordt gelezen. Nodig is: {expected}."


class BankFileIncomplete(InvalidInput):
    """A message lacks something, or holds a value that cannot be. `place` names the element."""

    code = "bank_file_incomplete"
    message_nl = "In dit bankbestand klopt {place} niet."


class OtherCurrency(InvalidInput):
    """A statement holds another currency than the euro. `currency` says which."""

    code = "statement_other_currency"
    message_nl = "Op dit afschrift staat een andere munt dan de euro: {currency}."


class OtherBankAccount(InvalidInput):
    """A statement of a bank account that is not ours. `iban` says which."""

    code = "statement_other_account"
    message_nl = "Dit afschrift is van een rekening die niet van ons is: {iban}."


class StatementDoesNotAddUp(InvalidInput):
    """The opening balance and the entries do not make the closing balance: something is missing. `difference_cents`."""

    code = "statement_does_not_add_up"
    message_nl = "Het afschrift {statement} telt niet op. Het verschil is {difference_euros}."


class EntryTwiceInFile(InvalidInput):
    """Two entries of one file have the same bank reference. `bank_ref` says which."""

    code = "bank_entry_twice"
    message_nl = "Het bankkenmerk {bank_ref} staat twee keer in dit bestand."


class StatementChanged(IdempotencyMismatch):
    """A statement with this number was imported before, with another content. `statement` says which."""

    code = "statement_changed"
    message_nl = "Het afschrift {statement} is eerder gelezen, met een andere inhoud."
    constraint = ("statement_once", "bank_statement_pkey")


class EntryChanged(IdempotencyMismatch):
    """An entry with this bank reference was imported before, with another content. `bank_ref` says which."""

    code = "bank_entry_changed"
    message_nl = "De bankregel {bank_ref} is eerder gelezen, met een andere inhoud."
    constraint = ("bank_entry_once", "bank_entry_pkey")


class UnusableStatement(InvalidInput):
    """A statement or entry that cannot be: no amount, an unknown state or direction, without what it belongs to."""

    code = "unusable_bank_entry"
    message_nl = "Deze bankregel kan niet bestaan."
    constraint = (
        "bank_entry_statement_fkey",
        "bank_entry_is_positive",
        "bank_entry_state_is_known",
        "bank_entry_direction_is_known",
        "matched_entry_names_its_payment",
        "entry_in_suspense_has_cents",
        "payout_entry_names_its_line",
        "explained_entry_has_a_reason",
    )


class EntryUnknown(NotFound):
    """There is no such bank entry."""

    code = "bank_entry_unknown"
    message_nl = "Deze bankregel is er niet."


class EntryDecided(LeerbudgetError):
    """What the entry is for is decided already, or it is not money that waits. `state` says how it stands."""

    code = "bank_entry_decided"
    message_nl = "Over deze bankregel is al beslist."


class PaymentTakesNothing(LeerbudgetError):
    """The payment has all that was asked already, so money in suspense cannot be for it."""

    code = "payment_takes_nothing"
    message_nl = "Deze betaling heeft al het gevraagde geld al."


class RefundNotOwed(LeerbudgetError):
    """No refund of just this amount waits for a person at this payment, or a payout pays it already."""

    code = "refund_not_owed"
    message_nl = "Dit bedrag is bij dit kenmerk niet meer terug te betalen. Of het staat in een uitbetaling."


class PayerAccountUnknown(LeerbudgetError):
    """The bank did not say from which account the money came, so it cannot be sent back."""

    code = "payer_account_unknown"
    message_nl = "Van deze bankregel is niet bekend van welke rekening het geld kwam."


class NotAnIban(InvalidInput):
    """An account number fails its check digits, or is from outside the single euro area."""

    code = "not_an_iban"
    message_nl = "Dit rekeningnummer klopt niet. Controleer elk cijfer."


class PayoutAccountKnown(IdempotencyMismatch):
    """The id was used before for another payout account."""

    code = "payout_account_known"
    message_nl = "Deze uitbetaalrekening bestaat al, met een andere inhoud."
    constraint = "payout_account_pkey"


class PayoutAccountUnknown(NotFound):
    """There is no such payout account, or no such trainer."""

    code = "payout_account_unknown"
    message_nl = "Deze uitbetaalrekening is er niet."
    constraint = "payout_account_trainer_fkey"


class AnotherPersonConfirms(LeerbudgetError):
    """Who gave a bank account, or drafted a payout, cannot be the one who lets it count (four eyes)."""

    code = "another_person_needed"
    status = 403
    message_nl = "Iemand anders moet dit goedkeuren."
    constraint = ("payout_account_four_eyes", "payout_four_eyes")


class NothingToPay(LeerbudgetError):
    """There is nothing to pay out now, or no account to pay it to."""

    code = "nothing_to_pay"
    message_nl = "Er is nu niets om uit te betalen."


class PayoutKnown(IdempotencyMismatch):
    """The id was used before for another payout."""

    code = "payout_known"
    message_nl = "Deze uitbetaling bestaat al, met een andere inhoud."
    constraint = ("payout_pkey", "payout_message_once", "payout_line_pkey")


class PayoutUnknown(NotFound):
    """There is no such payout."""

    code = "payout_unknown"
    message_nl = "Deze uitbetaling is er niet."


class PayoutEnded(LeerbudgetError):
    """The payout was approved or cancelled before. `state` says which."""

    code = "payout_ended"
    message_nl = "Over deze uitbetaling is al beslist."


class PayableChanged(LeerbudgetError):
    """There is less to pay now than when the payout was drafted; cancel it and draft it anew. `line` says where."""

    code = "payable_changed"
    message_nl = "Er is nu minder uit te betalen dan in dit voorstel staat. Maak een nieuw voorstel."


class AlreadyInPayout(LeerbudgetError):
    """What a line pays is in another payout that is under way."""

    code = "already_in_payout"
    message_nl = "Dit staat al in een andere uitbetaling."
    constraint = "one_open_line_per_subject"


class UnusablePayout(InvalidInput):
    """A payout that cannot be: no amount, an unknown state or purpose, approved by nobody."""

    code = "unusable_payout"
    message_nl = "Deze uitbetaling kan niet bestaan."
    constraint = (
        "payout_state_is_known",
        "approved_payout_has_its_file",
        "payout_line_payout_fkey",
        "payout_line_source_fkey",
        "payout_line_state_is_known",
        "payout_line_purpose_is_known",
        "payout_line_is_positive",
    )


class StatusOfAnother(InvalidInput):
    """A status report names a file or a line that is not ours. `message_id` says which."""

    code = "status_report_unknown"
    message_nl = "Dit statusbericht gaat over een bestand dat niet van ons is: {message_id}."
