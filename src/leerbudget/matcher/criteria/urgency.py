"""A wish that cannot wait goes before one that can (R34)."""

from leerbudget.matcher.criteria.criterion import Case, Criterion, Facts, Whole


def points(facts: Facts, weight: int) -> Whole:
    """The whole weight for an urgent wish."""
    return facts.urgent * weight


def sentence(case: Case) -> str | None:
    """Only said when there is haste."""
    return "U gaf aan dat deze wens haast heeft." if case.urgent else None


CRITERION = Criterion("urgency", "Haast", 60, points, sentence)
