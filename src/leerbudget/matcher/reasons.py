"""Why not: the reasons for a wish without a place, and what would have helped, in words a parent reads.

The sentence for `not_together` names nobody and gives no hint whose wish it is (R65, R66).
"""

from leerbudget.matcher.day_parts import names_nl
from leerbudget.matcher.outcome import (
    AcceptOnline,
    ArrangeSitter,
    Change,
    FreeBlocked,
    FreeDayParts,
    MorePlacements,
    PayMore,
    TravelFarther,
)
from leerbudget.matcher.vocabulary import TRAVEL_NL

WHY_NOT_NL = {
    "no_session_of_theme": "Er is in deze ronde geen bijeenkomst over dit thema.",
    "party_not_invited": "De bijeenkomst is voor andere partijen bedoeld.",
    "not_for_you": "De bijeenkomst is voor een andere doelgroep bedoeld.",
    "forbidden": "Deze bijeenkomst kan niet: u volgt deze cursus al, of de groep past niet bij de afspraken.",
    "not_together": "Deze groep past niet bij de afspraken over wie samen in een groep kunnen.",
    "online_not_wanted": "De bijeenkomst is online, en u koos ervoor om niet online te leren.",
    "none_in_reach": "De bijeenkomst is verder weg dan u wilt reizen.",
    "no_day_part": "De bijeenkomst is op een dagdeel waarop u niet kunt.",
    "blocked": "De bijeenkomst is op een moment dat u niet kunt.",
    "childcare_full": "Er is niet genoeg opvang voor de kinderen.",
    "money_short": "Het leerbudget is niet genoeg voor deze bijeenkomst.",
    "already_max": "U heeft in deze ronde het aantal plekken dat u wilde, of dat kan.",
    "overlaps_other": "De bijeenkomst valt samen met een andere plek die u krijgt, of is dezelfde cursus.",
    "full": "De bijeenkomst is vol.",
    "party_full": "De plekken voor uw partij in deze dialoog zijn bezet.",
    "group_too_small": "Er waren te weinig deelnemers; de bijeenkomst gaat niet door.",
    "not_better": "Een plek hier paste minder goed dan de andere plekken in deze ronde.",
}
"""Reason codes from the one farthest off to the one that came closest."""

LOST_NL = {
    "full": (
        "De bijeenkomst is vol. De plekken gingen naar anderen, voor wie ze zwaarder telden: "
        "een plek kostte {price} punten, voor u was die {worth} punten waard."
    ),
    "party_full": (
        "De plekken voor uw partij in deze dialoog zijn bezet. Ze gingen naar anderen, voor wie ze zwaarder telden: "
        "een plek kostte {price} punten, voor u was die {worth} punten waard."
    ),
    "not_better": (
        "Een plek hier paste minder goed dan de andere plekken in deze ronde: "
        "die kostte {price} punten, voor u was die {worth} punten waard."
    ),
}
"""The same reasons when the price of a place is known, and it is at least what the place was worth."""

UNLUCKY_NL = (
    "Een plek hier was voor u {worth} punten waard en kostte {price} punten. "
    "Toch is het in deze ronde niet gelukt om u hier een plek te geven."
)
"""What is said when the place was worth more than it cost."""

DEPTH = {code: depth for depth, code in enumerate(WHY_NOT_NL)}

REASON_OF_RULE = {
    "party_not_invited": "party_not_invited",
    "not_for": "not_for_you",
    "forbidden": "forbidden",
    "not_together": "not_together",
    "online": "online_not_wanted",
    "travel": "none_in_reach",
    "day_part": "no_day_part",
    "blocked": "blocked",
    "childcare": "childcare_full",
    "money": "money_short",
    "max_placements": "already_max",
    "overlap": "overlaps_other",
    "seats": "full",
    "capacity": "full",
    "party_max": "party_full",
    "minimum": "group_too_small",
}
"""The reason a person reads, by the rule that was in the way."""


def euros(cents: int) -> str:
    """Cents as a Dutch amount: 123450 gives `€ 1.234,50`."""
    whole, rest = divmod(cents, 100)
    return f"€ {whole:,}".replace(",", ".") + f",{rest:02d}"


def why_not(code: str, cents: int | None = None, price: int | None = None, worth: int | None = None) -> str:
    """The sentence of a reason; with the cents that were short, or price and worth of a place, when known.

    `price`: points the seats are worth to others; `worth`: points the place would have added here.
    """
    if code == "money_short" and cents:
        return f"Het leerbudget is niet genoeg voor deze bijeenkomst: er is {euros(cents)} te weinig."
    if code in LOST_NL and price is not None and worth is not None:
        return LOST_NL[code].format(price=price, worth=worth) if worth <= price else _unlucky(code, price, worth)
    return WHY_NOT_NL[code]


def _unlucky(code: str, price: int, worth: int) -> str:
    return f"{WHY_NOT_NL[code]} " * (code != "not_better") + UNLUCKY_NL.format(price=price, worth=worth)


def would_have_helped(change: Change, limit: int | None = None) -> str:
    """The sentence of a change that was found to help. `limit`: the present travel limit in minutes."""
    return f"{_condition(change, limit)}, dan was hier plaats voor u."


def _condition(change: Change, limit: int | None) -> str:  # noqa: PLR0911 - one return per kind of change
    match change:
        case TravelFarther(mode=mode, minutes=minutes):
            now = "" if limit is None else f" (nu {limit})"
            return f"Kunt u ongeveer {minutes} minuten reizen {TRAVEL_NL[mode]}{now}"
        case AcceptOnline():
            return "Wilt u ook online leren"
        case FreeDayParts(day_parts=parts):
            return f"Kunt u ook op {' en '.join(names_nl(sum(1 << part for part in parts)))}"
        case FreeBlocked():
            return "Kunt u toch op de tijden van de bijeenkomsten"
        case PayMore(cents=cents):
            return f"Was er {euros(cents)} meer leerbudget"
        case MorePlacements(max_placements=most):
            return f"Wilt u {most} plekken in één ronde"
        case ArrangeSitter():
            return "Regelt u zelf oppas"
