# ruff: noqa: INP001 (a folder of commands, not a package)
"""The tables and the plot of docs/benchmarks.md, from the kept results and nothing else.

Usage: python benchmarks/report.py (writes them anew, without measuring)
"""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import gap_plot
from figures import best_bound, gap_of, growth, known_after, same_round, share
from plan import GAP_ASKED, OURS, SIZES, WISHES_MEAN

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "matching.json"
BOOKINGS = ROOT / "benchmarks" / "results" / "bookings.json"
MOMENTS = ROOT / "benchmarks" / "results" / "gap-over-time.csv"
PAGE = ROOT / "docs" / "benchmarks.md"
PLOT = ROOT / "docs" / "images" / "gap-over-time.svg"
NAMES = {
    "ours": "leerbudget",
    "ours_to_promille": "leerbudget, stops at 0.1 %",
    "ours_to_two_promille": "leerbudget, stops at 0.2 %",
    "first_come": "first come, first served",
    "deferred": "deferred acceptance",
    "cp_sat": "CP-SAT, straightforward model",
    "highs_lp": "HiGHS, linear program alone",
    "highs_mip": "HiGHS, integer program",
}
KEYS = ("families", "sessions", "wishes_mean", "contention", "seed", "solver")
GAPS = (0.002, 0.001, 0.0005)
RATIO_FROM_SECONDS = 1.0
NATIONAL = SIZES[2]
END = "<!-- end -->"
Row = dict[str, Any]
Cells = Sequence[object]


def keep(rows: Sequence[Row], *, keep_others: bool) -> None:
    """Write the results; with `keep_others` those of other rounds and solvers stay."""
    mine = {tuple(row[key] for key in KEYS): row for row in rows}
    others = {tuple(row[key] for key in KEYS): row for row in kept()} if keep_others else {}
    ordered = sorted((others | mine).values(), key=lambda row: [row[key] for key in KEYS[:-1]] + [_place(row)])
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text("[\n" + ",\n".join(json.dumps(row) for row in ordered) + "\n]\n")


def kept() -> list[Row]:
    """The results so far."""
    rows: list[Row] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    return rows


def _place(row: Row) -> int:
    return list(NAMES).index(row["solver"])


def line(row: Row) -> str:
    """One result on the screen."""
    found = f"score {_whole(row.get('score'))}, bound {_whole(row.get('bound'))}, gap {_gap(gap_of(row))}"
    return (
        f"{_round(row)} seed {row['seed']} contention {row['contention']:g}  {NAMES[row['solver']]:30}"
        f" {row['status']} in {row['wall_seconds']:.1f} s (processor {row['cpu_seconds']:.1f} s),"
        f" {row['peak_mib']} MiB, {found}" + (f": {row['told']}" if row["status"] == "failed" else "")
    )


def write() -> None:
    """The page, the plot and the moments behind it."""
    rows = kept()
    PAGE.write_text(page(PAGE.read_text(), rows))
    MOMENTS.write_text(gap_plot.table(drawn(rows)))
    PLOT.write_text(gap_plot.picture(MOMENTS.read_text()))


def drawn(rows: Sequence[Row]) -> list[Row]:
    """The searches in the plot: every seed at national size, the first one of the other sizes."""
    first: dict[tuple[Any, ...], int] = {}
    found = []
    for row in rows:
        if row["solver"] == "ours" and row.get("moments"):
            seed = first.setdefault((_round(row), row["contention"]), row["seed"])
            if row["seed"] == seed or (row["families"], row["sessions"]) == NATIONAL:
                found.append(row)
    return found


def page(text: str, rows: Sequence[Row]) -> str:
    """The page with every measured part replaced."""
    for name, part in PARTS.items():
        begin = f"<!-- measured: {name} -->\n"
        before, _, rest = text.partition(begin)
        _, end, after = rest.partition(END)
        text = before + begin + (part(rows) or "Not measured yet.\n") + end + after
    return text


def machines(rows: Sequence[Row]) -> str:
    """Where, when and with what."""
    runs = {row["run"]["moment"]: row["run"] for row in rows}
    heads = ("measured", "commit", "machine", "Python", "packages")
    cells = [
        (run["moment"], f"`{run['commit']}`", run["machine"], run["python"], run["packages"]) for run in runs.values()
    ]
    return _table(heads, cells)


