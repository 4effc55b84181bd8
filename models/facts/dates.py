"""Where a message names a day, a week or a month, and which one: "exam on friday", "in 3 weeks", "5th of june".

Finds the words; what they mean is read by models/dates.py. Only what lies ahead or is today counts. "soon" and "12/6"
(June or December?) are left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from models import dates

_MONTH = (
    "january|february|march|april|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|"
    "jul|aug|sept|sep|oct|nov|dec"
)
_WEEKDAY = "monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues|tue|weds|wed|thurs|thur|thu|fri|sat|sun"
_FULL_DAY = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_NUMBER = r"\d{1,2}|a|an|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a couple of|a few"
_PART = "(?: (?:morning|afternoon|evening|night))?"
_NAMED = re.compile(
    r"(?<![^ ])(?:"
    r"(?:the )?day after tomorrow"
    rf"|(?:on )?(?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH}|may)(?: \d{{4}})?"
    rf"|(?:on )?(?:{_MONTH}|may) (?:the )?\d{{1,2}}(?:st|nd|rd|th)?(?: \d{{4}})?"
    r"|(?:on )?\d{4}-\d{1,2}-\d{1,2}"
    rf"|in (?:{_NUMBER}) (?:days?|weeks?|months?)(?: time)?"
    rf"|(?:(?:on|this|this coming|coming|next|by) )?(?:{_FULL_DAY}){_PART}"
    rf"|(?:on|this|this coming|coming|next|by) (?:{_WEEKDAY}){_PART}"
    rf"|(?:tomorrow|today){_PART}|tonight|this (?:morning|afternoon|evening)"
    r"|next (?:week|weekend|month|year)|(?:this|on the|at the) weekend|weekend"
    rf"|(?:in|next|this) (?:{_MONTH}|may)(?: \d{{4}})?|on the \d{{1,2}}(?:st|nd|rd|th)"
    r")(?![^ ])"
)  # fmt: skip


@dataclass(frozen=True)
class When:
    """plain[start:end] names a time; iso: a day ("2026-03-06"), a week ("2026-W10"), a month or a year."""

    start: int
    end: int
    iso: str

    @property
    def phrase(self) -> str:
        return f"{'on' if len(self.iso) == 10 else 'in'} {self.iso}"


def find(plain: str, at: datetime, past: bool = False) -> When | None:
    """The first time named in the text, which is in lower case with single spaces."""
    for match in _NAMED.finditer(plain):
        words = re.sub(
            r"^(?:on|this|this coming|coming|by|at) (?=the |[a-z]+day|\d|[a-z]{3} )|(?: morning| afternoon| "
            r"evening| night)$",
            "",
            match[0],
        )
        words = "today" if words in ("tonight", "this morning", "this afternoon", "this evening") else words
        words = "this weekend" if "weekend" in words and not words.startswith("next") else words
        words = re.sub(r"^the (?=\d)|^this coming | time$", "", words)
        found = _next_such_day(words, at) or dates.iso(words, at, past)
        if found and (past or found[:10] >= at.date().isoformat()[: len(found)] or "W" in found):
            return When(match.start(), match.end(), found[:10])
    return None


def _next_such_day(words: str, at: datetime) -> str | None:
    """ "The 8th": the next day of that number."""
    match = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)", words)
    days = (at.date() + timedelta(ahead) for ahead in range(62))
    return next((day.isoformat() for day in days if match and day.day == int(match[1])), None)
