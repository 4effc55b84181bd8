"""The numbers that a text names, in digits or in words, so that a misread one can be told from a told one.

English only; a fraction, a sum and "a couple" are no numbers to it, and hours and minutes are two.
"""

from __future__ import annotations

import re

_ONES = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_WORTH = {
    **{word: i for i, word in enumerate(_ONES.split(), 1)},
    **{word: 10 * i for i, word in enumerate(_TENS.split(), 2)},
    **{"fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12, "dozen": 12},
}
_POWERS = {"hundred": 100, "thousand": 1000, "k": 1000, "million": 1_000_000}
_TOKEN = re.compile(r"\d+(?:,\d{3})*|[a-z]+|[^\w\s-]")
FEW = 3
"""Numbers up to here are said without meaning one: "one thing", "two of you"."""


def numbers(text: str) -> set[int]:
    """The numbers above FEW in the first 4,000 characters, each as one: "two hundred and forty-eight", "1,250", "5k",
    "60th". Never raises."""
    found: list[int] = []
    number = 0
    for token in [*_TOKEN.findall(text.lower()[:4000]), ""]:
        word = token if token in _WORTH else re.sub(r"(?:(?<=t)ieth|th|s)$", lambda m: "y" * (m[0] == "ieth"), token)
        if token[:1].isdigit():
            found.append(number)
            number = int(token.replace(",", "")[:12])
        elif power := _POWERS.get(word):
            rest = number % power if number >= power else number
            number = number - rest + (rest or 1) * power
        elif (worth := _WORTH.get(word, 0)) and not (number % 10 if worth < 10 else number % 100):
            number += worth
        elif word == "and" and number and not number % 100:
            continue
        else:
            found.append(number)
            number = worth
    return {number for number in (*found, number) if number > FEW}
