"""Words that were disguised, put back: digits for letters, spaces too many or too few, letters missing or swapped.

`Respeller` knows two lists: the words that matter to its caller (`keys`), which are looked for in what is no common
word, and common English words (data/common_words.txt), which are left as they are. `before` works on raw text, `after`
on folded text (models/folding.py).

It corrects towards the keys alone and is not a spelling checker; a disguise that is itself a common word stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import product
from pathlib import Path

from models.folding import near_words

COMMON = Path(__file__).parent / "data" / "common_words.txt"

_DIGITS = {
    "0": "o", "1": "il", "!": "il", "|": "il", "2": "z", "3": "e", "4": "a", "@": "a", "5": "s", "$": "s", "6": "gb",
    "7": "t", "+": "t", "8": "b", "9": "g", "(": "c",
}  # fmt: skip
_DISGUISED = re.compile(r"(?<![^\s\"'])(?=\S*[a-z])(?=\S*[0-9!|@$+(])[a-z0-9!|@$+(]{2,20}(?=[\s.,;:?!\"')]|$)")
_ENDINGS = ("s", "es", "ed", "d", "ing", "er", "ers", "ly", "y", "ies", "ness", "ish")
_EIGHT = {"h8": "hate", "h8s": "hates", "h8ing": "hating", "h8ers": "haters"}
TRIES = 64
"""Readings that are tried of one token; only the digits stand for more than one letter."""


@cache
def common_words() -> frozenset[str]:
    lines = COMMON.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


class Respeller:
    """keys: the words that are looked for, lower case, without apostrophes; exact: those of them that are too like
    harmless words to be seen in a slip ("pike")."""

    def __init__(self, keys: Iterable[str], exact: Iterable[str] = ()) -> None:
        self.keys, self.exact = frozenset(keys), frozenset(exact)
        self.known = self.keys | {word for word in common_words() if len(word) > 1}
        self.near = {
            form: word
            for form, word in near_words(sorted(word for word in self.keys - self.exact if len(word) >= 4)).items()
            if form not in self.known or form in self.keys
        }
        for word in sorted(word for word in self.keys - self.exact if len(word) == 4):
            for i in (1, 2):
                short = word[:i] + word[i + 1 :]
                if short not in self.known:
                    self.near.setdefault(short, word)

    def before(self, text: str) -> str:
        """Raw text, lower case, with digits and marks read as letters where that gives a known word."""
        text = _DISGUISED.sub(lambda match: self._read(match[0]), text.lower())
        # Joined before folding takes a torn-off letter for chat spelling ("w" for "with").
        return " ".join(self._whole(re.split(r"[ \t]+", text)))

    def after(self, plain: str) -> str:
        """Folded text with slips corrected, torn words joined and run-together words cut."""
        out: list[str] = []
        for token in self._whole([self._one(token) for token in plain.split()]):
            out.extend([token] if len(token) < 5 or self._is_word(token) else self._cut(token))
        return f" {' '.join(out)} "

    def _whole(self, tokens: list[str]) -> list[str]:
        """The tokens with torn keys joined."""
        out: list[str] = []
        i = 0
        while i < len(tokens):
            joined, taken = self._joined(tokens, i)
            out.append(joined or tokens[i])
            i += taken or 1
        return out

    def _read(self, token: str) -> str:
        token = _EIGHT.get(token, token)
        ends = re.search(r"[!(]*$", token)
        for text in (token, token[: ends.start()] if ends else token):
            choices = [_DIGITS.get(c, c) for c in text]
            readings = ["".join(letters) for letters, _ in zip(product(*choices), range(TRIES), strict=False)]
            for words in (self.keys, self.known):
                for reading in readings:
                    if len(reading) >= 3 and reading in words:
                        return reading
        return token

    def _one(self, token: str) -> str:
        if "*" in token:
            token = self._unmasked(token)
        return token if self._is_word(token) else self.near.get(token, token)

    def _is_word(self, token: str) -> bool:
        if token in self.known or not token.isascii() or not token.isalpha():
            return True
        return any(
            token.endswith(end) and len(token) - len(end) >= 4 and token[: -len(end)] in self.known for end in _ENDINGS
        )

    def _joined(self, tokens: list[str], i: int) -> tuple[str, int]:
        """The key that begins at this token in pieces, and how many tokens it takes; "" and 0 when none does."""
        for count in (4, 3, 2):
            parts = tokens[i : i + count]
            if len(parts) < count or not all(part.isalpha() and len(part) <= 9 for part in parts):
                continue
            if all(part in self.known for part in parts) or (parts[0] in ("a", "i") and len(parts[1]) > 6):
                continue
            word = "".join(parts)
            if word not in self.keys and len(word) >= 6 and not any(part in self.known for part in parts):
                word = self.near.get(word, word)
            torn = any(len(part) == 1 and part not in "ai" for part in parts)
            if len(word) >= (3 if torn else 4) and word in self.keys:
                return word, count
        return "", 0

    def _unmasked(self, token: str) -> str:
        """A word with a star for some of its letters ("w*men") as the first key that fits, or as it is."""
        if len(token) > 20 or token.count("*") > len(token) / 2:
            return token
        fits = re.compile(re.escape(token).replace(r"\*", "[a-z]"))
        return next((word for word in sorted(self.keys) if len(word) == len(token) and fits.fullmatch(word)), token)

    def _cut(self, token: str) -> list[str]:
        """A run-together token as the fewest known words, one of them a key; or as it is when it cannot be cut."""
        if len(token) > 80:
            return [token]
        best: list[list[str] | None] = [[]] + [None] * len(token)
        for end in range(1, len(token) + 1):
            for start in range(max(0, end - 16), end):
                before, word = best[start], token[start:end]
                if before is None or not (word in self.known or word in ("a", "i")):
                    continue
                held = best[end]
                if held is None or len(before) + 1 < len(held):
                    best[end] = [*before, word]
        found = best[-1] or [token]
        return (
            found
            if len(found) <= 1 + len(token) / (4 if len(token) < 12 else 3) and any(word in self.keys for word in found)
            else [token]
        )
