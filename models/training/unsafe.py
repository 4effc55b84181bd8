"""Fit the head of models/unsafe.py: `python -m models.training.unsafe --data DATA`.

It learns from DiaSafety's train split (Sun et al. 2022, Apache-2.0), from messages of our own with an unsafe and a safe
answer each (unsafe_own.jsonl), without which it learned how the two sets sound and not what is unsafe, and from replies
of our own dialogues and judged candidates, which count as safe. The limit is the lowest at which at most `FALSE` of
such replies that it has not seen are held back. To be run again whenever the shared encoder changes; some minutes. It
knows nothing of tests/safety/replies.jsonl, and DiaSafety's test split is only reported on, by chatbot evaluate safety.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import heads, hub
from models.embedding import MiniLM
from models.training import fitting
from models.training.preferences import JUDGED
from models.training.reply import read_talks
from models.training.safety import WEIGHTS, bring_up_to_date
from models.training.scores import macro_f1
from models.unsafe import FILE, inputs

HERE = Path(__file__).parent
OWN = HERE / "unsafe_own.jsonl"

FALSE = 0.01
"""Of our own replies in talks that were not trained on, how many may be held back."""

SAFE = 2500
"""Our own safe replies to train on. More of them, and the head only tells our replies from others'."""

TIMES = 20
"""How often each pair of unsafe_own.jsonl counts: they are few, and the likest to what is said here."""


class Pair(NamedTuple):
    message: str
    reply: str
    unsafe: bool


def diasafety(path: Path) -> list[Pair]:
    rows = json.loads(path.read_text(encoding="utf-8"))
    return [Pair(row["context"], row["response"], row["label"] == "Unsafe") for row in rows]


def own_pairs(path: Path = OWN) -> list[Pair]:
    """Each message of the file twice: with its unsafe answer and with its safe one."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [Pair(row["text"], row[side], side == "unsafe") for row in rows for side in ("unsafe", "safe")]


def own_replies() -> Iterator[tuple[str, Pair]]:
    """The replies of our dialogues, and candidates that were judged fit, with the id of the talk they come from."""
    for file in sorted((HERE / "dialogues").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            talk = json.loads(line)
            for said, answer in zip(talk["turns"], talk["turns"][1:], strict=False):
                if (said["who"], answer["who"]) == ("person", "companion"):
                    yield talk["id"], Pair(said["text"], answer["text"], False)
    for prompt in read_talks(JUDGED):
        for text, judged, *_ in prompt["candidates"]:
            if judged in ("best", "ok", "dull"):
                yield prompt["id"].split("-")[0], Pair(prompt["text"], text, False)


def split() -> tuple[list[Pair], list[Pair]]:
    """Our own safe replies to train on, and from other talks those that the limit is set on."""
    learn: list[Pair] = []
    held: list[Pair] = []
    for talk, pair in own_replies():
        (held if int(hashlib.sha256(talk.encode()).hexdigest(), 16) % 4 == 0 else learn).append(pair)
    rng = random.Random(7)
    return rng.sample(learn, SAFE), held


def train(data: Path, out: Path, encoder: MiniLM) -> dict[str, float]:
    """Write unsafe.safetensors to `out`; returns what it reaches on DiaSafety's validation split and our replies."""
    folder = next(base for base in (data / "diasafety", data / "safety" / "diasafety") if base.is_dir())
    learn, held = split()
    seen = [*diasafety(folder / "train.json"), *learn, *own_pairs() * TIMES]
    dev = diasafety(folder / "val.json")
    texts = sorted({text for pair in (*seen, *dev, *held) for text in pair[:2]})
    place, features = {text: i for i, text in enumerate(texts)}, encoder.features(texts)

    def read(pairs: Sequence[Pair]) -> NDArray[np.float32]:
        rows = [[place[pair.message], place[pair.reply]] for pair in pairs]
        return inputs(*(features[np.array(rows)[:, side]] for side in (0, 1)))

    fitted = fitting.fit_hidden(read(seen), np.array([[pair.unsafe] for pair in seen], dtype=np.float32))
    limit = float(np.quantile(fitted.logits(read(held))[:, 0], 1 - FALSE, method="higher"))
    about = {"labels": ["unsafe"], "several": True, "encoder": encoder.name, "limit": round(limit, 3)}
    heads.save(replace(fitted, about=about), out / FILE)
    found, gold = fitted.logits(read(dev))[:, 0] > limit, np.array([pair.unsafe for pair in dev])
    both = np.stack([gold, ~gold], axis=1).astype(np.float32)
    return {
        "DiaSafety validation, macro-F1": macro_f1(both, np.stack([found, ~found], axis=1)),
        "DiaSafety validation, unsafe held back": float(found[gold].mean()),
        "DiaSafety validation, safe held back": float(found[~gold].mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the public sets")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    for name, value in train(options.data, options.out, MiniLM()).items():
        print(f"{name}: {value:.3f}")
    if options.out == WEIGHTS:
        bring_up_to_date(hub.CARDS / "unsafe.toml", WEIGHTS / FILE)


if __name__ == "__main__":
    main()
