"""Searching the catalogue: words, theme, form, moment, price, distance, for whom, childcare; in stable pages.

One query for whatever is asked. Travel minutes are worked out before, from the four digits to every postcode area,
and go in as a list of what can be reached (estimates: say "ongeveer").
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import msgspec
import numpy as np

from leerbudget.catalogue.errors import CursorNotValid, SearchPostcodeUnknown
from leerbudget.foundation import clock
from leerbudget.foundation.database import fetch_all
from leerbudget.geography.postcodes import UnknownPostcode, all_places, place_of
from leerbudget.geography.travel import MODES, Point, points, travel_matrix
from leerbudget.matcher.day_parts import AFTERNOON_FROM, EVENING_FROM
from leerbudget.matcher.vocabulary import FORM_NL, THEME_NL

MINUTES_MAX = 240
"""Nobody travels longer than this one way; it bounds what a search without a limit looks at."""

WORDS_MAX = 8

RESULTS_MAX = 5_000
"""The longest page. Pages for people count and turn over all that is found; a national year has some 2,500 sessions."""

Cursor = str
"""Where a page begins: opaque, to be given back as it came."""

Sort = Literal["date", "travel", "price"]


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What somebody looks for; whatever is left out does not matter.

    Args:
        text: words that must all occur in title, goal, theme, form or place.
        postcode4: where they travel from; `travel_minutes_max` {mode: minutes one way} bounds it (one mode suffices).
        week: 21 characters, Monday morning first; every meeting must fall in day-parts marked 1.
        online: True only online, False only in a place, None both.
        family: a family that looks; courses that are not for it are left out (R17).
        persons: free seats that are needed; 0 shows full sessions too.
        childcare: children by age band who need a place. `with_childcare`: any place for any child will do.
        starts_on, ends_on: the period of the first meeting, last day included.
    """

    text: str = ""
    postcode4: str | None = None
    travel_minutes_max: Mapping[str, int] = field(default_factory=dict)
    week: str | None = None
    themes: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    price_cents_max: int | None = None
    online: bool | None = None
    family_type: str | None = None
    child_age_bands: tuple[str, ...] = ()
    family: UUID | None = None
    childcare: Mapping[str, int] = field(default_factory=dict)
    with_childcare: bool = False
    persons: int = 1
    starts_on: date | None = None
    ends_on: date | None = None
    sort: Sort = "date"
    after: Cursor | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class SessionCard:
    """A session in a list of results. Minutes are an estimate by the quickest mode allowed; None without postcode."""

    id: UUID
    course: UUID
    title: str
    theme: str
    form: str
    state: str
    starts_at: datetime
    ends_at: datetime
    meetings: int
    venue_name: str | None
    place: str | None
    postcode4: str | None
    wheelchair: bool
    price_cents: int
    seats_free: int
    childcare_bands: tuple[str, ...]
    travel_minutes: int | None
    travel_mode: str | None

    @property
    def online(self) -> bool:
        """Whether it has no place."""
        return self.venue_name is None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """Results and, when there are more, where the next page begins."""

    cards: tuple[SessionCard, ...]
    next: Cursor | None


class _Mark(msgspec.Struct, array_like=True, frozen=True):
    sort: str
    rank: int
    starts_at: datetime
    id: UUID


_TOUCHED = f"""
  CASE WHEN t0 < least(t1, time '{AFTERNOON_FROM}') THEN 1 ELSE 0 END
| CASE WHEN greatest(t0, time '{AFTERNOON_FROM}') < least(t1, time '{EVENING_FROM}') THEN 2 ELSE 0 END
| CASE WHEN greatest(t0, time '{EVENING_FROM}') < t1 THEN 4 ELSE 0 END
| CASE WHEN day > l0::date THEN 0 WHEN t0 < time '{AFTERNOON_FROM}' THEN 1 WHEN t0 < time '{EVENING_FROM}' THEN 2
       ELSE 4 END
"""
"""The day-parts of one day between two clock times: as `matcher.day_parts` counts them (a test compares).

The last line is the part of the start: in the hour that is lived twice in autumn, clock times can run backwards."""

