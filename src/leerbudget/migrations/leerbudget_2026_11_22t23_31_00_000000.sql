-- What was asked, by whom and for how much never changes; only the decision is added. Nothing is forgotten.
REVOKE DELETE, TRUNCATE ON grant_limit, grant_day, grant_request FROM leerbudget_app, leerbudget_worker;
REVOKE UPDATE ON grant_limit, grant_day, grant_request FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (limit_cents, set_at) ON grant_limit TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (granted_cents) ON grant_day TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, decided_by, decided_at, reason) ON grant_request TO leerbudget_app, leerbudget_worker;
