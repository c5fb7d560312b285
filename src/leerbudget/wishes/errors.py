"""What can be refused about wishes and availability."""

from leerbudget.foundation.errors import Conflict, InvalidInput, NotFound


class WishNotPossible(InvalidInput):
    """Something about a wish cannot be. `problems`: [{"wish", "path", "code", "message"}]."""

    code = "wish_not_possible"
    message_nl = "Aan deze wens klopt iets niet."
    constraint = ("wish_theme_is_known", "wish_state_is_known", "wish_rank_within_bounds", "wish_text_is_bounded")


class WishStepNotAllowed(Conflict):
    """A wish cannot go from its state to that one (requirements 4.7). `wishes` says which ones."""

    code = "wish_step_not_allowed"
    message_nl = "Dit kan nu niet met deze wens."


class WishFixed(Conflict):
    """There is a proposal or a place for the wish, or it is over: it does not change any more."""

    code = "wish_fixed"
    message_nl = "Deze wens kunt u nu niet veranderen."


class PersonTwice(InvalidInput):
    """The same person goes twice, or a wish has two private texts."""

    code = "person_twice"
    message_nl = "Iedereen gaat één keer mee."
    constraint = ("wish_person_once", "one_text_per_wish")


class WeekNotValid(InvalidInput):
    """Not 21 day-parts of 0 or 1."""

    code = "week_not_valid"
    message_nl = "Een week heeft 21 dagdelen."
    constraint = ("week_has_21_day_parts", "one_week_per_person")


class ExceptionNotValid(InvalidInput):
    """A time that ends before it begins, or without a zone."""

    code = "exception_not_valid"
    message_nl = "De tijd eindigt na het begin."
    constraint = "exception_ends_after_start"


class PreferenceNotValid(InvalidInput):
    """A way of learning that cannot be. `problems`: [{"path", "code", "message"}]."""

    code = "preference_not_valid"
    message_nl = "Aan uw voorkeuren klopt iets niet."
    constraint = (
        "preference_has_one_owner",
        "childcare_need_is_known",
        "max_placements_within_bounds",
        "preference_postcode_has_four_digits",
        "one_preference_per_family",
        "one_preference_per_professional",
    )


class WishUnknown(NotFound):
    """There is no such wish, or it is not the asker's to see (both look the same)."""

    code = "wish_unknown"
    message_nl = "Deze wens is er niet, of u mag hem niet zien."
    constraint = ("wish_person_wish_fkey", "wish_text_wish_fkey")


class LearnerUnknown(NotFound):
    """The family or person that was named does not exist."""

    code = "learner_unknown"
    message_nl = "Dit gezin of deze persoon kennen we niet."
    constraint = (
        "wish_family_fkey",
        "wish_stated_by_fkey",
        "wish_person_person_fkey",
        "week_availability_person_fkey",
        "availability_exception_person_fkey",
        "learning_preference_family_fkey",
        "learning_preference_professional_fkey",
    )
