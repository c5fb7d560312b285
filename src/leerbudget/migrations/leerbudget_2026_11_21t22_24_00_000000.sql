-- Who opens an account may not also fill it: the counters start at zero and only the ledger's trigger moves them.
REVOKE INSERT ON account FROM leerbudget_app, leerbudget_worker;
GRANT INSERT (id, kind, owner, constrained, opened_at) ON account TO leerbudget_app, leerbudget_worker;

-- A top-up, a budget or a hold that was written keeps its amount and its owner; only its state moves on.
REVOKE UPDATE ON budget, budget_hold, top_up FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (state) ON budget TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, received_on, confirmed_at, confirmed_by) ON top_up TO leerbudget_app, leerbudget_worker;
