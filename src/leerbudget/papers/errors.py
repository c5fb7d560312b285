"""What the papers refuse. Every named constraint of the tables has its error here."""

from leerbudget.foundation.errors import Conflict, IdempotencyMismatch, InvalidInput, LeerbudgetError, NotFound


class TreatmentKnown(IdempotencyMismatch):
    """The id was used before for another VAT treatment."""

    code = "vat_treatment_known"
    message_nl = "Dit nummer is al gebruikt voor een andere behandeling voor de btw."
    constraint = "vat_treatment_pkey"


class TreatmentTooLate(InvalidInput):
    """A VAT treatment would count for a month that is over."""

    code = "vat_treatment_too_late"
    message_nl = "Dit kan ingaan vanaf de eerste dag van deze maand, niet eerder."
    constraint = "vat_never_from_before"


class UnusableTreatment(InvalidInput):
    """A VAT treatment that cannot be."""

    code = "unusable_vat_treatment"
    message_nl = "Deze behandeling voor de btw kan niet zo."
    constraint = ("vat_treatment_is_known", "exemption_names_its_basis")


class TreatedUnknown(NotFound):
    """There is no such course or trainer."""

    code = "vat_course_or_trainer_unknown"
    message_nl = "Deze cursus of trainer kennen we niet."
    constraint = ("vat_treatment_course_fkey", "vat_treatment_trainer_fkey")


class UnusableBilling(InvalidInput):
    """Billing details that cannot be."""

    code = "unusable_billing_details"
    message_nl = "Deze gegevens voor facturen kunnen niet zo."
    constraint = ("billing_register_is_known", "billing_number_has_its_length")


class BillingKnown(Conflict):
    """The billing details were given at the same moment by somebody else."""

    code = "billing_details_known"
    message_nl = "Iemand anders vulde deze gegevens net in. Kijk ze na en probeer het opnieuw."
    constraint = ("billing_details_pkey", "one_billing_per_organisation")


class BilledUnknown(NotFound):
    """There is no such organisation."""

    code = "billing_organisation_unknown"
    message_nl = "Deze organisatie kennen we niet."
    constraint = "billing_details_organisation_fkey"


class EInvoiceIncomplete(LeerbudgetError):
    """An e-invoice cannot be made yet. `missing` says what is not known."""

    code = "e_invoice_incomplete"
    message_nl = "De e-factuur kan nog niet worden gemaakt. Er ontbreekt: {missing}."


class NothingReceived(LeerbudgetError):
    """There is no receipt: nothing came in yet."""

    code = "nothing_received"
    message_nl = "Er is nog niets binnengekomen, dus er is nog geen ontvangstbewijs."


class ProgrammeUnknown(LeerbudgetError):
    """Invoices cannot be made out: it is not set who runs this installation."""

    code = "programme_unknown"
    message_nl = "Facturen kunnen nog niet: de gegevens van het programma zijn niet ingesteld."


class SelfBillingKnown(IdempotencyMismatch):
    """The id was used before for another agreement."""

    code = "self_billing_known"
    message_nl = "Deze afspraak bestaat al, met een andere inhoud."
    constraint = "self_billing_pkey"


class SelfBillingOpen(Conflict):
    """There is an agreement on self-billing already."""

    code = "self_billing_open"
    message_nl = "Er is al een afspraak over facturen. Maak die eerst ongedaan."
    constraint = "one_self_billing_at_a_time"


class UnusableSelfBilling(InvalidInput):
    """An agreement on self-billing that cannot be."""

    code = "unusable_self_billing"
    message_nl = "Deze afspraak over facturen kan niet zo."
    constraint = (
        "self_billing_kvk_has_eight_digits",
        "self_billing_has_a_vat_number",
        "self_billing_ends_after_start",
    )


class SupplierUnknown(NotFound):
    """There is no such trainer."""

    code = "supplier_unknown"
    message_nl = "Deze trainer kennen we niet."
    constraint = ("self_billing_trainer_fkey", "invoice_trainer_fkey")


class InvoiceUnknown(NotFound):
    """There is no such invoice, or the asker may not see it."""

    code = "invoice_unknown"
    message_nl = "Deze factuur is er niet, of u mag haar niet zien."
    constraint = ("invoice_line_invoice_fkey", "invoice_agreement_fkey")


class InvoiceKnown(Conflict):
    """An invoice with this number, or of this month, was issued before."""

    code = "invoice_known"
    message_nl = "Deze factuur is al gemaakt."
    constraint = (
        *("invoice_pkey", "invoice_numbered_once", "one_invoice_a_month"),
        *("invoice_line_pkey", "invoice_line_once"),
    )


class UnusableInvoice(InvalidInput):
    """An invoice that cannot be."""

    code = "unusable_invoice"
    message_nl = "Deze factuur kan niet zo."
    constraint = (
        *("invoice_kind_is_known", "invoice_number_counts", "invoice_of_a_whole_month", "invoice_adds_up"),
        *("invoice_line_kind_is_known", "invoice_line_treatment_is_known", "invoice_line_adds_up"),
        "invoice_line_session_fkey",
    )
