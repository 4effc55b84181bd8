"""The way of one turn through the stages, for people: values, probability bars, recalled memories, candidates, times.

Works from the turn alone. Times are those of the batch that the turn ran in: with several people at once they are
shared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chatbot.terminal import show
from chatbot.terminal.show import plain, shortened
from pipelines.turn import Candidate, Fact, Turn

COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "red")
NARROW = 60
"""Columns under which tables give up what can be left out."""


MEASURES = {
    "judged": "suits the talk",
    "relevance": "fits what you said",
    "likely": "the model's own liking",
    "length": "length",
    "repeats_itself": "repeats itself less",
    "repeats_person": "repeats you less",
    "unfinished": "is finished",
    "tact": "gentler with a hurt",
    "written": "who wrote it",
    "retrieved": "from another talk",
    "near": "answered the like before",
    "tone": "sounds like how you feel",
}
"""What the ranker's measures mean when one candidate beats another in them, in words."""


def view(turn: Turn, width: int) -> RenderableType:
    """Everything that is known of how this turn came to its reply."""
    parts: list[RenderableType] = [heard(turn), Text(), stages(turn, width)]
    if turn.intent:
        ups = [(turn.intent.label, turn.intent.probability), *turn.intent.runners_up][:4]
        ups = [up for up in ups if up[1] >= 0.01] or ups[:1]
        parts += [_title("intent" if turn.intent.in_scope else "intent (out of scope)"), bars(ups, width)]
    if turn.emotion:
        top = sorted(((n, p) for n, p in turn.emotion.probabilities.items() if p >= 0.01), key=lambda item: -item[1])[
            :5
        ]
        parts += [_title(f"emotion, valence {turn.emotion.valence:+.2f}"), bars(top, width)]
    if turn.facts:
        parts += [_title("facts"), *(Text(f"  {_fact(fact)}") for fact in turn.facts)]
    if turn.memories:
        parts.append(_title("memories"))
        parts += [
            Text.assemble(
                (f"  {m.score:.3f} ", "cyan"), (f"{m.moment.at:%d %b} ", "dim"), shortened(m.moment.text, 200)
            )
            for m in turn.memories
        ]
    if turn.candidates:
        parts += [_title("candidates"), candidates(turn, width)]
    if turn.failed:
        parts.append(_title("failed", "red"))
        parts += [Text(f"  {label}: {plain(error)}", "red") for label, error in turn.failed.items()]
    parts.append(why(turn))
    return Group(*parts, Text())


def why(turn: Turn) -> RenderableType:
    """Why the reply is the one it is, and what of memory was at hand."""
    if turn.reply is None:
        return Text("There was no reply.", "dim")
    reason = plain(turn.reply.why) or "it gave no reason"
    for measure, words in MEASURES.items():
        reason = re.sub(rf"\b{measure}\b", words, reason)
    if reason == f"{turn.reply.source} is sure":
        reason = "a sure answer"
    lines = [Text.assemble(("why  ", "bold"), f"{turn.reply.source}: {reason}")]
    used = [_fact(fact) for fact in turn.known() if fact.about != "companion"]
    if used:
        lines.append(Text.assemble(("knew ", "bold"), "; ".join(used[-6:])))
    if turn.memories:
        lines.append(Text.assemble(("recalled ", "bold"), shortened(turn.memories[0].moment.text, 120)))
    return Group(*lines)


def heard(turn: Turn) -> Text:
    """The message with its entities in colour, each followed by its label and normalised value."""
    text = Text("you: ", "bold")
    colours: dict[str, str] = {}
    at = 0
    for entity in sorted(turn.entities or (), key=lambda e: e.start):
        if entity.start < at:  # inside the one before
            continue
        colour = colours.setdefault(entity.label, COLOURS[len(colours) % len(COLOURS)])
        value = f"={plain(entity.value)}" if entity.value and entity.value != entity.text else ""
        text.append(plain(turn.text[at : entity.start]), "default")
        text.append(plain(entity.text), f"bold underline {colour}")
        text.append(f" [{entity.label}{value}]", colour)
        at = entity.end
    return text.append(plain(turn.text[at:]), "default")


