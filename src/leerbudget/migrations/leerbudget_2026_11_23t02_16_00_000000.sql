-- For whom a trainer worked is not forgotten: what was settled can be computed again.
REVOKE UPDATE, DELETE, TRUNCATE ON trainer_employer FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (organisation, noted_at, noted_by) ON trainer_employer TO leerbudget_app, leerbudget_worker;

-- What a trainer earned in a month goes to the organisation that the trainer works for.
ALTER TABLE transfer DROP CONSTRAINT transfer_kind_is_known;
ALTER TABLE transfer ADD CONSTRAINT transfer_kind_is_known
  CHECK (kind IN ('top_up', 'grant', 'grant_return', 'carry_over', 'booking', 'fee_return', 'settlement', 'correction'));
