"""The prompt: how a turn is written down for a generative model, at run time and in training alike.

    system   who the companion is, and what is known of the person, as quoted data
    user / assistant   the talk so far
    system   a note that holds for this message only: what it recalls, what they seem to feel
    user     the message

What changes with every message stands at the end, so that the beginning can be kept between turns. Facts and recalled
moments are quoted, one line each and bounded: they are data, never instructions. Knows no tokenizer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from pipelines.turn import Fact, Persona, Turn

MAX_FACTS = 12
PROFILE_BYTES = 800
"""Of the facts together, in UTF-8. A byte-level tokenizer makes at most a token of a byte, so that the profile never
costs more tokens than this, whatever script it is in; English takes a quarter of it."""
ALWAYS = ("name", "nickname", "home", "work", "school", "partner", "age")
"""The person's own slots that travel before any other."""
MAX_VALUE = 80
MAX_UTTERANCE = 400
"""Characters of one utterance that go into a prompt: what is longer is cut in the middle."""

WORDING = {
    "like": "likes",
    "dislike": "dislikes",
    "pet": "has a pet",
    "home": "lives in",
    "home_town": "comes from",
    "work": "works as",
    "school": "studies at",
    "plan": "plan",
}


def messages(turn: Turn, name: str | None = None) -> list[dict[str, str]]:
    """The chat messages of a turn, as role and content; the model continues after the last one."""
    persona = turn.persona if name is None else Persona(name, turn.persona.traits, turn.persona.likes)
    talk = [{"role": "system", "content": system(persona, turn.known())}]
    for said in turn.history:
        role = "user" if said.role == "person" else "assistant"
        talk.append({"role": role, "content": clip(said.text)})
    recalled = [(m.moment.text, ago(m.moment.at, turn.at)) for m in turn.memories or ()]
    feelings = [label for label in (turn.emotion.labels if turn.emotion else ()) if label != "neutral"]
    if line := note(recalled, feelings[:2]):
        talk.append({"role": "system", "content": line})
    talk.append({"role": "user", "content": clip(turn.text)})
    return talk


def chatml(talk: Sequence[Mapping[str, str]], reply: bool = True) -> str:
    """The messages in ChatML, the format that SmolLM2-Instruct was tuned on; with `reply`, the reply's beginning."""
    text = "".join(f"<|im_start|>{m['role']}\n{_defused(m['content'])}<|im_end|>\n" for m in talk)
    return text + "<|im_start|>assistant\n" if reply else text


def system(persona: Persona, facts: Sequence[Fact]) -> str:
    """Who the companion is and what it knows: two or three short lines that a small model can hold."""
    lines = [f"You are {persona.name}, an AI friend. You are {', '.join(persona.traits)}."]
    if persona.likes:
        lines[0] += f" You like {', '.join(persona.likes)}."
    known = profile(facts)
    if known:
        lines.append("About the person: " + "; ".join(known) + ".")
    return "\n".join(lines)


def profile(facts: Sequence[Fact]) -> list[str]:
    """What is known of the person in lines of bounded number and length, oldest first: who they are before all else,
    then the newest."""
    known = [f for f in facts if f.about != "companion"]
    newest_first = sorted(range(len(known)), key=lambda i: (bool(known[i].about) or known[i].slot not in ALWAYS, -i))
    chosen: dict[int, str] = {}
    for i in newest_first:
        line = fact_line(known[i])
        if (
            len(chosen) < MAX_FACTS
            and sum(len(said.encode()) + 2 for said in [*chosen.values(), line]) <= PROFILE_BYTES
        ):
            chosen[i] = line
    return [chosen[i] for i in sorted(chosen)]


def fact_line(fact: Fact) -> str:
    """A fact in a few words, its value quoted: `name "Lena"`, `sister's name "Anna"`, `lives in "Leeds"`."""
    wording = WORDING.get(fact.slot, fact.slot.replace("_", " "))
    whose = f"{fact.about}'s " if fact.about and fact.slot not in WORDING else f"{fact.about} " if fact.about else ""
    return f"{whose}{wording} {_quote(fact.value)}"


def note(recalled: Sequence[tuple[str, str]], feelings: Sequence[str]) -> str:
    """What holds for this message only, or "" when there is nothing to note."""
    parts = [f"They said {when}: {_quote(text)}." for text, when in recalled[:3]]
    if feelings:
        parts.append(f"They seem to feel {' and '.join(feelings)}.")
    return " ".join(parts)


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in words: "today", "yesterday", "3 days ago", "2 weeks ago", "5 months ago"."""
    days = (now.date() - then.astimezone(now.tzinfo).date()).days
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    for size, unit in ((365, "year"), (30, "month"), (7, "week")):
        if days >= 2 * size:
            return f"{days // size} {unit}s ago"
    return f"{days} days ago"


def clip(text: str, limit: int = MAX_UTTERANCE) -> str:
    """The text, its middle left out when it is longer than the limit."""
    half = limit // 2
    return text if len(text) <= limit else f"{text[:half]} ... {text[-half:]}"


def recalled_moment(text: str) -> tuple[str, str]:
    """A recalled moment of the training corpus, `she was scared of the exam (3 days ago)`, as text and time."""
    head, bracket, when = text.rpartition(" (")
    return (head, when.rstrip(")")) if bracket else (text, "before")


def _quote(text: str) -> str:
    return json.dumps(" ".join(clip(text, MAX_VALUE).split()), ensure_ascii=False)


def _defused(text: str) -> str:
    """The control tokens of ChatML taken apart, so that nobody can end their message and speak as the system."""
    return text.replace("<|", "< |").replace("\0", " ")
