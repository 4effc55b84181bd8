"""How the person felt, message by message or day by day, drawn in the terminal.

Nothing of it is stored: the emotion stage of the running chain reads the person's own words again, so what was
forgotten is not in the chart. It shows what the stage reads in the words, which is not how somebody is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from chatbot.terminal.trace import bars
from pipelines.errors import UsageError
from pipelines.pipeline import Pipeline
from pipelines.turn import Turn, Utterance

SPAN = 600
"""Utterances, of both sides, that are looked at."""

ROWS = 7
"""Of the chart, from valence +1 to -1."""


@dataclass(frozen=True)
class Felt:
    """What one message showed: labels without "neutral", valence from -1 to 1."""

    at: datetime
    valence: float
    labels: tuple[str, ...]


def felt(pipeline: Pipeline, said: Sequence[Utterance]) -> list[Felt]:
    """What the person's own messages show, oldest first. Raises UsageError when no stage tells emotions."""
    if not any(step.slot == "emotion" for step in pipeline.steps):
        raise UsageError("No stage of this chain tells emotions: /use emotion lexicon adds one.")
    turns = [Turn(u.text, at=u.at) for u in said if u.role == "person"]
    if turns:
        Pipeline([step for step in pipeline.steps if step.slot in ("embedding", "emotion")])(turns)
    return [
        Felt(t.at, t.emotion.valence, tuple(label for label in t.emotion.labels if label != "neutral"))
        for t in turns
        if t.emotion
    ]


def chart(moments: Sequence[Felt], width: int, encoding: str = "utf-8") -> RenderableType:
    """Valence over time (a column per message, or per day when they span more than two), and the commonest feelings."""
    if not moments:
        return Text("There is nothing to draw yet: say something first.", "dim")
    mark = "●" if encoding.lower().startswith("utf") else "o"
    columns, unit = _columns(moments, max(8, width - 8))
    lines = []
    for row in range(ROWS):
        line = Text(f"{_axis(row):>5} ", "dim")
        for _, valence in columns:
            here = round((1 - valence) / 2 * (ROWS - 1)) == row
            colour = "green" if valence > 0.15 else "red" if valence < -0.15 else "yellow"
            line.append(mark if here else "·" if row == ROWS // 2 else " ", colour if here else "dim")
        lines.append(line)
    first, last = columns[0][0], columns[-1][0]
    when = "%d %b" if unit == "day" else "%H:%M"
    ends = Text(f"      {first:{when}} to {last:{when}}, a column per {unit}", "dim")
    count = Counter(label for moment in moments for label in moment.labels).most_common(5)
    shares = bars([(label, n / len(moments)) for label, n in count], width)
    tail: list[RenderableType] = [Text("how often", "bold"), shares] if count else []
    return Group(*lines, ends, *tail)


def _columns(moments: Sequence[Felt], room: int) -> tuple[list[tuple[datetime, float]], str]:
    """(time, mean valence), oldest first, the latest that fit, and what one column stands for."""
    days: dict[object, list[Felt]] = {}
    for moment in moments:
        days.setdefault(moment.at.date(), []).append(moment)
    if len(days) <= 2:
        return [(m.at, m.valence) for m in moments][-room:], "message"
    means = [(group[0].at, sum(m.valence for m in group) / len(group)) for group in days.values()]
    return means[-room:], "day"


def _axis(row: int) -> str:
    return {0: "good", ROWS // 2: "even", ROWS - 1: "bad"}.get(row, "")
