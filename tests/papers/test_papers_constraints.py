"""Every named constraint of the papers refuses, under its own name, with its own error."""

import asyncpg
import pytest

import world
from ledger.bookkeeping import an_organisation
from ledger.test_constraints import places
from leerbudget.foundation.errors import LeerbudgetError
from leerbudget.papers.errors import (
    BilledUnknown,
    BillingKnown,
    InvoiceKnown,
    InvoiceUnknown,
    SelfBillingKnown,
    SelfBillingOpen,
    SupplierUnknown,
    TreatedUnknown,
    TreatmentKnown,
    TreatmentTooLate,
    UnusableBilling,
    UnusableInvoice,
    UnusableSelfBilling,
    UnusableTreatment,
)

TABLES = ("vat_treatment", "billing_details", "self_billing", "invoice", "invoice_line")

VAT = "INSERT INTO vat_treatment (id, course, trainer, treatment, legal_basis, evidence, valid_from, set_at) VALUES "
BILLING = "INSERT INTO billing_details (id, organisation, street, postcode, place, register, number, set_at) VALUES "
AGREEMENT = (
    "INSERT INTO self_billing (id, trainer, name, street, postcode, place, kvk, vat_id, agreed_at, ended_at) VALUES "
)
INVOICE = (
    "INSERT INTO invoice (id, trainer, agreement, number, kind, month, issued_on, issued_at, buyer,"
    " gross_cents, net_cents, vat_cents) VALUES "
)
LINE = "INSERT INTO invoice_line (id, invoice, position, kind, session, treatment, gross_cents, net_cents, vat_cents) VALUES "
WHERE = "'N', 'S 1', '1234 AB', 'P'"
RIGHT = "'12345678', 'NL123456782B90', now(), NULL"
NOW = "'2027-03-01', '2027-03-15T12:00Z'"
FEBRUARY = "'2027-02-01', '2027-03-02', now(), '{{}}'"

STAGE = (
    f"{VAT} ({{h1}}, {{course}}, {{trainer}}, 'standard_21', NULL, 'x', {NOW});"
    f"{BILLING} ({{h1}}, {{org}}, 'S 1', '1234 AB', 'P', 'kvk', '12345678', now());"
    f"{AGREEMENT} ({{h1}}, {{trainer}}, {WHERE}, {RIGHT});"
    f"{INVOICE} ({{h1}}, {{trainer}}, {{h1}}, 1, 'invoice', '2027-01-01', '2027-02-02', now(), '{{{{}}}}', 121, 100, 21);"
    f"{LINE} ({{h1}}, {{h1}}, 1, 'course', NULL, 'standard_21', 121, 100, 21);"
)

