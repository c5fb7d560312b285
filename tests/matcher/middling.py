"""Random rounds of 10 to 20 seekers and 5 to 8 sessions in which every hard rule holds somebody back now and then.

Larger than `tiny` (which is there to be tried out completely), small enough for an exact model.
"""

from random import Random

from leerbudget.matcher.hard_rules import NEEDS_COMPANY, Placed, Rulebook
from leerbudget.matcher.instance import instance_from
from matcher.tiny import some

HOURS = (("09:30", "11:30"), ("13:30", "15:30"), ("17:00", "18:30"), ("19:00", "21:00"))
DAYS = ("2027-03-01", "2027-03-02", "2027-03-03", "2027-03-06")
PLACES = ("3511", "3584", "3811", "1012", "3823")
"""Two in Utrecht, two in Amersfoort, one in Amsterdam."""
THEMES = ("trauma", "trauma", "attachment")
BANDS = ("a0_3", "a4_8", "a9_11")
TRAINERS = ("t1", "t2", "t3")
WEEKS = ("1" * 21, "1" * 21, "1" * 21, "011" * 7, "111001001111001111000", "110" * 5 + "111" * 2)
WORKERS = ("guardian_workers", "foster_care_workers")


def meeting(dice):
    """A moment of two hours or less."""
    day, (begin, end) = dice.choice(DAYS), dice.choice(HOURS)
    return [f"{day}T{begin}+01:00", f"{day}T{end}+01:00"]


def a_budget(dice, number):
    """Money for one to three places; earmarked or soon expired now and then."""
    return {
        "id": f"b{number}",
        "available_cents": dice.choice((4_500, 6_000, 9_000, 15_000, 20_000)),
        "themes": dice.choice((None, None, None, ["trauma"], ["attachment"])),
        "expires_on": dice.choice((None, "2027-12-31", "2027-03-02")),
    }


def a_family(dice: Random, name, known):
    """One or two foster parents with one to three wishes."""
    ids = [f"{name}a", f"{name}b"][: dice.choice((1, 2, 2))]
    blocked = [meeting(dice)] if dice.random() < 0.3 else []
    return {
        "id": name,
        "persons": [
            {"id": one, "party": "foster_parents", "availability": dice.choice(WEEKS), "blocked": blocked}
            for one in ids
        ],
        "pc4": dice.choice(PLACES[:4]),
        "travel_minutes_max": dice.choice(({"car": 60}, {"car": 45, "bike": 25}, {"car": 90}, {"car": 90, "walk": 15})),
        "online_ok": dice.random() < 0.5,
        "family_type": dice.choice(("recruited", "kinship", "kinship_grandparent")),
        "experience_years": dice.choice((0.5, 2.0, 12.0)),
        "child_age_bands": [dice.choice(BANDS)],
        "budgets": [a_budget(dice, number) for number in range(dice.choice((1, 1, 2, 3)))],
        "own_contribution_cents_max": dice.choice((0, 0, 1_500, 4_000)),
        "max_placements": dice.choice((1, 2, 2, 3)),
        "waiting_rounds": dice.choice((0, 0, 0, 1, 2)),
        "childcare": dict.fromkeys(some(dice, BANDS, 2), 1),
        "childcare_need": dice.choice(("none", "none", "needs_place", "own_sitter")),
        "avoid": some(dice, (*TRAINERS, *known), 1) if dice.random() < 0.3 else [],
        "professionals": some(dice, [one for one in known if one.startswith("v")], 1),
        "wishes": [a_wish(dice, number, ids) for number in range(dice.choice((1, 2, 2, 3)))],
    }


def a_wish(dice, number, ids):
    """For one of the parents, or for both together."""
    return {
        "id": f"w{number}",
        "theme": dice.choice(THEMES),
        "rank": number + 1,
        "persons": dice.choice((ids, ids[:1], ids[-1:])),
        "forms": dice.choice((None, None, ["dialogue"])),
        "urgent": dice.random() < 0.3,
    }


