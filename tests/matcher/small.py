"""Builders with good defaults for small instances and their outcomes."""

import msgspec

from leerbudget.matcher.hard_rules import Placed, Rulebook
from leerbudget.matcher.instance import Instance, instance_from
from leerbudget.matcher.outcome import Outcome, outcome_from

MONDAY_EVENING = ["2027-03-01T19:00+01:00", "2027-03-01T21:30+01:00"]
ALWAYS = "1" * 21


def a_person(name, **facts):
    """Somebody who can always come."""
    return {"id": name, "party": "foster_parents", "availability": ALWAYS, "blocked": []} | facts


def a_wish(name="w1", **facts):
    """A first wish about trauma."""
    return {"id": name, "theme": "trauma", "rank": 1, "persons": [], "forms": None, "urgent": False} | facts


def a_seeker(name="f1", persons=None, wishes=None, **facts):
    """A family in Utrecht with € 500, one person and one wish unless told otherwise."""
    persons = [a_person(f"{name}a")] if persons is None else persons
    wishes = [a_wish()] if wishes is None else wishes
    everybody = [person["id"] for person in persons]
    return {
        "id": name,
        "persons": persons,
        "pc4": "3511",
        "travel_minutes_max": {"car": 45},
        "online_ok": True,
        "budgets": [{"id": "b1", "available_cents": 50_000, "themes": None, "expires_on": "2027-12-31"}],
        "own_contribution_cents_max": 0,
        "max_placements": 2,
        "wishes": [wish | {"persons": wish["persons"] or everybody} for wish in wishes],
    } | facts


def a_session(name="s1", **facts):
    """An evening about trauma in Utrecht for € 45 with room for two."""
    return {
        "id": name,
        "course": f"course-{name}",
        "theme": "trauma",
        "form": "group_training",
        "pc4": "3512",
        "meetings": [MONDAY_EVENING],
        "price_cents": 4_500,
        "seats_min": 1,
        "seats_max": 2,
        "seats_taken": 0,
    } | facts


def plain(seekers, sessions, **facts):
    """The instance as a file would hold it."""
    return {
        "format": "leerbudget-instance/1",
        "policy": {"max_placements": 2, "weights": {}},
        "seekers": seekers,
        "sessions": sessions,
    } | facts


def an_instance(seekers, sessions, **facts) -> Instance:
    """The instance, read and checked."""
    return instance_from(plain(seekers, sessions, **facts))


def an_outcome(instance: Instance, placements, **facts) -> Outcome:
    """An honest outcome of (seeker, wish, session) triples: scores, payments and reports are worked out here."""
    from leerbudget.matcher.audit import facts_of
    from leerbudget.matcher.criteria import first_placement
    from leerbudget.matcher.criteria.weights import score, weights_of
    from leerbudget.matcher.outcome import gap_of

    rules, weights = Rulebook.of(instance), weights_of(instance)
    placed = [Placed(*triple) for triple in placements]
    points = score(facts_of(rules, placed), weights).tolist()
    if rules.given is not None:
        points = [rules.given.get(triple, 0) for triple in placed]
    total = sum(points) + sum(first_placement.bonus(rules.seekers[s], weights) for s in {p.seeker for p in placed})
    rows = []
    for triple, score_of_it in zip(placed, points, strict=True):
        session = rules.sessions[triple.session]
        due = session.price_cents * len(rules.persons(triple))
        budgets = rules.seekers[triple.seeker].budgets
        rows.append(
            {
                **triple._asdict(),
                "persons": list(rules.wish(triple).persons),
                "score": score_of_it,
                "payment": [[budgets[0].id, due]] if due and budgets else [],
                "own_contribution_cents": 0 if budgets else due,
            }
        )
    groups = {session: [p for p in placed if p.session == session] for session in rules.sessions}
    wishes = [(seeker.id, wish.id) for seeker in instance.seekers for wish in seeker.wishes]
    told = {(p.seeker, p.wish) for p in placed}
    bound = facts.pop("bound", total)
    return outcome_from(
        {
            "format": "leerbudget-outcome/1",
            "placements": rows,
            "unplaced": [{"seeker": s, "wish": w} for s, w in wishes if (s, w) not in told],
            "sessions": [
                {
                    "id": name,
                    "runs": rules.runs(name, group),
                    "seats": rules.sessions[name].seats_taken + sum(len(rules.persons(p)) for p in group),
                }
                for name, group in groups.items()
            ],
            "score": total,
            "bound": bound,
            "gap": gap_of(total, bound),
        }
        | facts
    )


def strings_of(value):
    """Every string in a struct, keys and values."""
    plain = msgspec.to_builtins(value)
    if isinstance(plain, dict):
        return {text for pair in plain.items() for side in pair for text in strings_of(side)}
    if isinstance(plain, list | tuple):
        return {text for item in plain for text in strings_of(item)}
    return {plain} if isinstance(plain, str) else set()
