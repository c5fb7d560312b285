"""Pages say what they need, in plain Dutch, and every code has a word."""

import re
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import UndefinedError, nodes

from browser.gallery import render
from browser.gallery_pages import PAGES
from leerbudget.bookings import rules as bookings
from leerbudget.budgets import rules as budgets
from leerbudget.catalogue import rules as catalogue
from leerbudget.entrypoints.web import assets, templating
from leerbudget.entrypoints.web.wording import LABELS, TONES, label
from leerbudget.identity import rules as identity
from leerbudget.payments import bank_rules as bank
from leerbudget.payments import rules as payments
from leerbudget.people import rules as people
from leerbudget.rounds import rules as rounds
from leerbudget.wishes import rules as wishes

CODES = {
    "theme": catalogue.THEMES,
    "form": catalogue.FORMS,
    "session": catalogue.SESSION_STATES,
    "booking": bookings.BOOKING_STATES,
    "attendance": (*bookings.ATTENDANCE_STATES, "elsewhere", "elearning", "elearning_done"),
    "budget": budgets.BUDGET_STATES,
    "grant_request": budgets.GRANT_REQUEST_STATES,
    "role": identity.ROLES,
    "top_up": payments.PAYMENT_STATES,
    "finance_task": payments.TASK_KINDS,
    "bank_entry": bank.ENTRY_STATES,
    "payout": bank.PAYOUT_STATES,
    "payout_line": bank.LINE_STATES,
    "payout_purpose": bank.LINE_PURPOSES,
    "organisation": people.ORGANISATION_KINDS,
    "family_type": people.FAMILY_TYPES,
    "care_form": people.CARE_FORMS,
    "age_band": people.CHILD_AGE_BANDS,
    "party": people.PARTIES,
    "round": rounds.ROUND_STATES,
    "proposal": rounds.PROPOSAL_STATES,
    "wish": wishes.WISH_STATES,
    "childcare_need": wishes.CHILDCARE_NEEDS,
    "travel_mode": (*wishes.TRAVEL_MODES, "online"),
    "by_travel_mode": (*wishes.TRAVEL_MODES, "online"),
}
BANNED = re.compile(r"\b(boeking\w*|tekort\w*|onvoldoende|verplicht\w*|STAP)\b")
PLAIN = sorted(templating.TEMPLATES.glob("*.html"))


def head(path: Path) -> str:
    """The head comment of a template."""
    found = re.match(r"\{#(.*?)#\}", path.read_text(), re.DOTALL)
    return found[1] if found else ""


