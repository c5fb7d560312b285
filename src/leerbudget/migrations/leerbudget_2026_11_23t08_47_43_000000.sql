-- What was written down about VAT and what was issued stays; an agreement can end, billing details can change.
CREATE TRIGGER vat_treatment_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON vat_treatment
  FOR EACH STATEMENT EXECUTE FUNCTION never_change();
CREATE TRIGGER invoice_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice
  FOR EACH STATEMENT EXECUTE FUNCTION never_change();
CREATE TRIGGER invoice_line_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice_line
  FOR EACH STATEMENT EXECUTE FUNCTION never_change();
REVOKE UPDATE, DELETE, TRUNCATE ON vat_treatment, invoice, invoice_line, self_billing, billing_details
  FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (ended_at) ON self_billing TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (street, postcode, place, register, number, buyer_reference, set_at, set_by) ON billing_details
  TO leerbudget_app, leerbudget_worker;

-- Nobody agrees twice at once.
CREATE UNIQUE INDEX one_self_billing_at_a_time ON self_billing (trainer) WHERE ended_at IS NULL;