def reached(rows: Sequence[Row]) -> str:
    """What the engine found, and when which gap was proven."""
    heads = (
        *("round", "seed", "contention", "candidates", "elapsed s", "processor s", "peak MiB", "score", "bound", "gap"),
        "file to outcome s",
        *(f"{share(gap)} after s" for gap in GAPS),
        "audit",
    )
    return _table(heads, [_reached(row) for row in rows if row["solver"] in OURS])


def _reached(row: Row) -> Cells:
    name = _round(row) + NAMES[row["solver"]].removeprefix("leerbudget")
    return (
        *(name, row["seed"], f"{row['contention']:g}", _whole(row["candidates"]), *_spent(row)),
        *(_whole(row.get("score")), _whole(row.get("bound")), _gap(gap_of(row))),
        _seconds(row.get("answer_seconds")),
        *(_seconds(known_after(row, gap)) for gap in GAPS),
        "accepts" if row.get("sound") else "refuses",
    )


def phases(rows: Sequence[Row]) -> str:
    """Elapsed seconds by phase, for the first seed of every size."""
    first: dict[str, Row] = {}
    for row in rows:
        if row["solver"] == "ours" and "phases" in row:
            first.setdefault(_round(row), row)
    if not first:
        return ""
    names = list(dict.fromkeys(name for row in first.values() for name in row["phases"]))
    cells = [
        (name, *(_seconds(row["phases"].get(name)) for row in first.values()))
        for name in names
        if any(row["phases"].get(name, 0) >= 0.005 for row in first.values())
    ]
    return _table(("phase", *first), cells)


def others(rows: Sequence[Row]) -> str:
    """Every solver on the same round."""
    heads = (
        *("round", "contention", "solver", "limit s", "elapsed s", "processor s", "peak MiB"),
        *("score", "bound", "own gap", "below the best bound known"),
    )
    return _table(heads, [cells for group in same_round(rows) if len(group) > 2 for cells in _others(group)])


def _others(group: Sequence[Row]) -> Iterable[Cells]:
    bound = best_bound(group)
    for row in group:
        score = row.get("score")
        found = "none" if score is None and row["solver"] != "highs_lp" else _whole(score)
        behind = _gap((bound - score) / bound) if bound and score is not None else "-"
        limit = "-" if row["solver"] in {"first_come", "deferred"} else f"{row['seconds']:g}"
        ended = "" if row["status"] == "done" else f" ({row['status']})"
        yield (
            *(_round(row), f"{row['contention']:g}", NAMES[row["solver"]] + ended, limit, *_spent(row)),
            *(found, _whole(row.get("bound")), _gap(gap_of(row)), behind),
        )


def today(rows: Sequence[Row]) -> str:
    """What the outcomes mean for families."""
    heads = (
        *("round", "contention", "way", "families served", "of those for whom a session was possible"),
        *("placements", "score", "mean rank", "travel minutes", "between provinces", "between family types"),
    )
    told = [row for group in same_round(rows) for row in group if "effects" in row and len(group) > 2]
    return _table(heads, [_today(row) for row in told if row["solver"] not in GAP_ASKED])


def _today(row: Row) -> Cells:
    seen = row["effects"]
    return (
        *(_round(row), f"{row['contention']:g}", NAMES[row["solver"]], _whole(seen["served"])),
        *(f"{100 * seen['served'] / max(1, seen['possible']):.1f} %", _whole(seen["placed"]), _whole(row["score"])),
        *(seen["mean_rank"], seen["mean_minutes"], _apart(seen["regions"]), _apart(seen["family_types"])),
    )


def _apart(spread: tuple[float, float] | None) -> str:
    if spread is None:
        return "-"
    difference, by_chance = (100 * part for part in spread)
    return f"{difference:.1f} ({by_chance:.1f})"


