"""An offer made for this much experience (R18)."""

from leerbudget.matcher.criteria.criterion import Case, Criterion, Facts, Whole
from leerbudget.matcher.vocabulary import FACET_VALUE_NL, Facet

FACET = Facet.EXPERIENCE
ROW = list(Facet).index(FACET)


def points(facts: Facts, weight: int) -> Whole:
    """The whole weight when the offer says `for` of the seeker's experience; none for `suits`. `not_for` is a hard rule."""
    shared: Whole = facts.made_for[ROW] * weight
    return shared


def sentence(case: Case) -> str | None:
    """For whom it was made, when that is this seeker."""
    names = [FACET_VALUE_NL[value] for value in case.made_for.get(FACET, [])]
    return f"Het is speciaal voor {' en '.join(names)}." if names else None


CRITERION = Criterion("experience", "Ervaring", 10, points, sentence)
