"""What a new session would look like: a typical published session of the theme, held again elsewhere.

One published session per theme, form and way (online or at a place) stands for its kind, the one with the middle price, so that its
price, length, size, audience and childcare places belong together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby

from leerbudget.matcher.day_parts import AMSTERDAM, local_date
from leerbudget.matcher.instance import Interval, OfferedSession

STARTS_AT = (time(9, 30), time(13, 30), time(19, 0))
"""When a proposed meeting starts in the morning, the afternoon and the evening."""
DAY_PARTS = 21
WEEK = 7


@dataclass(frozen=True, slots=True)
class Template:
    """A kind of session. `weeks`: weeks from the first meeting to each meeting; `lasts`: how long each takes."""

    like: OfferedSession
    online: bool
    weeks: tuple[int, ...]
    lasts: tuple[timedelta, ...]

    @property
    def cost_cents(self) -> int:
        """What the whole session costs when every seat is paid: price times seats."""
        return self.like.price_cents * self.like.seats_max

    def session(self, name: str, pc4: str | None, day_part: int, monday: date) -> OfferedSession:
        """The session at a place (None: online), weekly on a day-part, from the week of this Monday."""
        like = self.like
        return OfferedSession(
            id=name,
            course=like.course,
            theme=like.theme,
            form=like.form,
            meetings=self.meetings(day_part, monday),
            price_cents=like.price_cents,
            seats_min=like.seats_min,
            seats_max=like.seats_max,
            pc4=pc4,
            audience=like.audience,
            childcare_places=like.childcare_places,
        )

    def meetings(self, day_part: int, monday: date) -> list[Interval]:
        """The meetings of the session."""
        day, part = divmod(day_part, len(STARTS_AT))
        starts = [
            datetime.combine(monday + timedelta(days=day + WEEK * week), STARTS_AT[part], AMSTERDAM)
            for week in self.weeks
        ]
        return [(start, start + lasts) for start, lasts in zip(starts, self.lasts, strict=True)]

    def day_parts(self) -> list[int]:
        """The day-parts in which it can start and still end on the same day."""
        longest = max(self.lasts)
        latest = [timedelta(days=1) - timedelta(hours=at.hour, minutes=at.minute) for at in STARTS_AT]
        return [part for part in range(DAY_PARTS) if longest < latest[part % len(STARTS_AT)]]


def typical(sessions: Sequence[OfferedSession]) -> list[Template]:
    """A template per theme, form and way (online or at a place). Dialogues are left out: parties are invited to them."""
    plain = [s for s in sessions if s.parties is None and s.meetings and s.seats_max > 0]
    plain.sort(key=lambda s: (*_kind(s), s.price_cents, len(s.meetings), s.seats_max, s.id))
    kinds = [list(kind) for _, kind in groupby(plain, key=_kind)]
    return [_template(kind[(len(kind) - 1) // 2]) for kind in kinds]


def _kind(session: OfferedSession) -> tuple[str, str, bool]:
    return session.theme, session.form, _online(session)


def _online(session: OfferedSession) -> bool:
    return session.pc4 is None and session.lat is None


def _template(like: OfferedSession) -> Template:
    meetings = sorted(like.meetings)
    first, weeks = local_date(meetings[0][0]), [0]
    for start, _ in meetings[1:]:
        weeks.append(max(weeks[-1] + 1, round((local_date(start) - first).days / WEEK)))
    return Template(like, _online(like), tuple(weeks), tuple(end - start for start, end in meetings))


def mondays(sessions: Sequence[OfferedSession]) -> list[date]:
    """The weeks in which a new session may start, the most sensible first.

    The middle of the weeks in which published sessions start leaves time to find a trainer and a room; the
    week at three quarters and the one at a quarter are tried when more families can come then.
    """
    firsts = sorted(local_date(min(start for start, _ in s.meetings)) for s in sessions if s.meetings)
    chosen = [firsts[len(firsts) * quarter // 4] for quarter in (2, 3, 1)] if firsts else []
    return list(dict.fromkeys(day - timedelta(days=day.weekday()) for day in chosen))