CASES = [
    ("vat_treatment_pkey", TreatmentKnown, VAT + "({h1}, {course}, {trainer}, 'standard_21', NULL, 'x', " + NOW + ")"),
    ("vat_treatment_is_known", UnusableTreatment, VAT + "({new}, {course}, {trainer}, 'reduced', NULL, 'x', " + NOW + ")"),
    ("exemption_names_its_basis", UnusableTreatment, VAT + "({new}, {course}, {trainer}, 'exempt', NULL, 'x', " + NOW + ")"),
    ("exemption_names_its_basis", UnusableTreatment, VAT + "({new}, {course}, {trainer}, 'standard_21', 'a', 'x', " + NOW + ")"),
    ("vat_never_from_before", TreatmentTooLate, VAT + "({new}, {course}, {trainer}, 'standard_21', NULL, 'x', '2027-02-28', '2027-02-28T23:30Z')"),
    ("vat_treatment_course_fkey", TreatedUnknown, VAT + "({new}, {none}, {trainer}, 'standard_21', NULL, 'x', " + NOW + ")"),
    ("vat_treatment_trainer_fkey", TreatedUnknown, VAT + "({new}, {course}, {none}, 'standard_21', NULL, 'x', " + NOW + ")"),
    ("billing_details_pkey", BillingKnown, BILLING + "({h1}, {none}, 'S', '1234 AB', 'P', 'kvk', '12345678', now())"),
    ("one_billing_per_organisation", BillingKnown, BILLING + "({new}, {org}, 'S', '1234 AB', 'P', 'kvk', '12345678', now())"),
    ("billing_register_is_known", UnusableBilling, "UPDATE billing_details SET register = 'kbo', number = '" + "1" * 20 + "'"),
    ("billing_number_has_its_length", UnusableBilling, "UPDATE billing_details SET number = '1234567'"),
    ("billing_number_has_its_length", UnusableBilling, "UPDATE billing_details SET register = 'oin'"),
    ("billing_details_organisation_fkey", BilledUnknown, BILLING + "({new}, {none}, 'S', '1234 AB', 'P', 'kvk', '12345678', now())"),
    ("self_billing_pkey", SelfBillingKnown, AGREEMENT + "({h1}, {other}, " + WHERE + ", " + RIGHT + ")"),
    ("one_self_billing_at_a_time", SelfBillingOpen, AGREEMENT + "({new}, {trainer}, " + WHERE + ", " + RIGHT + ")"),
    ("self_billing_kvk_has_eight_digits", UnusableSelfBilling, AGREEMENT + "({new}, {other}, " + WHERE + ", '1234567', 'NL123456782B90', now(), NULL)"),
    ("self_billing_has_a_vat_number", UnusableSelfBilling, AGREEMENT + "({new}, {other}, " + WHERE + ", '12345678', 'NL1', now(), NULL)"),
    ("self_billing_ends_after_start", UnusableSelfBilling, "UPDATE self_billing SET ended_at = agreed_at - interval '1 second'"),
    ("self_billing_trainer_fkey", SupplierUnknown, AGREEMENT + "({new}, {none}, " + WHERE + ", " + RIGHT + ")"),
    ("invoice_pkey", InvoiceKnown, INVOICE + "({h1}, {trainer}, {h1}, 2, 'invoice', " + FEBRUARY + ", 121, 100, 21)"),
    ("invoice_numbered_once", InvoiceKnown, INVOICE + "({new}, {trainer}, {h1}, 1, 'invoice', " + FEBRUARY + ", 121, 100, 21)"),
    ("one_invoice_a_month", InvoiceKnown, INVOICE + "({new}, {trainer}, {h1}, 2, 'invoice', '2027-01-01', '2027-02-03', now(), '{{}}', 121, 100, 21)"),
    ("invoice_kind_is_known", UnusableInvoice, INVOICE + "({new}, {trainer}, {h1}, 2, 'bill', " + FEBRUARY + ", 121, 100, 21)"),
    ("invoice_number_counts", UnusableInvoice, INVOICE + "({new}, {trainer}, {h1}, 0, 'invoice', " + FEBRUARY + ", 121, 100, 21)"),
    ("invoice_of_a_whole_month", UnusableInvoice, INVOICE + "({new}, {trainer}, {h1}, 2, 'invoice', '2027-02-01', '2027-03-01', now(), '{{}}', 121, 100, 21)"),
    ("invoice_of_a_whole_month", UnusableInvoice, INVOICE + "({new}, {trainer}, {h1}, 2, 'invoice', '2027-02-02', '2027-04-01', now(), '{{}}', 121, 100, 21)"),
    ("invoice_adds_up", UnusableInvoice, INVOICE + "({new}, {trainer}, {h1}, 2, 'invoice', " + FEBRUARY + ", 121, 100, 20)"),
    ("invoice_adds_up", UnusableInvoice, INVOICE + "({new}, {trainer}, {h1}, 2, 'credit_note', " + FEBRUARY + ", 121, 100, 21)"),
    ("invoice_adds_up", UnusableInvoice, INVOICE + "({new}, {trainer}, {h1}, 2, 'invoice', " + FEBRUARY + ", -121, -100, -21)"),
    ("invoice_trainer_fkey", SupplierUnknown, INVOICE + "({new}, {none}, {h1}, 2, 'invoice', " + FEBRUARY + ", 121, 100, 21)"),
    ("invoice_agreement_fkey", InvoiceUnknown, INVOICE + "({new}, {trainer}, {none}, 2, 'invoice', " + FEBRUARY + ", 121, 100, 21)"),
    ("invoice_line_pkey", InvoiceKnown, LINE + "({h1}, {h1}, 2, 'course', NULL, 'standard_21', 121, 100, 21)"),
    ("invoice_line_once", InvoiceKnown, LINE + "({new}, {h1}, 1, 'course', NULL, 'standard_21', 121, 100, 21)"),
    ("invoice_line_kind_is_known", UnusableInvoice, LINE + "({new}, {h1}, 2, 'gift', NULL, 'standard_21', 121, 100, 21)"),
    ("invoice_line_treatment_is_known", UnusableInvoice, LINE + "({new}, {h1}, 2, 'course', NULL, 'reduced', 121, 100, 21)"),
    ("invoice_line_adds_up", UnusableInvoice, LINE + "({new}, {h1}, 2, 'course', NULL, 'standard_21', 121, 100, 20)"),
    ("invoice_line_invoice_fkey", InvoiceUnknown, LINE + "({new}, {none}, 2, 'course', NULL, 'standard_21', 121, 100, 21)"),
    ("invoice_line_session_fkey", UnusableInvoice, LINE + "({new}, {h1}, 2, 'course', {none}, 'standard_21', 121, 100, 21)"),
]  # fmt: skip

BY_INDEX = {"one_self_billing_at_a_time"}


@pytest.fixture
async def stage(world_db, admin):
    """One of everything, and a superuser who may try anything on it."""
    (trainer, _), (other, _) = await world.a_trainer(), await world.a_trainer()
    ids = {"org": await an_organisation(), "course": await world.a_course(), "trainer": trainer, "other": other}
    filled = places(**ids)
    await admin.execute(STAGE.format(**filled))
    return admin, filled


async def test_every_constraint_refuses_with_its_own_error(stage):
    """Each case fires exactly the constraint it names, and callers hear that constraint's error class."""
    admin, filled = stage
    for constraint, error, sql in CASES:
        with pytest.raises(asyncpg.PostgresError) as refused:
            async with admin.transaction():
                await admin.execute(sql.format(**filled))
        fired = refused.value.constraint_name
        assert (fired, LeerbudgetError.for_constraint(fired)) == (constraint, error), sql


async def test_no_constraint_is_left_out(stage):
    """The cases cover every check, unique, primary and foreign key of these tables, and no error claims another."""
    admin, _ = stage
    rows = await admin.fetch(
        "SELECT conname FROM pg_constraint WHERE contype IN ('c', 'u', 'p', 'f', 'x') AND conrelid = ANY($1::regclass[])",
        list(TABLES),
    )
    named = {constraint for constraint, _, _ in CASES}
    assert {row["conname"] for row in rows} | BY_INDEX == named
    own = {
        name
        for name in LeerbudgetError.claimed_constraints()
        if LeerbudgetError.for_constraint(name).__module__ == "leerbudget.papers.errors"
    }
    assert own == named
