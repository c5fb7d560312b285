"""The trainer pool and the houses with rooms: nobody and nothing is planned twice at the same time."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from leerbudget.fictional import names
from leerbudget.fictional.calendar import HORIZON, daypart_of
from leerbudget.fictional.dice import Chances, Dice
from leerbudget.fictional.families import Circumstances
from leerbudget.fictional.regions import Region
from leerbudget.fictional.subjects import SUBJECTS
from leerbudget.fictional.world import Interval, Trainer, Venue

VENUES_PER_REGION = 3
USES_PER_VENUE = 16
"""Meetings per venue in a world, on average, beyond which another house joins [guess]."""
SESSIONS_PER_TRAINER_MAX = 8
CANDIDATES = 0.12
"""Trainers who are not admitted yet, as a share of those who are; at least one [guess]."""
EMPLOYED = 0.6
"""Trainers who work for a provider of their region; the others work for themselves [guess]."""
WHEELCHAIR = 0.8
_CANDIDATE_STATES = Chances({"applied": 0.6, "assessed": 0.2, "approached": 0.1, "nominated": 0.1})

Slots = frozenset[tuple[date, int]]
"""Days and day-parts that are taken."""


def _slots(meetings: Sequence[Interval]) -> Slots:
    return frozenset((begin.date(), daypart_of(begin)) for begin, _ in meetings)


class Houses:
    """Venues by region; another one opens when every room is taken."""

    def __init__(self, dice: Dice) -> None:
        """No venue yet."""
        self.all: list[Venue] = []
        self._dice = dice
        self._nearby: dict[str, list[Venue]] = defaultdict(list)
        self._taken: Counter[tuple[str, tuple[date, int]]] = Counter()
        self._uses: Counter[str] = Counter()

    def book(self, region: Region, meetings: Sequence[Interval]) -> Venue:
        """A venue in the region with a free room at all these times."""
        slots = _slots(meetings)
        nearby = self._nearby[region.name]
        while len(nearby) < VENUES_PER_REGION:
            self._open(region)
        self._uses[region.name] += len(slots)
        if len(nearby) * USES_PER_VENUE < self._uses[region.name]:
            self._open(region)
        free = [v for v in nearby if all(self._taken[v.ref, slot] < v.rooms for slot in slots)]
        venue = self._dice.pick(free) if free else self._open(region)
        self._taken.update((venue.ref, slot) for slot in slots)
        return venue

    def _open(self, region: Region) -> Venue:
        place = self._dice.draw(region.homes)
        venue = Venue(
            ref=f"V{len(self.all) + 1:04d}",
            name=names.venue(self._dice, place.place),
            region=region.name,
            pc4=place.postcode4,
            place=place.place,
            rooms=self._dice.between(1, 4),
            wheelchair=self._dice.chance(WHEELCHAIR),
        )
        self.all.append(venue)
        self._nearby[region.name].append(venue)
        return venue


class Trainers:
    """The pool; somebody new is admitted when nobody with the theme is free."""

    def __init__(self, around: Circumstances, dice: Dice) -> None:
        """Nobody yet."""
        self.all: list[Trainer] = []
        self._dice = dice
        self._around = around
        self._employers = Dice(around.seed, "employers")
        self._nearby: dict[tuple[str, str], list[Trainer]] = defaultdict(list)
        self._taken: dict[str, set[tuple[date, int]]] = defaultdict(set)
        self._sessions: dict[str, int] = defaultdict(int)

    def hire(self, region: Region, theme: str, meetings: Sequence[Interval]) -> Trainer:
        """An admitted trainer of the region for the theme, free at all these times."""
        slots = _slots(meetings)
        free = [
            trainer
            for trainer in self._nearby[region.name, theme]
            if self._sessions[trainer.ref] < SESSIONS_PER_TRAINER_MAX and not slots & self._taken[trainer.ref]
        ]
        trainer = self._dice.pick(free) if free else self._admit(region, theme)
        self._taken[trainer.ref] |= slots
        self._sessions[trainer.ref] += 1
        return trainer

    def add_candidates(self, regions: Sequence[Region]) -> None:
        """Those who want to join the pool and give no sessions yet."""
        for _ in range(max(1, round(CANDIDATES * len(self.all)))):
            state = self._dice.draw(_CANDIDATE_STATES)
            valid = self._certificate() if state == "assessed" else None
            self._enter(self._dice.pick(regions), self._themes(self._dice.pick(SUBJECTS).theme), state, valid)

    def _admit(self, region: Region, theme: str) -> Trainer:
        trainer = self._enter(region, self._themes(theme), "admitted", self._certificate())
        for known in trainer.themes:
            self._nearby[region.name, known].append(trainer)
        return trainer

    def _certificate(self) -> date:
        """The certificate of conduct outlives every session of this world (R56), some only just."""
        return self._around.start_on + HORIZON + timedelta(days=self._dice.between(1, 1000))

    def _themes(self, first: str) -> tuple[str, ...]:
        others = [subject.theme for subject in SUBJECTS if subject.theme != first]
        return (first, *self._dice.some(others, self._dice.between(1, 3)))

    def _enter(self, region: Region, themes: tuple[str, ...], state: str, valid: date | None) -> Trainer:
        first_name, surname = names.person(self._dice)
        ref = f"T{len(self.all) + 1:04d}"
        trainer = Trainer(
            ref=ref,
            name=names.fictional(f"{first_name} {surname}"),
            email=names.address(first_name, ref, "trainers"),
            themes=themes,
            region=region.name,
            state=state,
            certificate_valid_until=valid,
            organisation_ref=self._employer(region),
        )
        self.all.append(trainer)
        return trainer

    def _employer(self, region: Region) -> str | None:
        """A provider of the region, by dice of its own: nothing else in the world depends on it."""
        employed = self._employers.chance(EMPLOYED)
        return self._employers.draw(self._around.landscape.providers[region.name]).ref if employed else None
