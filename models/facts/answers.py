"""What a message means only after the one before it: bare answers, corrections, who "she" is. For models/facts.py."""

from __future__ import annotations

import re
from dataclasses import replace

from models.facts import people as fact_people
from models.facts import states as fact_states
from models.facts import values as fact_values
from models.facts.reading import Reading, after, ends, index_at
from models.facts.text import FILLER, Clause, Word, clauses
from models.facts.words import listed
from pipelines.turn import ONE_AT_A_TIME, Fact

ASKS = {
    "name": re.compile(
        r"what is your name|your name|who am i (?:talking|speaking) (?:to|with)|"
        r"what (?:should|can|shall|do|may) i call you|who are you"
    ),
    "home": re.compile(r"where (?:do|are) you (?:live|living|based)|where you live|which city|what city"),
    "home_town": re.compile(r"where (?:are|do) you (?:come )?from"),
    "age": re.compile(r"how old are you|your age"),
    "theirs": re.compile(
        rf"(?:what is|what s|does) (?:your|the|their|his|her) (?P<kin>{fact_people.forms()})(?: s|s)? (?:name|called)|"
        rf"(?:name of your|call your|what do you call your) (?P<kin2>{fact_people.forms()})"
    ),
}
"""What the companion may have asked, in plain words."""

_CORRECTS = re.compile(
    r"(?:no|nope|nah|actually|wait|oops|sorry|wrong|not true|correction|i (?:said|meant|mean)|it is not|not quite|"
    r"i never said|"
    r"that is (?:wrong|not true|not right|incorrect|false|not what i said|not correct)|"
    r"you (?:got|have|remember) [^ ]+(?: [^ ]+)? wrong)(?: |$)"
)
_LEAD = re.compile(rf"(?:(?:{FILLER}) )*")
_ANSWER = re.compile(
    rf"(?:(?:{FILLER}|it is|its|i am|i live|in|from|at|the name is|she is|he is|called|he is called|she is called|"
    rf"it is called) )*"
)
_MEANT = re.compile(r"(?:(?:it is|its|i said|i meant|that is|called|his name is|her name is|in|from) )*")


def asked(reading: Reading) -> str:
    """The companion's last words, plain, if they ask something."""
    last = reading.turn.history[-1] if reading.turn.history else None
    if last is None or last.role != "companion" or "?" not in last.text:
        return ""
    return " ".join(clause.plain for clause in clauses(last.text))


def remember_who(reading: Reading) -> None:
    """Whom the person spoke of in their last message, so that "she" is somebody."""
    for said in [u.text for u in reading.turn.history if u.role == "person"][-1:]:
        for clause in clauses(said):
            for match in re.finditer(
                rf"(?<![^ ])(?:my|our|a|an) (?:[^ ]+ )?(?P<kin>{fact_people.forms()})(?= |$)", clause.plain
            ):
                reading.people.mention(reading.people.resolve(fact_people.kinds()[match["kin"]]))
            for name, about in reading.people.names().items():
                if name in clause.plain.split(" "):
                    reading.people.mention(about)


def answer(reading: Reading) -> None:
    """A bare answer to the companion's question: "lena", "in berlin", "23"."""
    question = asked(reading)
    live = [c for c in reading.clauses if not c.unreal and not c.asks]
    if not question or not live or len(reading.whole.split()) > 6 or live[0].plain.startswith("and "):
        return
    clause = live[0]
    start = after(_ANSWER, clause.plain)
    index = index_at(clause.plain, start)
    if index >= len(clause.words):
        return
    name, place = fact_values.name(clause.words, index), fact_values.place(clause.words, index)
    theirs = ASKS["theirs"].search(question)
    if theirs:
        kind = fact_people.kinds()[theirs["kin"] or theirs["kin2"]]
        if name and _all_said(clause, name[1]):
            reading.introduce(reading.people.resolve(kind), name[0])
    elif ASKS["name"].search(question):
        if name and _all_said(clause, name[1]):
            reading.add("name", name[0])
    elif ASKS["home"].search(question) or ASKS["home_town"].search(question):
        if place and _all_said(clause, place[1]):
            reading.add("home" if ASKS["home"].search(question) else "home_town", place[0])
    elif ASKS["age"].search(question):
        match = re.compile(r"(\d{1,3})(?= |$)").match(clause.plain, start)
        if match:
            fact_states.age(reading, clause, "", index, match)


