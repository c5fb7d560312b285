"""Columns and named constraints of the trainer pool."""

from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.foundation.columns import day, foreign, key, moment, one_of, text, words
from leerbudget.foundation.database import DB
from leerbudget.people.tables import Person
from leerbudget.trainers.rules import TRAINER_STATES


class Trainer(Table, db=DB, tablename="trainer"):
    """A member of the trainer pool (R55) with the certificate of conduct that must hold on every meeting date (R56)."""

    id = key()
    external_ref = text(60)
    person = foreign(Person)
    themes = words()
    region = text(80)
    state = text(20)
    certificate_valid_until = day(optional=True)
    created_at = moment()

    trainer_ref_once = Unique([external_ref])
    trainer_person_once = Unique([person])
    trainer_state_is_known = Check(one_of("state", TRAINER_STATES))
    admitted_with_certificate = Check("state <> 'admitted' OR certificate_valid_until IS NOT NULL")
