"""Whether a message is in a language other than English, by its script or by common little words.

Knows nine languages in Latin script and nine scripts; everything else passes as English. Short messages ("ok", "no",
a name) are never judged.
"""

from __future__ import annotations

from functools import cache

from models.chatspeak import load, plain

_ENGLISH = frozenset(
    [
        "the",
        "a",
        "an",
        "i",
        "you",
        "he",
        "she",
        "it",
        "we",
        "they",
        "is",
        "are",
        "was",
        "were",
        "am",
        "be",
        "to",
        "of",
        "and",
        "in",
        "that",
        "have",
        "has",
        "had",
        "do",
        "does",
        "did",
        "not",
        "for",
        "on",
        "with",
        "as",
        "at",
        "this",
        "but",
        "his",
        "her",
        "my",
        "your",
        "from",
        "or",
        "by",
        "what",
        "how",
        "when",
        "where",
        "who",
        "why",
        "there",
        "their",
        "so",
        "if",
        "about",
        "just",
        "like",
        "know",
        "good",
        "going",
        "can",
        "will",
        "would",
        "really",
        "too",
        "very",
        "me",
        "him",
        "them",
        "us",
        "our",
        "all",
        "out",
        "up",
        "get",
        "got",
        "been",
        "some",
        "no",
        "yes",
        "want",
        "today",
        "day",
        "love",
        "hey",
        "hi",
    ]
)


def foreign(text: str) -> tuple[str, list[str]] | None:
    """The language and what to say in it, or None for English and for what cannot be told."""
    letters = [c for c in text[:500] if c.isalpha()]
    for language, (first, last, said) in load("skills")["scripts"].items():
        if len(letters) >= 2 and sum(first <= c <= last for c in letters) > len(letters) / 2:
            return language, [said]
    words = [word for word in plain(text).split()[:60] if word.isalpha()]
    if len(words) < 2:
        return None
    english = sum(word in _ENGLISH for word in words)
    counts = {language: sum(word in known for word in words) for language, known in _words().items()}
    best = max(counts, key=lambda language: counts[language])
    distinct = len({word for word in words if word in _words()[best]})
    if distinct >= 2 and counts[best] > english and counts[best] >= 0.4 * len(words):
        return best, load("skills")["language"][best]["say"]
    return None


@cache
def _words() -> dict[str, frozenset[str]]:
    # Chat spelling is written out before the comparison, and so must the words be.
    return {
        name: frozenset(plain(" ".join(entry["words"])).split()) for name, entry in load("skills")["language"].items()
    }