def _all_said(clause: Clause, index: int) -> bool:
    """Whether nothing of weight follows: a bare answer is bare."""
    return all(word.plain in _WEIGHTLESS for word in clause.words[index:])


_WEIGHTLESS = frozenset(
    {"lol", "haha", "though", "here", "right", "now", "by", "the", "way", "btw", "actually", "please"}
)


def correction(reading: Reading) -> Fact | None:
    """ "No, i said berlin", "it's anna, not hanna": which fact is meant follows from what is known."""
    whole = f" {reading.whole} "
    opened = _CORRECTS.match(reading.whole)
    wrong = next((f for f in reversed(reading.turn.profile) if _denied(f, reading.whole)), None)
    if not opened and not wrong:
        return None
    meant = re.search(r" (?:i said|i meant|it is|its|i mean|but) ", whole) or (opened and len(whole.split()) <= 3)
    old = wrong or (_in_doubt(reading) if meant else None)
    if old is None:
        return None
    for clause in reading.clauses:
        if clause.asks or clause.unreal:
            continue
        start = after(_MEANT, clause.plain, after(_LEAD, clause.plain))
        index = index_at(clause.plain, start)
        value = _of_the_same_kind(clause.words, index, old) if index < len(clause.words) else None
        if value and ends(clause, value[1]) and value[0].casefold() != old.value.casefold():
            return Fact(old.slot, value[0], old.about, "correct")
    return None


def marked(reading: Reading) -> list[Fact]:
    """The facts found; what contradicts a known one, said as a contradiction ("no, i live in berlin"), corrects it.
    What tells of a change ("i live in berlin now") does not."""
    changed = reading.moved or re.search(r"(?:^| )(?:now|these days|since|moved|new)(?: |$)", reading.whole)
    facts = []
    for fact in reading.found:
        old = [f for f in reading.turn.profile if (f.about, f.slot) == (fact.about, fact.slot)]
        contradicts = old and old[-1].value.casefold() != fact.value.casefold()
        said_so = old and (_denied(old[-1], reading.whole) or (_CORRECTS.match(reading.whole) and not changed))
        if fact.change == "state" and fact.slot in ONE_AT_A_TIME and contradicts and said_so:
            fact = replace(fact, change="correct")
        facts.append(fact)
    # What was never true has not ended: "my name is not lena, it's leyla".
    right = {(f.about, f.slot) for f in facts if f.change == "correct"}
    return [f for f in facts if f.change != "end" or (f.about, f.slot) not in right]


def _denied(fact: Fact, plain: str) -> bool:
    """Whether "not" stands before the value."""
    return bool(re.search(rf"(?:^| )not (?:in |from |at |called )?{re.escape(fact.value.lower())}(?: |$)", plain))


def _in_doubt(reading: Reading) -> Fact | None:
    """The fact that the talk is about: what the companion just said back, or else the last one learned."""
    last = next((u.text.lower() for u in reversed(reading.turn.history) if u.role == "companion"), "")
    able = [f for f in reading.turn.profile if f.slot in ONE_AT_A_TIME or f.slot == "nickname"]
    said = [f for f in able if re.search(rf"(?<!\w){re.escape(f.value.lower())}(?!\w)", last)]
    return (said or able)[-1] if able else None


def _of_the_same_kind(words: tuple[Word, ...], index: int, old: Fact) -> fact_values.Found:
    """What stands at words[index], if it could be another value of that slot."""
    if words[index].plain in listed("cut"):
        return None
    if old.slot == "age":
        return (words[index].plain, index + 1) if words[index].plain.isdigit() else None
    if old.slot in ("name", "nickname", "partner"):
        return fact_values.name(words, index)
    read = {"home": fact_values.place, "home_town": fact_values.place, "work": fact_values.employer}.get(old.slot)
    return read(words, index) if read else None
