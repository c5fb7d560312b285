"""The published formulas: how heavy a session is, and what every assignment adds to the score.

| name | default | gives |
|---|---|---|
| lead | 10000 | every session that gets its leader |
| co | 4000 | every place for a co-trainer that is filled |
| wished_theme | 100 | the theme is one the trainer wishes |
| wished_region | 60 | the region is one the trainer wishes |
| wished_load | 80 | per trainer: the share of the wished minimum that is reached |
| travel | 30 | the unused share of the trainer's travel limit; all of it online |
| even | 20 | per trainer: the first quarter of the wished load gives 40 %, the next 30, 20 and 10 % |

One assignment gains at most 290 points beside its place, so a filled place dominates as long as it does not
cost more than a dozen others everything they wished; then wishes, then travel, then even loads. Who states
no wishes loses nothing: a wish only decides between trainers. What somebody declined counts nowhere.

Load of a session, in hundredths of the trainer's unit: hours x 100 (or 100 for one session) x weight of the
group, rounded down. Weight of the group in percent: 100, plus `per_person` for everyone above `persons_free`,
plus `dialogue` for a dialogue, plus `heavy_theme` for a theme the policy calls heavy; a co-trainer bears `co`
percent of it. All figures are the project's own working figures, for the team to change in its policy.
"""

from leerbudget.matcher.staffing import LoadUnit, Role, Staffing, StaffingPolicy, StaffSession, StaffTrainer
from leerbudget.matcher.vocabulary import LearningForm

WEIGHTS = {
    "lead": 10_000,
    "co": 4_000,
    "wished_theme": 100,
    "wished_region": 60,
    "wished_load": 80,
    "travel": 30,
    "even": 20,
}
LOAD = {"persons_free": 8, "per_person": 3, "dialogue": 40, "heavy_theme": 25, "co": 70}
PERMILLE = 1000
WHOLE_LOAD = 10_000
"""The wished load in hundredths of a percent."""
UNIT = 100
"""Loads are in hundredths of an hour or session."""
QUARTERS = ((16, 0), (12, 10_000), (8, 30_000), (4, 60_000))
"""Slopes and starts of the line through 0, 40, 70, 90 and 100 % at each quarter of the load (per 100,000)."""
ALL_EVEN = 100_000


def weights_of(policy: StaffingPolicy) -> dict[str, int]:
    """The weights that count: the defaults, replaced by the policy."""
    return WEIGHTS | policy.weights


def load_figures(policy: StaffingPolicy) -> dict[str, int]:
    """The figures of the group's weight that count: the defaults, replaced by the policy."""
    return LOAD | policy.load


def group_percent(policy: StaffingPolicy, session: StaffSession) -> int:
    """The weight of a group in percent of a light one."""
    figures = load_figures(policy)
    percent = 100 + figures["per_person"] * max(0, session.participants - figures["persons_free"])
    if session.form is LearningForm.DIALOGUE:
        percent += figures["dialogue"]
    if session.theme in policy.heavy_themes:
        percent += figures["heavy_theme"]
    return percent


def minutes_of(session: StaffSession) -> int:
    """Whole minutes with the group."""
    return int(sum((end - start).total_seconds() for start, end in session.meetings)) // 60


def load_of(policy: StaffingPolicy, session: StaffSession, role: Role, unit: LoadUnit) -> int:
    """What a session asks of a trainer, in hundredths of the unit."""
    percent = group_percent(policy, session) * (load_figures(policy)["co"] if role is Role.CO else 100)
    if unit is LoadUnit.SESSIONS:
        return percent // 100
    return minutes_of(session) * percent // 6000


def share_of(load: int, trainer: StaffTrainer) -> int:
    """A load in hundredths of a percent of the trainer's wished load, rounded down."""
    return load * WHOLE_LOAD // (trainer.wished_load.most * UNIT)


def pair_points(weights: dict[str, int], trainer: StaffTrainer, session: StaffSession, travel_share: int) -> list[int]:
    """Points for wished theme, wished region and travel. `travel_share`: permille of the travel limit, 0 online."""
    return [
        weights["wished_theme"] if session.theme in trainer.wished_themes else 0,
        weights["wished_region"] if session.region is not None and session.region in trainer.wished_regions else 0,
        weights["travel"] * (PERMILLE - travel_share) // PERMILLE,
    ]


def trainer_points(weights: dict[str, int], trainer: StaffTrainer, load: int, relative: int) -> list[int]:
    """Points for reaching the wished minimum and for an even load. `relative`: hundredths of a percent."""
    least = trainer.wished_load.least * UNIT
    reached = weights["wished_load"] * min(load, least) // least if least else 0
    even = min(slope * relative + start for slope, start in QUARTERS)
    return [reached, weights["even"] * min(even, ALL_EVEN) // ALL_EVEN]


def place_points(weights: dict[str, int], role: Role) -> int:
    """Points for filling a place."""
    return weights[role]


def places_of(staffing: Staffing) -> int:
    """How many places there are in all."""
    return sum(session.lead + session.co for session in staffing.sessions)
