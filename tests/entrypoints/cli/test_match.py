"""`leerbudget match …` from files: the whole chain, and one clear line for every unsound file."""

import csv
import gzip
import json
import os
import pty
import signal
import subprocess

import msgspec
import numpy as np
import pytest

from entrypoints.cli.commanding import COMMAND, environment
from leerbudget.fictional.instances import generate_instance
from leerbudget.matcher.audit import audit
from leerbudget.matcher.instance import read_instance
from leerbudget.matcher.outcome import read_outcome
from matcher.small import a_seeker, a_session, a_wish, plain


@pytest.fixture
def small(tmp_path):
    """A file with two families for one seat, and a wish nobody can grant."""
    seekers = [a_seeker(wishes=[a_wish("w1"), a_wish("w2", theme="endings")]), a_seeker("f2")]
    file = tmp_path / "small.json"
    file.write_text(json.dumps(plain(seekers, [a_session(seats_max=1)])))
    return file


def test_generate_solve_audit(here, tmp_path):
    """The chain of the manual works without a database, packed and unpacked, and says what it found."""
    instance, outcome = tmp_path / "i.json.gz", tmp_path / "o.json"
    assert here("match", "generate", "--families", 150, "--sessions", 25, "--seed", 7, "--out", instance)[0] == 0
    code, told, _ = here("match", "solve", instance, "--out", outcome, "--seconds", 30, "--seed", 1)
    assert code == 0
    assert "audit passed" in told
    code, told, _ = here("match", "audit", instance, outcome)
    assert (code, told) == (0, "no violations: every rule holds\n")
    answer = json.loads(outcome.read_text())
    assert len(answer["placements"]) > 20
    assert answer["score"] <= answer["bound"]
    assert sorted(tmp_path.iterdir()) == sorted([instance, outcome])


def test_generating_twice_gives_the_same_bytes(here, tmp_path):
    """The seed alone decides, the packing included; another seed gives another file."""
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        here(
            "match",
            "generate",
            "--families",
            40,
            "--sessions",
            10,
            "--seed",
            seed,
            "--out",
            tmp_path / f"{name}.json.gz",
        )
    one, two, three = ((tmp_path / f"{name}.json.gz").read_bytes() for name in ("one", "two", "three"))
    assert one == two != three


def test_contention_and_wishes_can_be_asked_for(here, tmp_path):
    """More wishes give more wishes, another contention other sessions; what is no share or mean is refused."""
    made = {}
    for name, words in (("usual", []), ("crowded", ["--contention", 0.9]), ("eager", ["--wishes", 2.2])):
        size = ["--families", 120, "--sessions", 20, "--seed", 3, "--out", tmp_path / f"{name}.json"]
        assert here("match", "generate", *size, *words)[0] == 0
        made[name] = json.loads((tmp_path / f"{name}.json").read_text())
    wishes = {name: sum(len(seeker["wishes"]) for seeker in each["seekers"]) for name, each in made.items()}
    assert wishes["eager"] > 1.5 * wishes["usual"]
    assert made["crowded"]["sessions"] != made["usual"]["sessions"]
    for words in (["--contention", 1.1], ["--contention", "nan"], ["--wishes", 3]):
        assert here("match", "generate", *size, *words)[0] == 2


def test_audit_fails_on_a_broken_outcome(here, small, tmp_path):
    """A hand that changes the outcome is found: exit code 1, the code and the place of each violation."""
    outcome = tmp_path / "o.json"
    here("match", "solve", small, "--out", outcome)
    answer = json.loads(outcome.read_text())
    answer["score"] += 1
    outcome.write_text(json.dumps(answer))
    code, told, _ = here("match", "audit", small, outcome)
    assert code == 1
    assert "score_total  $.score" in told
    code, told, _ = here("match", "audit", small, outcome, "--json")
    assert code == 1
    assert {"score_total", "bound", "gap"} >= {violation["code"] for violation in json.loads(told)}


def test_solve_writes_the_outcome_to_the_screen(here, small):
    """Without --out the outcome itself is the output, ready for a pipe."""
    code, told, errors = here("match", "solve", small)
    assert (code, errors) == (0, "")
    assert json.loads(told)["format"] == "leerbudget-outcome/1"


def test_solve_tells_its_summary_as_json(here, small, tmp_path):
    """A program can read the totals."""
    _, told, _ = here("match", "solve", small, "--out", tmp_path / "o.json.gz", "--json")
    summary = json.loads(told)
    assert (summary["served"], summary["placed"], summary["unplaced"]) == (1, 1, 2)
    assert json.loads(gzip.decompress((tmp_path / "o.json.gz").read_bytes()))["score"] == summary["score"]


def test_candidates_as_csv_and_npz(here, small, tmp_path):
    """Both kinds of table hold the same rows."""
    assert here("match", "candidates", small, "--out", tmp_path / "t.csv")[0] == 0
    assert here("match", "candidates", small, "--out", tmp_path / "t.npz")[0] == 0
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text().splitlines()))
    with np.load(tmp_path / "t.npz", allow_pickle=False) as file:
        packed = dict(file)
    assert [row["seeker"] for row in rows] == packed["seeker"].tolist() == ["f1", "f2"]
    assert [int(row["score"]) for row in rows] == packed["score"].tolist()
    assert {row["travel_mode"] for row in rows} == {"car"}
    assert here("match", "candidates", small, "--out", tmp_path / "t.txt")[0] == 2


