"""Meetings on days on which nobody who goes has something else (R53: the daily rhythm)."""

from leerbudget.matcher.criteria.criterion import PERMILLE, Case, Criterion, Facts, Whole


def points(facts: Facts, weight: int) -> Whole:
    """The share of meetings on calm days."""
    return facts.calm_share * weight // PERMILLE


def sentence(case: Case) -> str:
    """How many meetings fall on calm days."""
    if case.meetings == 0:
        return "U volgt dit op uw eigen moment."
    if case.calm_meetings == case.meetings:
        return "De tijden passen in uw week, op dagen waarop u verder niets heeft opgegeven."
    return (
        f"De tijden passen in uw week; {case.calm_meetings} van de {case.meetings} bijeenkomsten "
        "zijn op een dag waarop u verder niets heeft opgegeven."
    )


CRITERION = Criterion("schedule", "Dagen en tijden", 10, points, sentence)
