"""Columns and named constraints of the trainer pool."""

from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.foundation.columns import day, foreign, identifier, key, moment, one_of, text, words
from leerbudget.foundation.database import DB
from leerbudget.people.tables import Organisation, Person
from leerbudget.trainers.rules import TRAINER_STATES


class Trainer(Table, db=DB, tablename="trainer"):
    """A member of the trainer pool (R55) with the certificate of conduct that must hold on every meeting date (R56)."""

    id = key()
    external_ref = text(60)
    person = foreign(Person, index=False)
    themes = words()
    region = text(80)
    state = text(20)
    certificate_valid_until = day(optional=True)
    created_at = moment()

    trainer_ref_once = Unique([external_ref])
    trainer_person_once = Unique([person])
    trainer_state_is_known = Check(one_of("state", TRAINER_STATES))
    admitted_with_certificate = Check("state <> 'admitted' OR certificate_valid_until IS NOT NULL")


class TrainerEmployer(Table, db=DB, tablename="trainer_employer"):
    """For whom a trainer works from a month on (NULL: for oneself): who is host, and gets what the trainer earns (R05).

    `from_month` is the first day of the month. No row: for oneself. A month that has begun keeps what it says, so
    that what was settled can always be computed again.
    """

    id = key()
    trainer = foreign(Trainer, index=False)
    organisation = foreign(Organisation, optional=True)
    from_month = day()
    noted_at = moment()
    noted_by = identifier(optional=True)

    one_employer_a_month = Unique([trainer, from_month])
    employer_from_a_first_day = Check("EXTRACT(day FROM from_month) = 1")
    employer_never_from_before = Check(
        "from_month >= date_trunc('month', noted_at AT TIME ZONE 'Europe/Amsterdam')::date"
    )