def stages(turn: Turn, width: int) -> RenderableType:
    """One line per stage that ran or failed: what it found, its milliseconds, its share of the time."""
    total = sum(turn.ms.values()) or 1.0
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", show_edge=False)
    table.add_column("stage", style="cyan", no_wrap=True)
    table.add_column("found", ratio=1)
    table.add_column("ms", justify="right", no_wrap=True)
    if width >= NARROW:
        table.add_column("share", no_wrap=True)
    for label in [*turn.ms, *(name for name in turn.failed if name not in turn.ms)]:
        ms = turn.ms.get(label)
        what = Text("failed", "red") if label in turn.failed else Text(found(turn, label))
        row: list[RenderableType] = [label, what, f"{ms:.1f}" if ms is not None else "-"]
        if width >= NARROW:
            share = (ms or 0) / total
            row.append(Text(f"{_bar(share, 10):<10} {share:4.0%}"))
        table.add_row(*row)
    table.add_row("", Text("together", "dim"), f"{sum(turn.ms.values()):.1f}")
    return table


def candidates(turn: Turn, width: int) -> RenderableType:
    """The candidates, the winner first, with their scores; those that were not ranked say so."""
    ranked: Sequence[Candidate] = turn.reply.ranked if turn.reply else ()
    won = turn.reply.text if turn.reply else None
    out = [c for c in turn.candidates or () if c.text not in {r.text for r in ranked}]
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", show_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("reply", ratio=1)
    if width >= NARROW:
        table.add_column("from", style="dim")
        table.add_column("because", style="dim", ratio=1)
    for place, candidate in enumerate([*ranked, *out]):
        winner = candidate.text == won
        score = candidate.scores.get("total")
        number = "not fit" if place >= len(ranked) and not winner else "sure" if candidate.sure else ""
        text = Text(shortened(candidate.text, 240), "bold" if winner else "")
        row: list[RenderableType] = [">" if winner else "", f"{score:.2f}" if score is not None else number, text]
        if width >= NARROW:
            row += [candidate.source, _because(turn, candidate, fit=place < len(ranked) or winner)]
        table.add_row(*row)
    return table


def _because(turn: Turn, candidate: Candidate, fit: bool) -> str:
    """The measures that count for or against a candidate; of one that was not fit to be said, why it was not."""
    if not fit:
        return "said before" if candidate.text in {u.text for u in turn.history} else "refused by the outgoing check"
    scores = {k: v for k, v in candidate.scores.items() if k not in ("total", "logprob") and abs(v) >= 0.005}
    return ", ".join(f"{name.replace('_', ' ')} {value:.2f}" for name, value in scores.items())


def bars(values: Iterable[tuple[str, float]], width: int) -> RenderableType:
    """A line per label: its name, a bar for its probability, the number."""
    room = max(5, min(30, width - 30))
    return Group(
        *(
            Text.assemble(f"  {plain(label)[:20]:<20} ", (f"{_bar(p, room):<{room}}", "cyan"), f" {p:.2f}")
            for label, p in values
        )
    )


def _bar(share: float, room: int) -> str:
    """Eighths of a cell, so that small shares show."""
    eighths = round(max(0.0, min(1.0, share)) * room * 8)
    return "█" * (eighths // 8) + ("▏▎▍▌▋▊▉"[eighths % 8 - 1] if eighths % 8 else "")


def found(turn: Turn | None, label: str) -> str:
    """What a stage found, in a few words."""
    slot = label.partition(".")[0]
    if turn is None:
        return ""
    if slot == "safety" and turn.safety:
        return " ".join(filter(None, (turn.safety.level, turn.safety.kind)))
    if slot == "embedding" and turn.embedding:
        return f"{len(turn.embedding.vector)} numbers by {turn.embedding.encoder}"
    if slot == "intent" and turn.intent:
        return f"{turn.intent.label} {turn.intent.probability:.2f}"
    if slot == "entities":
        return ", ".join(f"{plain(e.text)} ({e.label})" for e in turn.entities or ()) or "none"
    if slot == "emotion" and turn.emotion:
        return f"{', '.join(turn.emotion.labels)} {turn.emotion.valence:+.2f}"
    if slot == "facts":
        return "; ".join(_fact(fact) for fact in turn.facts or ()) or "none"
    if slot == "memories":
        return f"{len(turn.memories or ())} recalled"
    if slot == "candidates":
        name = label.partition(".")[2]
        count = sum(c.source.split(".")[0].split(":")[0] == name for c in turn.candidates or ())
        return f"{count or 'no'} {'candidate' if count == 1 else 'candidates'}"
    if slot == "reply" and turn.reply:
        return shortened(turn.reply.text, 60)
    return ""


def _fact(fact: Fact) -> str:
    return {"end": "no longer: ", "correct": "rather: ", "state": ""}[fact.change] + show.fact(fact)


def _title(text: str, style: str = "") -> Text:
    return Text(text, f"bold {style}".strip())
