"""Which feelings a message shows: GoEmotions' 27 labels and neutral, several at once, with a valence.

`Encoder` reads the sentence embedding with a head trained on GoEmotions: comments of English-speaking Reddit, so it
is weakest on feelings that are rare there (grief, pride, relief, nervousness), and it does not see earlier turns.
`Lexicon` adds up words, phrases and emoji of `data/emotions.toml`, with negation, intensity and whose feeling it is.
It reads no irony and no situation that is told without a feeling word. Its numbers are set by hand, not calibrated.
Labels: Demszky et al., "GoEmotions: A Dataset of Fine-Grained Emotions", ACL 2020.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, ClassVar

from pydantic import Field

from models import heads
from models.chatspeak import load, plain
from models.entity_rules import lists
from models.hub import fetch
from pipelines.errors import UsageError
from pipelines.turn import Emotion, Turn

PUT_DOWN = 0.9
"""Probability of grief when an animal was put down."""

LABELS = (
    *("admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire"),
    *("disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy"),
    *("love", "nervousness", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral"),
)
"""GoEmotions' 28 labels in the order of its own emotions.txt."""

STRONG, WEAK, SMILEY = 0.6, 0.3, 0.5
OTHERS = 0.45
"""How much of a feeling counts when it is somebody else's."""

LONGEST = 5
"""Words in the longest phrase."""

_LONG_DRAWN = re.compile(r"([^\W\d_])\1{2,}")
_STOPS = {".", ",", "!", "?", "but"}
_SHARED = {"grief", "amusement", "admiration", "gratitude", "love", "caring"}
"""Felt by the person even where the clause is about somebody else."""


class Encoder:
    """Emotion by a linear head on the embedding's features.

    weights: the card, or folder, with emotion.safetensors; thresholds: by label, over what was tuned on GoEmotions'
    dev split. A label that reaches its threshold is named; "neutral" is named alone, when no other does or it is the
    likeliest of all. Emoji and emoticons of the lexicon are weak evidence beside what the head reads, since Reddit
    has few of them. Valence is that of `valence`: each label's sign and size from `data/emotions.toml`, weighted by
    its probability.
    Raises WeightsError, and StageError when the embedding is another encoder's than the head was trained on.
    """

    needs: ClassVar[tuple[str, ...]] = ("embedding",)
    weights: ClassVar[tuple[str, ...]] = ("weights",)

    def __init__(
        self,
        weights: str = "emotion",
        thresholds: dict[str, Annotated[float, Field(ge=0, le=1)]] | None = None,
    ) -> None:
        self.head = heads.load(fetch(weights) / "emotion.safetensors")
        unknown = sorted(set(thresholds or {}) - set(self.head.labels))
        if unknown:
            raise UsageError(
                f"emotion.encoder has no label {', '.join(unknown)}. It has: {', '.join(self.head.labels)}"
            )
        self.thresholds = {
            **dict(zip(self.head.labels, self.head.about["thresholds"], strict=True)),
            **(thresholds or {}),
        }

    def __call__(self, turns: Sequence[Turn]) -> list[Emotion]:
        rows = self.head.probabilities(turns, "emotion.encoder")
        return [self._emotion(row, turn.text) for row, turn in zip(rows, turns, strict=True)]

    def _emotion(self, row: heads.Floats, text: str) -> Emotion:
        probabilities = {label: float(p) for label, p in zip(self.head.labels, row, strict=True)}
        for label in _of_emoji(text) & probabilities.keys():
            probabilities[label] = 1 - (1 - probabilities[label]) * (1 - WEAK)
            probabilities["neutral"] *= 1 - WEAK
        if "grief" in probabilities and _put_down().search(plain(text)):
            probabilities["grief"], probabilities["neutral"] = max(probabilities["grief"], PUT_DOWN), 0.0
        over = [label for label, p in probabilities.items() if p >= self.thresholds[label] and label != "neutral"]
        # Thresholds of rare feelings are low; what is likelier neutral than anything else shows none of them.
        if max(probabilities, key=lambda label: probabilities[label]) == "neutral":
            over = []
        labels = tuple(sorted(over, key=lambda label: -probabilities[label])) or ("neutral",)
        return Emotion(probabilities, labels, valence(probabilities))


@cache
def _put_down() -> re.Pattern[str]:
    """ "We had to put my old cat to sleep": a death in words that are none, which no head has heard as one."""
    pets = "|".join(lists()["pets"])
    return re.compile(rf"\bput(?:ting)? (?:my|our|the) (?:\w+ )?(?:{pets}) (?:to sleep|down)\b")


