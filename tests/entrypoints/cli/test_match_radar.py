"""`leerbudget match radar` and `match what-if` from files: answers in Dutch or JSON, one clear line for bad input."""

import json

import pytest

from leerbudget.entrypoints.cli import match_radar
from leerbudget.matcher.instance import to_json
from leerbudget.matcher.radar import Order
from leerbudget.matcher.radar_extra import Rule
from leerbudget.matcher.solving import Limits, solve
from matcher.small import a_person, a_seeker, a_session, an_instance

MORNING = ["2027-03-01T09:00+01:00", "2027-03-01T11:00+01:00"]


@pytest.fixture
def files(tmp_path):
    """Six families that lack € 20 each, six that are free in the evening only, one session in the morning; its outcome."""
    budget = {"id": "b1", "available_cents": 2_500, "themes": None, "expires_on": None}
    poor = [a_seeker(f"f{i}", [a_person(f"f{i}a")], budgets=[budget]) for i in range(6)]
    late = [a_seeker(f"g{i}", [a_person(f"g{i}a", availability="001" * 7)]) for i in range(6)]
    instance = an_instance([*poor, *late], [a_session(meetings=[MORNING], seats_max=9)])
    asked, answered = tmp_path / "instance.json", tmp_path / "outcome.json"
    asked.write_bytes(to_json(instance))
    answered.write_bytes(to_json(solve(instance, Limits(seconds=5))))
    return asked, answered


def test_radar_tells_where_a_session_would_serve_whom(here, files):
    """In plain Dutch, and as JSON for programs; the numbers are the same."""
    code, told, _ = here("match", "radar", *files)
    assert code == 0
    assert "12 gezinnen wachten" in told
    assert "Trauma en veiligheid" in told
    assert "6 gezinnen kunnen komen, 14,8 per € 1.000; € 45,00 per persoon, € 405,00 voor alle plekken" in told
    code, told, _ = here("match", "radar", *files, "--json", "--order", "families", "--region", "35")
    answer = json.loads(told)
    assert code == 0
    assert [p["families"] for p in answer["proposals"]] == [6]
    assert here("match", "radar", *files, "--theme", "endings")[1].endswith("met deze grenzen een groep.\n")


def test_what_if_tells_what_extra_money_does(here, files):
    """€ 120 serves six families, € 20 each; the estimate says so without a new run."""
    code, told, _ = here("match", "what-if", *files, "--euros", "120", "--region", "35", "--seconds", "5")
    assert code == 0
    assert "Gezinnen met een plek: 0 zonder, 6 met." in told
    assert "Aangevuld: 6 gezinnen, samen € 120,00;" in told
    assert "Per extra gezin € 20,00." in told
    answer = json.loads(here("match", "what-if", *files, "--euros", "120.00", "--seconds", "5", "--json")[1])
    assert (answer["extra_families"], answer["cents_used"], answer["estimated_families"]) == (6, 12_000, 6)
    code, told, _ = here("match", "what-if", *files, "--euros", "120", "--quick")
    assert told.startswith("Schatting, zonder de ronde opnieuw te draaien: voor 6 gezinnen")
    few = here("match", "what-if", *files, "--euros", "60", "--seconds", "5")[1]
    assert "niet te zeggen (minder dan 5 gezinnen)" in few
    assert "60,00" not in few


def test_more_seats_or_childcare_that_nobody_lacks_change_nothing(here, files):
    """The same command takes seats and childcare places; here they are not what is missing."""
    for kind in ("--seats", "--childcare"):
        code, told, _ = here("match", "what-if", *files, kind, 3, "--seconds", "5")
        assert code == 0
        assert "Verschil: 0 in de hele ronde" in told
        assert "Aangevuld" not in told


@pytest.mark.parametrize(
    "arguments",
    [
        ("--euros", "duizend"),
        ("--euros", "-5"),
        ("--euros", "1.5"),
        ("--euros", "10", "--seats", "2"),
        (),
        ("--seats", "2", "--quick"),
        ("--euros", "10", "--rule", "equal", "--quick"),
        ("--euros", "10", "--region", "3a"),
        ("--euros", "10", "--theme", "nothing"),
        ("--euros", "10", "--seconds", "nan"),
    ],
)
def test_bad_wishes_are_refused_in_one_line(here, files, arguments):
    """Exit code 2 and a line that says what is wrong; never a traceback."""
    code, told, complaint = here("match", "what-if", *files, *arguments)
    assert (code, told) == (2, "")
    assert "Traceback" not in complaint
    assert complaint.strip()


def test_an_outcome_of_another_instance_is_refused(here, files, tmp_path):
    """The fingerprint tells; both commands say so."""
    other = tmp_path / "other.json"
    other.write_bytes(to_json(an_instance([a_seeker()], [a_session()])))
    for command in (("radar",), ("what-if", "--euros", "5")):
        code, _, complaint = here("match", command[0], other, files[1], *command[1:])
        assert code == 2
        assert "another instance" in complaint


def test_the_words_of_the_options_are_those_of_the_matcher():
    """The command line repeats two lists so that its help stays quick; they are the same lists."""
    assert list(match_radar.ORDERS) == [*Order]
    assert list(match_radar.RULES) == [*Rule]
