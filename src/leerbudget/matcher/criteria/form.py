"""The form of learning the seeker likes best."""

from leerbudget.matcher.criteria.criterion import Case, Criterion, Facts, Whole
from leerbudget.matcher.vocabulary import FORM_NL


def points(facts: Facts, weight: int) -> Whole:
    """The whole weight for a wished form, or when every form is fine."""
    return facts.form_liked * weight


def sentence(case: Case) -> str | None:
    """Whether the form is a wished one; nothing when there was no preference."""
    if not case.has_form_preference:
        return None
    if case.form_liked:
        return f"De vorm is er een die u koos: {FORM_NL[case.form]}."
    return f"De vorm is {FORM_NL[case.form]}; u had liever een andere vorm."


CRITERION = Criterion("form", "Vorm", 15, points, sentence)
