-- When a family was reminded of an offer belongs to the life of a booking.
GRANT UPDATE (reminded_at) ON booking TO leerbudget_app, leerbudget_worker;
