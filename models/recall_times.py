"""Which days a question about the past names: "yesterday", "last week", "two months ago", "in May".

For models/memories.py. Times of day are left alone, and so is what names no days ("back then", "a while ago").
"""

from __future__ import annotations

import calendar
import re
from datetime import datetime, timedelta
from typing import Literal

_NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "couple of": 2, "a couple of": 2, "three": 3, "few": 3, "a few": 3, "four": 4,
    "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
}  # fmt: skip
_MONTHS = [name.lower() for name in calendar.month_name[1:]]
_DAYS = [name.lower() for name in calendar.day_name]
_NUMBER = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_TIMES = re.compile(
    r"\b(?:(?P<near>yesterday|today|earlier today|this morning|last night|the other day)"
    r"|(?P<which>last|this) (?P<unit>week|weekend|month|year)"
    rf"|(?P<number>\d{{1,2}}|{_NUMBER}) (?P<units>day|week|month|year)s? ago"
    rf"|(?:last|on|this) (?P<day>{'|'.join(_DAYS)})"
    rf"|(?:in|last|back in|during) (?P<month>{'|'.join(_MONTHS)}))\b"
)
# "I went to work today" tells and asks nothing.
_ASKS = re.compile(
    r"\?|^(?:\w+ )?(?:what|whats|when|who|whom|where|which|how|did|do|does|was|were|had|have|remember|remind|tell)\b|"
    r"\bremember\b"
)
# "What did we talk about last time?", whole: with anything more it is a question about that.
_OUR_TALKS = re.compile(
    r"(?:(?:so|and|but|hey|hi|ok|oh|wait|please|can|could|do|did|you|still|remember|recall|know|tell me|remind me) )*"
    r"(?:what (?:all |else |things )?(?:(?:did|have|were|had) )?(?:(?:we|i|you and i) )?(?:(?:just|already|been) )?"
    r"(?:(?:talk|talked|talking|chat|chatted|chatting|speak|spoke|spoken|speaking) about|discuss|discussed|discussing"
    r"|(?P<told>(?:tell|told) you(?: about)?|(?:say|said) to you))"
    r"|what (?:was|is|were) our (?:last |previous )?(?:talk|chat|conversation)s? about"
    r"|where (?:did we leave|we left) off)"
    r"(?: (?:again|with you|together|then|exactly|about|please|in|during|our|the|so far|just now|earlier|before"
    r"|previously|(?:last|previous) (?:time|talk|chat|conversation|session)))*"
)
_BEFORE = re.compile(r"\b(?:before|previously|last|previous|left? off|leave off)\b")
_ASKS_BACK = re.compile(
    r"\b(?:remember|remind|my|i (?:tell|told|say|said|mention|mentioned)|(?:did|have|do|was|am) i)\b"
)
_LENGTHS = {"day": 1, "week": 7, "weekend": 2, "month": 30, "year": 365}


def asks(text: str) -> bool:
    """Whether the text looks like a question."""
    return bool(_ASKS.search(text.lower()[:500]))


def asks_back(text: str) -> bool:
    """Whether the text asks for something that the person told."""
    low = text.lower()[:500]
    return bool(_ASKS.search(low) and _ASKS_BACK.search(low))


def our_talks(text: str) -> Literal["before", "any"] | None:
    """Whether the text asks what was talked about, and nothing more than that: in an earlier talk, or in any. A time
    that it names is left to `window`."""
    plain = " ".join(re.sub(r"[^\w\s]+", " ", re.sub(r"['’`]", "", text.lower()[:200])).split())
    timeless = " ".join(_TIMES.sub(" ", plain).split())
    match = _OUR_TALKS.fullmatch(timeless)
    before = bool(_BEFORE.search(timeless))
    # "What did I tell you?" alone asks for all that is known.
    if match is None or (match["told"] and not before and len(timeless) == len(plain)):
        return None
    return "before" if before else "any"


def window(text: str, at: datetime) -> tuple[datetime, datetime] | None:
    """From when until when the text asks, seen from `at`; None when it does not ask, or names no past days."""
    low = text.lower()[:500]
    match = _TIMES.search(low) if _ASKS.search(low) else None
    if match is None:
        return None
    today = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if match["near"]:
        back, days = {"yesterday": (1, 1), "last night": (1, 1), "the other day": (7, 7)}.get(match["near"], (0, 1))
        return today - timedelta(days=back), today - timedelta(days=back - days)
    if match["unit"]:
        return _named(match["which"], match["unit"], today)
    if match["units"]:
        count = int(match["number"]) if match["number"].isdigit() else _NUMBERS[match["number"]]
        length = _LENGTHS[match["units"]]
        # "Two weeks ago" is not to the day: half a unit more on either side.
        middle, slack = today - timedelta(days=count * length), timedelta(days=length / 2)
        return middle - slack, middle + slack + timedelta(days=1)
    if match["day"]:
        back = (today.weekday() - _DAYS.index(match["day"]) - 1) % 7 + 1
        return today - timedelta(days=back), today - timedelta(days=back - 1)
    month = _MONTHS.index(match["month"]) + 1
    year = today.year - (month > today.month)
    return today.replace(year=year, month=month, day=1), _first_of_next(today.replace(year=year, month=month, day=1))


def _named(which: str, unit: str, today: datetime) -> tuple[datetime, datetime]:
    monday = today - timedelta(days=today.weekday())
    if unit == "week":
        start = monday - timedelta(days=7) if which == "last" else monday
        return start, start + timedelta(days=7)
    if unit == "weekend":
        saturday = monday + timedelta(days=5)
        start = saturday - timedelta(days=7) if which == "last" and today >= monday else saturday
        return start, start + timedelta(days=2)
    if unit == "year":
        first = today.replace(month=1, day=1, year=today.year - (which == "last"))
        return first, first.replace(year=first.year + 1)
    first = today.replace(day=1)
    if which == "last":
        first = (first - timedelta(days=1)).replace(day=1)
    return first, _first_of_next(first)


def _first_of_next(first: datetime) -> datetime:
    return (first + timedelta(days=32)).replace(day=1)
