"""How often things happen: the distributions behind the made-up Netherlands.

Marks: [S] from a source named in the requirements, [D] derived from one, [G] a guess that nobody measured.
"""

from leerbudget.fictional.dice import Chances

TWO_ADULTS = 0.78
"""Share of foster families with two adults [G]."""

FAMILY_TYPES = Chances({"recruited": 0.53, "kinship": 0.47 * 0.60, "kinship_grandparent": 0.47 * 0.40})
"""47 % kinship [S8], of which 40 % grandparents [G]."""

CARE = Chances({"full_time": 0.76, "part_time": 0.20, "both": 0.04})
"""Full-time, part-time or both, of placements in 2021 [S8]."""
FULL_TIME_LONG = 0.58
"""Children who live more than one year in the family [S8]; the other full-time care is temporary."""
CRISIS = 0.15
"""Families that also take in children in a crisis [G after 19 % of new placements in 2014, S9a]."""

EXPERIENCE_YEARS = Chances(
    {(0.0, 1.0): 0.14, (1.0, 3.0): 0.22, (3.0, 5.0): 0.17, (5.0, 10.0): 0.25, (10.0, 28.0): 0.22}
)
"""Years since the first placement under a constant 14 % exit a year [D]."""

CHILD_AGES = Chances({"a0_3": 0.17, "a4_8": 0.27, "a9_11": 0.18, "a12_15": 0.22, "a16_17": 0.11, "a18_20": 0.05})
"""Age bands of foster children [G]."""
CHILDREN = Chances({1: 0.945, 2: 0.045, 3: 0.01})
"""Foster children per family: 1.06 at year end 2022 [D]."""

GUARDIANSHIP = 0.57
"""Families whose child has a child-protection measure, and so a guardian worker [S23]."""
FAMILIES_PER_PROFESSIONAL = 15
"""Families per foster-care worker and per guardian worker [G]."""

RHYTHMS = Chances({"evening": 0.55, "school_hours": 0.25, "saturday": 0.10, "flexible": 0.10})
"""When a family would rather come [G]; `flexible` is everybody who is left."""
SAME_RHYTHM = 0.80
"""Couples who share one rhythm [G]."""
WEEK_CHANCES: dict[str, tuple[float, ...]] = {
    "evening": (0.08, 0.10, 0.90, 0.40, 0.30, 0.25),
    "school_hours": (0.90, 0.75, 0.40, 0.20, 0.10, 0.15),
    "saturday": (0.06, 0.08, 0.50, 0.92, 0.80, 0.35),
    "flexible": (0.60, 0.55, 0.75, 0.60, 0.50, 0.40),
}
"""Chance that a day-part is free: weekday morning, afternoon, evening; then the same for Saturday [G]."""
SUNDAY = 0.04
FRIDAY_EVENING = 0.5
"""A Friday evening is free half as often as another evening [G]."""

BLOCKED = 0.25
"""Parents who cannot come on one to three of their usual day-parts or weeks [G]."""

ONLINE_OK = 0.45
"""Families for whom an online meeting is fine [G]."""
TRAVEL: dict[str, tuple[float, Chances[int]]] = {
    "car": (0.88, Chances({30: 0.25, 45: 0.55, 60: 0.20})),
    "public_transport": (0.30, Chances({45: 0.30, 60: 0.50, 75: 0.20})),
    "bike": (0.70, Chances({15: 0.25, 25: 0.55, 30: 0.20})),
    "walk": (0.25, Chances({10: 0.3, 15: 0.7})),
}
"""Share that would use a mode, and minutes one way: around the defaults 45, 60, 25 and 15 [G]."""

CHILDCARE_DAYTIME = 0.40
CHILDCARE_EVENING = 0.20
"""Families with young children that need somebody to look after them, by rhythm [G]."""
CHILDCARE_DAYTIME_HOW = Chances({"own_sitter": 0.30, "needs_place": 0.55, "needs_budget": 0.15})
CHILDCARE_EVENING_HOW = Chances({"own_sitter": 0.75, "needs_place": 0.10, "needs_budget": 0.15})
CHILDCARE_BANDS = ("a0_3", "a4_8", "a9_11")
"""Children who cannot stay at home alone [G]."""

AVOID = 0.03
"""Families that would rather not meet one certain person [G]."""
PLACES_MAX = Chances({1: 0.40, 2: 0.60})
OWN_CONTRIBUTION_CENTS = Chances({0: 0.75, 2_500: 0.17, 7_500: 0.08})
"""What a family would add itself, at most [G]; nobody has to (R03)."""

WISHES = Chances({0: 0.02, 1: 0.79, 2: 0.16, 3: 0.03})
"""1.2 wishes per family a year [G]."""
WISHES_MEAN = 1.2
"""The mean of `WISHES`."""
URGENT = 0.30
"""Wishes that arise because something happens now [G, S22]."""
BOTH_GO = 0.40
"""Wishes of couples who want to go together [G]."""
FORMS_STATED = 0.15
"""Wishes that ask for certain forms of learning [G]."""
PROFESSIONAL_WISH = 0.06
"""Professionals who ask for a dialogue where none was announced nearby [G]."""

SESSION_FORMS: Chances[str] = Chances(
    {
        "group_training": 0.42,
        "theme_meeting": 0.31,
        "webinar": 0.11,
        "peer_intervision": 0.10,
        "local_development": 0.03,
        "joint_parents": 0.03,
    }
)
"""Forms of published sessions besides dialogues and train-the-trainer [G]."""
DIALOGUES = 0.04
"""Share of sessions that are dialogues of three parties [G]."""
ONLINE_TRAINING = 0.10
"""Group trainings given online [G]; every webinar is online."""
MEETINGS: dict[str, Chances[int]] = {
    "group_training": Chances({3: 0.62, 5: 0.28, 8: 0.10}),
    "peer_intervision": Chances({3: 0.7, 5: 0.3}),
    "train_the_trainer": Chances({5: 1.0}),
}
"""Meetings per series, 1 for every other form [S28, S29, G]."""
PRICE_PER_MEETING_CENTS: dict[int, tuple[int, int]] = {
    1: (3_500, 6_000),
    3: (3_500, 6_000),
    5: (3_500, 5_000),
    8: (3_500, 4_000),
}
"""Cents per person and day-part, lowest and highest, by number of meetings; long series are cheaper [G, S38]."""
PRICE_STEP_CENTS = 250

SLOTS = Chances({"evening": 0.60, "school_hours": 0.25, "saturday": 0.10, "afternoon": 0.05})
"""When sessions are given; it follows the wanted rhythms [G]."""

GRANT_CENTS = Chances(
    {10_000: 0.03, 15_000: 0.06, 20_000: 0.14, 25_000: 0.52, 30_000: 0.12, 40_000: 0.08, 50_000: 0.05}
)
"""What one provider grants each of its families a year: EUR 250 is usual, 100 to 500 occurs [G]."""
OTHER_GRANT = 0.15
"""Families whose grant differs from what their provider usually gives [G]."""
EARMARKED = 0.15
"""Families with a second, earmarked grant of a municipality [G]."""
EARMARKED_CENTS = Chances({7_500: 0.3, 10_000: 0.3, 15_000: 0.25, 20_000: 0.15})
