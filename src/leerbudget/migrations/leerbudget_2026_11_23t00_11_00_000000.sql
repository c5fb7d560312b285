-- What was asked, by whom and for how much never changes; only the decision is added. Nothing is forgotten.
REVOKE DELETE, TRUNCATE ON grant_limit, grant_day, grant_request FROM leerbudget_app, leerbudget_worker;
REVOKE UPDATE ON grant_limit, grant_day, grant_request FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (limit_cents, set_at) ON grant_limit TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (granted_cents) ON grant_day TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, decided_by, decided_at, reason) ON grant_request TO leerbudget_app, leerbudget_worker;

-- A policy and its cohort stay what they were.
REVOKE UPDATE, DELETE, TRUNCATE ON grant_policy, cohort_family FROM leerbudget_app, leerbudget_worker;

-- A family is in one cohort of an organisation at a time. A range of ids stands for equality: the extension that
-- gives GiST plain equality is not in the embedded server.
CREATE TYPE uuid_range AS RANGE (subtype = uuid);
ALTER TABLE cohort_family ADD CONSTRAINT one_cohort_at_a_time
  EXCLUDE USING gist (uuid_range(organisation, organisation, '[]') WITH &&, uuid_range(family, family, '[]') WITH &&,
                      daterange(starts_on, ends_on, '[]') WITH &&);

-- What is left of a budget may go on to the budget of the next period.
ALTER TABLE transfer DROP CONSTRAINT transfer_kind_is_known;
ALTER TABLE transfer ADD CONSTRAINT transfer_kind_is_known
  CHECK (kind IN ('top_up', 'grant', 'grant_return', 'carry_over', 'booking', 'fee_return', 'correction'));
