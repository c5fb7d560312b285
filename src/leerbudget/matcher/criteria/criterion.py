"""The shape of a criterion, and the facts it looks at."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leerbudget.matcher.vocabulary import Facet, LearningForm, TravelMode

Whole = NDArray[np.int64]
PERMILLE = 1000


@dataclass(frozen=True, slots=True)
class Facts:
    """What the criteria know of many candidates; one row each.

    `travel_share`: permille of the travel limit that is used, in the mode that uses least of it.
    `calm_share`: permille of the meetings on days on which nobody who goes has anything blocked.
    `made_for`: one row per facet, whether the offer is `for` this seeker.
    `form_liked`: the form is wished, or there is no preference.
    """

    rank: Whole
    urgent: Whole
    online: Whole
    travel_share: Whole
    calm_share: Whole
    made_for: Whole
    form_liked: Whole


@dataclass(frozen=True, slots=True)
class Case:
    """One placement in the words of the file, to explain it. Minutes are one way; `limit` is the seeker's own."""

    rank: int
    urgent: bool
    online: bool
    form: LearningForm
    mode: TravelMode | None = None
    minutes: int = 0
    limit: int = 0
    meetings: int = 0
    calm_meetings: int = 0
    made_for: dict[Facet, list[str]] = field(default_factory=dict)
    has_form_preference: bool = False
    form_liked: bool = True


@dataclass(frozen=True, slots=True)
class Criterion:
    """`points` gives 0 up to the weight for every row of facts; `sentence` is None when there is nothing to say."""

    name: str
    label_nl: str
    weight: int
    points: Callable[[Facts, int], Whole]
    sentence: Callable[[Case], str | None]
