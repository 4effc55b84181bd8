"""Dates and times as people write them, as ISO text: "next friday" to "2026-11-27", "8pm" to "2026-11-22T20:00".

A month is "2026-05", a year "2026", a week "2026-W48". The reading is dateparser's, English only, with what it lacks
(weekends, holidays, half past) added here. It knows no seasons and no feast that moves.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache

from models.chatspeak import load

MAX = 40
"""Characters: what is longer is no date."""

_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?"
)
MONTHS = rf"(?:{_MONTHS}|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
_SPELLING = {"tmrw": "tomorrow", "tmr": "tomorrow", "tomorow": "tomorrow", "tommorow": "tomorrow", "2day": "today"}
_CLOCK = re.compile(
    r"\d ?(?:am|pm|a\.m|p\.m)|\d:\d|noon|midnight|o.?clock|\b(?:hours?|minutes?|mins?|half past|quarter)\b"
)
_PART = re.compile(r"\b(morning|afternoon|evening|night|tonight)\b")
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NEAR = {"today": 0, "tomorrow": 1, "yesterday": -1, "the day after tomorrow": 2, "day after tomorrow": 2}
_HOURS = {"morning": 9, "afternoon": 15, "evening": 19, "night": 21, "tonight": 20, "noon": 12, "midnight": 0}


def iso(text: str, at: datetime, past: bool = False) -> str | None:
    """The date or time that the text names, seen from `at`; past: "friday" is the last one. None: not understood."""
    words = " ".join(text.lower().replace("’", "'").split())
    if not words or len(words) > MAX:
        return None
    # The hour matters only to "in 2 hours"; without it a whole day shares the cached answers.
    relative = re.search(r"\b(?:hours?|minutes?|mins?|hrs?)\b", words)
    base = at.replace(tzinfo=None, second=0, microsecond=0)
    return _iso(words, base if relative else base.replace(hour=12, minute=0), past)


@lru_cache(maxsize=1024)
def _iso(words: str, base: datetime, past: bool) -> str | None:
    words = re.sub(r"^(?:on|at|by|until|till|since|around|about|from|the|for|during) (?!day)", "", words)
    words = " ".join(_SPELLING.get(word, word) for word in words.split())
    holidays = load("entities")["holidays"]
    if words in holidays:
        month, day = map(int, holidays[words].split("-"))
        found = base.replace(month=month, day=day)
        return (found if found.date() >= base.date() or past else found.replace(year=base.year + 1)).date().isoformat()
    if kind := re.fullmatch(r"(next|last|this|coming) (week|weekend|month|year)", words):
        return _period(kind[1], kind[2], base)
    if words in ("weekend", "this weekend"):
        return _period("this", "weekend", base)
    if weekday := re.fullmatch(r"(?:(next|last|this|coming) )?(mon|tue|wed|thu|fri|sat|sun)(?:\w{0,6}day)?", words):
        steps = (_WEEK.index(weekday[2]) - base.weekday() - 1) % 7 + 1
        back = weekday[1] == "last" or (past and not weekday[1])
        return (base + timedelta(days=steps - 7 if back and steps < 7 else -7 if back else steps)).date().isoformat()
    if words in _NEAR:
        return (base + timedelta(days=_NEAR[words])).date().isoformat()
    if half := re.fullmatch(r"(half past|quarter past|quarter to) (\d{1,2})(?: ?(am|pm))?", words):
        minutes = {"half past": 30, "quarter past": 15, "quarter to": -15}[half[1]]
        hour = int(half[2]) % 12 + (12 if half[3] == "pm" else 0) if half[3] else int(half[2]) % 24
        return _minute(base.replace(hour=hour, minute=0) + timedelta(minutes=minutes))
    if clock := re.fullmatch(r"(\d{1,2})(?: ?o'?clock)?", words):
        return _minute(base.replace(hour=int(clock[1]))) if int(clock[1]) < 24 else None
    if words in _HOURS:
        return _minute(base.replace(hour=_HOURS[words]))
    if year := re.fullmatch(r"(?:in )?((?:19|20)\d\d)", words):
        return year[1]
    return _parsed(words, base, past)


def _parsed(words: str, base: datetime, past: bool) -> str | None:
    import dateparser

    numbers = {"couple of": "2", "a couple": "2", "few": "3", "half an": "0.5"}
    for name, number in numbers.items():
        words = re.sub(rf"\b(?:a )?{name}\b", number, words)
    clock = bool(_CLOCK.search(words) or _PART.search(words))
    dated = bool(re.search(rf"day\b|tomorrow|yesterday|\bago\b|\bin \w+ |{MONTHS} ?\d|\d ?{MONTHS}", words))
    prefer = "past" if past and dated else "future" if dated or not clock else "current_period"
    settings = {"RELATIVE_BASE": base, "PREFER_DATES_FROM": prefer, "RETURN_AS_TIMEZONE_AWARE": False}
    if re.search(r"\d{1,2}\.\d{1,2}\.", words):
        settings["DATE_ORDER"] = "DMY"
    if not clock:
        settings["PREFER_DATES_FROM"] = "past" if past else "future"
    try:
        found = dateparser.parse(words, languages=["en"], settings=settings)
    except (ValueError, OverflowError):
        return None
    if found is None:
        return None
    if re.fullmatch(rf"(?:in |last |next |this )?{MONTHS}(?: (?:19|20)\d\d)?", words):
        return f"{found:%Y-%m}"
    return _minute(found) if clock else found.date().isoformat()


def _period(which: str, what: str, base: datetime) -> str:
    step = {"next": 1, "last": -1}.get(which, 0)
    if what == "year":
        return str(base.year + step)
    if what == "month":
        months = base.year * 12 + base.month - 1 + step
        return f"{months // 12}-{months % 12 + 1:02}"
    week = base + timedelta(weeks=step)
    if what == "weekend":
        return (week + timedelta(days=5 - week.weekday())).date().isoformat()
    year, number, _ = week.isocalendar()
    return f"{year}-W{number:02}"


def _minute(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")
