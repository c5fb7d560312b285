"""What families, and professionals who join dialogues, want to learn."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from leerbudget.fictional import figures, names
from leerbudget.fictional.calendar import bit, daypart_of
from leerbudget.fictional.dice import Chances, Dice, tilted
from leerbudget.fictional.regions import Region
from leerbudget.fictional.subjects import BY_THEME, DIALOGUE_THEMES, SUBJECTS, Subject
from leerbudget.fictional.world import Course, CourseSession, Family, Professional, Wish

INVITED_PER_PARTY = 8
"""Professionals who answer when a dialogue is announced in their region, at most, of either party [guess]."""
SESSIONS_PER_THEME = 4.0
"""A region talks about as many themes as its sessions can carry at so many each [guess]."""
OFF_AGENDA = 0.1
"""How much less a theme is wished for that a small region does not talk about [guess]."""
THEMES_LEAST = 4


def make_agendas(regions: Sequence[Region], sessions: int, seed: int) -> dict[str, frozenset[str]]:
    """The themes each region talks about, by region name; all of them where there are many sessions.

    The theme of most dialogues is always one: professionals and families must meet somewhere.
    """
    dice = Dice(seed, "agendas")
    count = max(THEMES_LEAST, round(sessions / len(regions) / SESSIONS_PER_THEME))
    agendas = {}
    for region in regions:
        pool = {subject.theme: subject.weight for subject in SUBJECTS}
        themes = {max(DIALOGUE_THEMES, key=lambda theme: DIALOGUE_THEMES[theme])}
        while len(themes) < min(count, len(SUBJECTS)):
            theme = dice.draw(Chances(pool))
            del pool[theme]
            themes.add(theme)
        agendas[region.name] = frozenset(themes)
    return agendas


def make_wishes(
    families: Iterable[Family],
    agendas: Mapping[str, frozenset[str]],
    seed: int,
    start_on: date,
    mean: float = figures.WISHES_MEAN,
) -> list[Wish]:
    """The wishes of all families: `mean` on average, linked to the kind of family and the age of its children."""
    how_many = figures.WISHES if mean == figures.WISHES_MEAN else tilted(figures.WISHES, mean)
    dice = Dice(seed, "wishes")
    made: list[Wish] = []
    chances: dict[tuple[object, ...], Chances[str]] = {}
    for family in families:
        years = (start_on - family.first_placement_on).days / 365.25
        agenda = agendas[family.region]
        kind = (agenda, family.family_type, family.care_forms, family.children, years >= 5)
        if kind not in chances:
            chances[kind] = Chances({s.theme: _weight(s, family, years, agenda) for s in SUBJECTS})
        themes: dict[str, None] = {}
        wanted = dice.draw(how_many)
        while len(themes) < wanted:
            themes[dice.draw(chances[kind])] = None
        for rank, theme in enumerate(themes, start=1):
            made.append(_wish(f"D{len(made) + 1:05d}", family, theme, rank, dice))
    return made


def _weight(subject: Subject, family: Family, years: float, agenda: frozenset[str]) -> float:
    """How likely a family is to wish for a theme; the child and the care form for which it fits best count."""
    if years < subject.years_least:
        return 0.0
    by_child = max(subject.by_child.get(band, 1.0) for band in family.children)
    by_care = max(subject.by_care.get(form, 1.0) for form in family.care_forms)
    by_region = 1.0 if subject.theme in agenda else OFF_AGENDA
    return subject.weight * by_child * by_care * by_region * subject.by_type.get(family.family_type, 1.0)


def _wish(ref: str, family: Family, theme: str, rank: int, dice: Dice) -> Wish:
    parents = tuple(parent.ref for parent in family.parents)
    together = len(parents) == 2 and dice.chance(figures.BOTH_GO)
    return Wish(
        ref=ref,
        seeker_ref=family.ref,
        person_refs=parents if together else (dice.pick(parents),),
        theme=theme,
        rank=rank,
        urgent=dice.chance(figures.URGENT),
        forms=_forms(theme, dice) if dice.chance(figures.FORMS_STATED) else None,
        situation=names.fictional(BY_THEME[theme].situation),
        wants_to_learn=names.fictional(BY_THEME[theme].wants),
    )


def _forms(theme: str, dice: Dice) -> tuple[str, ...]:
    if theme == "training_others":
        return ("train_the_trainer",)
    if theme in DIALOGUE_THEMES and dice.chance(0.3):
        return ("dialogue",)
    if dice.chance(0.5):
        return ("group_training",)
    return ("theme_meeting", "webinar") if dice.chance(0.4) else ("group_training", "peer_intervision")


def make_dialogue_wishes(
    professionals: Sequence[Professional],
    dialogues: Iterable[tuple[CourseSession, Course]],
    first_number: int,
    seed: int,
) -> list[Wish]:
    """Wishes of professionals to sit in a dialogue: mostly where one is announced nearby, some where none is."""
    dice = Dice(seed, "dialogue wishes")
    dialogues = list(dialogues)
    leading = {ref for session, _ in dialogues for ref in session.facilitator_refs}
    teams: dict[tuple[str, str], list[Professional]] = defaultdict(list)
    for professional in professionals:
        if professional.ref not in leading:
            teams[professional.region, professional.role].append(professional)
    wanted: dict[str, str] = {}
    for session, course in dialogues:
        for role in ("foster_care_worker", "guardian_worker"):
            free = [p for p in teams[session.region, role] if p.ref not in wanted and _can_come(p, session)]
            wanted |= {p.ref: course.theme for p in dice.some(free, INVITED_PER_PARTY)}
    themes = Chances(DIALOGUE_THEMES)
    for professional in professionals:
        if professional.ref not in leading | wanted.keys() and dice.chance(figures.PROFESSIONAL_WISH):
            wanted[professional.ref] = dice.draw(themes)
    return [
        Wish(
            ref=f"D{number:05d}",
            seeker_ref=ref,
            person_refs=(ref,),
            theme=theme,
            rank=1,
            urgent=False,
            forms=("dialogue",),
            situation="",
            wants_to_learn=names.fictional("Ik wil het gesprek horen van de andere kant."),
        )
        for number, (ref, theme) in enumerate(sorted(wanted.items()), start=first_number)
    ]


def _can_come(professional: Professional, session: CourseSession) -> bool:
    begin = session.meetings[0][0]
    return professional.week[bit(begin.weekday(), daypart_of(begin))] == "1"
