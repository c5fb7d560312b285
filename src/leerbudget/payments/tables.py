"""Columns and named constraints of top-ups."""

from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.foundation.columns import cents, day, foreign, identifier, key, moment, one_of, text
from leerbudget.foundation.database import DB
from leerbudget.payments.rules import TOP_UP_STATES
from leerbudget.people.tables import Organisation


class TopUp(Table, db=DB, tablename="top_up"):
    """Money an organisation transfers by bank under an ISO 11649 reference; somebody else confirms its arrival."""

    id = key()
    organisation = foreign(Organisation)
    amount_cents = cents()
    reference = text(25)
    purchase_order = text(60, optional=True)
    state = text(20)
    requested_at = moment()
    requested_by = identifier(optional=True)
    received_on = day(optional=True)
    confirmed_at = moment(optional=True)
    confirmed_by = identifier(optional=True)

    top_up_reference_once = Unique([reference])
    top_up_state_is_known = Check(one_of("state", TOP_UP_STATES))
    top_up_within_bounds = Check("amount_cents BETWEEN 5000 AND 25000000000")
    four_eyes = Check("confirmed_by IS NULL OR requested_by IS NULL OR confirmed_by <> requested_by")
    confirmed_top_up_has_arrived = Check(
        "state <> 'confirmed' OR (received_on IS NOT NULL AND confirmed_at IS NOT NULL)"
    )
