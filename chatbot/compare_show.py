"""A comparison of two configs as tables for the terminal and as one HTML page that needs nothing else.

Works from what chatbot/compare.py gives; runs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chatbot.compare import SAID, Played, differences, says, summary
from chatbot.terminal.show import plain, shortened

COLOURS = ("#2a6f97", "#c2703d")
"""Of the two configs, in pictures; told apart by lightness as well."""


def tables(a: Played, b: Played, width: int) -> RenderableType:
    """The figures side by side, then every turn in which a stage said something else."""
    figures = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("", a["config"], b["config"]):
        figures.add_column(plain(name), overflow="fold")
    for row in rows(a, b):
        figures.add_row(*row)
    parts: list[RenderableType] = [figures, Text()]
    differ = differences(a, b)
    for i, (x, y) in enumerate(zip(a["turns"], b["turns"], strict=True)):
        slots = [slot for slot in SAID if i in differ[slot]]
        if slots:
            parts.append(Text(f"{i + 1}. {shortened(x['text'], 200)}", "bold"))
        for slot in slots:
            parts.append(Text.assemble((f"   {slot:<9} A ", "cyan"), shortened(says(x, slot) or "-", 300)))
            parts.append(Text.assemble((f"   {'':<9} B ", "yellow"), shortened(says(y, slot) or "-", 300)))
    same = sum(all(i not in turns for turns in differ.values()) for i in range(len(a["turns"])))
    parts.append(Text(f"{len(a['turns'])} turns, {same} of them the same in both", "dim"))
    return Group(*parts)


def rows(a: Played, b: Played) -> Iterator[tuple[str, str, str]]:
    """What the two are measured by: (name, of A, of B)."""
    one, two = summary(a), summary(b)
    yield "load, s", f"{one['load_s']:.2f}", f"{two['load_s']:.2f}"
    yield "peak memory, MB", f"{one['peak_mb'] or '-'}", f"{two['peak_mb'] or '-'}"
    yield "a turn, median ms", f"{one['turn_ms']:.1f}", f"{two['turn_ms']:.1f}"
    yield "the slowest, ms", f"{one['turn_ms_most']:.1f}", f"{two['turn_ms_most']:.1f}"
    yield "each stage, mean ms", "", ""
    for label in dict.fromkeys([*one["stage_ms"], *two["stage_ms"]]):
        x, y = (f"{s['stage_ms'][label]:.1f}" if label in s["stage_ms"] else "-" for s in (one, two))
        yield f"  {label}", x, y
    for kind in dict.fromkeys([*one["passed"], *two["passed"]]):
        x, y = ("{} of {}".format(*s["passed"].get(kind, (0, 0))) for s in (one, two))
        yield f"{kind} as expected", x, y
    yield "turns with a failed stage", f"{one['failed']}", f"{two['failed']}"
    for slot, turns in differences(a, b).items():
        if turns:
            yield f"turns that differ in {slot}", f"{len(turns)}", ""


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
:root {{ color-scheme: light dark; --a: {a}; --b: {b}; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; margin: 1rem 0 2rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #8884; }}
td.n {{ text-align: right; font-variant-numeric: tabular-nums; }}
tr.differs td {{ background: #f5c04222; }}
.a {{ color: var(--a); }} .b {{ color: var(--b); }} .said {{ font-weight: 600; padding-top: 1rem; }}
svg text {{ font: 12px system-ui, sans-serif; fill: currentColor; }}
</style></head><body>
<h1>{title}</h1>
<p><b class="a">A</b> {name_a}<br><b class="b">B</b> {name_b}<br>{turns} turns; shaded where the two differ.</p>
{pictures}
<h2>Figures</h2>
<table><tr><th></th><th>A</th><th>B</th></tr>
{figures}
</table>
<h2>Turns</h2>
<table><tr><th>slot</th><th class="a">A</th><th class="b">B</th></tr>
{rows}
</table>
</body></html>
"""


def html(a: Played, b: Played) -> str:
    """The page: pictures of scores, time and memory, the figures, and every turn with what differs shaded."""
    lines = []
    for i, (x, y) in enumerate(zip(a["turns"], b["turns"], strict=True), 1):
        lines.append(f'<tr><td colspan="3" class="said">{i}. {escape(plain(x["text"]))}</td></tr>')
        for slot in SAID:
            one, two = says(x, slot), says(y, slot)
            if one or two:
                kind = ' class="differs"' if one != two else ""
                cells = "".join(f"<td>{escape(plain(said))}</td>" for said in (one, two))
                lines.append(f"<tr{kind}><td>{slot}</td>{cells}</tr>")
    figures = "\n".join(
        f'<tr><td>{escape(name)}</td><td class="n">{escape(one)}</td><td class="n">{escape(two)}</td></tr>'
        for name, one, two in rows(a, b)
    )
    return PAGE.format(
        title="Two configs, the same messages",
        a=COLOURS[0],
        b=COLOURS[1],
        name_a=escape(str(a["config"])),
        name_b=escape(str(b["config"])),
        turns=len(a["turns"]),
        pictures=pictures(a, b),
        figures=figures,
        rows="\n".join(lines),
    )


def pictures(a: Played, b: Played) -> str:
    """Scores where there is truth, time per stage, and what each costs to have, as pairs of bars."""
    one, two = summary(a), summary(b)
    parts = []
    right, right_too = ({k: 100 * n / of for k, (n, of) in s["passed"].items() if of} for s in (one, two))
    if right:
        parts += ["<h2>As expected</h2>", bars(right, right_too, "%", most=100)]
    parts += ["<h2>Time per stage, mean of all turns</h2>", bars(one["stage_ms"], two["stage_ms"], "ms")]
    for title, key, unit in (
        ("A turn, median", "turn_ms", "ms"),
        ("Loading", "load_s", "s"),
        ("Memory at most", "peak_mb", "MB"),
    ):
        if one[key] is not None and two[key] is not None:
            parts += [f"<h2>{title}</h2>", bars({"": one[key]}, {"": two[key]}, unit)]
    return "\n".join(parts)


def bars(a: Mapping[str, float], b: Mapping[str, float], unit: str, most: float = 0.0) -> str:
    """The values under each label as pairs of bars, A above B, in SVG; most: the value of a whole bar."""
    labels = list(dict.fromkeys([*a, *b]))
    most = max([*a.values(), *b.values(), most, 0.01])
    left = 20 + 9 * max(map(len, labels), default=0)
    parts = []
    for i, label in enumerate(labels):
        top = i * 40
        parts.append(f'<text x="{left - 10}" y="{top + 22}" text-anchor="end">{escape(label)}</text>')
        for place, (values, colour) in enumerate(((a, COLOURS[0]), (b, COLOURS[1]))):
            if label in values:
                y, long = top + 4 + place * 15, max(1.0, (660 - left) * values[label] / most)
                number = f"{values[label]:.1f}".removesuffix(".0") + f" {unit}"
                parts.append(f'<rect x="{left}" y="{y}" width="{long:.1f}" height="13" rx="2" fill="{colour}"/>')
                parts.append(f'<text x="{left + 6 + long:.1f}" y="{y + 11}">{number}</text>')
    about = f'role="img" aria-label="{unit}, A above B"'
    return f'<svg viewBox="0 0 760 {40 * len(labels)}" width="100%" {about}>{"".join(parts)}</svg>'
