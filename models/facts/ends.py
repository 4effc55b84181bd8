"""What is true no longer: a move away, a job left, a couple parted, a death. For models/facts/predicates.py.

Each function reads at clause.words[index], after a verb that `match` matched, and tells whether it was such an end.
"""

from __future__ import annotations

import re

from models.facts import people as fact_people
from models.facts import values as fact_values
from models.facts.reading import Reading, ends, index_at
from models.facts.states import likes
from models.facts.text import Clause
from models.facts.words import listed

Match = re.Match[str]

_NOW_IS = re.compile(r"(?:^| )(?:am|is|are) (?:now )?(?:a|an) ")
_OVER = re.compile(r" (?:anymore|any more|any longer|no more)(?: |$)")


def used_to(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """ "I used to live in Paris": past, whether it was known or not."""
    if match["verb"] == "be":
        trade = fact_values.occupation(clause.words, index)
        if trade:
            reading.add("work", trade[0], about, "end")
        return True
    slot = {"live": "home", "work": "work"}.get(match["verb"], "like")
    read = {"home": fact_values.place, "work": fact_values.employer, "like": fact_values.taste}[slot]
    found = read(clause.words, index)
    if found:
        held = [f.value for f in reading.people.known if (f.about, f.slot) == (about, slot)]
        same = next((value for value in held if found[0].casefold() in value.casefold()), None)
        reading.add(slot, same or found[0], about, "end")
    return True


def was(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """ "I was a nurse but now I'm a teacher". Alone, or with more behind it, it may tell of a costume or a dream."""
    trade = fact_values.occupation(clause.words, index)
    if not trade or not ends(clause, trade[1]) or not _works_now(reading):
        return False
    held = [f.value for f in reading.people.known if (f.about, f.slot) == (about, "work")]
    same = next((value for value in held if trade[0].casefold() in value.casefold()), None)
    reading.add("work", same or trade[0], about, "end")
    return True


def _works_now(reading: Reading) -> bool:
    """Whether a trade of today stands in the same message."""
    today = [(c, m) for c in reading.clauses if not c.asks and not c.unreal and (m := _NOW_IS.search(c.plain))]
    said = any(fact_values.occupation(c.words, index_at(c.plain, m.end())) for c, m in today)
    return said and " now " in f" {reading.whole} "


def no_longer(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """ "I don't live in Paris anymore": the end of what is known, and only of that."""
    slot = {"live": "home", "work": "work", "study": "school", "have": "pet", "speak": "language"}[match["verb"]]
    rest = f" {clause.plain[match.end() :].strip()} "
    over = "no longer" in match[0] or _OVER.search(rest)
    for fact in list(reading.people.known):
        if (fact.about, fact.slot) != (about, slot):
            continue
        if f" {fact.value.lower()} " in rest or (
            over and slot != "pet" and re.match(r" (?:there|here|anymore|) ", rest)
        ):
            reading.add(slot, fact.value, about, "end")
    return True


def dislikes(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    if _OVER.search(clause.plain):
        found = fact_values.taste(clause.words, index)
        if found:
            reading.add("like", found[0], about, "end")
        return bool(found)
    return likes(reading, clause, about, index, match, "dislike")


def ended(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """A job, a school, a marriage that is over."""
    if match["job"]:
        reading.end("work", about)
    elif match["school"]:
        reading.end("school", about)
    else:
        _part(reading, about)
    return True


def broke_up(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """With the known partner, or with one who was never told of; not with somebody else's."""
    if about:
        if about in listed("partners"):
            _part(reading, "")
        return about in listed("partners")
    said = re.compile(r" with ([^ ]+)").match(clause.plain, match.end())
    partner = next((f.value for f in reading.people.known if f.slot == "partner" and not f.about), None)
    couple = {"we", (partner or "").casefold(), *listed("partners")} & set(reading.whole.split())
    if match["apart"] and not couple:
        return True  # "my sister and i are not together"
    is_other = said and said[1] not in ("my", "him", "her", "them", (partner or "").casefold())
    if said and is_other and reading.people.names().get(said[1]) not in listed("partners"):
        found = fact_values.name(clause.words, index_at(clause.plain, said.start(1)), sure=False)
        if found and not partner:
            reading.add("partner", found[0], "", "end")
        return True
    _part(reading, "")
    return True


def left(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """ "My girlfriend left me"."""
    if about not in listed("partners"):
        return False
    _part(reading, "")
    return True


def _part(reading: Reading, about: str) -> None:
    """They are no couple any more, and what was known of the partner is past with it."""
    reading.end("partner", about)
    if not about:
        for fact in [f for f in reading.people.known if f.about in listed("partners")]:
            reading.add(fact.slot, fact.value, fact.about, "end")


def died(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """What was true of them is past, except their name; that they died is kept."""
    if not about or "'s " in about:
        return False
    kind = next((k for k in fact_people.pet_kinds() if about == k or about.startswith(f"{k} ")), None)
    others = [f for f in reading.people.known if kind and f.about.startswith(kind) and f.about != about]
    if kind and not others:
        reading.add("pet", kind, "", "end")
    for fact in [f for f in reading.people.known if f.about == about and f.slot != "name"]:
        reading.add(fact.slot, fact.value, about, "end")
    reading.add("event", f"{reading.people.name_of(about) or about} died")
    return True


def put_down(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """ "We had to put my cat down"."""
    found = reading.people.subject(clause, match.end())
    if about or not found or not re.match(r" (?:down|to sleep)(?: |$)", clause.plain[found[2] :]):
        return False
    return died(reading, clause, found[0], index, match)


def _start_of(clause: Clause, index: int) -> int:
    """Where the word of that number begins in the plain text."""
    return sum(len(word.plain) + 1 for word in clause.words[:index])


def not_name(reading: Reading, clause: Clause, about: str, index: int, match: Match) -> bool:
    """ "My name is not Hanna"."""
    found = fact_values.name(clause.words, index)
    known = reading.people.name_of(about)
    if found and known and known.casefold() == found[0].casefold():
        reading.add("name", known, about, "end")
    # "My name isnt lena its leyla", without a comma.
    instead = re.compile(r"(?:it is|its|but) ").match(clause.plain, _start_of(clause, found[1])) if found else None
    right = fact_values.name(clause.words, index_at(clause.plain, instead.end())) if instead else None
    if right:
        reading.add("name", right[0], about)
    return True
