"""What the person wants with a message: one intent of a fixed list, or "out_of_scope".

`Rules` knows the phrases of `data/intents.toml` and nothing else: no paraphrase, no context of earlier turns. Its
probabilities say how much of the message the phrase covers; they are set by hand and not calibrated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, ClassVar

from pydantic import Field

from models.chatspeak import clauses, load
from pipelines.turn import Intent, Turn

OUT_OF_SCOPE = "out_of_scope"


class Rules:
    """Intent by phrases written for this project. No weights.

    threshold: below this probability the answer is "out_of_scope", with the likeliest as runners-up.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, threshold: Annotated[float, Field(ge=0, le=1)] = 0.4) -> None:
        self.threshold = threshold

    def __call__(self, turns: Sequence[Turn]) -> list[Intent]:
        return [self._intent(turn) for turn in turns]

    def _intent(self, turn: Turn) -> Intent:
        scores = _scores(turn.text, turn.companion_name.lower())
        ranked = sorted(scores.items(), key=lambda s: -s[1])
        if ranked and ranked[0][1] >= self.threshold:
            label, probability = ranked[0]
            return Intent(label, probability, tuple(ranked[1:4]))
        rest = 1 - (ranked[0][1] if ranked else 0.3)
        return Intent(OUT_OF_SCOPE, round(rest, 3), tuple(ranked[:3]), in_scope=False)


@cache
def _phrases() -> tuple[dict[str, list[str]], list[tuple[str, str]], dict[str, list[str]], frozenset[str]]:
    """Whole clauses to their labels; (phrase, label) found anywhere; patterns by label; the labels that yield."""
    whole: dict[str, list[str]] = {}
    within: list[tuple[str, str]] = []
    patterns: dict[str, list[str]] = {}
    data = load("intents")
    for label, kinds in data.items():
        for phrase in kinds.get("whole", ()):
            for variant in _variants(phrase):
                whole.setdefault(variant, []).append(label)
        within += [
            (f"^ {v}" if v.endswith(" ") else f"^ {v} ", label) for p in kinds.get("starts", ()) for v in _variants(p)
        ]
        within += [(f" {v} ", label) for p in kinds.get("has", ()) for v in _variants(p)]
        if "match" in kinds:
            patterns[label] = kinds["match"]
    return whole, within, patterns, frozenset(label for label, kinds in data.items() if kinds.get("light"))


def _variants(phrase: str) -> Iterator[str]:
    """ "a {b|c} d" to "a b d" and "a c d"."""
    head, brace, rest = phrase.partition("{")
    if not brace:
        yield " ".join(phrase.split())
        return
    options, _, tail = rest.partition("}")
    for option in options.split("|"):
        yield from _variants(f"{head}{option}{tail}")


def _scores(text: str, companion: str) -> dict[str, float]:
    """Label to probability, by the best clause of the text."""
    whole, within, patterns, light = _phrases()
    parts = clauses(text)[:40]
    total = sum(len(part.split()) for part in parts)
    scores: dict[str, float] = {}
    for part in parts:
        words = [word for word in part.split() if word != "?"]
        # A clause says more about the message the more of the message it is.
        share = len(words) / max(total, 1)
        found: dict[str, float] = {}
        for label in _whole(words, companion, whole):
            found[label] = 0.65 + 0.3 * share
        padded = f"^ {' '.join(words)} "
        for phrase, label in within:
            if phrase in padded:
                covered = len(phrase.split()) / max(len(words), 1)
                found[label] = max(found.get(label, 0), min(0.9, 0.45 + 0.25 * share + 0.2 * covered))
        for label, several in patterns.items():
            if any(re.search(pattern, padded[2:-1]) for pattern in several):
                found[label] = max(found.get(label, 0), 0.55 + 0.25 * share)
        for label, score in found.items():
            # The last question is what the person waits for an answer to.
            score += 0.05 if part.endswith("?") and label not in light else 0.0
            scores[label] = max(scores.get(label, 0), score)
    if any(label not in light for label in scores):
        # "hey, how are you": the hello is only how the message begins.
        scores = {label: score * (0.5 if label in light else 1) for label, score in scores.items()}
    return {label: round(min(score, 0.95), 3) for label, score in scores.items()}


def _whole(words: list[str], companion: str, whole: dict[str, list[str]]) -> list[str]:
    """The labels of the clause, as it is or without fillers and the companion's name around it."""
    chat = load("chatspeak")
    for _ in range(8):
        labels = whole.get(" ".join(words)) or whole.get(" ".join([*words, "?"]))
        if labels:
            return labels
        if len(words) > 1 and (words[-1] in chat["after"] or words[-1] == companion):
            words = words[:-1]
        elif len(words) > 1 and (words[0] in chat["before"] or words[0] == companion):
            words = words[1:]
        else:
            return []
    return []
