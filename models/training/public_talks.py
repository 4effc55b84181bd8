"""Openly licensed dialogues as talks of the training corpus, in the format that `models.training.reply` reads.

    python -m models.training.public_talks ../shared/data --out TALKS.jsonl

ConvAI2 validation, dialogues 1 to 500 (CC BY 4.0), Synthetic-Persona-Chat valid (CC BY 4.0) and Topical-Chat valid
(CDLA-Sharing 1.0). Who speaks is a person with a persona of their own: the system line says so, and never "an AI
friend", so that claims to a job or a family stay bound to such a line. Dialogues that share a persona sentence with
ConvAI2's 501 to 1,000, which are reported on, are left out, and so are texts with placeholders. Knows no model.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

CONVAI2 = "convai2_valid/valid_self_original_no_cands.txt"
LEARNED = 500
"""ConvAI2's dialogues up to here may be learned from; those after it are the yardstick."""

NAMES = ("Sam", "Robin", "Alex", "Kim", "Jo", "Charlie", "Max", "Lou", "Toni", "Chris")


@dataclass(frozen=True)
class Dialogue:
    """persona: sentences about the second speaker; said: utterances in turn, the first speaker's first."""

    persona: tuple[str, ...]
    said: tuple[str, ...]


def convai2(path: Path) -> list[Dialogue]:
    """Numbered lines: `your persona: ...` first, then `partner<TAB>reply`; the number 1 begins a dialogue."""
    found: list[tuple[list[str], list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        number, text = line.split(" ", 1)
        if number == "1":
            found.append(([], []))
        persona, said = found[-1]
        if text.startswith("your persona: "):
            persona.append(text.removeprefix("your persona: "))
        else:
            said += text.split("\t")[:2]
    return [Dialogue(tuple(persona), tuple(said)) for persona, said in found]


def synthetic_persona_chat(path: Path) -> Iterator[Dialogue]:
    """The csv's dialogues, with the second user as the one who is learned."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lines = row["Best Generated Conversation"].splitlines()
            said = [m.groups() for line in lines if (m := re.match(r"User (\d): ?(.+)", line))]
            if [who for who, _ in said] == ["1", "2"] * (len(said) // 2) + ["1"] * (len(said) % 2):
                yield Dialogue(tuple(row["user 2 personas"].splitlines()), tuple(text for _, text in said))


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


def plain(text: str) -> str:
    """ConvAI2 writes its tokens apart ("i ' m fine ."): put together again as people type."""
    text = re.sub(r"\s+([.,!?;:])", r"\1", text)
    text = re.sub(r"\s*'\s*(?=(?:s|m|d|t|re|ve|ll)\b)", "'", text)
    return re.sub(r"\b(\w+) n't\b", r"\1n't", text).strip()


def about(name: str, persona: Sequence[str]) -> str:
    """The system line of a person with a persona."""
    return " ".join([f"You are {name}.", *(plain(sentence) for sentence in persona)])


def talk_of(dialogue: Dialogue, topic: str, number: int, longest: int = 16) -> dict[str, object]:
    """A dialogue as a talk of the corpus; the second speaker is the companion."""
    turns: list[dict[str, object]] = [
        {"who": "companion" if i % 2 else "person", "text": plain(text), "emotion": []}
        for i, text in enumerate(dialogue.said[:longest])
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


def talks(data: Path, synthetic: int, topical: int, seed: int = 3) -> list[dict[str, object]]:
    """All of ConvAI2's first half and so many talks of the others, in random order."""
    chance = random.Random(seed)
    yardstick = convai2(data / CONVAI2)
    apart = {_key(sentence) for dialogue in yardstick[LEARNED:] for sentence in dialogue.persona}
    apart |= {_key(text) for dialogue in yardstick[LEARNED:] for text in dialogue.said if len(text.split()) > 6}
    own = [d for d in yardstick[:LEARNED] if not apart & {_key(text) for text in (*d.persona, *d.said)}]
    made = list(synthetic_persona_chat(next((data / "synthetic_persona_chat").glob("*valid*.csv"))))
    made = [d for d in made if not apart & {_key(text) for text in (*d.persona, *d.said)}]
    met = [d for path in sorted((data / "topical_chat").glob("valid_*.json")) for d in topical_chat(path)]
    result = []
    for topic, group, size in (("convai2", own, len(own)), ("synthetic", made, synthetic), ("topical", met, topical)):
        fit = [d for d in group if len(d.said) > 3 and not any("[" in text for text in d.said)]
        print(f"{topic}: {len(fit)} of {len(group)} dialogues are fit, {min(size, len(fit))} taken")
        result += [talk_of(d, topic, i) for i, d in enumerate(chance.sample(fit, min(size, len(fit))))]
    chance.shuffle(result)
    return result


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--synthetic", type=int, default=250)
    parser.add_argument("--topical", type=int, default=80)
    arguments = parser.parse_args()
    found = talks(arguments.data, arguments.synthetic, arguments.topical)
    lines = [json.dumps(talk, ensure_ascii=False) + "\n" for talk in found]
    arguments.out.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
