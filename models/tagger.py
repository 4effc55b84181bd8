"""MiniLM with upper layers of its own that name the words of a text: persons, places, organisations, works, ...

A pass apart from the shared encoder's, so that either can be trained again without the other. The lower layers and the
word embeddings are the untouched ones; the file `entities.safetensors` holds the upper layers and, as `tags.weight`
and `tags.bias`, a linear layer that gives each word one of the tags O, B-LABEL, I-LABEL (Ramshaw and Marcus 1995,
"Text Chunking using Transformation-Based Learning"). Its header says, as JSON under "entities", which base it belongs
to, the labels, and `outside`: what is taken from O's score, tuned on dev. Case is not read, so lower case loses
nothing; nor is anything that stands beyond `MAX_TOKENS`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.hub import fetch
from models.int8 import replace_linear, supported
from pipelines.errors import WeightsError

Span = tuple[int, int, str]
FILE = "entities.safetensors"
MAX_TOKENS = 256


def tags_of(labels: Sequence[str]) -> list[str]:
    """O, then B- and I- of each label."""
    return ["O", *(f"{place}-{label}" for label in labels for place in "BI")]


def words(encoding: Any) -> list[tuple[int, int, int]]:
    """Of a text's tokens: (index of its first token, start, end) for each word, by character."""
    found: list[tuple[int, int, int]] = []
    last = None
    for i, (word, (start, end)) in enumerate(zip(encoding.word_ids, encoding.offsets, strict=True)):
        if word is None:
            continue
        if word == last:
            found[-1] = (*found[-1][:2], end)
        else:
            found.append((i, start, end))
        last = word
    return found


def best_path(scores: NDArray[np.float32]) -> list[int]:
    """The tags (n,) of the highest sum of scores (n, tags) in which I-LABEL follows B-LABEL or I-LABEL only: Viterbi.

    The columns are in the order of `tags_of`.
    """
    count = scores.shape[1]
    inside = np.arange(2, count, 2)
    total, came = scores[0].copy(), []
    total[inside] = -np.inf
    for row in scores[1:]:
        before = np.full(count, int(total.argmax()))
        before[inside] = np.where(total[inside] >= total[inside - 1], inside, inside - 1)
        total = row + total[before]
        came.append(before)
    path = [int(total.argmax())]
    for before in reversed(came):
        path.append(int(before[path[-1]]))
    return path[::-1]


def spans(path: Sequence[int], where: Sequence[tuple[int, int, int]], labels: Sequence[str]) -> list[Span]:
    """The spans (start, end, label) that tags, in the order of `tags_of`, give to words."""
    found: list[Span] = []
    for tag, (_, start, end) in zip(path, where, strict=True):
        if tag and tag % 2 == 0:
            found[-1] = (found[-1][0], end, found[-1][2])
        elif tag:
            found.append((start, end, labels[(tag - 1) // 2]))
    return found


class Tagger:
    """Spans of texts by the weights in `folder`. Raises WeightsError when they are not such weights."""

    def __init__(self, folder: Path, batch_size: int = 16) -> None:
        import torch
        from safetensors import SafetensorError, safe_open
        from tokenizers import Tokenizer

        from models.embedding import plain

        path = folder / FILE
        try:
            with safe_open(path, framework="pt") as file:
                self.about: dict[str, Any] = json.loads((file.metadata() or {})["entities"])
                state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
            head = state.pop("tags.weight"), state.pop("tags.bias")
            base = fetch(self.about["base"])
            self.labels: list[str] = list(self.about["labels"])
            encoder = plain(base)
            unknown = encoder.load_state_dict(state, strict=False).unexpected_keys
            self.head = torch.nn.Linear(head[0].shape[1], head[0].shape[0])
            self.head.load_state_dict({"weight": head[0], "bias": head[1]})
        except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
            raise WeightsError(f"{path}: this is no tagger of words: {error}") from error
        if unknown or len(head[1]) != 1 + 2 * len(self.labels):
            raise WeightsError(f"{path}: its layers or its labels do not belong together")
        self.encoder = replace_linear(encoder) if supported() else encoder
        self.batch_size = batch_size
        self.tokenizer: Any = Tokenizer.from_file(str(base / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.enable_padding()

    def __call__(self, texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, in order, not overlapping."""
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        order = sorted(range(len(clean)), key=lambda i: len(clean[i]))
        found: list[list[Span]] = [[] for _ in clean]
        for begin in range(0, len(order), self.batch_size):
            part = order[begin : begin + self.batch_size]
            for i, spans_found in zip(part, self._batch([clean[i] for i in part]), strict=True):
                found[i] = spans_found
        return found

    def _batch(self, texts: list[str]) -> list[list[Span]]:
        import torch

        encoded = self.tokenizer.encode_batch(texts)
        ids = torch.tensor([e.ids for e in encoded])
        mask = torch.tensor([e.attention_mask for e in encoded])
        with torch.inference_mode():
            scores = self.head(self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state).numpy()
        found = []
        for encoding, score in zip(encoded, scores, strict=True):
            where = words(encoding)
            rows = score[[first for first, _, _ in where]]
            rows[:, 0] -= self.about.get("outside", 0.0)
            found.append(spans(best_path(rows), where, self.labels) if where else [])
        return found