MEETING_DAY_PARTS = f"""
SELECT bit_or(({_TOUCHED}) << 3 * (extract(isodow FROM day)::int - 1))
FROM (SELECT starts_at AT TIME ZONE 'Europe/Amsterdam' AS l0, ends_at AT TIME ZONE 'Europe/Amsterdam' AS l1) AS clock,
     generate_series(l0::date, l1::date, interval '1 day') AS day,
     LATERAL (SELECT CASE WHEN day = l0::date THEN l0::time ELSE time '00:00' END AS t0,
                     CASE WHEN day = l1::date THEN l1::time ELSE time '24:00' END AS t1) AS of_the_day
"""
"""The bit mask of the day-parts that a meeting touches, given its `starts_at` and `ends_at`."""

_SEARCH = f"""
WITH reach AS (SELECT * FROM unnest($1::text[], $2::int[], $3::text[]) AS r(postcode4, minutes, mode)),
     labels AS (SELECT * FROM unnest($4::text[], $5::text[]) AS l(code, words)),
found AS (
  SELECT s.id, s.course, c.title, c.theme, c.form, s.state, s.starts_at, s.ends_at, v.name AS venue_name, v.place,
         v.postcode4, coalesce(v.wheelchair, false) AS wheelchair, s.price_cents, s.seats_max - s.seats_taken - s.catch_up_seats AS seats_free,
         CASE WHEN s.venue IS NULL AND $6 THEN 0 ELSE reach.minutes END AS travel_minutes, reach.mode AS travel_mode
  FROM course_session s JOIN course c ON c.id = s.course LEFT JOIN venue v ON v.id = s.venue
  LEFT JOIN reach ON reach.postcode4 = v.postcode4
  WHERE s.state IN ('conditional', 'confirmed') AND c.state = 'admitted' AND s.starts_at > $7
    AND (NOT $6 OR s.venue IS NULL OR reach.minutes IS NOT NULL)
    AND s.seats_max - s.seats_taken - s.catch_up_seats >= $8
    AND ($9::text[] IS NULL OR c.theme = ANY($9))
    AND ($10::text[] IS NULL OR c.form = ANY($10))
    AND ($11::bigint IS NULL OR s.price_cents <= $11)
    AND ($12::boolean IS NULL OR (s.venue IS NULL) = $12)
    AND ($13::text IS NULL OR c.audience -> 'family_type' ->> $13 IS DISTINCT FROM 'not_for')
    AND ($14::text[] IS NULL OR EXISTS (SELECT FROM unnest($14) AS band
         WHERE c.audience -> 'child_age_bands' ->> band IS DISTINCT FROM 'not_for'))
    AND ($26::uuid IS NULL OR s.course IN (SELECT o.id FROM course o WHERE rooms.course_suits(o.audience, $26, $27)))
    AND (NOT $28 OR EXISTS (SELECT FROM childcare_places k WHERE k.session = s.id AND k.places_taken < k.places_max))
    AND NOT EXISTS (SELECT FROM unnest($15::text[], $16::int[]) AS need(band, places)
         WHERE NOT EXISTS (SELECT FROM childcare_places k WHERE k.session = s.id AND k.age_band = need.band
                           AND k.places_max - k.places_taken >= need.places))
    AND ($17::date IS NULL OR (s.starts_at AT TIME ZONE 'Europe/Amsterdam')::date >= $17)
    AND ($18::date IS NULL OR (s.starts_at AT TIME ZONE 'Europe/Amsterdam')::date <= $18)
    AND concat_ws(' ', c.title, c.goal, v.place, (SELECT words FROM labels WHERE code = c.theme),
                  (SELECT words FROM labels WHERE code = c.form)) ILIKE ALL($19::text[])
    AND ($20::int IS NULL OR NOT EXISTS (
         SELECT FROM meeting m WHERE m.session = s.id
         AND (SELECT mask FROM ({MEETING_DAY_PARTS}) AS of_meeting(mask)) & ~$20 <> 0))
), ranked AS (
  SELECT found.*, CASE $21 WHEN 'travel' THEN coalesce(travel_minutes, 0) WHEN 'price' THEN price_cents ELSE 0 END AS rank
  FROM found
)
SELECT ranked.*, (SELECT count(*) FROM meeting m WHERE m.session = ranked.id)::int AS meetings,
       array(SELECT k.age_band FROM childcare_places k WHERE k.session = ranked.id
             AND k.places_taken < k.places_max ORDER BY length(k.age_band), k.age_band) AS childcare_bands
FROM ranked
WHERE $22::bigint IS NULL OR (rank, starts_at, id) > ($22, $23::timestamptz, $24::uuid)
ORDER BY rank, starts_at, id LIMIT $25
"""


