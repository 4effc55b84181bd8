"""What typing on a phone does to a text: slips of the finger, no capitals, emoji. For training and for stress tests."""

from __future__ import annotations

import random

EMOJI = ("😂", "😭", "🙏", "✨", "🔥", "👀", "😅", "🤷", "💀", "🥲")


def slip(text: str, rng: random.Random) -> str:
    """One letter left out, doubled, or swapped with its neighbour; texts under 4 characters stay."""
    if len(text) < 4:
        return text
    i = rng.randrange(1, len(text) - 1)
    return rng.choice(
        [
            text[:i] + text[i + 1 :],
            text[:i] + text[i] + text[i:],
            text[: i - 1] + text[i] + text[i - 1] + text[i + 1 :],
        ]
    )


def typos(text: str, rng: random.Random) -> str:
    """A slip in about every sixth word, at least one."""
    words = text.split()
    for i in rng.sample(range(len(words)), max(1, len(words) // 6)) if words else []:
        words[i] = slip(words[i], rng)
    return " ".join(words)


def lower(text: str, rng: random.Random) -> str:
    """No capitals, and no full stop at the end."""
    return text.lower().rstrip(".")


def with_emoji(text: str, rng: random.Random) -> str:
    """One or two emoji that say nothing about the text, at its end."""
    return f"{text} {''.join(rng.choices(EMOJI, k=rng.randint(1, 2)))}"
