"""Columns and named constraints of wishes, availability and learning preferences.

The private text of a wish lives in its own table, so that no list of wishes can carry it along (R31, R79).
"""

from piccolo.columns import Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from leerbudget.catalogue.rules import THEMES
from leerbudget.foundation.columns import document, flag, foreign, key, moment, one_of, text, whole, words
from leerbudget.foundation.database import DB
from leerbudget.people.tables import Family, Person
from leerbudget.wishes.rules import CHILDCARE_NEEDS, WISH_STATES


class WeekAvailability(Table, db=DB, tablename="week_availability"):
    """The day-parts on which a person can come: 21 bits, Monday morning first (requirements 4.5)."""

    id = key()
    person = foreign(Person, index=False)
    week = text(21)
    changed_at = moment()

    one_week_per_person = Unique([person])
    week_has_21_day_parts = Check("week ~ '^[01]{21}$'")


class AvailabilityException(Table, db=DB, tablename="availability_exception"):
    """A time on which a person cannot come after all. There is no reason field, on purpose (R93)."""

    id = key()
    person = foreign(Person)
    starts_at = moment()
    ends_at = moment()

    exception_ends_after_start = Check("ends_at > starts_at")


class LearningPreference(Table, db=DB, tablename="learning_preference"):
    """How far, how often and how: one row per family, or per professional who joins dialogues.

    `travel_minutes_max`: {mode: minutes one way}; `childcare`: {age band: children}.
    """

    id = key()
    family = foreign(Family, optional=True, index=False)
    professional = foreign(Person, optional=True, index=False)
    postcode4 = text(4)
    travel_minutes_max = document()
    online_ok = flag(default=False)
    max_placements = whole(default=2)
    childcare_need = text(20)
    childcare = document()
    changed_at = moment()

    one_preference_per_family = Unique([family])
    one_preference_per_professional = Unique([professional])
    preference_has_one_owner = Check("(family IS NULL) <> (professional IS NULL)")
    childcare_need_is_known = Check(one_of("childcare_need", CHILDCARE_NEEDS))
    max_placements_within_bounds = Check("max_placements BETWEEN 1 AND 10")
    preference_postcode_has_four_digits = Check("postcode4 ~ '^[1-9][0-9]{3}$'")


class Wish(Table, db=DB, tablename="wish"):
    """What somebody wants to learn. Without a family it is a professional's wish to join a dialogue."""

    id = key()
    family = foreign(Family, optional=True)
    stated_by = foreign(Person)
    theme = text(40)
    forms = words(optional=True)
    rank = whole(default=1)
    urgent = flag(default=False)
    state = text(20)
    waiting_rounds = whole(default=0)
    stated_at = moment()
    changed_at = moment()

    wish_theme_is_known = Check(one_of("theme", THEMES))
    wish_state_is_known = Check(one_of("state", WISH_STATES))
    wish_rank_within_bounds = Check("rank BETWEEN 1 AND 99")


class WishPerson(Table, db=DB, tablename="wish_person"):
    """Who goes: all of them together, or nobody."""

    id = key()
    wish = foreign(Wish, index=False)
    person = foreign(Person)

    wish_person_once = Unique([wish, person])


class WishText(Table, db=DB, tablename="wish_text"):
    """The private words behind a wish; only the person who wrote them reads them."""

    id = key()
    wish = foreign(Wish, index=False)
    situation = Text(default=None, null=False)
    wants_to_learn = Text(default=None, null=False)

    one_text_per_wish = Unique([wish])
    wish_text_is_bounded = Check("length(situation) <= 2000 AND length(wants_to_learn) <= 2000")
