"""The loop over all pairs of an open wish and a session, compiled. Rows and bits are those of `arrays`."""

import numpy as np
from numpy.typing import NDArray

from leerbudget.matcher.kernels import kernel

Whole = NDArray[np.int64]
Bits = NDArray[np.uint16]


@kernel
def mark_broken(  # noqa: PLR0917 - a loop over columns
    wants: Whole,
    offers: Whole,
    limits: Whole,
    minutes: NDArray[np.int16],
    wish: Whole,
    session: Whole,
    order: Whole,
    broken: Bits,
) -> None:
    """Set in `broken` a bit for every quick rule a pair breaks; `order` numbers the bits of the eight rules.

    `wants` by wish: parties, audience, whether online is refused, people, day-parts that are not free, home,
    whether no further placement is allowed. `offers` by session: parties that are not invited, audience it is
    not for, online, seats left, seats still needed, day-parts, venue. Two masks with a bit in common break a
    rule. `minutes` (homes, venues, modes) is compared with `limits` (wishes, modes); -1 is nowhere.
    """
    for pair in range(len(wish)):
        w, s = wish[pair], session[pair]
        online = offers[s, 2] != 0
        near = online
        for mode in range(minutes.shape[2]):
            taken = minutes[wants[w, 5], offers[s, 6], mode]
            near |= (taken >= 0) & (taken <= limits[w, mode])
        bits = ((wants[w, 0] & offers[s, 0]) != 0) << order[0]
        bits |= ((wants[w, 1] & offers[s, 1]) != 0) << order[1]
        bits |= (online & (wants[w, 2] != 0)) << order[2]
        bits |= (not near) << order[3]
        bits |= ((wants[w, 4] & offers[s, 5]) != 0) << order[4]
        bits |= (wants[w, 6] != 0) << order[5]
        bits |= (wants[w, 3] > offers[s, 3]) << order[6]
        bits |= (wants[w, 3] < offers[s, 4]) << order[7]
        broken[pair] = bits
