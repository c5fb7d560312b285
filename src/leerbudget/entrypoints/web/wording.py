"""The Dutch words for the closed lists of the rooms, and the tone in which a state is shown.

One word per concept (docs/begrippen.md). Families are never graded, so no state has a tone of blame.
"""

LABELS: dict[str, dict[str, str]] = {
    "theme": {
        "attachment": "Hechting",
        "trauma": "Trauma en veiligheid",
        "behaviour": "Omgaan met gedrag",
        "birth_parents": "Ouders, bezoek en loyaliteit",
        "adolescence": "Pubers en tieners",
        "transition_16plus": "16+ en zelfstandig worden",
        "grief_loss": "Rouw en verlies",
        "disability_neurodiversity": "LVB, ADHD en anders",
        "play_school_development": "Spelen, school en ontwikkeling",
        "law_and_system": "Rechten, regels en het systeem",
        "collaboration_assertiveness": "Samenwerken en assertief zijn",
        "self_care": "Volhouden en zelfzorg",
        "kinship_care": "Netwerk- en grootouderpleegzorg",
        "crisis_part_time": "Crisis- en deeltijdpleegzorg",
        "endings": "Afscheid, terugkeer en overgang",
        "training_others": "Zelf training geven",
        "other": "Iets anders",
    },
    "form": {
        "group_training": "Groepstraining",
        "theme_meeting": "Themabijeenkomst",
        "webinar": "Webinar",
        "e_learning": "E-learning",
        "peer_intervision": "Intervisie",
        "individual_coaching": "Individueel",
        "buddy": "Maatje",
        "dialogue": "Dialoog",
        "local_development": "Lokaal ontwikkelen",
        "joint_parents": "Samen leren met ouders",
        "train_the_trainer": "Train-de-trainer",
    },
    "family_type": {
        "recruited": "Bestandspleeggezin",
        "kinship": "Netwerkpleeggezin",
        "kinship_grandparent": "Grootouderpleeggezin",
    },
    "care_form": {
        "full_time_long": "Voltijd, langere tijd",
        "full_time_temporary": "Voltijd, tijdelijk",
        "part_time": "Deeltijd",
        "crisis": "Crisis",
    },
    "experience": {
        "lt1": "Korter dan 1 jaar",
        "y1_3": "1 tot 3 jaar",
        "y3_10": "3 tot 10 jaar",
        "gt10": "Langer dan 10 jaar",
    },
    "age_band": {
        "a0_3": "0 tot en met 3 jaar",
        "a4_8": "4 tot en met 8 jaar",
        "a9_11": "9 tot en met 11 jaar",
        "a12_15": "12 tot en met 15 jaar",
        "a16_17": "16 en 17 jaar",
        "a18_20": "18 tot en met 20 jaar",
    },
    "party": {
        "foster_parents": "Pleegouders",
        "parents": "Ouders",
        "foster_care_workers": "Pleegzorgbegeleiders",
        "guardian_workers": "Jeugdbeschermers",
        "trainers": "Trainers",
        "community": "Andere betrokkenen",
    },
    "travel_mode": {
        "car": "Auto",
        "public_transport": "Openbaar vervoer",
        "bike": "Fiets",
        "walk": "Lopen",
        "online": "Online",
    },
    "by_travel_mode": {
        "car": "met de auto",
        "public_transport": "met het openbaar vervoer",
        "bike": "met de fiets",
        "walk": "lopend",
        "online": "online",
    },
    "childcare_need": {
        "none": "Niet nodig",
        "own_sitter": "Wij regelen zelf oppas",
        "needs_place": "Graag opvang bij de bijeenkomst",
        "needs_budget": "Graag een bijdrage voor oppas",
    },
    "audience": {"for": "Speciaal voor", "suits": "Ook geschikt voor", "not_for": "Niet bedoeld voor"},
    "wish": {
        "draft": "Concept",
        "open": "Open",
        "proposed": "Voorstel gedaan",
        "booked": "Ingeschreven",
        "fulfilled": "Vervuld",
        "withdrawn": "Ingetrokken",
        "parked": "Even opzij gezet",
    },
    "session": {
        "draft": "Concept",
        "conditional": "Gaat door bij genoeg deelnemers",
        "confirmed": "Gaat door",
        "running": "Is bezig",
        "done": "Is geweest",
        "cancelled": "Gaat niet door",
    },
    "booking": {
        "offered": "Wacht op uw antwoord",
        "confirmed": "Ingeschreven",
        "attended": "Gevolgd",
        "no_show": "Niet gekomen",
        "declined": "Niet gekozen",
        "expired": "Verlopen",
        "cancelled": "Geannuleerd",
    },
    "attendance": {
        "planned": "Nog niet ingevuld",
        "present": "Was er",
        "absent": "Was er niet",
        "elsewhere": "Haalt in",
        "elearning": "Doet e-learning",
        "elearning_done": "Deed e-learning",
    },
    "round": {
        "open": "Open",
        "frozen": "Vastgezet",
        "solved": "Berekend",
        "audited": "Gecontroleerd",
        "rejected": "Afgekeurd",
        "published": "Gepubliceerd",
        "answered": "Afgerond",
    },
    "phase": {
        "candidates": "Mogelijkheden zoeken",
        "problem": "De opgave opstellen",
        "greedy": "Een eerste verdeling",
        "whole": "De hele verdeling in één keer",
        "groups": "Groep voor groep verbeteren",
        "mend": "Afwerken",
        "audit": "Narekenen",
        "explain": "Redenen opschrijven",
    },
    "proposal": {
        "proposed": "Voorgesteld",
        "offered": "Wacht op uw antwoord",
        "refused": "Kon niet meer",
        "accepted": "Aangenomen",
        "declined": "Niet gekozen",
        "expired": "Verlopen",
    },
    "decline_reason": {
        "no_time": "De datum of tijd komt niet uit",
        "too_far": "Het is te ver",
        "other_wish": "Wij willen nu liever iets anders",
        "rather_not_say": "Dat zeg ik liever niet",
    },
    "passed_over": {
        "budget_too_small": "uw leerbudget was daarvoor te klein",
        "earmark_excludes": "uw leerbudget was voor iets anders bedoeld",
        "meetings_overlap": "u had toen al een andere bijeenkomst",
        "already_booked": "u had daar al een plaats",
        "not_together": "de groep die er al is past niet",
        "not_for_this_family": "die groep is voor andere gezinnen",
        "session_full": "er waren minder plaatsen vrij dan u nodig hebt",
        "party_full": "er was geen plaats voor pleegouders",
        "childcare_full": "er was geen opvang voor de kinderen",
        "out_of_reach": "het was verder dan u wilt reizen",
        "not_their_days": "u kunt dan meestal niet",
    },
    "top_up": {
        "created": "Wordt gestart",
        "open": "Wacht op betaling",
        "processing": "Wordt verwerkt",
        "succeeded": "Ontvangen",
        "failed": "Niet gelukt",
        "expired": "Verlopen",
        "cancelled": "Ingetrokken",
        "review": "Wordt bekeken",
        "part_refunded": "Deels terugbetaald",
        "refunded": "Terugbetaald",
        "disputed": "Teruggeboekt",
    },
    "tariff_scope": {
        "national": "Landelijk",
        "youth_region": "Jeugdregio",
        "municipality": "Gemeente",
        "organisation": "Organisatie",
    },
    "grant_request": {"asked": "Wacht op een collega", "approved": "Goedgekeurd", "refused": "Afgewezen"},
    "budget": {"active": "Geldig", "expired": "Verlopen"},
    "role": {
        "foster_parent": "pleegouder",
        "foster_care_worker": "pleegzorgbegeleider",
        "guardian_worker": "jeugdbeschermer",
        "guest": "deelnemer aan gesprekken",
        "trainer": "trainer",
        "organisation_finance": "financiën van een organisatie",
        "organisation_admin": "beheerder van een organisatie",
        "municipality_viewer": "gemeente",
        "coordinator": "coördinator",
        "platform_admin": "beheerder",
    },
    "organisation": {
        "provider": "Pleegzorgaanbieder",
        "municipality": "Gemeente",
        "certified_institution": "Gecertificeerde instelling",
        "programme": "Programma",
    },
    "day_part": {"0": "ochtend", "1": "middag", "2": "avond"},
}

