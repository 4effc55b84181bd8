"""Scores of what fills memory and of what is brought up from it.

    python -m models.training.evaluate_memory facts tests/models/facts_own.jsonl --split tune
    python -m models.training.evaluate_memory locomo DATA/locomo/locomo_dev5.json
    python -m models.training.evaluate_memory msc DATA/msc_valid

facts: precision and recall of facts.rules on labelled messages, and ownership errors (the right slot and value, given
to somebody else). A label is "about.slot=value"; "!" before it is an end, "~" a correction, "?" may come or not.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from models.facts import Rules
from pipelines.turn import Fact, Turn, Utterance

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


def score_facts(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """precision, recall, ownership: how often what was found belongs to somebody else, mistakes: message by message."""
    right = found_all = wanted_all = ownership = 0
    mistakes = []
    for row, found in zip(rows, Rules()([turn(row) for row in rows]), strict=True):
        wanted = {w.casefold() for w in row["facts"] if not w.startswith("?")}
        allowed = {w[1:].casefold() for w in row["facts"] if w.startswith("?")}
        got = {label(f) for f in found} - allowed
        right, found_all, wanted_all = right + len(got & wanted), found_all + len(got), wanted_all + len(wanted)
        elsewhere = {w.rpartition(".")[2] for w in wanted - got}
        stolen = [g for g in got - wanted if g.rpartition(".")[2] in elsewhere]
        ownership += len(stolen)
        if got != wanted:
            mistakes.append({"text": row["text"], "missing": sorted(wanted - got), "wrong": sorted(got - wanted)})
    return {
        "messages": len(rows),
        "facts": wanted_all,
        "precision": right / found_all if found_all else 1.0,
        "recall": right / wanted_all if wanted_all else 1.0,
        "ownership_errors": ownership,
        "mistakes": mistakes,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="what", required=True)
    facts = commands.add_parser("facts")
    facts.add_argument("table", type=Path)
    facts.add_argument("--split", default="tune")
    facts.add_argument("--quiet", action="store_true", help="the scores alone, without the mistakes")
    arguments = parser.parse_args()
    rows = [json.loads(line) for line in arguments.table.read_text(encoding="utf-8").splitlines()]
    scores = score_facts([row for row in rows if arguments.split in ("all", row["split"])])
    mistakes = scores.pop("mistakes")
    if not arguments.quiet:
        for mistake in mistakes:
            print(json.dumps(mistake, ensure_ascii=False))
    print(json.dumps({k: round(v, 4) for k, v in scores.items()}))


if __name__ == "__main__":
    main()
