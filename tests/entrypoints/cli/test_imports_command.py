"""`leerbudget import` and `leerbudget export`: exit codes, one clear line, nothing half done."""

import json

import pytest
from click.testing import CliRunner

from entrypoints.cli.rows import GOOD, a_file, with_cells
from leerbudget.entrypoints.cli.main import leerbudget


@pytest.fixture
def run(clean_database_url, monkeypatch, tmp_path):
    """Run a command on a database of its own."""
    monkeypatch.setenv("LEERBUDGET_DATABASE_URL", clean_database_url)
    monkeypatch.setenv("LEERBUDGET_ENV", "test")
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(leerbudget, [str(word) for word in words])


def test_an_import_says_what_it_did(run, tmp_path):
    """Exit code 0 with numbers; a dry run says so and keeps nothing; JSON for programs."""
    file = tmp_path / "o.csv"
    file.write_bytes(a_file("organisations", GOOD["organisations"]))
    trial = run("import", "organisations", file, "--dry-run")
    assert (trial.exit_code, trial.stdout.splitlines()[0]) == (0, "proef, niets bewaard: 1 rijen")
    done = run("import", "organisations", file)
    assert (done.exit_code, done.stdout) == (
        0,
        "ingelezen: 1 rijen\n  organisaties: 1 nieuw, 0 gewijzigd, 0 ongewijzigd\n",
    )
    answer = json.loads(run("import", "organisations", file, "--json").stdout)
    assert answer["imported"] is True
    assert answer["things"] == {"organisations": {"added": 0, "changed": 0, "unchanged": 1}}


def test_a_bad_file_is_exit_code_one_with_every_mistake(run, tmp_path):
    """Every mistake on a line of stderr, nothing on stdout, nothing imported."""
    file = tmp_path / "o.csv"
    file.write_bytes(a_file("organisations", GOOD["organisations"], with_cells("organisations", kind="x", email="y")))
    refused = run("import", "organisations", file)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.splitlines()[0] == f"leerbudget: {file}: niets ingelezen, 3 fout(en)"
    assert "  rij 3, kolom organisation_ref: 'O1' staat ook in rij 2" in refused.stderr.splitlines()
    answer = json.loads(run("import", "organisations", file, "--json").stdout)
    assert [(cell["row"], cell["column"]) for cell in answer["errors"]] == [
        (3, "email"),
        (3, "kind"),
        (3, "organisation_ref"),
    ]
    assert run("export", "families").stdout.splitlines() == [",".join(a_header("families"))]


def a_header(kind):
    from leerbudget.entrypoints.files.layouts import COLUMNS

    return COLUMNS[kind]


@pytest.mark.parametrize(
    "words",
    [
        ("import", "organisations", "missing.csv"),
        ("import", "organisations", "."),
        ("import", "organisations"),
        ("import", "wishes", "missing.csv"),
        ("export", "wishes"),
        ("export", "families", "--out", "no/such/folder/f.csv"),
    ],
)
def test_wrong_usage_is_exit_code_two(run, words):
    """A file or kind that is not there, or a folder instead of a file, is wrong usage in one line; no traceback."""
    result = run(*words)
    assert result.exit_code == 2
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_an_export_is_whole_or_not_there(run, tmp_path):
    """A file is written beside its name first; afterwards only the whole one is there."""
    file = tmp_path / "o.csv"
    file.write_bytes(a_file("organisations", GOOD["organisations"]))
    assert run("import", "organisations", file).exit_code == 0
    file.write_bytes(a_file("families", GOOD["families"]))
    assert run("import", "families", file).exit_code == 0
    out = tmp_path / "f.csv"
    done = run("export", "families", "--out", out)
    assert (done.exit_code, done.stderr) == (0, f"1 rijen in {out}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.csv", "o.csv"]
    assert run("import", "families", out).stdout.splitlines()[1] == "  gezinnen: 0 nieuw, 0 gewijzigd, 1 ongewijzigd"
