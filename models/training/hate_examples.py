"""Sentences that degrade a group, and their harmless neighbours, for the head of models/hate_head.py.

They are made from this project's own words (hate_examples.toml, hate_own.jsonl). What is said of a group is put into
sentences that say it and into sentences that speak against it, so that the head must learn the difference; a third is
in some disguise of spelling. It knows nothing of tests/safety/hate.jsonl, which must stay unseen.
"""

from __future__ import annotations

import json
import random
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from models import hate
from models.training import noise

FOLDER = Path(__file__).parent
SAYS, AGAINST, KIND, WHOLE, TEMPLATES, EVERYDAY = 6, 4, 8, 3, 1200, 400
"""How often each hostile thing is said and spoken against, each kind one said, each sentence filled; how many
fillings of the templates are drawn for each side, and how many everyday replies."""

DIGITS = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "l": "1", "b": "8", "g": "9"}

_PEOPLE = re.compile(r"\b(?:[Pp]eople|friends|neighbou?rs|colleagues|customers|students|guests|kids)\b")


class Sentence(NamedTuple):
    """source: what it was made from, so that a fold holds all that was made from it."""

    text: str
    hateful: bool
    source: str


@cache
def parts() -> dict[str, Any]:
    """What sentences are made from: hostile, kind, frames, sentences, words, templates."""
    return tomllib.loads((FOLDER / "hate_examples.toml").read_text(encoding="utf-8"))


def own() -> list[Sentence]:
    """The sentences that are written out, with their kinds, in hate_own.jsonl."""
    rows = [json.loads(line) for line in (FOLDER / "hate_own.jsonl").read_text(encoding="utf-8").splitlines()]
    return [Sentence(row["text"], row["hateful"], row["text"]) for row in rows]


def sentences(seed: int = 7) -> list[Sentence]:
    """All of them, in the same order every time; a third disguised."""
    rng = random.Random(seed)
    made = [Sentence(_filled(text, rng, said), hateful, source) for text, hateful, said, source in _drawn(rng)]
    return [s._replace(text=disguised(s.text, rng)) if rng.random() < 1 / 3 else s for s in [*made, *own()]]


def _drawn(rng: random.Random) -> Iterator[tuple[str, bool, str, str]]:
    data = parts()
    for said in data["hostile"]:
        for frame in rng.sample(data["frames"]["says"], SAYS):
            yield frame, True, said, said
        for frame in rng.sample(data["frames"]["against"], AGAINST):
            yield frame, False, said, said
    for said in data["kind"]:
        for frame in rng.sample(data["frames"]["says"], KIND):
            yield frame, False, said, said
    for name in ("hateful", "harmless"):
        for text in data["sentences"][name] * WHOLE:
            yield text, name == "hateful", "", text
        for text in rng.choices(data["templates"][name], k=TEMPLATES):
            yield text, name == "hateful", "", text
    for text in rng.sample(everyday(), min(EVERYDAY, len(everyday()))):
        yield text, False, "", text


@cache
def everyday() -> list[str]:
    """Replies of the project's own dialogues about people, with a group in their place."""
    found = set()
    for file in sorted((FOLDER / "dialogues").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            for turn in json.loads(line)["turns"]:
                text = turn["text"]
                if _PEOPLE.search(text) and not re.search(r"[{}]", text) and not hate.names_group(text):
                    found.add(_PEOPLE.sub("{groups}", text, count=1))
    return sorted(found)


def _filled(template: str, rng: random.Random, said: str) -> str:
    text = template.format_map({name: rng.choice(words) for name, words in parts()["words"].items()} | {"p": said})
    return text[0].upper() + text[1:]


def disguised(text: str, rng: random.Random) -> str:
    """One word with letters swapped, left out, torn apart, as digits, or run together with the next."""
    words = text.split()
    long = [i for i, word in enumerate(words) if len(word) >= 4]
    if not long:
        return text
    i = rng.choice(long)
    word, kind = words[i], rng.choice(("slip", "torn", "spaced", "joined", "digits"))
    cut = rng.randrange(1, len(word) - 1)
    if kind == "slip":
        words[i] = noise.slip(word, rng)
    elif kind == "torn":
        words[i] = f"{word[:cut]} {word[cut:]}"
    elif kind == "spaced":
        words[i] = " ".join(word)
    elif kind == "joined" and i + 1 < len(words):
        words[i : i + 2] = [word + words[i + 1]]
    else:
        words[i] = "".join(rng.choice(DIGITS.get(c, c)) for c in word.lower())
    return " ".join(words)
