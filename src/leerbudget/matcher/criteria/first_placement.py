"""Everybody one place before anybody a second one, and who waited goes first (idea 17: fair carry-over).

A bonus per seeker served at least once, not per placement. It is larger than the most points one
placement can have, so that in the sum a first place wins from a second one.
"""

from leerbudget.matcher.instance import Seeker

NAME = "first_placement"
WAITING = "waiting_round"
LABEL_NL = "Eerste plek"
WEIGHT = 500
WEIGHT_PER_WAITING_ROUND = 100


def bonus(seeker: Seeker, weights: dict[str, int]) -> int:
    """What serving this seeker at least once adds to the score."""
    return weights[NAME] + weights[WAITING] * seeker.waiting_rounds


def sentence(waiting_rounds: int) -> str:
    """Why this seeker had priority for a first place."""
    if waiting_rounds == 0:
        return "Iedereen krijgt eerst één plek, voordat iemand een tweede krijgt."
    rounds = "1 ronde" if waiting_rounds == 1 else f"{waiting_rounds} rondes"
    return f"U wachtte al {rounds}. Daarom ging u voor."
