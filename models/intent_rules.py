"""The intents whose phrases stand in a message, clause by clause: what `intent.rules` and the skills go by.

The phrases are in `data/intents.toml`, in plain chat text. A phrase is found where it stands as written and nowhere
else: no paraphrase, no negation ("i am not bored" has "bored" only where the list says so).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from models.chatspeak import clauses, load
from models.entity_rules import lists, looks_adjective


@dataclass(frozen=True)
class _Phrases:
    """whole: clause to labels; within: (phrase, label) found anywhere; light: labels that yield to others."""

    whole: dict[str, list[str]]
    within: list[tuple[str, str]]
    patterns: dict[str, list[re.Pattern[str]]]
    light: frozenset[str]


@cache
def _phrases() -> _Phrases:
    data = load("intents")
    known = _Phrases({}, [], {}, frozenset(label for label, kinds in data.items() if kinds.get("light")))
    for label, kinds in data.items():
        for phrase in kinds.get("whole", ()):
            for variant in _variants(phrase):
                known.whole.setdefault(variant, []).append(label)
        known.within.extend((f"^ {v} ", label) for p in kinds.get("starts", ()) for v in _variants(p))
        known.within.extend((f" {v} ", label) for p in kinds.get("has", ()) for v in _variants(p))
        known.patterns[label] = [re.compile(pattern) for pattern in kinds.get("match", ())]
    return known


def _variants(phrase: str) -> Iterator[str]:
    """ "a {b|c} d" to "a b d" and "a c d"."""
    head, brace, rest = phrase.partition("{")
    if not brace:
        yield " ".join(phrase.split())
        return
    options, _, tail = rest.partition("}")
    for option in options.split("|"):
        yield from _variants(f"{head}{option}{tail}")


def scores(text: str, companion: str = "") -> dict[str, float]:
    """Label to probability, by the best clause of the text; companion: its name in lower case, a filler."""
    parts = by_clause(text, companion)
    total = sum(len(words) for words, _ in parts)
    found: dict[str, float] = {}
    light = _phrases().light
    for words, labels in parts:
        # A clause says more about the message the more of the message it is.
        share = len(words) / max(total, 1)
        for label, covered in labels.items():
            score = 0.65 + 0.3 * share if covered == 1 else 0.45 + 0.25 * share + 0.2 * covered
            # The last question is what the person waits for an answer to.
            score += 0.05 if words[-1] == "?" and label not in light else 0.0
            found[label] = max(found.get(label, 0), score)
    if any(label not in light for label in found):
        # "hey, how are you": the hello is only how the message begins.
        found = {label: score * (0.5 if label in light else 1) for label, score in found.items()}
    return {label: round(min(score, 0.95), 3) for label, score in found.items()}


def by_clause(text: str, companion: str = "") -> list[tuple[list[str], dict[str, float]]]:
    """Each clause as plain words (a question keeps its "?"), and how much of it the phrases of each label cover:
    1 for a whole clause, else less."""
    return [(part.split(), _covered(part, companion)) for part in clauses(text)[:40]]


def _covered(clause: str, companion: str) -> dict[str, float]:
    known = _phrases()
    words = clause.removesuffix(" ?").split()
    found = dict.fromkeys(_whole(words, companion, known.whole), 1.0)
    padded = f"^ {' '.join(words)} "
    for phrase, label in known.within:
        if phrase in padded:
            found[label] = max(found.get(label, 0), min(0.9, len(phrase.strip("^ ").split()) / max(len(words), 1)))
    if _introduces(words):
        found["introduce_self"] = 0.6
    for label, patterns in known.patterns.items():
        if any(pattern.search(padded[2:-1]) for pattern in patterns):
            found[label] = max(found.get(label, 0), 0.6)
    return found


def _introduces(words: list[str]) -> bool:
    """ "hi i am lena", "i am anna maria": a greeting before it, or a name that is known as one."""
    if "i am " not in " ".join(words):
        return False
    at = words.index("am") + 1
    name = words[at:]
    if not 1 <= len(name) <= 2 or words[at - 2] != "i" or any(word in lists()["not_names"] for word in name):
        return False
    greeted = at > 2 and set(words[: at - 2]) <= set(load("chatspeak")["before"])
    return all(word in lists()["names"] for word in name) or (greeted and not looks_adjective(name[0]))


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