TONES: dict[str, dict[str, str]] = {
    "wish": {"open": "neutral", "proposed": "warning", "booked": "success", "fulfilled": "success"},
    "session": {"conditional": "neutral", "confirmed": "success", "running": "success", "cancelled": "warning"},
    "booking": {"offered": "warning", "confirmed": "success", "attended": "success"},
    "attendance": {"present": "success"},
    "round": {
        "audited": "success",
        "rejected": "danger",
        "published": "success",
        "frozen": "neutral",
        "solved": "neutral",
    },
    "proposal": {"offered": "warning", "accepted": "success"},
    "top_up": {
        "created": "neutral",
        "open": "neutral",
        "processing": "neutral",
        "succeeded": "success",
        "failed": "warning",
        "review": "warning",
        "disputed": "warning",
    },
    "grant_request": {"asked": "warning", "approved": "success"},
    "budget": {"active": "success"},
}
"""How a state's badge looks: success, warning (something is asked), neutral, danger; none = quiet."""


def label(code: str, kind: str) -> str:
    """The Dutch word for a code of a closed list.

    Raises:
        KeyError: the list or the code is not known; a test compares with the rooms' rules.
    """
    return LABELS[kind][code]


def tone(code: str, kind: str) -> str:
    """The tone of a state's badge; `quiet` when it asks for no attention."""
    return TONES.get(kind, {}).get(code, "quiet")
