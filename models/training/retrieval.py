"""Make the store of `candidates.retrieval`: `python -m models.training.retrieval [--out FOLDER]`.

Exchanges are those of our own plain talks (dialogues/easy_*.jsonl, held-out topics left out) and single ones that were
written for this (exchanges/*.jsonl: what the companion said before, if that matters, the message and the reply). A
reply is kept when all that it says beyond its own talk is said in common words; the words that it took up from its talk
are noted with it. Writes replies.safetensors and brings its card up to date: some minutes; to be run again whenever
models/weights/encoder.safetensors changes.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models import hub
from models.embedding import MiniLM
from models.retrieval import FILE, meant, stems, to_it
from models.training.reply import DIALOGUES, held_out, read_talks
from models.training.safety import WEIGHTS, bring_up_to_date

EXCHANGES = Path(__file__).parent / "exchanges"

SENTENCES = 2
"""Of a reply, at most: a goodbye and most else is said in two."""

COMMON = 12
"""Replies in which a word must occur to be common."""


class Exchange(NamedTuple):
    """A reply with what it answered. topic: of its talk; talk: all that was said and known in it before."""

    topic: str
    before: str
    message: str
    reply: str
    talk: str


def exchanges(held: bool = False) -> Iterator[Exchange]:
    """All of our own; held: those of held-out topics too."""
    for path in sorted(EXCHANGES.glob("*.jsonl")):
        for row in read_talks([path]):
            yield Exchange(path.stem, row.get("before", ""), row["message"], row["reply"], row.get("before", ""))
    for talk in read_talks(sorted(DIALOGUES.glob("easy_*.jsonl"))):
        if held_out(talk) and not held:
            continue
        known = " ".join([talk["persona"]["name"], *(f["value"] for f in talk["facts"]), *talk["recalled"]])
        turns = [turn["text"] for turn in talk["turns"]]
        for i in range(0, len(turns) - 1, 2):
            before = turns[i - 1] if i else ""
            yield Exchange(talk["topic"], before, turns[i], turns[i + 1], " ".join([known, *turns[:i]]))


def words(text: str) -> frozenset[str]:
    """The stems of a text that say what it is about."""
    return stems(text) - _function_words()


@cache
def _function_words() -> frozenset[str]:
    from spacy.lang.en.stop_words import STOP_WORDS

    return stems(" ".join(STOP_WORDS - _NUMBERS))


_NUMBERS = {"two", "three", "four", "five", "six", "eight", "nine", "ten", "eleven", "twelve", "fifteen", "twenty"}


def kept(found: list[Exchange]) -> list[tuple[Exchange, frozenset[str]]]:
    """The exchanges whose replies can be said elsewhere, with the words that each needs."""
    said = [words(e.reply) for e in found]
    count = Counter(word for each in said for word in each)
    result = []
    for exchange, own in zip(found, said, strict=True):
        taken_up = own & words(f"{exchange.talk} {exchange.message}")
        free = own - taken_up
        names = stems(" ".join(re.findall(r"(?<=[a-z,] )[A-Z]\w+", exchange.reply)))
        if len(re.findall(r"[.!?]+(?: |$)", exchange.reply)) > SENTENCES:
            continue
        if all(count[word] >= COMMON for word in free) and not names - taken_up - stems("AI I"):
            result.append((exchange, taken_up | meant(exchange.reply) | to_it(exchange.message)))
    return result


def write(found: list[tuple[Exchange, frozenset[str]]], out: Path, encoder: MiniLM) -> None:
    """Write replies.safetensors."""
    from safetensors.numpy import save_file

    def vectors(texts: list[str]) -> np.ndarray:
        known = {text: i for i, text in enumerate(sorted({*texts} - {""}))}
        table = np.concatenate([encoder.features(list(known))[:, -encoder.width :], np.zeros((1, encoder.width))])
        return np.round(127 * table[[known.get(text, -1) for text in texts]]).astype(np.int8)

    replies = [" ".join(e.reply.split()) for e, _ in found]
    lines = "\n".join(f"{text}\t{' '.join(sorted(needs))}" for text, (_, needs) in zip(replies, found, strict=True))
    save_file(
        {
            "messages": vectors([e.message for e, _ in found]),
            "before": vectors([e.before for e, _ in found]),
            "vectors": vectors(replies),
            "replies": np.frombuffer(lines.encode(), dtype=np.uint8),
        },
        out / FILE,
        metadata={"replies": json.dumps({"encoder": encoder.name, "exchanges": len(found)})},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    out: Path = parser.parse_args().out
    found = list(exchanges())
    chosen = kept(found)
    out.mkdir(parents=True, exist_ok=True)
    write(chosen, out, MiniLM())
    print(f"{len(chosen)} of {len(found)} exchanges, {(out / FILE).stat().st_size / 1e6:.1f} MB")
    if out.resolve() == WEIGHTS.resolve():
        bring_up_to_date(hub.CARDS / "replies.toml", WEIGHTS / FILE)


if __name__ == "__main__":
    main()
