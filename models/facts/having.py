"""Whom somebody has: pets, family, a partner, with their names. Used by models/facts/predicates.py."""

from __future__ import annotations

import re
from functools import cache

from models.facts import people as fact_people
from models.facts import values as fact_values
from models.facts.reading import Reading, ends, index_at
from models.facts.text import Clause
from models.facts.words import listed

Match = re.Match[str]


@cache
def _one() -> re.Pattern[str]:
    """ "a dog", "my two cats", "an older brother"."""
    count = r"(?P<count>a|an|one|two|three|four|five|six|some|another|\d)"
    return re.compile(
        rf"{count} (?:(?!and |in |of )[^ ]+ ){{0,2}}?(?P<kin>{fact_people.forms()})(?P<many>s|es)?(?= |$)(?! "
        rf"(?:{fact_people.forms()})(?: |s |$))"
    )


_NAMED = re.compile(
    r" (?:(?:who|that|which) (?:is |s )?)?(?:named|called|whose names? (?:is|are)|with the name|and (?:his|her|"
    r"its|it|their) names? (?:is|s|are)|names? (?:is|are)) "
)


def has(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """Each "a dog" and "two sisters" from words[index] on, in this clause and in the pieces of its list."""
    found = _one_of(reading, clause, about, match.end())
    if not found:
        return False
    for more in re.finditer(r" and (?=[^ ])", clause.plain):
        if more.start() > match.end():
            _one_of(reading, clause, about, more.end())
    for other in reading.after(clause):
        lead = re.match(r"(?:and )?", other.plain)
        if lead and not re.match(r"(?:and |but )?(?:i|he|she|we|they|it|my|you) ", other.plain + " "):
            _one_of(reading, other, about, lead.end())
    return True


def _one_of(reading: Reading, clause: Clause, about: str, position: int) -> bool:
    one = _one().match(clause.plain, position)
    if one is None or listed("no_pets") & set(one[0].split()):
        return False
    kind = fact_people.kinds()[one["kin"]]
    many = bool(one["many"]) or one["kin"].endswith(("children", "ies"))
    pet, family, partner = kind in fact_people.pet_kinds(), kind in listed("family"), kind in listed("partners")
    if not (pet or family or partner):
        return _friend(reading, clause, about, kind, one)
    next_word = index_at(clause.plain, one.end() + 1)
    named = _NAMED.match(clause.plain, one.end())
    name = _name_after(clause, next_word) if not named and not many else None
    # "A dog bite" is no dog.
    own = re.compile(r" of (?:my|our|his|her|their) own(?= |$)").match(clause.plain, one.end())
    if not named and not name and not own and not ends(clause, next_word) and one.end() < len(clause.plain):
        return False
    if pet:
        reading.add("pet", kind, about)
    elif family:
        value = f"{one['count']} {one['kin']}{one['many'] or ''}" if many else kind
        reading.add("family", value, about)
    elif not any((f.slot, f.about) == ("partner", about) for f in reading.people.known):
        reading.add("partner", kind, about)
    owned = f"{about}'s {kind}" if about else reading.people.resolve(kind)
    reading.people.mention(owned)
    names = [name] if name else _names(reading, clause, named.end() if named else one.end(), bool(named), many)
    for said in names:
        if about:
            reading.add("name", said, f"{about}'s {kind}")
        else:
            reading.introduce(reading.people.resolve(kind, "", said), said)
    return True


def _friend(reading: Reading, clause: Clause, about: str, kind: str, one: Match) -> bool:
    """ "I have a friend called Mia": of friends and colleagues only those with a name are kept."""
    named = _NAMED.match(clause.plain, one.end())
    found = fact_values.name(clause.words, index_at(clause.plain, named.end())) if named else None
    if found and not about:
        reading.introduce(reading.people.resolve(kind, "", found[0]), found[0])
    elif not about:
        reading.people.mention(reading.people.resolve(kind))
    return bool(found)


def _name_after(clause: Clause, index: int) -> str | None:
    """ "A dog Rex": only in capitals."""
    if index >= len(clause.words) or not clause.words[index].raw[:1].isupper():
        return None
    found = fact_values.name(clause.words, index, sure=False)
    return found[0] if found and ends(clause, found[1]) else None


def _names(reading: Reading, clause: Clause, position: int, named: bool, many: bool) -> list[str]:
    """ "called miso and mochi", "two cats, miso and mochi"; nothing unless all of it is names."""
    words = list(clause.words[index_at(clause.plain, position) :]) if named else []
    if named and not many:
        found = fact_values.name(words, 0)
        return [found[0]] if found else []
    if named or (many and position >= len(clause.plain)):
        for other in reading.after(clause):
            if len(other.words) > 3:
                break
            words.extend(other.words)
    names: list[str] = []
    for i, word in enumerate(words):
        if word.plain == "and":
            continue
        found = fact_values.name(words, i)
        if not found:
            return names if names and ends(clause, index_at(clause.plain, position) + i) else []
        names.append(found[0])
    return names[:6]
