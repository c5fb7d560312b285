# ruff: noqa: INP001 (a folder of commands, not a package)
"""The proven gap over time as a picture (SVG), and the table behind it."""

import csv
import io
from collections.abc import Sequence
from html import escape
from math import log10
from typing import Any

from figures import steps
from plan import WISHES_MEAN

WIDTH, HEIGHT = 940, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 320, 20, 50
SECONDS = (0.1, 400.0)
GAPS = (1e-4, 1e-1)
"""A gap below the lowest is drawn at the lowest: a closed gap has no logarithm."""
COLOURS = ("#0b6e4f", "#1f5aa6", "#b3541e", "#7a3e9d", "#8a6d00", "#a31545", "#3b3b3b", "#00798c")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """One line per moment: round, seconds and gap."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("round", "seconds", "gap"))
    for row in rows:
        name = f"{row['families']:,} x {row['sessions']:,}, seed {row['seed']}, contention {row['contention']:g}"
        name += "" if row["wishes_mean"] == WISHES_MEAN else f", {row['wishes_mean']:g} wishes"
        writer.writerows((name, f"{elapsed:.3f}", f"{gap:.7f}") for elapsed, gap in steps(row))
    return text.getvalue()


def picture(moments: str) -> str:
    """The plot of a table, on logarithmic scales; dashed lines at 0.1 % and 0.2 %."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for row in csv.DictReader(io.StringIO(moments)):
        lines.setdefault(row["round"], []).append((float(row["seconds"]), float(row["gap"])))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        "<title>Proven gap over time</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        *_axes(),
    ]
    for number, (name, points) in enumerate(lines.items()):
        parts += _curve(number, name, points)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _x(seconds: float) -> float:
    low, high = (log10(edge) for edge in SECONDS)
    place = (min(max(log10(max(seconds, SECONDS[0])), low), high) - low) / (high - low)
    return LEFT + place * (WIDTH - LEFT - RIGHT)


def _y(gap: float) -> float:
    low, high = (log10(edge) for edge in GAPS)
    place = (log10(min(max(gap, GAPS[0]), GAPS[1])) - low) / (high - low)
    return HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM)


def _axes() -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for seconds in (0.1, 0.3, 1, 3, 10, 30, 100, 300):
        x = _x(seconds)
        parts.append(f'<path d="M{x:.1f} {TOP}V{bottom}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{seconds:g}</text>')
    for gap in (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 1e-1):
        y = _y(gap)
        goal = 'stroke="#888888" stroke-dasharray="6 4"' if gap in {1e-3, 2e-3} else 'stroke="#e3e3e3"'
        parts.append(f'<path d="M{LEFT} {y:.1f}H{right}" {goal}/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{100 * gap:g} %</text>')
    middle = (LEFT + right) / 2
    parts.append(
        f'<text x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">elapsed seconds since reading began</text>'
    )
    return parts


def _curve(number: int, name: str, points: Sequence[tuple[float, float]]) -> list[str]:
    """A step line: a gap stays proven until a better one is."""
    colour = COLOURS[number % len(COLOURS)]
    path = f"M{_x(points[0][0]):.1f} {_y(points[0][1]):.1f}"
    path += "".join(f"H{_x(seconds):.1f}V{_y(gap):.1f}" for seconds, gap in points[1:])
    end_x, end_y = _x(points[-1][0]), _y(points[-1][1])
    y = TOP + 14 + 18 * number
    dash = ' stroke-dasharray="5 3"' if number >= len(COLOURS) else ""
    return [
        f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>',
        f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="3" fill="{colour}"/>',
        f'<text x="{WIDTH - RIGHT + 14}" y="{y}" fill="{colour}">{escape(name)}</text>',
    ]
