"""Whether a message is in a language other than English, by its script or by common little words.

Knows nine languages in Latin script and nine scripts; everything else passes as English. Short messages ("ok", "no",
a name) are never judged.
"""

from __future__ import annotations

from functools import cache

from models.chatspeak import load, plain


def foreign(text: str) -> tuple[str, list[str]] | None:
    """The language and what to say in it, or None for English and for what cannot be told."""
    letters = [c for c in text[:500] if c.isalpha()]
    for language, (first, last, said) in load("skills")["scripts"].items():
        if len(letters) >= 2 and sum(first <= c <= last for c in letters) > len(letters) / 2:
            return language, [said]
    words = [word for word in plain(text).split()[:60] if word.isalpha()]
    if len(words) < 2:
        return None
    counts = {language: sum(word in known for word in words) for language, known in _words().items()}
    english = counts.pop("english")
    best = max(counts, key=lambda language: counts[language])
    distinct = len({word for word in words if word in _words()[best]})
    if distinct >= 2 and counts[best] > english and counts[best] >= 0.4 * len(words):
        return best, load("skills")["language"][best]["say"]
    return None


@cache
def _words() -> dict[str, frozenset[str]]:
    # Chat spelling is written out before the comparison, and so must the words be; what becomes two English words
    # ("ty", Polish for "you", is "thank you") tells no language.
    languages = load("skills")["language"].items()
    written = {name: (plain(word) for word in entry["words"]) for name, entry in languages}
    return {name: frozenset(word for word in words if " " not in word) for name, words in written.items()}
