"""Scores of what fills memory: a facts stage on our labelled messages, and beside the persona sentences of MSC.

    python -m models.training.evaluate_memory tests/models/facts_own.jsonl --split tune

shows the mistakes of facts.rules, for whoever writes rules. The scores of a config, and of what is found again in
memory, are given by `chatbot evaluate memory`.

facts: precision and recall on labelled messages, and ownership errors (the right slot and value, given
to somebody else). A label is "about.slot=value"; "!" before it is an end, "~" a correction, "?" may come or not.

msc (Xu et al. 2021, "Beyond Goldfish Memory"; no licence stated: measured on, never trained on or quoted): annotators
wrote for each turn what it tells of its speaker. supported: the share of facts whose words are all in those sentences
(what the annotators left out counts against us); found: the share of sentences of a plain form ("I live in ...", "I
have a dog") for which a fact of that slot was read from the turn.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np

from models.facts import Rules
from models.training import scores as intervals
from pipelines.turn import Fact, Turn, Utterance

Stage = Callable[[Sequence[Turn]], Sequence[list[Fact]]]

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)
"""The clock of the labelled messages: a Wednesday."""


def label(fact: Fact) -> str:
    sign = {"state": "", "end": "!", "correct": "~"}[fact.change]
    return f"{sign}{fact.about + '.' if fact.about else ''}{fact.slot}={fact.value}".casefold()


def fact(text: str) -> Fact:
    """From "about.slot=value"."""
    key, _, value = text.partition("=")
    about, _, slot = key.rpartition(".")
    return Fact(slot, value, about)


def turn(row: dict[str, Any]) -> Turn:
    """The labelled message with its context, as the stage sees it."""
    history = []
    said: list[tuple[Literal["person", "companion"], str | None]] = [
        ("person", row.get("before")),
        ("companion", row.get("companion")),
    ]
    for role, text in said:
        if text:
            history.append(Utterance(role, text, AT - timedelta(minutes=2)))
    if row.get("later"):
        history.append(Utterance("companion", "Tell me more.", AT - timedelta(minutes=1)))
    return Turn(row["text"], at=AT, history=history, profile=[fact(f) for f in row.get("profile", [])])


def score_facts(rows: Sequence[dict[str, Any]], stage: Stage | None = None) -> dict[str, Any]:
    """precision, recall, ownership: how often what was found belongs to somebody else, mistakes: message by message;
    counts: right, found, wanted of each message. stage: facts.rules when there is none."""
    counts = []
    ownership = 0
    mistakes = []
    for row, found in zip(rows, (stage or Rules())([turn(row) for row in rows]), strict=True):
        wanted = {w.casefold() for w in row["facts"] if not w.startswith("?")}
        allowed = {w[1:].casefold() for w in row["facts"] if w.startswith("?")}
        got = {label(f) for f in found} - allowed
        counts.append((len(got & wanted), len(got), len(wanted)))
        elsewhere = {w.rpartition(".")[2] for w in wanted - got}
        stolen = [g for g in got - wanted if g.rpartition(".")[2] in elsewhere]
        ownership += len(stolen)
        if got != wanted:
            mistakes.append({"text": row["text"], "missing": sorted(wanted - got), "wrong": sorted(got - wanted)})
    return {
        "messages": len(rows),
        "facts": sum(wanted for _, _, wanted in counts),
        "precision": _share(counts, 1),
        "recall": _share(counts, 2),
        "ownership_errors": ownership,
        "mistakes": mistakes,
        "counts": counts,
    }


def report(rows: Sequence[dict[str, Any]], stage: Stage | None = None) -> dict[str, Any]:
    """The scores for people: precision and recall with 95 % intervals over messages, and the ownership errors."""
    found = score_facts(rows, stage)
    counts = np.array(found["counts"])

    def span(of: int) -> list[float]:
        return intervals.interval(len(counts), lambda rows: _share(counts[rows], of))

    return {
        "messages": float(found["messages"]),
        "facts": float(found["facts"]),
        "precision": [found["precision"], *span(1)],
        "recall": [found["recall"], *span(2)],
        "ownership errors": float(found["ownership_errors"]),
    }


def _share(counts: Any, of: int) -> float:
    """Right facts as a share of a column of (right, found, wanted)."""
    right, all_ = (sum(row[i] for row in counts) for i in (0, of))
    return float(right / all_) if all_ else 1.0


_PLAIN = {
    "home": r"i live in (?!a |an |the |my )(\w+)",
    "home_town": r"i(?: am|'m) (?:originally )?from (\w+)",
    "age": r"i(?: am|'m) (\d+)(?: years old)?$",
    "name": r"my name is (\w+)",
    "pet": r"i have (?:a|an|two|three|\d) (?:\w+ )?(dog|cat|puppy|kitten|bird|parrot|horse|rabbit|hamster)s?$",
    "family": r"i have (?:a|an|one|two|three|four|\d) (?:\w+ )?(brother|sister|son|daughter|kid)s?$",
    "like": r"i (?:really )?(?:like|love|enjoy) (?:to )?(\w+)",
    "dislike": r"i (?:hate|dislike|do not like|don't like) (\w+)",
    "work": r"i (?:work (?:as|at|for|in) (?:an? |the )?|am an? (?=\w+(?:er|or|ist)$))(\w+)",
}
"""Persona sentences in so plain a form that the slot is certain, with the word that its value must have."""


def score_msc(folder: Path, stage: Stage | None = None) -> dict[str, Any]:
    """supported and found, each with its count, over the three sessions' validation dialogues."""
    read = stage or Rules()
    supported = facts = 0
    by_slot: dict[str, list[int]] = {slot: [0, 0] for slot in _PLAIN}
    for path in sorted(folder.glob("personasummary_session_*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            history: list[Utterance] = []
            for said in json.loads(line)["dialog"]:
                persona = said.get("persona_text", "")
                [found] = read([Turn(said["text"], at=AT, history=history[-1:])])
                facts += len(found)
                supported += sum(_supported(f, persona) for f in found)
                for slot, value in _plain_facts(persona):
                    hit = any(f.slot == slot and not f.about and value in f.value.lower() for f in found)
                    by_slot[slot][0] += hit
                    by_slot[slot][1] += 1
                # The other speaker stands where the companion stands in our talks.
                history = [Utterance("companion", said["text"], AT)]
    return {
        "facts": facts,
        "supported": supported / facts if facts else 1.0,
        "sentences": sum(n for _, n in by_slot.values()),
        "found": sum(hits for hits, _ in by_slot.values()) / sum(n for _, n in by_slot.values()),
        **{f"found {slot}": hits / n for slot, (hits, n) in by_slot.items() if n},
    }


def _supported(fact: Fact, persona: str) -> bool:
    words = re.findall(r"\w{3,}", fact.value.lower())
    stems = {word[:5] for word in re.findall(r"\w+", persona.lower())}
    return bool(words) and all(word[:5] in stems for word in words)


def _plain_facts(persona: str) -> list[tuple[str, str]]:
    sentences = [sentence.strip().lower() for sentence in persona.split(".")]
    found = []
    for slot, pattern in _PLAIN.items():
        found += [(slot, match[1]) for sentence in sentences if (match := re.match(pattern, sentence))]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--split", default="tune")
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in arguments.table.read_text(encoding="utf-8").splitlines()]
    found = score_facts([row for row in rows if arguments.split in ("all", row["split"])])
    for mistake in found["mistakes"]:
        print(json.dumps(mistake, ensure_ascii=False))
    print(json.dumps({k: round(v, 4) for k, v in found.items() if k not in ("mistakes", "counts")}))


if __name__ == "__main__":
    main()
