"""`leerbudget match baseline | fairness | compare` from files: readable tables, and one line for what is wrong."""

import json

import pytest

from leerbudget.entrypoints.cli.match_compare import WAYS
from leerbudget.matcher import baselines
from matcher.small import a_seeker, a_session, a_wish, plain


@pytest.fixture
def instance(tmp_path):
    """Forty families for twenty places near and twenty far; four are grandparents."""
    kinds = ["kinship_grandparent"] * 4 + ["kinship"] * 12 + ["recruited"] * 24
    seekers = [
        a_seeker(f"f{i}", family_type=kind, waiting_rounds=i % 2, wishes=[a_wish("w1"), a_wish("w2", rank=2)])
        for i, kind in enumerate(kinds)
    ]
    sessions = [a_session(seats_max=20), a_session("s2", pc4="3811", seats_max=10, seats_min=5)]
    file = tmp_path / "i.json"
    file.write_text(json.dumps(plain(seekers, sessions)))
    return file


@pytest.fixture
def outcomes(here, instance, tmp_path):
    """The outcome of each baseline, as a file."""
    files = {way: tmp_path / f"{way}.json" for way in WAYS}
    for way, file in files.items():
        assert here("match", "baseline", instance, "--way", way, "--seed", 3, "--out", file)[0] == 0
    return files


def test_the_names_of_the_ways_are_those_of_the_matcher():
    """What the option offers is what there is."""
    assert tuple(baselines.WAYS) == WAYS


def test_a_baseline_is_an_outcome_that_the_audit_accepts(here, instance, outcomes):
    """The file can be audited like any other, and the summary is one JSON object."""
    for file in outcomes.values():
        assert here("match", "audit", instance, file)[0] == 0
    way = ("match", "baseline", instance, "--way", "deferred", "--out", outcomes["deferred"], "--json")
    assert json.loads(here(*way)[1])["served"] == 30


def test_the_fairness_table_is_readable_and_hides_small_groups(here, instance, outcomes):
    """Dutch words and figures; the four grandparents, and the group by which they could be worked out, have no figures."""
    code, told, _ = here("match", "fairness", instance, outcomes["first_come"])
    assert code == 0
    lines = {line.split("  ")[0]: line for line in told.splitlines()}
    assert "30" in lines["Alle pleeggezinnen"].split()
    assert "75,0 %" in lines["Alle pleeggezinnen"]
    assert "minder dan 5" in lines["grootouderpleeggezinnen"]
    assert "minder dan 5" in lines["netwerkpleeggezinnen"]
    assert "24" in lines["bestandspleeggezinnen"].split()
    assert "Let op" not in told
    table = json.loads(here("match", "fairness", instance, outcomes["first_come"], "--json")[1])
    assert table["families"]["served"] == 30


def test_a_comparison_tells_who_wins_by_group(here, instance, outcomes):
    """Waiting families win from first come to deferred acceptance; no id of a family is told."""
    code, told, _ = here("match", "compare", instance, *outcomes.values())
    assert code == 0
    lines = {line.split("  ")[0]: line.split() for line in told.splitlines()}
    families, gains, loses, *_ = lines["1 ronde"][2:]
    assert (families, loses) == ("20", "0")
    assert int(gains) > 0
    assert not any(f"f{i} " in told for i in range(40))
    found = json.loads(here("match", "compare", instance, *outcomes.values(), "--json")[1])
    assert found["one"]["families_served"] == found["other"]["families_served"] == 30


def test_weights_that_let_a_second_place_go_first_are_told(here, instance, outcomes):
    """A round with a small bonus for first places says so above its tables."""
    plain_round = json.loads(instance.read_text())
    plain_round["policy"]["weights"] = {"first_placement": 100}
    instance.write_text(json.dumps(plain_round))
    told = here("match", "compare", instance, *outcomes.values())[1]
    assert "Andere gewichten: first_placement 100" in told
    assert "Een tweede plek kan dus voor de eerste plek van een ander gaan" in told
    assert "gemaakt voor een andere vorm van deze ronde" in told


def test_files_that_do_not_belong_together_are_refused(here, instance, outcomes, tmp_path):
    """An outcome of another round: one line with the place in the file, exit code 2, no traceback."""
    other = tmp_path / "other.json"
    other.write_text(json.dumps(plain([a_seeker()], [a_session()])))
    code, _, error = here("match", "fairness", other, outcomes["first_come"])
    assert code == 2
    assert "$.instance" in error
    assert "Traceback" not in error
    impossible = plain([a_seeker()], [a_session(seats_min=2)], fixed=[["f1", "w1", "s1"]])
    other.write_text(json.dumps(impossible))
    code, _, error = here("match", "baseline", other, "--way", "first_come", "--out", tmp_path / "o.json")
    assert code == 2
    assert "$.fixed" in error
