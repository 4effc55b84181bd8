"""Openly licensed dialogues as talks of the training corpus, in the format that `models.training.reply` reads.

    python -m models.training.public_talks ../shared/data --out TALKS.jsonl

ConvAI2 validation, dialogues 1 to 500, seen by each of the two speakers (CC BY 4.0), Topical-Chat valid (CDLA-Sharing
1.0) and the chitchat-dataset package (MIT). Who speaks is a person with a persona of their own: the system line says
so, and never "an AI friend", so that claims to a job or a family stay bound to such a line. Left out: dialogues with
a sentence of 10 words or more that ConvAI2's 501 to 1,000, which are reported on, hold too; texts with placeholders;
what the outgoing check would not let the companion say; every tenth sender of chitchat. ConvAI2's two halves share
nearly all personas (608 of 638 sentences), which its authors' split brings along; Synthetic-Persona-Chat valid is
written on the same personas and is not used at all. Knows no model.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from models.outgoing import objections
from pipelines.errors import UsageError
from pipelines.turn import Turn

CONVAI2 = "convai2_valid/valid_self_original_no_cands.txt"
CONVAI2_OTHER = "convai2_valid/valid_other_original_no_cands.txt"
LEARNED = 500
"""ConvAI2's dialogues up to here may be learned from; those after it are the yardstick."""

LONGEST = 12
"""Utterances of a dialogue that are read at most."""

NAMES = ("Sam", "Robin", "Alex", "Kim", "Jo", "Charlie", "Max", "Lou", "Toni", "Chris")


@dataclass(frozen=True)
class Dialogue:
    """persona: sentences about the second speaker; said: utterances in turn, the first speaker's first."""

    persona: tuple[str, ...]
    said: tuple[str, ...]


def convai2(path: Path) -> list[Dialogue]:
    """Numbered lines: `your persona: ...` (or `partner's persona: ...`) first, then `partner<TAB>reply`; the number 1
    begins a dialogue."""
    found: list[tuple[list[str], list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        number, text = line.split(" ", 1)
        if number == "1":
            found.append(([], []))
        persona, said = found[-1]
        who, colon, sentence = text.partition(" persona: ")
        if colon and who in ("your", "partner's"):
            persona.append(sentence)
        else:
            said += text.split("\t")[:2]
    return [Dialogue(tuple(persona), tuple(said)) for persona, said in found]


def topical_chat(path: Path) -> Iterator[Dialogue]:
    """Talks on a topic between two people without a persona."""
    for talk in json.loads(path.read_text(encoding="utf-8")).values():
        said: list[str] = []
        before = None
        for turn in talk["content"]:
            if turn["agent"] == before:
                said[-1] += " " + turn["message"]
            else:
                said.append(turn["message"])
            before = turn["agent"]
        yield Dialogue((), tuple(said))


def chitchat(path: Path) -> Iterator[Dialogue]:
    """The package's conversations of two students who both write; messages sent in a row are one utterance. A sender
    by whose id's hash one in ten is held out never comes in."""
    for talk in json.loads(path.read_text(encoding="utf-8")).values():
        groups = [[m for m in group if m["text"].strip()] for group in talk["messages"]]
        groups = [group for group in groups if group]
        senders = [group[0]["sender"] for group in groups]
        if len(set(senders)) != 2 or any(a == b for a, b in pairwise(senders)) or any(map(_apart, set(senders))):
            continue
        yield Dialogue((), tuple(" ".join(m["text"].strip() for m in group) for group in groups))


def _apart(sender: str) -> bool:
    return int(hashlib.sha256(sender.encode()).hexdigest(), 16) % 10 == 0


def plain(text: str) -> str:
    """ConvAI2 writes its tokens apart ("i ' m fine ."): put together again as people type."""
    text = re.sub(r"\s+([.,!?;:])", r"\1", text)
    text = re.sub(r"\s*'\s*(?=(?:s|m|d|t|re|ve|ll)\b)", "'", text)
    return re.sub(r"\b(\w+) n't\b", r"\1n't", text).strip()


def about(name: str, persona: Sequence[str]) -> str:
    """The system line of a person with a persona."""
    return " ".join([f"You are {name}.", *(plain(sentence) for sentence in persona)])


def talk_of(dialogue: Dialogue, topic: str, number: int) -> dict[str, object]:
    """A dialogue as a talk of the corpus; the second speaker is the companion."""
    turns: list[dict[str, object]] = [
        {"who": "companion" if i % 2 else "person", "text": plain(text), "emotion": []}
        for i, text in enumerate(dialogue.said[:LONGEST])
    ]
    name = NAMES[number % len(NAMES)]
    return {
        "id": f"{topic}-{number}",
        "topic": topic,
        "system": about(name, dialogue.persona),
        "persona": {"name": name, "traits": [], "likes": []},
        "facts": [],
        "recalled": [],
        "turns": turns,
    }


def talks(data: Path, chatted: Path, topical: int, chats: int, seed: int = 3) -> list[dict[str, object]]:
    """All of ConvAI2's first half, from both sides, and so many talks of the others, in random order."""
    chance = random.Random(seed)
    mine, theirs = convai2(data / CONVAI2), convai2(data / CONVAI2_OTHER)
    apart = {_key(text) for dialogue in mine[LEARNED:] for text in dialogue.said if len(_key(text).split()) >= 10}
    own = mine[:LEARNED] + [Dialogue(d.persona, ("Hi!", *d.said)) for d in theirs[:LEARNED]]
    own = [d for d in own if not apart & {_key(text) for text in d.said}]
    met = [d for path in sorted((data / "topical_chat").glob("valid_*.json")) for d in topical_chat(path)]
    texted = list(chitchat(chatted))
    result = []
    for topic, group, size in (("convai2", own, len(own)), ("topical", met, topical), ("chitchat", texted, chats)):
        fit = [d for d in group if _fit(d, strict=topic != "convai2")]
        print(f"{topic}: {len(fit)} of {len(group)} dialogues are fit, {min(size, len(fit))} taken")
        result += [talk_of(d, topic, i) for i, d in enumerate(chance.sample(fit, min(size, len(fit))))]
    chance.shuffle(result)
    return result


def _fit(dialogue: Dialogue, strict: bool) -> bool:
    """Long enough, without placeholders; strict: and nothing that may not be said, no links, no one-word answers."""
    said = dialogue.said[:LONGEST]
    if len(said) < 4 or any("[" in text for text in said):
        return False
    if not strict:
        return True
    lengths = [len(text.split()) for text in said]
    if max(lengths) > 40 or sum(lengths) / len(lengths) < 6 or any("http" in text or "@" in text for text in said):
        return False
    return not any(objections(text, Turn(before)) for before, text in pairwise(said))


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--chitchat", type=Path, help="dataset.json of the package; found by itself when installed")
    parser.add_argument("--topical", type=int, default=30)
    parser.add_argument("--chats", type=int, default=100)
    arguments = parser.parse_args()
    chatted = arguments.chitchat
    if chatted is None:
        package = importlib.util.find_spec("chitchat_dataset")
        if package is None or package.origin is None:
            raise UsageError("chitchat-dataset is not installed: pip install 'chatbot[train]'")
        chatted = Path(package.origin).with_name("dataset.json")
    found = talks(arguments.data, chatted, arguments.topical, arguments.chats)
    lines = [json.dumps(talk, ensure_ascii=False) + "\n" for talk in found]
    arguments.out.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
