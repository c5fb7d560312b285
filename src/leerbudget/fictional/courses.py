"""The catalogue: each course has a subject, a form, a length, a price and an audience."""

from leerbudget.fictional import figures, names
from leerbudget.fictional.dice import Chances, Dice
from leerbudget.fictional.families import Circumstances
from leerbudget.fictional.regions import Region
from leerbudget.fictional.subjects import BY_THEME, FORM_WORDS, Audience
from leerbudget.fictional.world import Course

SESSIONS_PER_VARIANT = 300
"""Each theme and form has one more variant per so many sessions in the world, up to one per title."""
CANCELLATION: Chances[tuple[tuple[int, int], ...]] = Chances(
    {((14, 100), (7, 50), (0, 0)): 0.7, ((28, 100), (14, 75), (7, 25), (0, 0)): 0.2, ((2, 100), (0, 0)): 0.1}
)
"""Days before the first meeting and the percentage that comes back; the first that fits counts [S39, guess]."""
_NUANCES: Chances[str] = Chances(
    {"everybody": 0.46, "start": 0.14, "experienced": 0.10, "kinship": 0.10, "recruited": 0.10, "young": 0.10}
)


class Syllabus:
    """All courses so far; a new one is written when its variant is first needed."""

    def __init__(self, sessions: int, around: Circumstances, dice: Dice) -> None:
        """`sessions` decides how many variants there are."""
        self.all: list[Course] = []
        self._variants = 1 + sessions // SESSIONS_PER_VARIANT
        self._known: dict[tuple[str, str, int, bool], Course] = {}
        self._around = around
        self._dice = dice

    def course(self, theme: str, form: str, region: Region, *, draft: bool) -> Course:
        """A course on the theme in the form; drafts are still in review."""
        titles = BY_THEME[theme].titles
        variant = self._dice.between(0, min(self._variants, len(titles)) - 1)
        key = (theme, form, variant, draft)
        if key not in self._known:
            self._known[key] = self._write(key, region)
            self.all.append(self._known[key])
        return self._known[key]

    def _write(self, key: tuple[str, str, int, bool], region: Region) -> Course:
        theme, form, variant, draft = key
        dice, subject = self._dice, BY_THEME[theme]
        meetings = dice.draw(figures.MEETINGS[form]) if form in figures.MEETINGS else 1
        low, high = (cents // figures.PRICE_STEP_CENTS for cents in figures.PRICE_PER_MEETING_CENTS[meetings])
        price_cents = 0 if form == "dialogue" else meetings * dice.between(low, high) * figures.PRICE_STEP_CENTS
        rule = dice.draw(CANCELLATION)
        return Course(
            ref=f"C{len(self.all) + 1:04d}",
            title=f"{subject.titles[variant]} ({FORM_WORDS[form]}, fictief)",
            theme=theme,
            form=form,
            goal=names.fictional(subject.goal),
            organisation_ref=dice.draw(self._around.landscape.providers[region.name]).ref,
            state=("submitted" if dice.chance(0.5) else "in_review") if draft else "admitted",
            audience=_audience(subject.audience, form, dice),
            cancellation=dict(rule),
            meetings=meetings,
            price_cents=price_cents,
        )


def _audience(own: Audience, form: str, dice: Dice) -> Audience:
    """The three official criteria, each with at least one value (R18): what the subject asks, and a nuance."""
    audience = {
        "family_type": {"recruited": "suits"},
        "experience": {"lt1": "suits"},
        "child_age_bands": {"a4_8": "suits"},
    } | {facet: dict(values) for facet, values in own.items()}
    nuance = "everybody" if form == "dialogue" else dice.draw(_NUANCES)
    if nuance == "start" and "experience" not in own:
        audience["experience"] = {"lt1": "for", "y1_3": "for", "gt10": "not_for"}
    elif nuance == "experienced" and "experience" not in own:
        audience["experience"] = {"y3_10": "for", "gt10": "for", "lt1": "not_for"}
    elif nuance == "kinship" and "family_type" not in own:
        audience["family_type"] = {"kinship": "for", "kinship_grandparent": "for"}
    elif nuance == "recruited" and "family_type" not in own:
        audience["family_type"] = {"recruited": "for", "kinship_grandparent": "not_for"}
    elif nuance == "young" and "child_age_bands" not in own:
        audience["child_age_bands"] = {"a0_3": "for", "a4_8": "for", "a18_20": "not_for"}
    return audience
