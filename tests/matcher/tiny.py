"""Small random instances in which every hard rule bites now and then."""

from random import Random

from leerbudget.matcher.errors import InstanceRefused
from leerbudget.matcher.instance import instance_from

EVENINGS = [f"2027-03-0{day}T{hour}:00+01:00" for day in (1, 2, 3) for hour in (17, 19)]
PLACES = ("3511", "3512", "3811", "1012", None)
THEMES = ("trauma", "attachment")
BANDS = ("a0_3", "a4_8")
PEOPLE = ("t1", "t2", "f0", "f1", "f2a", "v0a")
BLOCKED = ["2027-03-01T08:00+01:00", "2027-03-01T19:00+01:00"]


def some(dice, values, most):
    """A few of the values, each once."""
    return dice.sample(list(values), min(len(values), dice.randint(0, most)))


def rarely(dice, value, otherwise, chance=0.25):
    """Mostly the plain value, so that not everything is impossible at once."""
    return value if dice.random() < chance else otherwise


def children(dice):
    """So many children, or places for them, by age band."""
    return {band: dice.randint(0, 2) for band in BANDS}


def a_random_session(dice: Random, name):
    """An offered session; some are dialogues."""
    most = dice.randint(1, 4)
    taken = rarely(dice, dice.randint(0, most), 0)
    starts = sorted(dice.sample(EVENINGS, dice.choice((1, 1, 2))))
    parties = {p: sorted((dice.randint(0, 1), dice.randint(0, 3))) for p in ("foster_parents", "guardian_workers")}
    dialogue = rarely(dice, value=sum(least for least, _ in parties.values()) <= most, otherwise=False, chance=0.4)
    fits = {"family_type": {"kinship": "not_for", "recruited": "for"}}
    return {
        "id": name,
        "course": dice.choice(("c1", "c2", "c3", "c4")),
        "theme": dice.choice(THEMES),
        "form": dice.choice(("group_training", "webinar")),
        "pc4": dice.choice(PLACES),
        "meetings": [[start, start.replace("T17", "T18").replace("T19", "T21")] for start in starts],
        "price_cents": dice.choice((0, 0, 100, 150, 200)),
        "seats_min": dice.choice((0, 1, 1, most, dice.randint(0, most))),
        "seats_max": most,
        "seats_taken": taken,
        "audience": rarely(dice, fits, {}),
        "parties": parties if dialogue else None,
        "party_spread_max": dice.choice((None, 0, 1)),
        "parties_taken": {"foster_parents": min(taken, parties["foster_parents"][1])} if dialogue else {},
        "people": rarely(dice, some(dice, PEOPLE, 2), []),
        "childcare_places": children(dice),
    }


def a_random_seeker(dice: Random, name, party):
    """A family of one or two persons, or a professional, with one to three wishes."""
    ids = [f"{name}a", f"{name}b"][: dice.randint(1, 2)]
    own = {name, *ids}
    persons = [
        {
            "id": one,
            "party": party,
            "availability": dice.choice(("1" * 21, "1" * 21, "1" * 21, "001" + "1" * 18, "110" + "1" * 18)),
            "blocked": rarely(dice, [BLOCKED], []),
        }
        for one in ids
    ]
    budgets = [
        {
            "id": f"b{i}",
            "available_cents": dice.choice((50, 150, 300, 1000)),
            "themes": dice.choice((None, ["trauma"], ["attachment"])),
            "expires_on": dice.choice((None, "2027-03-01", "2027-12-31")),
        }
        for i in range(dice.randint(0, 3))
    ]
    wishes = [
        {
            "id": f"w{i}",
            "theme": dice.choice(THEMES),
            "rank": i + 1,
            "persons": dice.choice((ids, ids[:1], ids[-1:])),
            "forms": dice.choice((None, ["webinar"])),
            "urgent": dice.random() < 0.3,
        }
        for i in range(dice.randint(1, 3))
    ]
    return {
        "id": name,
        "persons": persons,
        "pc4": dice.choice(("3511", "3811")),
        "travel_minutes_max": dice.choice(
            ({"car": 90}, {"car": 90}, {"car": 90, "walk": 20}, {"bike": 30, "car": 40}, {})
        ),
        "online_ok": dice.random() < 0.7,
        "family_type": dice.choice((None, "kinship", "recruited")),
        "budgets": budgets,
        "own_contribution_cents_max": dice.choice((0, 100, 400)),
        "max_placements": dice.choice((0, 1, 2, 2, 3, 3)),
        "waiting_rounds": dice.randint(0, 2),
        "childcare": rarely(dice, children(dice), {}),
        "childcare_need": dice.choice(("none", "needs_place")),
        "avoid": rarely(dice, [one for one in some(dice, PEOPLE, 2) if one not in own], []),
        "professionals": rarely(dice, [one for one in some(dice, PEOPLE, 1) if one not in own], []),
        "wishes": wishes,
    }


def a_random_instance(dice: Random):
    """Up to four seekers and four sessions, sometimes with given candidates, forbidden or fixed ones."""
    everybody = [a_random_seeker(dice, f"f{i}", "foster_parents") for i in range(dice.choice((1, 2, 3, 3)))]
    if dice.random() < 0.5:
        everybody.append(a_random_seeker(dice, "v0", "guardian_workers"))
    offered = [a_random_session(dice, f"s{i}") for i in range(dice.choice((1, 2, 3, 4, 4)))]
    pairs = [(u["id"], s["id"]) for u in everybody for s in offered]
    triples = [(u["id"], w["id"], s["id"]) for u in everybody for w in u["wishes"] for s in offered]
    given = rarely(dice, [[*t, dice.randint(-5, 30)] for t in some(dice, triples, len(triples))], None)
    return {
        "format": "leerbudget-instance/1",
        "policy": {
            "max_placements": dice.randint(1, 3),
            "weights": rarely(dice, {"first_placement": 7, "waiting_round": 0}, {}),
        },
        "seekers": everybody,
        "sessions": offered,
        "fixed": rarely(dice, some(dice, triples, 1), []),
        "forbidden": rarely(dice, some(dice, pairs, 1), []),
        "candidates": given,
    }


def readable(plain):
    """The instance; without what is fixed when that breaks a rule by itself."""
    try:
        return instance_from(plain)
    except InstanceRefused:
        return instance_from(plain | {"fixed": []})
