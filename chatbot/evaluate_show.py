"""The report of an evaluation as a folder: report.json, pictures in SVG, and one HTML page that needs nothing else.

Draws what models/training/evaluate.py measured; scores nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from html import escape
from pathlib import Path
from typing import Any

from models.training.evaluate import rows

BLUE, RED = "#2a6f97", "#c2703d"

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .2rem .6rem; border-bottom: 1px solid #8884; }}
td.n {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
svg {{ max-width: 100%; }} svg text {{ font: 12px system-ui, sans-serif; fill: currentColor; }}
</style></head><body>
<h1>{title}</h1>
<p>{about}</p>
<table><tr><th>what</th><th>score</th><th>95 % interval</th><th>change</th><th>published by others</th></tr>
{rows}
</table>
{pictures}
</body></html>
"""


def write(folder: Path, name: str, report: dict[str, Any], command: str) -> Path:
    """report.json, a picture per file, and index.html in `folder`; returns the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"stage": name, "command": command, "date": date.today().isoformat()}
    whole = json.dumps({**about, "report": report}, indent=1)
    (folder / "report.json").write_text(whole, encoding="utf-8")
    parts = []
    for test, found in report.items():
        kinds = found.get("pictures", {}) if not test.startswith("time") else {}
        for kind, draw in PICTURES.items():
            if not kinds.get(kind) or not test.endswith("as it is"):
                continue
            picture = draw(kinds[kind])
            file = f"{test.partition(',')[0]}-{kind}.svg".replace(" ", "-")
            (folder / file).write_text(picture, encoding="utf-8")
            parts.append(f"<h2>{escape(test.partition(',')[0])}: {TITLES[kind]}</h2>\n{picture}")
    cells = "\n".join(
        f"<tr><td>{escape(a)}</td>"
        + "".join(f'<td class="n">{escape(x)}</td>' for x in b)
        + f"<td>{escape(c)}</td></tr>"
        for a, *b, c in rows(report)
    )
    said = f"{escape(about['date'])}, by <code>{escape(command)}</code>"
    page = PAGE.format(title=escape(name), about=said, rows=cells, pictures="\n".join(parts))
    (folder / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def bars(f1: dict[str, float]) -> str:
    """F1 of each label, the worst first; at most 60 of them."""
    parts = []
    if len(f1) > 60:
        parts.append(f'<text x="240" y="{60 * 18 + 14}">the worst 60 of {len(f1)} labels</text>')
    shown = sorted(f1.items(), key=lambda item: item[1])[:60]
    for i, (label, value) in enumerate(shown):
        y = i * 18
        parts.append(f'<text x="230" y="{y + 12}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect x="240" y="{y + 1}" width="{max(1.0, 440 * value):.1f}" height="13" fill="{BLUE}"/>')
        parts.append(f'<text x="{246 + 440 * value:.1f}" y="{y + 12}">{value:.2f}</text>')
    return _svg(740, 18 * len(shown) + 22, "F1 of each label", parts)


def reliability(bins: list[tuple[float, float, float]]) -> str:
    """How often what is said with a probability is right; on the line when calibrated, area by share of predictions."""
    parts = [_frame("probability said", "share that is right"), _line([(0, 0), (1, 1)], "#8888")]
    for sure, right, share in bins:
        size = 3 + 14 * share**0.5
        parts.append(
            f'<circle cx="{_x(sure):.1f}" cy="{_y(right):.1f}" r="{size:.1f}" fill="{BLUE}" fill-opacity=".7"/>'
        )
    return _svg(440, 370, "Reliability diagram", parts)


def trade_off(found: dict[str, Any]) -> str:
    """In-scope accuracy against out-of-scope recall over all thresholds, and the point at which the stage runs."""
    curve, (accuracy, recall) = found["curve"], found["now"]
    parts = [_frame("out-of-scope recall", "in-scope accuracy"), _line([(p[2], p[1]) for p in curve], BLUE)]
    parts.append(f'<circle cx="{_x(recall):.1f}" cy="{_y(accuracy):.1f}" r="5" fill="{RED}"/>')
    said = f"as it runs: {accuracy:.3f} at {recall:.3f}"
    parts.append(f'<text x="{_x(recall) - 8:.1f}" y="{_y(accuracy) + 20:.1f}" text-anchor="end">{said}</text>')
    return _svg(440, 370, "In-scope accuracy and out-of-scope recall by threshold", parts)


def confusion(found: dict[str, Any]) -> str:
    """How often each label (row) was taken for each other (column), of the most frequent mistakes."""
    labels, counts = found["labels"], found["counts"]
    most = max([n for i, row in enumerate(counts) for j, n in enumerate(row) if i != j], default=1) or 1
    parts = []
    for i, label in enumerate(labels):
        parts.append(f'<text x="190" y="{150 + 26 * i}" text-anchor="end">{escape(label)}</text>')
        x = 213 + 26 * i
        parts.append(f'<text x="{x}" y="126" transform="rotate(-50 {x} 126)">{escape(label)}</text>')
        for j, n in enumerate(counts[i]):
            shade = 0.08 if i == j else min(1.0, n / most) * 0.8
            colour = "#888888" if i == j else RED
            left, top = 200 + 26 * j, 133 + 26 * i
            parts.append(
                f'<rect x="{left}" y="{top}" width="25" height="25" fill="{colour}" fill-opacity="{shade:.2f}"/>'
            )
            if n:
                ink = ' style="fill:#fff"' if shade > 0.4 else ""
                parts.append(f'<text x="{left + 12}" y="{top + 17}" text-anchor="middle"{ink}>{n}</text>')
    return _svg(620, 140 + 26 * len(labels), "Confusions, true label in the row", parts)


PICTURES: dict[str, Callable[[Any], str]] = {
    "trade-off": trade_off,
    "reliability": reliability,
    "confusion": confusion,
    "per label": bars,
}
TITLES = {
    "trade-off": "in scope or not, at every threshold",
    "reliability": "are its probabilities true?",
    "confusion": "what it takes for what (true label in the row)",
    "per label": "F1 per label",
}


def _x(value: float) -> float:
    return 60 + 350 * value


def _y(value: float) -> float:
    return 310 - 290 * value


def _frame(across: str, up: str) -> str:
    parts = [f'<text x="235" y="352" text-anchor="middle">{across}</text>', f'<text x="60" y="12">{up}</text>']
    for step in (0, 0.25, 0.5, 0.75, 1):
        parts.append(_line([(step, 0), (step, 1)], "#8883") + _line([(0, step), (1, step)], "#8883"))
        parts.append(f'<text x="{_x(step)}" y="328" text-anchor="middle">{step:g}</text>')
        parts.append(f'<text x="52" y="{_y(step) + 4}" text-anchor="end">{step:g}</text>')
    return "".join(parts)


def _line(points: list[tuple[float, float]], colour: str) -> str:
    places = " ".join(f"{_x(a):.1f},{_y(b):.1f}" for a, b in points)
    return f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def _svg(width: int, height: int, about: str, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'color="#777" role="img" aria-label="{escape(about)}">{"".join(parts)}</svg>'
    )
