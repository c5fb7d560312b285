"""`leerbudget match compare | fairness | baseline`: what an outcome does for whom, beside another one.

The tables are for policy makers, so their words are Dutch; `--json` gives the same figures to programs.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from leerbudget.entrypoints.cli.files import file_argument, out_argument
from leerbudget.entrypoints.cli.match_files import (
    instance_in,
    outcome_in,
    refusals,
    tell_json,
    tell_summary,
    write_to,
)

if TYPE_CHECKING:
    from leerbudget.matcher.compare import ChangeGroups, Comparison
    from leerbudget.matcher.fairness import FairnessGroups, FairnessLine, FairnessTable, Spread
    from leerbudget.matcher.instance import Instance

WAYS = ("first_come", "deferred")
"""The names in `matcher.baselines.WAYS`; that module is slow to import, so they are here as well."""
SMALL = "minder dan 5, of daardoor af te leiden"
FAIRNESS_HEADS = [
    "gezinnen",
    "met wens",
    "met kans",
    "met plek",
    "plekken",
    "aandeel",
    "van wie kon",
    "rang",
    "minuten",
    "punten",
]


@click.command("baseline")
@click.argument("instance", type=file_argument)
@click.option("--way", type=click.Choice(WAYS), required=True, help="First come first served, or deferred acceptance.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 2), default=0, show_default=True, help="Decides the lottery.")
@click.option("--out", type=out_argument, required=True, help="Write the outcome here.")
@click.option("--json", "as_json", is_flag=True, help="Summary as one JSON object.")
def baseline(*, instance: Path, way: str, seed: int, out: Path, as_json: bool) -> None:
    """Place INSTANCE without weighing, to compare a round with; keeps every hard rule."""
    from leerbudget.matcher import baselines
    from leerbudget.matcher.audit import audit

    question = instance_in(instance)
    with refusals(instance):
        outcome = baselines.WAYS[way](question, seed)
    violations = audit(question, outcome)
    if violations:
        raise RuntimeError(f"the baseline broke a rule: {violations[:3]}")
    write_to(out, lambda file: file.write(msgspec.json.encode(outcome)))
    tell_summary(question, outcome, as_json=as_json)


@click.command("fairness")
@click.argument("instance", type=file_argument)
@click.argument("outcome", type=file_argument)
@click.option("--json", "as_json", is_flag=True, help="The table as one JSON object.")
def fairness(*, instance: Path, outcome: Path, as_json: bool) -> None:
    """Show who got a place in OUTCOME, by region, family, care and experience; small groups are not shown."""
    from leerbudget.matcher.fairness import fairness as table_of

    question, answer = instance_in(instance), outcome_in(outcome)
    with refusals(outcome):
        table = table_of(question, answer)
    if as_json:
        tell_json(table)
        return
    _tell_weights(question)
    _tell_fairness(table)


@click.command("compare")
@click.argument("instance", type=file_argument)
@click.argument("one", type=file_argument)
@click.argument("two", type=file_argument)
@click.option("--json", "as_json", is_flag=True, help="The comparison as one JSON object.")
def compare(*, instance: Path, one: Path, two: Path, as_json: bool) -> None:
    """Show what changes from outcome ONE to outcome TWO, and for which groups; never for whom."""
    from leerbudget.matcher.compare import compare as compared

    question = instance_in(instance)
    comparison = compared(question, outcome_in(one), outcome_in(two))
    if as_json:
        tell_json(comparison)
        return
    _tell_weights(question)
    _tell_totals(comparison, one.name, two.name)
    _tell_moves(comparison)
    tables = comparison.fairness_one.groups, comparison.fairness_other.groups
    for changes, before, after in zip(comparison.changes, *tables, strict=True):
        _tell_changes(changes, before, after)
    click.echo("\nGrootste verschil tussen groepen in het aandeel met een plek")
    for whom, which in (("Van wie een wens heeft", "spread"), ("Van wie kon", "spread_of_possible")):
        pairs = zip(*tables, strict=True)
        lines = [(g.label_nl, [_points(getattr(g, which)), _points(getattr(h, which))]) for g, h in pairs]
        _tell_table(whom, [one.name, two.name], lines)


def _tell_weights(question: "Instance") -> None:
    """The weights that differ from the published ones, and what they change for first places."""
    from leerbudget.matcher.criteria.weights import weights_of
    from leerbudget.matcher.weights_file import warnings_nl

    if question.policy.weights:
        click.echo("Andere gewichten: " + ", ".join(f"{name} {n}" for name, n in question.policy.weights.items()))
    if question.candidates is None:
        for warning in warnings_nl(weights_of(question)):
            click.echo(f"Let op: {warning}")


def _tell_fairness(table: "FairnessTable") -> None:
    click.echo("Aandeel: pleeggezinnen met een plek, van wie een wens heeft. Van wie kon: van de gezinnen voor wie")
    click.echo("ten minste één bijeenkomst op zichzelf mogelijk was. Rang, minuten en punten: gemiddeld per plek.")
    total = [_fairness_line(line) for line in (table.families, table.others)]
    _tell_table("", FAIRNESS_HEADS, total)
    for groups in table.groups:
        _tell_table(groups.label_nl, FAIRNESS_HEADS, [_fairness_line(line) for line in groups.lines])
        _tell_spread(groups)


def _fairness_line(line: "FairnessLine") -> tuple[str, list[str]]:
    if line.hidden:
        return line.label_nl, [SMALL]
    counts = (line.families, line.with_wishes, line.possible, line.served, line.placements)
    shares = (line.share_served, line.share_of_possible)
    means = ((line.mean_rank, 2), (line.mean_travel_minutes, 0), (line.mean_score, 0))
    return line.label_nl, [
        *(_number(count) for count in counts),
        *(_percent(share) for share in shares),
        *(_number(mean, decimals) for mean, decimals in means),
    ]


def _tell_spread(groups: "FairnessGroups") -> None:
    for spread, whom in ((groups.spread, "van wie een wens heeft"), (groups.spread_of_possible, "van wie kon")):
        if spread is not None:
            labels = {line.value: line.label_nl for line in groups.lines}
            click.echo(
                f"  Grootste verschil {whom}: {_points(spread)} tussen {labels[spread.most]} en "
                f"{labels[spread.least]}; bij loten zou dat gemiddeld {_number(spread.by_chance * 100, 1)} zijn."
            )


def _tell_totals(comparison: "Comparison", one: str, two: str) -> None:
    first, second = comparison.one, comparison.other
    counts = [
        ("Pleeggezinnen met een plek", first.families_served, second.families_served),
        ("Anderen met een plek", first.others_served, second.others_served),
        ("Plekken", first.placements, second.placements),
        ("Bijeenkomsten die doorgaan", first.sessions_running, second.sessions_running),
        ("Punten", first.score, second.score),
        ("Bewezen grens", first.bound, second.bound),
        ("Euro uit leerbudgetten", first.budget_cents // 100, second.budget_cents // 100),
        ("Euro eigen bijdrage", first.own_contribution_cents // 100, second.own_contribution_cents // 100),
    ]
    lines = [(label, [_number(a), _number(b), f"{b - a:+,}".replace(",", ".")]) for label, a, b in counts]
    before, after = comparison.fairness_one.families, comparison.fairness_other.families
    means = [
        ("Gemiddelde rang van de wens", before.mean_rank, after.mean_rank, 2),
        ("Gemiddelde reistijd in minuten", before.mean_travel_minutes, after.mean_travel_minutes, 1),
        ("Gemiddelde punten per plek", before.mean_score, after.mean_score, 1),
    ]
    lines += [(label, [_number(a, decimals), _number(b, decimals), ""]) for label, a, b, decimals in means]
    lines.append(("Afstand tot de laagste grens", [_percent(first.gap_to_best), _percent(second.gap_to_best), ""]))
    _tell_table("", [one, two, "verschil"], lines)
    for name, side in ((one, first), (two, second)):
        if not side.answers:
            click.echo(f"Let op: {name} is gemaakt voor een andere vorm van deze ronde.")
        if side.left_out:
            click.echo(f"Let op: {side.left_out} plekken van {name} noemen wat niet meer in de ronde is.")


def _tell_moves(comparison: "Comparison") -> None:
    for label, four in (("Pleeggezinnen", comparison.families), ("Anderen", comparison.others)):
        click.echo(
            f"{label} met een wens: in beide een plek {_number(four.both)}, alleen in de eerste "
            f"{_number(four.only_one)}, alleen in de tweede {_number(four.only_other)}, in geen {_number(four.neither)}."
        )
    for label, moves in (("Plekken", comparison.moves), ("Zonder wat vastligt", comparison.open_moves)):
        click.echo(
            f"{label}: {_number(moves.kept)} gebleven, {_number(moves.moved)} naar een andere bijeenkomst, "
            f"{_number(moves.lost)} vervallen, {_number(moves.gained)} erbij."
        )


def _tell_changes(changes: "ChangeGroups", before: "FairnessGroups", after: "FairnessGroups") -> None:
    lines: list[tuple[str, list[str]]] = []
    for line, then, now in zip(changes.lines, before.lines, after.lines, strict=True):
        counts = (line.families, line.gains_place, line.loses_place, line.better, line.worse)
        shares = [_percent(then.share_served), _percent(now.share_served)]
        cells = [SMALL] if line.hidden else [*(_number(count) for count in counts), *shares]
        lines.append((line.label_nl, cells))
    heads = ["gezinnen", "krijgt plek", "verliest plek", "betere plek", "mindere plek", "aandeel 1", "aandeel 2"]
    _tell_table(changes.label_nl, heads, lines)


def _tell_table(title: str, heads: Sequence[str], lines: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Labels to the left, figures to the right; a line with one cell says why it has no figures."""
    rows = list(lines)
    first = max([len(title), *(len(label) for label, _ in rows)])
    widths = [
        max([len(head), *(len(cells[i]) for _, cells in rows if len(cells) == len(heads))])
        for i, head in enumerate(heads)
    ]
    click.echo()
    for label, cells in [(title, heads), *rows]:
        if len(cells) == len(heads):
            told = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        else:
            told = f"({cells[0]})"
        click.echo(f"{label:<{first}}  {told}".rstrip())


def _number(value: float | None, decimals: int = 0) -> str:
    if value is None:
        return "-"
    return f"{value:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{_number(share * 100, 1)} %"


def _points(spread: "Spread | None") -> str:
    return "-" if spread is None else f"{_number(spread.difference * 100, 1)} procentpunt"


COMMANDS = (baseline, fairness, compare)
