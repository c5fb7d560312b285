"""The closed lists of the matching files, with the Dutch words people read (requirements 4.1-4.5).

The order of a list is part of the format: `other` exists for themes only.
"""

from enum import StrEnum


class Theme(StrEnum):
    """What a wish and a course are about."""

    ATTACHMENT = "attachment"
    TRAUMA = "trauma"
    BEHAVIOUR = "behaviour"
    BIRTH_PARENTS = "birth_parents"
    ADOLESCENCE = "adolescence"
    TRANSITION_16PLUS = "transition_16plus"
    GRIEF_LOSS = "grief_loss"
    DISABILITY_NEURODIVERSITY = "disability_neurodiversity"
    PLAY_SCHOOL_DEVELOPMENT = "play_school_development"
    LAW_AND_SYSTEM = "law_and_system"
    COLLABORATION_ASSERTIVENESS = "collaboration_assertiveness"
    SELF_CARE = "self_care"
    KINSHIP_CARE = "kinship_care"
    CRISIS_PART_TIME = "crisis_part_time"
    ENDINGS = "endings"
    TRAINING_OTHERS = "training_others"
    OTHER = "other"


class LearningForm(StrEnum):
    """How people learn."""

    GROUP_TRAINING = "group_training"
    THEME_MEETING = "theme_meeting"
    WEBINAR = "webinar"
    E_LEARNING = "e_learning"
    PEER_INTERVISION = "peer_intervision"
    INDIVIDUAL_COACHING = "individual_coaching"
    BUDDY = "buddy"
    DIALOGUE = "dialogue"
    LOCAL_DEVELOPMENT = "local_development"
    JOINT_PARENTS = "joint_parents"
    TRAIN_THE_TRAINER = "train_the_trainer"


class FamilyType(StrEnum):
    """How a family came to foster care."""

    RECRUITED = "recruited"
    KINSHIP = "kinship"
    KINSHIP_GRANDPARENT = "kinship_grandparent"


class CareForm(StrEnum):
    """The forms of care a family gives."""

    FULL_TIME_LONG = "full_time_long"
    FULL_TIME_TEMPORARY = "full_time_temporary"
    PART_TIME = "part_time"
    CRISIS = "crisis"


class ExperienceBand(StrEnum):
    """Years since the first placement: under 1, under 3, up to and including 10, over 10."""

    LT1 = "lt1"
    Y1_3 = "y1_3"
    Y3_10 = "y3_10"
    GT10 = "gt10"


class ChildAgeBand(StrEnum):
    """Ages of the children in a family; a birth date is never known here."""

    A0_3 = "a0_3"
    A4_8 = "a4_8"
    A9_11 = "a9_11"
    A12_15 = "a12_15"
    A16_17 = "a16_17"
    A18_20 = "a18_20"


class TravelMode(StrEnum):
    """How somebody travels, in the order of `leerbudget.geography.travel.MODES`."""

    CAR = "car"
    PUBLIC_TRANSPORT = "public_transport"
    BIKE = "bike"
    WALK = "walk"


class Party(StrEnum):
    """Whose voice a person brings to a dialogue (separate from role and rank)."""

    FOSTER_PARENTS = "foster_parents"
    PARENTS = "parents"
    FOSTER_CARE_WORKERS = "foster_care_workers"
    GUARDIAN_WORKERS = "guardian_workers"
    TRAINERS = "trainers"
    COMMUNITY = "community"


class ChildcareNeed(StrEnum):
    """What a family does with the children during a session."""

    NONE = "none"
    OWN_SITTER = "own_sitter"
    NEEDS_PLACE = "needs_place"
    NEEDS_BUDGET = "needs_budget"


class Fit(StrEnum):
    """What an offer says of one value of a criterion; unsaid means `suits`."""

    FOR = "for"
    SUITS = "suits"
    NOT_FOR = "not_for"


class Facet(StrEnum):
    """The criteria by which an offer differentiates (R18): the keys of `audience` in a session."""

    FAMILY_TYPE = "family_type"
    CARE_FORMS = "care_forms"
    EXPERIENCE = "experience"
    CHILD_AGE_BANDS = "child_age_bands"


FACET_VALUES: dict[Facet, tuple[str, ...]] = {
    Facet.FAMILY_TYPE: tuple(FamilyType),
    Facet.CARE_FORMS: tuple(CareForm),
    Facet.EXPERIENCE: tuple(ExperienceBand),
    Facet.CHILD_AGE_BANDS: tuple(ChildAgeBand),
}
"""The values an offer may speak of, by criterion."""

