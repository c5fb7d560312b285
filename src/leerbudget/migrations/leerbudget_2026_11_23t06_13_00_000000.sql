-- Caught up by e-learning there is no meeting: one row per booking and person.
ALTER TABLE attendance DROP CONSTRAINT attendance_once;
ALTER TABLE attendance ADD CONSTRAINT attendance_once UNIQUE NULLS NOT DISTINCT (booking, meeting, person);

-- A meeting counts once for a person: who was at it does not catch it up, and who catches it up was not at it.
CREATE UNIQUE INDEX one_presence_per_meeting ON attendance (booking, person, coalesce(instead_of, meeting))
  WHERE live AND (state = 'present' OR (instead_of IS NOT NULL AND state <> 'absent'));