async def search(query: SearchQuery) -> SearchPage:
    """Bookable sessions that fit, a page at a time; a page is not shifted by what was booked in between.

    Raises:
        SearchPostcodeUnknown: no such Dutch postcode area.
        CursorNotValid: `after` was not given by a search that sorts the same way.
    """
    limit = max(1, min(query.limit, RESULTS_MAX))
    mark = _read(query)
    after = (None, None, None) if mark is None else (mark.rank, mark.starts_at, mark.id)
    looker = query.family, clock.today(), query.with_childcare
    rows = await fetch_all(_SEARCH, *_where(query), query.sort, *after, limit + 1, *looker)
    cards = tuple(_card(row) for row in rows[:limit])
    more = len(rows) > limit
    return SearchPage(cards, _written(query.sort, rows[limit - 1]) if more else None)


def _where(query: SearchQuery) -> tuple[Any, ...]:
    labels = {theme.value: words for theme, words in THEME_NL.items()}
    labels |= {form.value: words for form, words in FORM_NL.items()}
    week = None if query.week is None else sum(1 << place for place, bit in enumerate(query.week) if bit == "1")
    return (
        *_reach(query),
        list(labels),
        list(labels.values()),
        query.postcode4 is not None,
        clock.now(),
        query.persons,
        list(query.themes) or None,
        list(query.forms) or None,
        query.price_cents_max,
        query.online,
        query.family_type,
        list(query.child_age_bands) or None,
        list(query.childcare),
        list(query.childcare.values()),
        query.starts_on,
        query.ends_on,
        patterns(query.text),
        week,
    )


def patterns(text: str) -> list[str]:
    """One ILIKE pattern per word, at most `WORDS_MAX`; what ILIKE reads as a joker stands for itself."""
    words = text.replace("\x00", " ").split()[:WORDS_MAX]
    escaped = (word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") for word in words)
    return [f"%{word}%" for word in escaped]


def _reach(query: SearchQuery) -> tuple[list[str], list[int], list[str]]:
    if query.postcode4 is None:
        return [], [], []
    limits = tuple(sorted(query.travel_minutes_max.items())) or (("car", MINUTES_MAX),)
    return reachable(query.postcode4, limits)


@lru_cache(maxsize=512)
def reachable(postcode4: str, limits: tuple[tuple[str, int], ...]) -> tuple[list[str], list[int], list[str]]:
    """Postcode areas within reach by one of the modes, with the minutes and the mode of the quickest that fits.

    Raises:
        SearchPostcodeUnknown: no such Dutch postcode area.
    """
    try:
        here = place_of(postcode4)
    except UnknownPostcode as unknown:
        raise SearchPostcodeUnknown(postcode4=postcode4) from unknown
    minutes = travel_matrix(points([Point(here.lat, here.lon)]), _everywhere())[:, 0, :]
    bounds = np.array([min(dict(limits).get(mode, -1), MINUTES_MAX) for mode in MODES])
    allowed = np.where(minutes <= bounds[:, None], minutes, MINUTES_MAX + 1)
    quickest = allowed.argmin(axis=0)
    best = allowed.min(axis=0)
    inside = np.flatnonzero(best <= MINUTES_MAX)
    codes = list(all_places())
    return [codes[i] for i in inside], [int(best[i]) for i in inside], [MODES[quickest[i]] for i in inside]


@lru_cache(maxsize=1)
def _everywhere() -> Any:
    return points([Point(place.lat, place.lon) for place in all_places().values()])


def _card(row: Any) -> SessionCard:
    values = dict(row)
    del values["rank"]
    return SessionCard(**{**values, "childcare_bands": tuple(values["childcare_bands"])})


def _written(sort: str, row: Any) -> Cursor:
    mark = _Mark(sort, row["rank"], row["starts_at"], row["id"])
    return base64.urlsafe_b64encode(msgspec.json.encode(mark)).decode().rstrip("=")


def _read(query: SearchQuery) -> _Mark | None:
    if query.after is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(query.after + "=" * (-len(query.after) % 4))
        mark = msgspec.json.decode(raw, type=_Mark)
    except ValueError as failure:  # binascii's and msgspec's errors are ValueErrors
        raise CursorNotValid from failure
    if mark.sort != query.sort or mark.starts_at.tzinfo is None or not -(2**62) < mark.rank < 2**62:
        raise CursorNotValid
    return mark
