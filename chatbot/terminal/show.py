"""How what was said looks in the terminal: replies, earlier turns, facts. Knows no models and no keys; of `models` only
how a fact is worded.

Everything that came from a person or a model is shown through `plain`, so that no text can send codes to the terminal.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from pipelines.turn import Fact, Turn, Utterance

CODES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters and overrides of the writing direction, but tab and newline."""


def plain(text: str) -> str:
    """The text without control codes."""
    return CODES.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def reply(turn: Turn, stopped: bool = False) -> RenderableType:
    """The reply under the companion's name; a stopped one is marked, one to a crisis stands alone and in full."""
    assert turn.reply is not None
    name = plain(turn.companion_name)
    if turn.reply.source == "error":
        return Text(plain(turn.reply.text), "red")
    if in_danger(turn):
        # Calm: no colour of alarm, room around it, nothing beside it.
        return Padding(Text.assemble((f"{name}\n", "bold"), plain(turn.reply.text)), (1, 2))
    if turn.reply.source == "stopped":
        return Text("(stopped before a word)", "dim")
    text = Text.assemble((f"{name}: ", "bold cyan"), plain(turn.reply.text))
    if stopped and turn.reply.source not in ("safety", "skills"):
        text.append("  (stopped)", "dim")
    return text


def in_danger(turn: Turn) -> bool:
    """Whether the safety stage found that help is needed."""
    return turn.safety is not None and turn.safety.level in ("risk", "now")


def earlier(said: Sequence[Utterance], name: str, now: datetime) -> RenderableType:
    """The last turns, dimmed, under a line that says how long ago they were."""
    lines = [Text(f"── earlier, {since(said[-1].at, now)} ──", "dim")]
    for utterance in said:
        who = "you" if utterance.role == "person" else plain(name)
        lines.append(Text(f"{who}: {shortened(utterance.text, 300)}", "dim"))
    return Group(*lines, Text())


def fact(known: Fact) -> str:
    """A fact in a few words, as a prompt words it but without its quotation marks: lives in Leeds."""
    from models.prompt import fact_line

    wording, _, _ = fact_line(known).partition(' "')
    return plain(f"{wording} {known.value}")


def fact_lines(facts: Sequence[Fact]) -> RenderableType:
    """Facts with their number, what they say, and since when they hold, or from when to when they held."""
    lines = []
    for known in facts:
        since, until = (f"{day:%d %b %Y}" if day else "" for day in (known.since, known.until))
        held = f"since {since}" if since and not until else f"until {until}" if until else ""
        if since and until and since != until:
            held = f"{since} to {until}"
        number = f"{known.id}" if known.id is not None else "-"
        lines.append(Text.assemble((f"{number:>4}  ", "cyan"), fact(known), (f"  {held}", "dim")))
    return Group(*lines)


def quoted(text: str, limit: int = 80) -> str:
    """What somebody said, on one line, in quotation marks."""
    return f"“{shortened(text, limit)}”"


def shortened(text: str, limit: int) -> str:
    """The text on one line, cut at the limit."""
    line = " ".join(plain(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def wrapped(text: str, width: int) -> str:
    """The text in lines of at most that many columns."""
    return "\n".join(textwrap.wrap(plain(text), max(width, 10)))


def since(then: datetime, now: datetime) -> str:
    """How long ago: "just now", "20 minutes ago", "5 hours ago", "yesterday", "3 days ago"."""
    minutes = max(0, int((now - then).total_seconds() // 60))
    if minutes < 2:
        return "just now"
    if minutes < 60:
        return f"{minutes} minutes ago"
    if minutes < 24 * 60:
        hours = minutes // 60
        return "an hour ago" if hours == 1 else f"{hours} hours ago"
    days = minutes // (24 * 60)
    return "yesterday" if days == 1 else f"{days} days ago"