THEME_NL = {
    Theme.ATTACHMENT: "Hechting",
    Theme.TRAUMA: "Trauma en veiligheid",
    Theme.BEHAVIOUR: "Omgaan met gedrag",
    Theme.BIRTH_PARENTS: "Ouders, bezoek en loyaliteit",
    Theme.ADOLESCENCE: "Pubers en tieners",
    Theme.TRANSITION_16PLUS: "16+ en zelfstandig worden",
    Theme.GRIEF_LOSS: "Rouw en verlies",
    Theme.DISABILITY_NEURODIVERSITY: "LVB, ADHD en anders",
    Theme.PLAY_SCHOOL_DEVELOPMENT: "Spelen, school en ontwikkeling",
    Theme.LAW_AND_SYSTEM: "Rechten, regels en het systeem",
    Theme.COLLABORATION_ASSERTIVENESS: "Samenwerken en assertief zijn",
    Theme.SELF_CARE: "Volhouden en zelfzorg",
    Theme.KINSHIP_CARE: "Netwerk- en grootouderpleegzorg",
    Theme.CRISIS_PART_TIME: "Crisis- en deeltijdpleegzorg",
    Theme.ENDINGS: "Afscheid, terugkeer en overgang",
    Theme.TRAINING_OTHERS: "Zelf training geven",
    Theme.OTHER: "Iets anders",
}
FORM_NL = {
    LearningForm.GROUP_TRAINING: "groepstraining",
    LearningForm.THEME_MEETING: "themabijeenkomst",
    LearningForm.WEBINAR: "webinar",
    LearningForm.E_LEARNING: "e-learning",
    LearningForm.PEER_INTERVISION: "intervisie",
    LearningForm.INDIVIDUAL_COACHING: "individueel",
    LearningForm.BUDDY: "maatje",
    LearningForm.DIALOGUE: "dialoog",
    LearningForm.LOCAL_DEVELOPMENT: "lokaal ontwikkelen",
    LearningForm.JOINT_PARENTS: "samen leren met ouders",
    LearningForm.TRAIN_THE_TRAINER: "train-de-trainer",
}
TRAVEL_NL = {
    TravelMode.CAR: "met de auto",
    TravelMode.PUBLIC_TRANSPORT: "met het openbaar vervoer",
    TravelMode.BIKE: "met de fiets",
    TravelMode.WALK: "lopend",
}
FACET_VALUE_NL: dict[str, str] = {
    FamilyType.RECRUITED: "bestandspleeggezinnen",
    FamilyType.KINSHIP: "netwerkpleeggezinnen",
    FamilyType.KINSHIP_GRANDPARENT: "grootouderpleeggezinnen",
    CareForm.FULL_TIME_LONG: "voltijdpleegzorg voor langere tijd",
    CareForm.FULL_TIME_TEMPORARY: "tijdelijke voltijdpleegzorg",
    CareForm.PART_TIME: "deeltijdpleegzorg",
    CareForm.CRISIS: "crisispleegzorg",
    ExperienceBand.LT1: "pleegouders die net beginnen",
    ExperienceBand.Y1_3: "pleegouders met 1 tot 3 jaar ervaring",
    ExperienceBand.Y3_10: "pleegouders met 3 tot 10 jaar ervaring",
    ExperienceBand.GT10: "pleegouders met meer dan 10 jaar ervaring",
    ChildAgeBand.A0_3: "kinderen van 0 tot en met 3 jaar",
    ChildAgeBand.A4_8: "kinderen van 4 tot en met 8 jaar",
    ChildAgeBand.A9_11: "kinderen van 9 tot en met 11 jaar",
    ChildAgeBand.A12_15: "kinderen van 12 tot en met 15 jaar",
    ChildAgeBand.A16_17: "jongeren van 16 en 17 jaar",
    ChildAgeBand.A18_20: "jongeren van 18 tot en met 20 jaar",
}


def experience_band(years: float) -> ExperienceBand:
    """The band that holds so many years (requirements 4.3)."""
    if years < 1:
        return ExperienceBand.LT1
    if years < 3:
        return ExperienceBand.Y1_3
    return ExperienceBand.Y3_10 if years <= 10 else ExperienceBand.GT10