class Lexicon:
    """Emotion by a lexicon written for this project. No weights.

    threshold: a label whose probability reaches it is named in `labels`.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, threshold: Annotated[float, Field(gt=0, le=1)] = 0.4) -> None:
        self.threshold = threshold

    def __call__(self, turns: Sequence[Turn]) -> list[Emotion]:
        return [self._emotion(turn.text) for turn in turns]

    def _emotion(self, text: str) -> Emotion:
        probabilities = _probabilities(text)
        over = [label for label, p in probabilities.items() if p >= self.threshold and label != "neutral"]
        labels = tuple(sorted(over, key=lambda label: -probabilities[label])) or ("neutral",)
        return Emotion(probabilities, labels, valence(probabilities))


def _of_emoji(text: str) -> set[str]:
    """The feelings of the emoji and emoticons in it."""
    weights = _words().weights
    signs = [token for token in plain(text).split()[:400] if not token[0].isalnum()]
    return {label for sign in signs for label, _ in weights.get(sign, ())}


def valence(probabilities: dict[str, float]) -> float:
    """-1 to 1: the valences of the labels, weighted by their probabilities; weak feelings stay near 0."""
    of = _words().valence
    total = sum(p for label, p in probabilities.items() if label != "neutral")
    felt = sum(p * of[label] for label, p in probabilities.items() if label != "neutral")
    return round(felt / max(total, 1.0), 3)


@dataclass(frozen=True)
class _Words:
    weights: dict[str, list[tuple[str, float]]]
    valence: dict[str, float]
    negated: dict[str, str]
    modifiers: dict[str, frozenset[str]]


@cache
def _words() -> _Words:
    data = load("emotions")
    weights: dict[str, list[tuple[str, float]]] = {}
    for label, entry in data["labels"].items():
        for kind, weight in (("strong", STRONG), ("weak", WEAK), ("emoji", SMILEY)):
            for phrase in entry.get(kind, ()):
                weights.setdefault(phrase, []).append((label, weight))
    return _Words(
        weights,
        {label: entry["valence"] for label, entry in data["labels"].items()},
        {label: entry["negated"] for label, entry in data["labels"].items() if "negated" in entry},
        {name: frozenset(words) for name, words in data["modifiers"].items()},
    )


def _probabilities(text: str) -> dict[str, float]:
    words = _words()
    tokens = plain(text).split()[:400]
    shouted = len(text) > 8 and text.isupper()
    loudness = 1 + 0.12 * (bool(_LONG_DRAWN.search(text[:2000])) + ("!" in text) + shouted)
    doubt = dict.fromkeys(LABELS, 1.0)
    for clause in _split(tokens):
        for label, weight in _clause(clause, words):
            doubt[label] *= 1 - min(0.95, weight * loudness)
    probabilities = {label: 1 - doubt[label] for label in LABELS}
    felt = 1.0
    for label in LABELS[:-1]:
        felt *= 1 - probabilities[label]
    probabilities["neutral"] = felt
    return {label: round(min(p, 0.98), 3) for label, p in probabilities.items()}


def _split(tokens: list[str]) -> list[list[str]]:
    """Clauses, each with the mark that ends it; emoji and emoticons join the clause before them."""
    clauses: list[list[str]] = [[]]
    for token in tokens:
        clauses[-1].append(token)
        if token in _STOPS:
            clauses.append([])
    return [clause for clause in clauses if clause]


def _clause(tokens: list[str], words: _Words) -> list[tuple[str, float]]:
    """(label, weight) for each find in one clause; the longest phrase at a place wins."""
    found: list[tuple[str, float]] = []
    modifiers = words.modifiers
    asks = tokens[-1] == "?"
    mine = not modifiers["self"].isdisjoint(tokens) or modifiers["others"].isdisjoint(tokens)
    asks_you = asks and "you" in tokens and "i" not in tokens
    unreal = any(phrase in " ".join(tokens) for phrase in ("would be", "imagine")) or tokens[0] == "if"
    if asks and len(tokens) > 2:
        found.append(("curiosity", 0.3))
    negations = _negations(tokens, modifiers)
    i = 0
    while i < len(tokens):
        size, entries = _entries(tokens, i, words)
        before = tokens[max(0, i - 4) : i]
        scale = 1.0
        if not modifiers["stronger"].isdisjoint(before[-2:]):
            scale *= 1.3
        if not modifiers["weaker"].isdisjoint(before[-3:]):
            scale *= 0.7
        smiley = not tokens[i][0].isalnum()
        negated = not smiley and sum(i - 4 <= at < i for at in negations) % 2 == 1
        for label, weight in entries.items():
            ours = smiley or label in _SHARED or not (unreal or not mine or asks_you)
            if not ours and not mine and words.valence[label] < -0.4:
                found.append(("caring", 0.25))
            strength = weight * scale * (1.0 if ours else OTHERS)
            if not negated:
                found.append((label, strength))
            elif label in words.negated:
                found.append((words.negated[label], strength * 0.8))
        if entries:
            negations = [at for at in negations if not i <= at < i + size]
        i += size
    return found


def _entries(tokens: list[str], i: int, words: _Words) -> tuple[int, dict[str, float]]:
    """How many tokens the longest phrase at i takes, and the heaviest weight per label of all phrases there."""
    entries: dict[str, float] = {}
    longest = 1
    for size in range(min(LONGEST, len(tokens) - i), 1, -1):
        if " ".join(tokens[i : i + size]) in words.modifiers["empty"]:
            return size, {}
    for size in range(min(LONGEST, len(tokens) - i), 0, -1):
        here = words.weights.get(" ".join(tokens[i : i + size]), ())
        if here:
            longest = max(longest, size)
        # Inside a longer phrase a lone word is no evidence of its own: "fed up", "pain in the ass".
        for label, weight in here if longest < 3 or size > 1 else ():
            entries[label] = max(entries.get(label, 0), weight)
    word = tokens[i]
    for end in range(len(word), 2, -1) if not entries else ():
        for label, weight in words.weights.get(word[:end] + "*", ()):
            entries[label] = max(entries.get(label, 0), weight)
    return longest, entries


def _negations(tokens: list[str], modifiers: dict[str, frozenset[str]]) -> list[int]:
    """Where the clause negates; "can not wait" and the like do not."""
    return [
        i
        for i, token in enumerate(tokens)
        if token in modifiers["negation"]
        and not any(phrase in " ".join(tokens[max(0, i - 1) : i + 2]) for phrase in modifiers["not_negation"])
    ]
