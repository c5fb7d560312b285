"""Columns and named constraints of VAT treatments, billing details, agreements on self-billing, and invoices.

Only an agreement can still end; everything else that stands here is never changed, billing details apart.
"""

from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.catalogue.tables import Course, CourseSession
from leerbudget.foundation.columns import cents, day, document, foreign, identifier, key, moment, one_of, text, whole
from leerbudget.foundation.database import DB
from leerbudget.papers.rules import INVOICE_KINDS, LINE_KINDS, REGISTERS, VAT_TREATMENTS
from leerbudget.people.tables import Organisation
from leerbudget.trainers.tables import Trainer


class VatTreatment(Table, db=DB, tablename="vat_treatment"):
    """How VAT treats what a trainer earns with a course, from a day on: the row with the latest day counts.

    `evidence`: on what that rests. Never for a month that was over when it was written down.
    """

    id = key()
    course = foreign(Course)
    trainer = foreign(Trainer)
    treatment = text(20)
    legal_basis = text(200, optional=True)
    evidence = text(500)
    valid_from = day()
    set_at = moment()
    set_by = identifier(optional=True)

    vat_treatment_is_known = Check(one_of("treatment", VAT_TREATMENTS))
    exemption_names_its_basis = Check("(treatment = 'exempt') = (legal_basis IS NOT NULL)")
    vat_never_from_before = Check("valid_from >= date_trunc('month', set_at AT TIME ZONE 'Europe/Amsterdam')::date")


class BillingDetails(Table, db=DB, tablename="billing_details"):
    """Where an organisation wants its papers addressed to. `buyer_reference`: what it wants to find on them."""

    id = key()
    organisation = foreign(Organisation, index=False)
    street = text(120)
    postcode = text(7)
    place = text(80)
    register = text(3)
    number = text(20)
    buyer_reference = text(60, optional=True)
    set_at = moment()
    set_by = identifier(optional=True)

    one_billing_per_organisation = Unique([organisation])
    billing_register_is_known = Check(one_of("register", REGISTERS))
    billing_number_has_its_length = Check(
        "CASE register WHEN 'kvk' THEN number ~ '^[0-9]{8}$' ELSE number ~ '^[0-9]{20}$' END"
    )


class SelfBilling(Table, db=DB, tablename="self_billing"):
    """That a trainer agrees that the programme makes out their invoices, under these details, until it ends.

    One at a time: `one_self_billing_at_a_time` (migrations).
    """

    id = key()
    trainer = foreign(Trainer)
    name = text(120)
    street = text(120)
    postcode = text(7)
    place = text(80)
    kvk = text(8)
    vat_id = text(14)
    agreed_at = moment()
    agreed_by = identifier(optional=True)
    ended_at = moment(optional=True)

    self_billing_kvk_has_eight_digits = Check("kvk ~ '^[0-9]{8}$'")
    self_billing_has_a_vat_number = Check("vat_id ~ '^NL[0-9]{9}B[0-9]{2}$'")
    self_billing_ends_after_start = Check("ended_at IS NULL OR ended_at >= agreed_at")


class Invoice(Table, db=DB, tablename="invoice"):
    """What a trainer earned for oneself in a month, made out by the programme (art. 224 VAT directive). Never changed.

    Amounts include VAT: gross = net + VAT. A credit note is a month in which more came back than was earned: its amounts
    are below zero. `buyer`: the programme as it was then; the supplier is in the agreement.
    """

    id = key()
    trainer = foreign(Trainer, index=False)
    agreement = foreign(SelfBilling)
    number = whole()
    kind = text(20)
    month = day()
    issued_on = day()
    issued_at = moment()
    buyer = document()
    gross_cents = cents()
    net_cents = cents()
    vat_cents = cents()

    invoice_numbered_once = Unique([trainer, number])
    one_invoice_a_month = Unique([trainer, month])
    invoice_kind_is_known = Check(one_of("kind", INVOICE_KINDS))
    invoice_number_counts = Check("number > 0")
    invoice_of_a_whole_month = Check("EXTRACT(day FROM month) = 1 AND issued_on > month + interval '1 month'")
    invoice_adds_up = Check("gross_cents = net_cents + vat_cents AND (kind = 'credit_note') = (gross_cents < 0)")


class InvoiceLineRow(Table, db=DB, tablename="invoice_line"):
    """A line of an invoice: `position` counts from 1; `corrects`: the number of the invoice that it corrects."""

    id = key()
    invoice = foreign(Invoice, index=False)
    position = whole()
    kind = text(20)
    session = foreign(CourseSession, optional=True)
    first_on = day(optional=True)
    last_on = day(optional=True)
    treatment = text(20)
    legal_basis = text(200, optional=True)
    gross_cents = cents()
    net_cents = cents()
    vat_cents = cents()
    corrects = whole(optional=True)

    invoice_line_once = Unique([invoice, position])
    invoice_line_kind_is_known = Check(one_of("kind", LINE_KINDS))
    invoice_line_treatment_is_known = Check(one_of("treatment", VAT_TREATMENTS))
    invoice_line_adds_up = Check("gross_cents = net_cents + vat_cents")
