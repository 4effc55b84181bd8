"""What may be said of somebody: name, age, home, work, school, tastes, languages. Used by models/facts/predicates.py.

Each function reads at clause.words[index], after a verb that `match` matched, and tells whether it found something.
"""

from __future__ import annotations

import calendar
import re

from models.facts import dates as fact_dates
from models.facts import people as fact_people
from models.facts import values as fact_values
from models.facts.reading import Reading, ends
from models.facts.text import Clause
from models.facts.words import listed

Match = re.Match[str]


def name(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    found = fact_values.name(clause.words, index)
    if not found or not ends(clause, found[1]):
        return False
    if not about:
        reading.add("name", found[0])
        return True
    # "My sister is called Mia" may be another sister; "her name is Mia" is the one spoken of.
    mine = bool(re.search(r"(?:^| )(?:my|our) ", clause.plain[: match.start()]))
    known_kind = about in fact_people.kinds().values()
    reading.introduce(reading.people.resolve(about, "", found[0]) if mine and known_kind else about, found[0])
    return True


def is_name(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """ "My sister is Anna": only in capitals, since "my sister is ill"."""
    if not about or index >= len(clause.words) or not clause.words[index].raw[:1].isupper():
        return False
    found = fact_values.name(clause.words, index, sure=False)
    if found and re.search(r"(?:ian|ean|yan|ese|ish)$", found[0]) and found[0].lower() not in listed("names_in_ian"):
        return False
    return bool(found and ends(clause, found[1]) and name(reading, clause, about, index, match))


def age(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    years = int(match[1]) if match[1].isdigit() else sum(_NUMBERS[word] for word in re.split("[ -]", match[1]))
    # "My kids are 4 and 7": which is which is not said.
    if not (1 if about else 5) <= years <= 115 or (about and match[0].startswith("are ")):
        return False
    reading.add("age", str(years), about)
    return True


_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
NUMBER = "|".join(sorted(_NUMBERS, key=len, reverse=True))


def birthday(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    when = fact_dates.find(clause.plain[match.end() :], reading.turn.at, past=True)
    if not when or when.start > 3 or len(when.iso) != 10:
        return False
    year, month, day = when.iso.split("-")
    said_year = f" {year}" if year in clause.plain else ""
    reading.add("birthday", f"{int(day)} {calendar.month_name[int(month)]}{said_year}", about)
    return True


def home(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    found = fact_values.place(clause.words, index)
    if found and match[0].endswith("from "):
        to = found[1]
        is_to = to < len(clause.words) and clause.words[to].plain == "to"
        found = fact_values.place(clause.words, to + 1) if is_to else None
    if not found:
        return False
    reading.moved = reading.moved or "move" in match[0] or "relocat" in match[0]
    reading.add("home", found[0], about)
    return True


def home_town(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    found = fact_values.place(clause.words, index)
    if not found:
        return False
    reading.add("home_town", found[0], about)
    return True


def works(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """At or for somebody, as something, or both; words[index - 1] is the first such preposition."""
    words, i = clause.words, index - 1
    role = place = ""
    # "Working as a nurse is hard" tells what is hard.
    if match[0].startswith("working") and re.search(r" (?:is|was|can|would|must) ", clause.plain[match.end() :] + " "):
        return False
    while i < len(words):
        plain = words[i].plain
        found = None
        if plain == "as" and not role:
            i += i + 1 < len(words) and words[i + 1].plain in ("a", "an", "the", "their")
            found = fact_values.phrase(words, i + 1, listed("cut"), 4)
            role = found[0].lower() if found else ""
        elif plain in ("at", "for") and not place:
            found = fact_values.employer(words, i + 1)
            place = found[0] if found else ""
        elif plain == "in" and not role and not place:
            found = field(clause, i + 1)
            place = found[0] if found else ""
        if not found:
            break
        i = found[1]
    value = f"{role} at {place}" if role and place else role or place
    if value:
        reading.add("work", value, about)
    return bool(value)


def field(clause: Clause, index: int) -> fact_values.Found:
    """What somebody works in: a field, or a kind of place."""
    words = clause.words
    if index < len(words) and words[index].plain in ("a", "an"):
        return fact_values.employer(words, index)
    if index < len(words) and words[index].plain == "the":
        index += 1
        industry = any(w.plain in ("industry", "business", "sector", "field") for w in words[index : index + 3])
        if not industry:
            return None
    for length in (2, 1):
        said = " ".join(w.plain for w in words[index : index + length])
        if said in listed("fields"):
            return (said.upper() if len(said) == 2 else said), index + length
    return None


def works_field(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """ "I work retail"."""
    found = field(clause, index)
    if not found or not ends(clause, found[1]):
        return False
    reading.add("work", found[0], about)
    return True


def is_work(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    found = fact_values.occupation(clause.words, index)
    if not found:
        return False
    value, i = found
    if i + 1 < len(clause.words) and (
        clause.words[i].plain == "at" or (clause.words[i].plain == "for" and clause.words[i + 1].raw[0].isupper())
    ):
        place = fact_values.employer(clause.words, i + 1)
        value = f"{value} at {place[0]}" if place else value
    elif not ends(clause, i):
        return False
    reading.add("work", value, about)
    return True


def studies(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """A subject, perhaps with the place."""
    words = clause.words
    if index >= len(words) or words[index].plain in listed("not_subjects"):
        return False
    found = fact_values.phrase(words, index, listed("cut") - {"and"}, 4)
    if not found:
        return False
    value, i = found
    value = re.sub(r" (?:and|[a-z]+ly)$", "", value)
    if i < len(words) and words[i].plain == "at":
        i += i + 1 < len(words) and words[i + 1].plain == "the"
        place = fact_values.phrase(words, i + 1, listed("cut"), 4)
        if place and place[0].lower() not in listed("some_school"):
            the = "the " if words[i].plain == "the" else ""
            value = f"{value} at {the}{fact_values.proper(place[0])}"
    reading.add("school", value, about)
    return True


_SCHOOL = re.compile(
    r"(?i)\b(?:university|uni|college|school|high|academy|institute|tu|mit|eth|ucla|harvard|oxford|cambridge|"
    r"stanford|yale)\b"
)


def school(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    found = fact_values.phrase(clause.words, index, listed("cut"), 5)
    if not found or found[0].lower() in listed("some_school"):
        return False
    if not match["student"] and not _SCHOOL.search(found[0]):
        return False
    value = re.sub(r"(?i)^(?:an?|the) ", "", found[0])
    reading.add("school", fact_values.proper(value), about)
    return True


def grade(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    reading.add("school", match[1], about)
    return True


def speaks(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    said = [w.plain for w in clause.words[index:]]
    for other in reading.after(clause):
        if len(other.words) <= 4:
            said += [w.plain for w in other.words]
    found = False
    for word in said:
        if word in listed("languages"):
            reading.add("language", word.capitalize(), about)
            found = True
        elif word not in listed("between_languages"):
            break
    return found


def likes(reading: Reading, clause: Clause, about: str, index: int, match: Match, slot: str = "like") -> bool:
    """What somebody likes, one or several; liking ends disliking, and the other way round."""
    opposite = "dislike" if slot == "like" else "like"
    values = _tastes(reading, clause, index)
    for value in values:
        for fact in reading.turn.profile:
            if (fact.about, fact.slot, fact.value.casefold()) == (about, opposite, value.casefold()):
                reading.add(opposite, fact.value, about, "end")
        reading.add(slot, value, about)
    return bool(values)


def _tastes(reading: Reading, clause: Clause, index: int) -> list[str]:
    """A list, with the pieces after commas when one of them has the closing "and"."""
    parts = [clause.words[index:]]
    run = []
    for other in reading.after(clause):
        if len(other.words) > 5 or re.match(r"(?:and |but |so )?(?:i|he|she|we|they|it|my|you) ", other.plain + " "):
            break
        run.append(other)
        if re.search(r"(?:^| )(?:and|or)(?: |$)", other.plain):
            parts += [piece.words for piece in run]
            break
    values: list[str] = []
    for words in parts:
        i = 0
        while i < len(words):
            if words[i].plain in ("and", "or", "also"):
                i += 1
                continue
            found = fact_values.taste(words, i)
            if not found:
                return values
            values.append(found[0])
            i = found[1]
            if i < len(words) and words[i].plain not in ("and", "or"):
                break
    return values


def favorite(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    found = fact_values.taste(clause.words, index)
    if not found:
        return False
    slot = f"favorite {match['thing']}"
    if found[0].casefold() not in [f.value.casefold() for f in reading.people.known if f.slot == slot]:
        reading.end(slot, about)
    reading.add(slot, found[0], about)
    return True


def partner(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    found = fact_values.name(clause.words, index, sure=False)
    if about or not found or not ends(clause, found[1]):
        return False
    reading.add("partner", found[0])
    return True
