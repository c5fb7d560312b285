-- Seats of who catches up a meeting count when seats are taken.
ALTER TABLE course_session DROP CONSTRAINT seats_within_capacity;
ALTER TABLE course_session ADD CONSTRAINT seats_within_capacity
  CHECK (seats_taken >= 0 AND catch_up_seats >= 0 AND seats_taken + catch_up_seats <= seats_max);

-- A person catches up one meeting of a booking, once.
CREATE UNIQUE INDEX one_catch_up_per_person ON attendance (booking, person) WHERE live AND instead_of IS NOT NULL;
-- Who else is there, beside those who booked the session.
CREATE INDEX attendance_catching_up ON attendance (meeting) WHERE live AND instead_of IS NOT NULL;

-- That a meeting did not take place is never forgotten.
REVOKE UPDATE, DELETE, TRUNCATE ON cancelled_meeting FROM leerbudget_app, leerbudget_worker;