def test_explain_and_suggest(here, small, tmp_path):
    """One seeker hears why, what would have helped, and what could be had now; also when the file has no reasons."""
    outcome = tmp_path / "o.json"
    here("match", "solve", small, "--out", outcome)
    answer = json.loads(outcome.read_text())
    loser = next(u["seeker"] for u in answer["unplaced"] if u["wish"] == "w1")
    code, told, _ = here("match", "explain", small, outcome, "--seeker", loser)
    assert code == 0
    assert "De bijeenkomst is vol." in told
    for row in (*answer["placements"], *answer["unplaced"]):
        row["reasons"] = []
    outcome.write_text(json.dumps(answer))
    assert here("match", "explain", small, outcome, "--seeker", loser)[1] == told
    _, told, _ = here("match", "explain", small, outcome, "--seeker", "f1", "--json")
    assert {"placements", "unplaced"} == set(json.loads(told))
    _, told, _ = here("match", "suggest", small, "--seeker", "f2", "--json")
    assert [s["session"] for s in json.loads(told)] == ["s1"]
    _, told, _ = here("match", "suggest", small, "--seeker", loser, "--outcome", outcome)
    assert told == "nu geen passende bijeenkomst\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not sound JSON"),
        (b"{", "not sound JSON"),
        (b"\x1f\x8bbroken", "cannot be read"),
        (gzip.compress(b"{}", mtime=0)[:-3], "cannot be read"),
        (b"[]", "one JSON object"),
        (b"{}", "$.format"),
        (b'{"format":"leerbudget-instance/1","seekers":[],"sessions":[],"x":1}', "unknown field"),
        (b'{"format":"leerbudget-instance/1","seekers":[],"sessions":[],"fixed":[["a","b","c"]]}', "$.fixed[0]"),
        (b'{"format":"leerbudget-instance/1","seekers":[],"sessions":[],"policy":{"max_placements":1e40}}', "$.policy"),
    ],
)
def test_an_unsound_file_is_one_clear_line(here, tmp_path, content, said):
    """Exit code 2, one line on stderr with file and place, nothing on stdout, no traceback."""
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    for command in (
        ("solve", file),
        ("audit", file, file),
        ("candidates", file, "--out", tmp_path / "t.csv"),
        ("explain", file, file, "--seeker", "f1"),
        ("suggest", file, "--seeker", "f1"),
    ):
        code, told, errors = here("match", *command)
        assert (code, told) == (2, "")
        assert errors.count("\n") == 1
        assert said in errors
        assert "bad.json" in errors
        assert "Traceback" not in errors
    assert [f.name for f in tmp_path.iterdir()] == ["bad.json"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("solve", "nowhere.json"),
        ("solve", "SMALL", "--seconds", "-1"),
        ("solve", "SMALL", "--seconds", "nan"),
        ("solve", "SMALL", "--gap", "2"),
        ("solve", "SMALL", "--seed", "x"),
        ("solve", "SMALL", "--workers", "0"),
        ("solve", "SMALL", "--out", "/nowhere/at/all.json"),
        ("suggest", "SMALL", "--seeker", "f9"),
        ("explain", "SMALL", "SMALL"),
        ("generate", "--families", "-1", "--sessions", "2", "--out", "x.json"),
        ("dance",),
    ],
)
def test_wrong_usage_is_exit_code_two(here, small, arguments):
    """Nothing is done, and one line says what was wrong."""
    code, told, errors = here("match", *(small if a == "SMALL" else a for a in arguments))
    assert (code, told) == (2, "")
    assert errors.strip().count("\n") == 0


def test_a_terminated_search_still_answers(tmp_path):
    """SIGTERM as soon as there is a first plan: the best outcome so far is written, and it keeps every rule."""
    made = generate_instance(families=2000, sessions=260, seed=2)
    instance, outcome = tmp_path / "i.json", tmp_path / "o.json"
    instance.write_bytes(msgspec.json.encode(made))
    command = [*COMMAND, "match", "solve", str(instance), "--out", str(outcome), "--gap", "0"]
    ours, theirs = pty.openpty()  # on a terminal the phases are told
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=theirs) as search:
        os.close(theirs)
        seen = b""
        while b"first plan" not in seen:
            seen += os.read(ours, 4096)
        search.send_signal(signal.SIGTERM)
        told, _ = search.communicate(timeout=60)
    os.close(ours)
    assert search.returncode == 0, seen
    assert b"audit passed" in told
    answer = read_outcome(outcome.read_bytes())
    assert audit(read_instance(instance.read_bytes()), answer) == []
    assert len(answer.placements) > 100
    assert answer.gap > 0  # it was cut short: to its end, the search proves its outcome the best
