-- The waiting list: nobody waits twice for a course; who waits is found by course, what was offered by its booking.

CREATE UNIQUE INDEX one_place_in_line_per_person ON waiting_person (person, course) WHERE live;
CREATE INDEX waiting_line ON waiting_entry (course) WHERE state = 'waiting';

-- A booking may come from the waiting list.
ALTER TABLE booking DROP CONSTRAINT booking_origin_is_known;
ALTER TABLE booking ADD CONSTRAINT booking_origin_is_known
  CHECK (origin IN ('direct', 'round', 'coordinator', 'waiting'));

-- Who waits, for what and since when never changes, and nothing is forgotten.
REVOKE DELETE, TRUNCATE ON waiting_entry, waiting_person, waiting_try FROM leerbudget_app, leerbudget_worker;
REVOKE UPDATE ON waiting_entry, waiting_person, waiting_try FROM leerbudget_app, leerbudget_worker;
GRANT UPDATE (state, booking, ended_at) ON waiting_entry TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (live) ON waiting_person TO leerbudget_app, leerbudget_worker;
GRANT UPDATE (refused, tried_at) ON waiting_try TO leerbudget_app, leerbudget_worker;
