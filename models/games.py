"""Clock, sums, coins, jokes and riddles: small things that a companion should get right without a language model."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from models.chatspeak import load, plain
from models.phrases import choose, last_replies
from pipelines.turn import Turn

Clause = tuple[str, Mapping[str, float], bool]
"""A clause in plain words, how much of it the phrases of each intent cover, and whether it is a question."""

_SUM = re.compile(
    r"\s{0,9}(?:what(?:'?s| is)|calculate|how much is)?\s{0,9}(-?\d{1,9}(?:\.\d{1,6})?)\s{0,9}"
    r"(\+|-|\*|x|×|/|÷|plus|minus|times|divided by)\s{0,9}(-?\d{1,9}(?:\.\d{1,6})?)\s{0,9}[=?.! ]{0,9}",
    re.IGNORECASE,
)


def _texts(group: str, key: str) -> list[str]:
    return list(load("skills")[group][key])


def clock(turn: Turn, clauses: Sequence[Clause]) -> str | None:
    """The time or the date where the person is."""
    for text, labels, _ in clauses:
        time, date = labels.get("time", 0), labels.get("date", 0)
        if max(time, date) < 0.5 and not re.search(r"\bwhat (?:time|day|date) is it\b", text):
            continue
        if time >= date:
            elsewhere = re.search(r"\bin (?!the )[a-z]{3,}", text)
            texts = _texts("cannot", "elsewhere") if elsewhere else _texts("clock", "time")
            return choose(turn, texts, time=_time(turn.at))
        for word, days in (("tomorrow", 1), ("yesterday", -1)):
            if word in text:
                day = _date(turn.at + timedelta(days=days))
                return choose(turn, _texts("clock", "other_day"), day=word.capitalize(), date=day)
        if match := re.search(r"\bis it (\w+day)\b", text):
            today = f"{turn.at:%A}"
            key = "yes_day" if match[1] == today.lower() else "no_day"
            return choose(turn, _texts("clock", key), weekday=today)
        return choose(turn, _texts("clock", "date"), date=_date(turn.at))
    return None


def _time(at: datetime) -> str:
    return f"{at.hour % 12 or 12}:{at.minute:02} {'am' if at.hour < 12 else 'pm'}"


def _date(at: datetime) -> str:
    return f"{at:%A}, {at.day} {at:%B} {at.year}"


def play(turn: Turn, clauses: Sequence[Clause]) -> str | None:
    """A joke, fact, riddle, story, question, coin or die; "another one" goes on with what was last."""
    games = load("games")
    if solved := _riddle_answer(turn, games["riddles"]):
        return solved
    wanted = {label for _, labels, _ in clauses for label, covered in labels.items() if covered >= 0.3}
    more = any(re.fullmatch(r"(?:another|one more|again|more)(?: one| please)*", text) for text, _, _ in clauses)
    last = (last_replies(turn) or [""])[0]
    kinds = {"tell_joke": games["jokes"], "fun_fact": games["facts"], "play_game": games["would_you_rather"]}
    kinds["riddle"] = [riddle["ask"] for riddle in games["riddles"]]
    for intent, texts in kinds.items():
        if intent in wanted or (more and last in texts):
            return choose(turn, texts)
    said = plain(turn.text)
    if "tell_story" in wanted:
        return choose(turn, games["poems" if "poem" in said or "sing" in said else "stories"])
    if "flip_coin" in wanted:
        return choose(turn, _texts("odd", "coin"), side=random.choice(("heads", "tails")))
    if "roll_dice" in wanted:
        sides = re.search(r"\bd([1-9]\d{0,2})\b", said)
        return choose(turn, _texts("odd", "dice"), number=str(random.randint(1, int(sides[1]) if sides else 6)))
    return None


def _riddle_answer(turn: Turn, riddles: Sequence[dict[str, Any]]) -> str | None:
    """The answer to the riddle that was asked last, when it is guessed or given up."""
    asked = next((r for r in riddles if any(r["ask"] in text for text in last_replies(turn)[:1])), None)
    if asked is None:
        return None
    said = plain(turn.text)
    key = asked["answer"].split()[-1]
    if re.search(rf"\b{key}s?\b", said):
        return choose(turn, load("games")["riddle"]["right"], answer=asked["answer"])
    if re.search(r"\b(?:do not know|no idea|give up|tell me|what is it|no clue|answer|not sure|what)\b", said):
        return choose(turn, load("games")["riddle"]["told"], answer=asked["answer"])
    return None


def add_up(turn: Turn, clauses: Sequence[Clause]) -> str | None:
    """A sum of two numbers."""
    match = _SUM.fullmatch(turn.text[:80])
    if not match:
        return None
    a, sign, b = float(match[1]), match[2].lower(), float(match[3])
    if sign in ("+", "plus"):
        value = a + b
    elif sign in ("-", "minus"):
        value = a - b
    elif sign in ("*", "x", "×", "times"):
        value = a * b
    elif b == 0:
        return "Dividing by zero? Not even I dare."
    else:
        value = a / b
    return choose(turn, _texts("odd", "sum"), value=f"{value:.0f}" if value.is_integer() else f"{value:.6g}")
