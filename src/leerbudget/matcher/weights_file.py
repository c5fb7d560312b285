"""A file with weights for a round, and the words to publish them with (docs/gewichten.md).

The file is one JSON object: the name of a weight and its points, such as `{"travel": 60}`. What it does not
name keeps its default.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from leerbudget.matcher.criteria import first_placement
from leerbudget.matcher.criteria.travel import ONLINE_PERMILLE
from leerbudget.matcher.criteria.weights import CRITERIA, DEFAULTS
from leerbudget.matcher.criteria.wish_rank import PERCENT_BY_RANK
from leerbudget.matcher.errors import InstanceRefused

WEIGHT_MOST = 100_000
"""The most points a weight can have, as in `instance.Policy`."""

BONUSES_NL = {
    first_placement.NAME: first_placement.LABEL_NL,
    first_placement.WAITING: "Elke ronde dat u wachtte",
}
SHARES = [int(percent) for percent in PERCENT_BY_RANK[1:]]
MEANING_NL = {
    "wish_rank": (
        "De plek past bij een wens die hoog op uw lijst staat.",
        f"Wens 1: {SHARES[0]} %, daarna {', '.join(str(s) for s in SHARES[1:-1])} %. Wens {len(SHARES)} en verder: {SHARES[-1]} %.",
    ),
    "urgency": ("U gaf aan dat de wens haast heeft.", "Haast: alle punten. Anders: 0."),
    "travel": (
        "U hoeft minder ver te reizen dan de grens die u zelf opgaf.",
        f"Het deel van uw grens dat u niet nodig heeft. Online: {ONLINE_PERMILLE // 10} %.",
    ),
    "schedule": (
        "De bijeenkomsten zijn op dagen waarop u verder niets heeft opgegeven.",
        "Het deel van de bijeenkomsten op zulke dagen.",
    ),
    "family_type": ("Het aanbod is speciaal voor uw soort pleeggezin.", "Speciaal: alle punten. Anders: 0."),
    "care_form": ("Het aanbod is speciaal voor de pleegzorg die u geeft.", "Speciaal: alle punten. Anders: 0."),
    "experience": ("Het aanbod is speciaal voor uw ervaring.", "Speciaal: alle punten. Anders: 0."),
    "child_age": ("Het aanbod gaat over kinderen van de leeftijd in uw gezin.", "Speciaal: alle punten. Anders: 0."),
    "form": ("De vorm is er een die u koos.", "Gekozen vorm, of geen voorkeur: alle punten. Anders: 0."),
    "first_placement": ("Uw gezin krijgt ten minste één plek.", "Eén keer per gezin, niet per plek."),
    "waiting_round": (
        "Uw gezin wachtte al een of meer rondes op een plek.",
        "Per ronde, boven op de punten voor de eerste plek.",
    ),
}
"""Per weight: what it rewards, and how much of it a placement gets."""


def read_weights(data: bytes) -> dict[str, int]:
    """The weights in the bytes of a file, to put in the policy of an instance.

    Raises:
        InstanceRefused: not one JSON object, a name twice or unknown, or no whole number from 0 to 100,000.
    """
    try:
        plain = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        if isinstance(error, InstanceRefused):
            raise
        raise InstanceRefused("$", f"these weights are not sound JSON: {error}") from None
    if not isinstance(plain, dict):
        raise InstanceRefused("$", 'weights are one JSON object, such as {"travel": 60}')
    for name, value in plain.items():
        if name not in DEFAULTS:
            raise InstanceRefused(f"$.{name[:60]}", f"no such weight; there are {', '.join(DEFAULTS)}")
        if type(value) is not int or not 0 <= value <= WEIGHT_MOST:
            raise InstanceRefused(f"$.{name}", f"a whole number from 0 to {WEIGHT_MOST} was expected")
    return plain


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise InstanceRefused(f"$.{name[:60]}", "this name is there twice")
        found[name] = value
    return found


def _no_number(text: str) -> None:
    raise InstanceRefused("$", f"{text} is not a number here")


def most_of_one_placement(weights: Mapping[str, int]) -> int:
    """The most points one placement can have, the bonus for a first place left out."""
    return sum(weights[criterion.name] for criterion in CRITERIA)


def first_place_wins(weights: Mapping[str, int]) -> bool:
    """Whether a seat always brings more points as somebody's first place than as somebody's further one.

    `weights` are all weights, defaults included.
    """
    return weights[first_placement.NAME] > most_of_one_placement(weights)


def warnings_nl(weights: Mapping[str, int]) -> list[str]:
    """What to say aloud when these weights are published; nothing when the order of the defaults holds."""
    warnings = []
    if not first_place_wins(weights):
        warnings.append(
            f"Eén plek telt met deze gewichten tot {most_of_one_placement(weights)} punten, een eerste plek "
            f"{weights[first_placement.NAME]}. Een tweede plek kan dus voor de eerste plek van een ander gaan."
        )
    if weights[first_placement.WAITING] == 0:
        warnings.append("Wachten telt met deze gewichten niet mee.")
    return warnings


def weight_rows() -> list[tuple[str, str, int, str, str]]:
    """Per weight: name, Dutch label, default, what it rewards, how much of it a placement gets."""
    labels = {criterion.name: criterion.label_nl for criterion in CRITERIA} | BONUSES_NL
    return [(name, labels[name], default, *MEANING_NL[name]) for name, default in DEFAULTS.items()]
