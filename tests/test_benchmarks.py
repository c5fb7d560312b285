"""docs/benchmarks.md holds what was measured, and the figures worked out from it are right."""

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from crowd import Wanted, log_in, parents, sessions

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def report(monkeypatch):
    """The module that writes the page; it and what it imports are forgotten afterwards."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    before = set(sys.modules)
    import report

    yield report
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and Path(sys.modules[name].__file__).parent == BENCHMARKS:
            del sys.modules[name]


def test_the_page_holds_the_kept_results(report):
    """Tables and plot are what the kept results give; otherwise run `python benchmarks/report.py`."""
    text = report.PAGE.read_text()
    assert report.page(text, report.kept()) == text
    assert report.gap_plot.table(report.drawn(report.kept())) == report.MOMENTS.read_text()
    assert report.gap_plot.picture(report.MOMENTS.read_text()) == report.PLOT.read_text()


def test_another_number_on_the_page_is_noticed(report):
    """A hand that improves a measured number is found: without this the test above might compare nothing."""
    text = report.PAGE.read_text()
    measured = re.search(r"<!-- measured: reached -->.*?<!-- end -->", text, flags=re.DOTALL)
    assert measured is not None
    better = text.replace(measured[0], measured[0].replace("| 0.2 |", "| 0.1 |"))
    assert better != text
    assert report.page(better, report.kept()) == text
    assert set(re.findall(r"<!-- measured: (\w+) -->", text)) == set(report.PARTS)


def test_time_to_a_gap_takes_the_best_known_of_both_sides(report):
    """A later moment with a worse score or bound does not undo what was already proven."""
    row = {"moments": [[1.0, 1.0, 900, 1100], [2.0, 2.0, 1000, 1200], [3.0, 3.0, 950, 1001]]}
    assert report.known_after(row, 0.11) == 2.0
    assert report.known_after(row, 0.001) == 3.0
    assert report.known_after(row, 0.0005) is None
    assert report.gap_of({"score": 1000, "bound": 1001}) == pytest.approx(0.001)


def test_growth_is_the_exponent(report):
    """Values that grow with the power 1.5 give 1.5; one size alone gives nothing."""
    assert report.growth([(size, 3 * size**1.5) for size in (10, 100, 5000)]) == pytest.approx(1.5)
    assert report.growth([(10, 1.0), (10, 2.0)]) is None


async def test_what_pgbench_runs_makes_a_booking_as_the_website_does(report, world_db, admin):
    """The benchmark calls the function of the database by hand: whoever changes that, changes this too."""
    spec = spec_from_file_location("benchmark_of_bookings", BENCHMARKS / "bookings.py")
    benchmark = module_from_spec(spec)
    sys.modules[spec.name] = benchmark  # its dataclasses look themselves up
    spec.loader.exec_module(benchmark)
    families = await parents(1)
    await log_in(families)
    wanted = [Wanted(families[0], (await sessions([1]))[0])]
    async with admin.transaction():
        await admin.execute(benchmark.WANTED)
        await admin.execute(benchmark.FILL, *benchmark.columns(wanted))
        assert len(await admin.fetch(benchmark.LIVE.replace(":n", "1"))) == 1
        assert await admin.fetchval(benchmark.BOOK) == "confirmed"
        await admin.execute("DROP TABLE wanted; DROP SEQUENCE wanted_now")
    assert await admin.fetchval("SELECT count(*) FROM booking WHERE state = 'confirmed'") == 1