def words(page: str) -> str:
    """What a person reads on a page."""
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page, flags=re.DOTALL)
    body = body.replace("\u00a0", "_")  # a date or an amount is read as one word
    body = re.sub(r"<br>|</(p|li|h\d|dt|dd|td|th|legend|label|button|a|div|option|summary|caption)>", ".\n", body)
    return re.sub(r"[ \t]+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.fixture(autouse=True)
def _named_assets(monkeypatch):
    """Templates are rendered here without built files: what counts are their words."""
    monkeypatch.setattr(
        assets, "manifest", lambda: dict.fromkeys(["leerbudget.css", "htmx.js", "icon.svg", "licences.txt"], "x")
    )


@pytest.mark.parametrize("kind", CODES)
def test_every_code_of_the_rooms_has_a_dutch_word(kind):
    """The words cover exactly the closed lists of the rooms."""
    assert set(LABELS[kind]) == set(CODES[kind])
    assert set(TONES.get(kind, {})) <= set(CODES[kind])


@pytest.mark.parametrize("path", PLAIN, ids=lambda p: p.name)
def test_head_comment_names_every_field_the_page_uses(path):
    """Whatever a page takes from `view` is in its head comment, and the gallery shows every page."""
    tree = templating.environment().parse(path.read_text())
    used = {n.attr for n in tree.find_all(nodes.Getattr) if isinstance(n.node, nodes.Name) and n.node.name == "view"}
    missing = {name for name in used if not re.search(rf"\b{name}\b", head(path))}
    assert missing == set()
    assert path.name == "base.html" or path.name in {s.template for s in PAGES}


@pytest.mark.parametrize("sample", PAGES, ids=lambda s: s.name)
def test_gallery_shows_only_documented_fields(sample):
    """The gallery's made-up contents have no field that the head comment does not promise, at any depth."""

    def names(thing: object) -> set[str]:
        if isinstance(thing, SimpleNamespace):
            return set(vars(thing)) | {n for v in vars(thing).values() for n in names(v)}
        return {n for part in thing for n in names(part)} if isinstance(thing, list | tuple) else set()

    promised = "".join(head(p) for p in PLAIN) if "SessionCard" in head(templating.TEMPLATES / sample.template) else ""
    promised += head(templating.TEMPLATES / sample.template)
    assert {n for n in names(sample.context["view"]) if not re.search(rf"\b{n}\b", promised)} == set()


@pytest.mark.parametrize("sample", PAGES, ids=lambda s: s.name)
def test_pages_speak_plain_and_kind_dutch(sample):
    """No deficit words or banned words, `u` and not `je`, and sentences of at most 15 words."""
    text = words(render(sample))
    assert BANNED.findall(text) == []
    assert re.findall(r"\b(je|jij|jouw|jullie)\b", text, re.IGNORECASE) == []
    sentences = [s.split() for s in re.split(r"[.!?:·;]\s", text)]
    too_long = [" ".join(s) for s in sentences if len(s) > 15]
    assert too_long == []


@pytest.mark.parametrize("sample", PAGES, ids=lambda s: s.name)
def test_nothing_inline(sample):
    """No page carries a style, a script or a handler of its own: the security policy would refuse it."""
    page = render(sample)
    assert re.findall(r"\sstyle=|<style|\son\w+=|javascript:", page) == []
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []
    for form in re.findall(r"<form\b.*?</form>", page, re.DOTALL):
        assert "novalidate" in form or "uitloggen" in form
        assert 'method="get"' in form or 'name="_csrf_token"' in form
    assert re.findall(r"<(?:input|textarea|select)[^>]*\srequired", page) == []


def test_every_own_answer_of_a_family_says_who_sees_it():
    """On the pages where a family answers questions, each question says who sees the answer (R80)."""
    for sample in PAGES:
        if sample.template in {"wens_formulier.html", "beschikbaarheid.html", "reizen.html"}:
            page = render(sample)
            questions = len(re.findall(r"<legend|<label class=\"utrecht-form-label", page))
            single = len(re.findall(r'id="online_ok"', page))
            assert page.count("Dit ziet:") == questions + single, sample.name


def test_a_missing_field_is_an_error_and_texts_are_escaped():
    """A page never quietly shows nothing for a field that is not there, and never runs what somebody wrote."""
    sample = next(s for s in PAGES if s.name == "fout-404")
    with pytest.raises(UndefinedError):
        templating.environment().get_template("fout.html").render(
            sample.context | {"view": SimpleNamespace(status=404)}
        )
    view = SimpleNamespace(status=404, message="<script>alert(1)</script>", reference=None, back=None)
    page = templating.environment().get_template("fout.html").render(sample.context | {"view": view})
    assert "&lt;script&gt;alert(1)" in page


def test_dutch_amounts_dates_and_counts():
    """Amounts, dates, times and counts are written as Dutch readers expect, on one line."""
    at = datetime(2027, 3, 28, 17, 0, tzinfo=UTC)
    assert templating.euros(123450) == "€\u00a01.234,50"
    assert templating.day(date(2027, 3, 1)).replace("\u00a0", " ") == "maandag 1 maart 2027"
    assert templating.day(date(2027, 3, 1), "short").replace("\u00a0", " ") == "ma 1 mrt 2027"
    assert templating.clock_time(at) == "19.00"
    assert templating.day(datetime(2027, 2, 28, 23, 30, tzinfo=UTC), "plain").replace("\u00a0", " ") == "1 maart 2027"
    assert [templating.minutes(n).replace("\u00a0", " ") for n in (0, 1, 45, 60, 70)] == [
        "0 minuten", "1 minuut", "45 minuten", "1 uur", "1 uur en 10 minuten",
    ]  # fmt: skip
    assert [templating.percent(s) for s in (0, 0.001, 0.87, 0.999, 1)] == ["0%", "<1%", "87%", "99%", "100%"]
    assert [templating.at_most(s) for s in (0.000019, 0.0028, 0.00281)] == [
        *("hooguit 0,01%", "hooguit 0,28%", "hooguit 0,29%")
    ]
    assert templating.listed(["Anna", "Bram", "Carla"]) == "Anna, Bram en Carla"
    assert label("trauma", "theme") == "Trauma en veiligheid"


def test_design_system_classes_are_written_out():
    """Class names are never put together: the stylesheet keeps only rules whose class occurs in a template."""
    for path in templating.TEMPLATES.rglob("*.html"):
        assert re.findall(r"utrecht-[\w-]*\{\{", path.read_text()) == []


def test_assets_not_built_is_one_clear_error(monkeypatch, tmp_path):
    """Without built files a page says which command makes them, instead of coming without its looks."""
    monkeypatch.undo()
    monkeypatch.setattr(assets, "BUILT", tmp_path)
    assets.manifest.cache_clear()
    with pytest.raises(assets.AssetsNotBuilt, match="make setup"):
        assets.asset("leerbudget.css")


def test_a_deadline_at_midnight_is_the_whole_day_before():
    """Nobody has to think about whose midnight it is."""
    assert templating.until(datetime(2027, 3, 1, 23, 0, tzinfo=UTC)) == "tot en met maandag\u00a01\u00a0maart\u00a02027"
    assert templating.until(datetime(2027, 3, 1, 18, 0, tzinfo=UTC)).startswith("tot maandag")
