"""Choosing the true reply among 20, as ConvAI2's Hits@1 asks: the candidates, what speaks for each, and how much.

The 19 distractors are true replies of other dialogues of the same part, drawn with a seed. What speaks for a candidate
is measured by a language model (models/training/likelihood.py), by the sentence vectors that the chain uses anyway and
by projections of them; models/training/chooser.py learns these and the weights. Knows no file of the data sets.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.training.likelihood import Score

OTHERS = 19

Floats = NDArray[np.float32]
Encode = Callable[[Sequence[str]], Floats]
"""Texts to unit vectors, (n, dim)."""

LANGUAGE = ("likely", "total", "fits", "fits_each")
FEATURES = (
    *("projected", "relevance_message", "relevance_before", "relevance_about", "relevance_own"),
    *("shared_message", "shared_about", "shared_own", *LANGUAGE),
)


@dataclass(frozen=True)
class Choice:
    """One reply to be found. messages: the talk before it, as chat messages; about: what is known of the one who
    replies, a sentence each; said: all utterances before it, the last one being answered; candidates: the true one
    first."""

    messages: tuple[Mapping[str, str], ...]
    about: tuple[str, ...]
    said: tuple[str, ...]
    candidates: tuple[str, ...]


def others(replies: Sequence[Sequence[str]], own: int, truth: str, chance: random.Random) -> list[str]:
    """OTHERS replies of other talks than `own`, each another text than the truth. Raises ValueError when there are too
    few."""
    there = {text for i, texts in enumerate(replies) if i != own for text in texts} - {truth}
    if len(there) < OTHERS:
        raise ValueError(f"{OTHERS} other replies are needed, there are {len(there)}")
    taken: list[str] = []
    while len(taken) < OTHERS:
        other = chance.randrange(len(replies))
        text = chance.choice(replies[other])
        if other != own and text != truth and text not in taken:
            taken.append(text)
    return taken


def mean_logprob(scores: Sequence[Score]) -> Floats:
    """(n,) log-probability per token, the end included."""
    return np.array([(s.words + s.end) / (s.tokens + 1) for s in scores], dtype=np.float32)


def pointwise(scores: Sequence[Score], alone: Sequence[Score]) -> Floats:
    """(n,) log-probability in the talk minus that without a talk: pointwise mutual information (Li et al. 2016, "A
    diversity-promoting objective function for neural conversation models"), in nats."""
    pairs = zip(scores, alone, strict=True)
    return np.array([s.words + s.end - a.words - a.end for s, a in pairs], dtype=np.float32)


def features(
    choice: Choice, encode: Encode, projected: Floats, scores: Sequence[Score], alone: Sequence[Score]
) -> Floats:
    """(candidates, FEATURES).

    projected: the learned projections' score (models/training/chooser.py); relevance_*: cosine with the message, the
    utterance before it, the nearest sentence about the one who replies, and the nearest of their own replies (which a
    reply should not say again); shared_*: the share of a candidate's longer words that the message, what is known, and
    the own replies hold; likely, total: log-probability per token and summed; fits, fits_each: pointwise mutual
    information, summed and per token.
    """
    own = [text for i, text in enumerate(reversed(choice.said)) if i % 2]
    before = choice.said[-2] if len(choice.said) > 1 else choice.said[-1]
    texts = [*choice.candidates, choice.said[-1], before, *choice.about, *own]
    vectors = encode(texts)
    n = len(choice.candidates)
    replies, message, earlier = vectors[:n], vectors[n], vectors[n + 1]
    about, mine = vectors[n + 2 : n + 2 + len(choice.about)], vectors[n + 2 + len(choice.about) :]
    tokens = np.array([s.tokens + 1 for s in scores], dtype=np.float32)
    fits = pointwise(scores, alone)
    likely = mean_logprob(scores)
    columns = [projected / 10, replies @ message, replies @ earlier, _nearest(replies, about), _nearest(replies, mine)]
    columns += [_shared(choice.candidates, group) for group in ([choice.said[-1]], choice.about, own)]
    columns += [likely, likely * tokens / 10, fits / 10, fits / tokens]
    return np.stack(columns, 1).astype(np.float32)


def _nearest(replies: Floats, others: Floats) -> Floats:
    return (replies @ others.T).max(1) if len(others) else np.zeros(len(replies), dtype=np.float32)


def _shared(candidates: Sequence[str], others: Sequence[str]) -> Floats:
    there = _words(" ".join(others))
    found = [_words(text) for text in candidates]
    return np.array([len(words & there) / len(words) if words else 0.0 for words in found], dtype=np.float32)


def _words(text: str) -> set[str]:
    return {word.strip(".,!?") for word in text.lower().split() if len(word) > 3}


def fit(tables: Sequence[Floats], penalty: float = 1e-3) -> dict[str, float]:
    """Weights by which a softmax over each table's rows puts the first row first; penalty: on squared weights of
    standardised features."""
    import torch

    table = torch.tensor(np.stack(tables))
    spread = (table - table.mean(1, keepdim=True)).flatten(0, 1).std(0).clamp(min=1e-6)
    scaled = table / spread
    weight = torch.zeros(table.shape[-1], requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=200)
    truth = torch.zeros(len(table), dtype=torch.long)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = torch.nn.functional.cross_entropy(scaled @ weight, truth) + penalty * weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return {name: round(float(w), 3) for name, w in zip(FEATURES, weight.detach() / spread, strict=True)}


def mixed(table: Floats, weights: Mapping[str, float]) -> Floats:
    """(candidates,) the weighted sums."""
    return np.asarray(table @ np.array([weights[name] for name in FEATURES], dtype=np.float32))


def hit(scores: Floats) -> bool:
    """Whether the first is alone the best; a tie is a miss."""
    return bool(scores[0] > scores[1:].max())
