"""Closed lists of the catalogue (requirements 4.1, 4.2, 4.7)."""

THEMES = (
    "attachment",
    "trauma",
    "behaviour",
    "birth_parents",
    "adolescence",
    "transition_16plus",
    "grief_loss",
    "disability_neurodiversity",
    "play_school_development",
    "law_and_system",
    "collaboration_assertiveness",
    "self_care",
    "kinship_care",
    "crisis_part_time",
    "endings",
    "training_others",
    "other",
)
FORMS = (
    "group_training",
    "theme_meeting",
    "webinar",
    "e_learning",
    "peer_intervision",
    "individual_coaching",
    "buddy",
    "dialogue",
    "local_development",
    "joint_parents",
    "train_the_trainer",
)
COURSE_STATES = ("draft", "submitted", "in_review", "admitted", "supplement", "refused", "expired")
SESSION_STATES = ("draft", "conditional", "confirmed", "running", "done", "cancelled")
BOOKABLE_STATES = ("conditional", "confirmed")
SESSION_ROLES = ("trainer", "facilitator")
