-- Seats that nobody pays for are seats that others do not get: a family pays for one, or gives it up, before it asks for another.
CREATE UNIQUE INDEX one_unpaid_seat_per_family ON booking (family)
  WHERE state = 'offered' AND own_cents > 0 AND own_paid_at IS NULL;
