"""Talks of the base model and of the whole chain with the same people, side by side in hidden order, to be read blind.

What the person says is what one said in a held-out talk of ours, whatever is replied; both sides hear the same facts.
Which is which lies in a file of its own.
"""

from __future__ import annotations

import json
import random
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.generation import Generator
from models.hub import fetch
from models.prompt import chatml, messages
from models.training.evaluate_reply import BASE, SAMPLING
from models.training.preferences import NOON
from models.training.reply import DIALOGUES, held_out, read_talks
from pipelines.pipeline import Pipeline
from pipelines.turn import Fact, Persona, Turn, Utterance

MESSAGES = 4
"""Of a person, at most, in a transcript."""


def write(out: Path, key: Path, build: Callable[[], Pipeline], count: int = 60, seed: int = 1) -> None:
    """`count` pairs to `out`, and to `key` which side of each pair is ours. Goes on where it was broken off."""
    chance = random.Random(seed)
    talks = [t for t in read_talks(sorted(DIALOGUES.glob("*.jsonl"))) if held_out(t)]
    talks = chance.sample(talks, min(count, len(talks)))
    ours_first = [chance.random() < 0.5 for _ in talks]
    sides = {str(i): "A" if first else "B" for i, first in enumerate(ours_first, 1)}
    key.write_text(json.dumps({"ours": sides, "seed": seed}, indent=1) + "\n", encoding="utf-8")
    there = out.read_text(encoding="utf-8").count("\n## ") if out.is_file() else 0
    if not there:
        out.write_text("# Which friend would you rather write to, A or B?\n", encoding="utf-8")
    generator, pipeline = Generator(fetch(BASE)), build()
    for i, talk in list(enumerate(talks, 1))[there:]:
        base, ours = said(talk, base_model(generator)), said(talk, pipeline_reply(pipeline))
        pair = (ours, base) if ours_first[i - 1] else (base, ours)
        facts = "; ".join(f"{f['about']} {f['slot']}: {f['value']}".strip() for f in talk["facts"])
        text = f"\n## {i}\n\nIt is called {talk['persona']['name']} and knows: {facts or 'nothing yet'}.\n"
        for side, lines in zip("AB", pair, strict=True):
            text += f"\n### {i} {side}\n\n" + "\n".join(f"- {who}: {line}" for who, line in lines) + "\n"
        with out.open("a", encoding="utf-8") as file:
            file.write(text)


def said(talk: Mapping[str, Any], reply: Callable[[Turn], str]) -> list[tuple[str, str]]:
    """The talk with the replies of one side: who ("person" or "it") and what."""
    persona = Persona(talk["persona"]["name"], tuple(talk["persona"]["traits"]), tuple(talk["persona"]["likes"]))
    profile: Sequence[Fact] = [Fact(f["slot"], f["value"], f["about"]) for f in talk["facts"]]
    history: list[Utterance] = []
    lines: list[tuple[str, str]] = []
    for text in [t["text"] for t in talk["turns"] if t["who"] == "person"][:MESSAGES]:
        turn = Turn(text, at=NOON, persona=persona, history=tuple(history), profile=profile)
        answer = " ".join(reply(turn).split())
        history += [Utterance("person", text, NOON), Utterance("companion", answer, NOON)]
        profile = turn.known()
        lines += [("person", text), ("it", answer)]
    return lines


def base_model(generator: Generator) -> Callable[[Turn], str]:
    """One sample of the base model in the run-time prompt."""

    def reply(turn: Turn) -> str:
        seed = zlib.crc32(f"{turn.text}{len(turn.history)}".encode())
        prompt = chatml(messages(turn, turn.companion_name))
        return generator.sample([prompt], 1, SAMPLING, [threading.Event()], seed)[0][0].text

    return reply


def pipeline_reply(pipeline: Pipeline) -> Callable[[Turn], str]:
    """The reply of the whole chain."""

    def reply(turn: Turn) -> str:
        pipeline([turn])
        return turn.reply.text if turn.reply else ""

    return reply