def a_worker(dice: Random, name):
    """A professional who would sit in a dialogue."""
    return {
        "id": name,
        "persons": [{"id": f"{name}p", "party": dice.choice(WORKERS), "availability": dice.choice(WEEKS[:4])}],
        "pc4": dice.choice(PLACES),
        "travel_minutes_max": {"car": 75},
        "online_ok": dice.random() < 0.5,
        "max_placements": dice.choice((1, 2)),
        "wishes": [
            {"id": f"w{number}", "theme": theme, "rank": 1, "persons": [f"{name}p"]}
            for number, theme in enumerate(dice.sample(THEMES[1:], dice.choice((1, 2))))
        ],
    }


def a_session(dice: Random, name):
    """Mostly a group with a minimum; one in three is a dialogue."""
    dialogue = dice.random() < 0.35
    most = dice.randint(4, 8) if dialogue else dice.randint(2, 6)
    taken = dice.choice((0, 0, 0, 1, 2))
    meetings = sorted({tuple(meeting(dice)) for _ in range(dice.choice((1, 1, 2)))})
    nuance = dice.choice(({}, {"family_type": {"kinship_grandparent": "not_for", "kinship": "for"}}, None))
    return {
        "id": name,
        "course": f"c{dice.randint(1, 5)}",
        "theme": dice.choice(THEMES),
        "form": "dialogue" if dialogue else "group_training",
        "pc4": dice.choice((*PLACES, None)),
        "meetings": [list(each) for each in meetings],
        "price_cents": 0 if dialogue and dice.random() < 0.5 else dice.choice((2_500, 4_500, 6_000, 7_500)),
        "seats_min": min(most, dice.choice((0, 1, 2, 3, 4))),
        "seats_max": most,
        "seats_taken": taken,
        "audience": {"experience": {"gt10": "not_for", "lt1": "for"}} if nuance is None else nuance,
        "people": some(dice, TRAINERS, 1),
        "childcare_places": {band: dice.randint(1, 3) for band in some(dice, BANDS, 3)},
    } | (parties_of(dice, taken) if dialogue else {})


def parties_of(dice, taken):
    """Two or three parties that must be about as many as each other."""
    invited = ("foster_parents", *WORKERS[: dice.choice((1, 2))])
    return {
        "parties": {party: [dice.randint(0, 1), dice.randint(1, 3)] for party in invited},
        "party_spread_max": dice.choice((None, 0, 1)),
        "parties_taken": {"foster_parents": min(taken, 1)},
    }


def a_middling_instance(dice: Random):
    """A round, read and checked. What is fixed may turn out not to find its company."""
    workers = [f"v{number}" for number in range(dice.randint(2, 5))]
    people = [a_worker(dice, name) for name in workers]
    known = list(workers)
    for number in range(dice.randint(8, 15)):
        people.append(a_family(dice, f"f{number}", known))
        known.append(f"f{number}")
    sessions = [a_session(dice, f"s{number}") for number in range(dice.randint(5, 8))]
    triples = [(u["id"], w["id"], s["id"]) for u in people for w in u["wishes"] for s in sessions]
    given = None
    if dice.random() < 0.15:
        given = [[*triple, dice.randint(-5, 60)] for triple in dice.sample(triples, len(triples) // 2)]
    weights = dice.choice(({}, {}, {}, {"first_placement": 20, "waiting_round": 5}, {"travel": 200}))
    made = {
        "format": "leerbudget-instance/1",
        "policy": {"max_placements": dice.choice((1, 2, 2, 3)), "weights": weights},
        "seekers": people,
        "sessions": sessions,
        "fixed": [],
        "forbidden": [(u["id"], s["id"]) for u in people for s in sessions if dice.random() < 0.03],
        "candidates": given,
    }
    return instance_from(made | {"fixed": something_fixed(dice, made, triples) if dice.random() < 0.4 else []})


def something_fixed(dice, made, triples):
    """One placement that breaks no rule by itself, though it may wait for company; nothing when there is none."""
    rules = Rulebook.of(instance_from(made))
    for triple in dice.sample(triples, len(triples)):
        placed = Placed(*triple)
        alone = [*rules.of_placement(placed), *rules.of_seeker(placed.seeker, [placed])]
        alone += [b for b in rules.of_session(placed.session, [placed]) if b.code not in NEEDS_COMPANY]
        if not alone:
            return [triple]
    return []