def ratios(rows: Sequence[Row]) -> str:
    """Our time from file to audited outcome at 0.1 %, as a share of HiGHS's time for the linear program alone."""
    heads = (
        *("round", "contention", "seed", "our gap", "our s, file to audited outcome", "HiGHS s, solving only", "ratio"),
        "ratio of processor seconds, whole processes",
    )
    cells: list[Cells] = []
    for group in same_round(rows):
        found = {row["solver"]: row for row in group if "answer_seconds" in row}
        ours, linear = found.get("ours_to_promille"), found.get("highs_lp")
        if ours and linear and ours["run"] == linear["run"] and linear["answer_seconds"] >= RATIO_FROM_SECONDS:
            cells.append(_ratio(ours, linear))
    return _table(heads, cells)


def _ratio(ours: Row, linear: Row) -> Cells:
    """When the linear program was not finished the true ratios are smaller still."""
    longer, less = ("", "") if linear["finished"] else ("more than ", "less than ")
    seconds, whole = linear["answer_seconds"], ours["answer_seconds"]
    return (
        *(_round(ours), f"{ours['contention']:g}", ours["seed"], _gap(gap_of(ours)), _seconds(whole)),
        *(longer + _seconds(seconds), f"{less}{whole / seconds:.2f}"),
        f"{less}{ours['cpu_seconds'] / linear['cpu_seconds']:.2f}",
    )


def exponents(rows: Sequence[Row]) -> str:
    """How time grows with candidates: least squares on logarithms."""
    ours = [row for row in rows if row["solver"] == "ours"]
    measures: dict[str, Callable[[Row], float | None]] = {
        "candidates": lambda row: row.get("phases", {}).get("candidates"),
        "proven 1 %": lambda row: known_after(row, 0.01),
        "proven 0.2 %": lambda row: known_after(row, 0.002),
        "peak memory": lambda row: row["peak_mib"],
    }
    cells = []
    for name, measure in measures.items():
        points = [(row["candidates"], value) for row in ours if (value := measure(row)) and row["families"] >= 5_000]
        found = growth(points)
        if found is not None:
            cells.append((name, f"{found:.2f}", len(points)))
    return _table(("until", "exponent", "rounds"), cells)


def keep_bookings(run: Row, rows: Sequence[Row]) -> None:
    """Write what was measured of bookings."""
    BOOKINGS.write_text(json.dumps({"run": run, "rows": rows}, indent=1) + "\n")


def bookings(_: Sequence[Row]) -> str:
    """Bookings over HTTP beside pgbench; from results of their own."""
    if not BOOKINGS.exists():
        return ""
    facts = json.loads(BOOKINGS.read_text())
    waits = ("p50 ms", "p99 ms", "pgbench p50 ms", "pgbench p99 ms")
    heads = ("bookings", "pgbench /s", "over HTTP /s", "ratio", "clients", *waits, "measured", "commit")
    names = ("what", "pgbench_per_second", "http_per_second", "ratio", "clients")
    names += ("p50_ms", "p99_ms", "pgbench_p50_ms", "pgbench_p99_ms")
    run = facts["run"]["moment"], f"`{facts['run']['commit']}`"
    return _table(heads, [(*(row.get(name, "-") for name in names), *run) for row in facts["rows"]])


def _table(heads: Cells, cells: Sequence[Cells]) -> str:
    if not cells:
        return ""
    rows = [heads, ["---"] * len(heads), *cells]
    return "".join("| " + " | ".join(str(cell) for cell in row) + " |\n" for row in rows)


def _round(row: Row) -> str:
    dense = "" if row["wishes_mean"] == WISHES_MEAN else f", {row['wishes_mean']:g} wishes"
    return f"{row['families']:,} x {row['sessions']:,}{dense}"


def _spent(row: Row) -> Cells:
    return f"{row['wall_seconds']:.1f}", f"{row['cpu_seconds']:.1f}", _whole(row["peak_mib"])


def _whole(number: float | None) -> str:
    return "-" if number is None else f"{number:,.0f}"


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f}" if seconds < 10 else f"{seconds:.1f}"


def _gap(gap: float | None) -> str:
    return "-" if gap is None else f"{gap:.4%}".replace("%", " %") if gap else "0"


PARTS: dict[str, Callable[[Sequence[Row]], str]] = {
    "machines": machines,
    "reached": reached,
    "phases": phases,
    "others": others,
    "today": today,
    "ratios": ratios,
    "growth": exponents,
    "bookings": bookings,
}


if __name__ == "__main__":
    write()
