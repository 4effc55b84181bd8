"""facts.rules: what the person just stated of themself or of others, from their own words, without a model.

A message is cut into clauses (models/facts/text.py); a clause that begins with a subject ("i", "my sister anna", "she")
is matched against what can be said of anybody (models/facts/predicates.py). Whose fact it is follows from the subject
(models/facts/people.py), what a value may be from models/facts/values.py. The rules do not know irony without a sign of
it, who "he" is beyond the last one spoken of, or anything said in another language than English.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

from models.facts import answers as fact_answers
from models.facts import plans as fact_plans
from models.facts import predicates as fact_predicates
from models.facts import states as fact_states
from models.facts import values as fact_values
from models.facts.reading import Reading, after, ends, index_at, position_of
from models.facts.text import FILLER, Clause
from pipelines.turn import ONE_AT_A_TIME, Fact, Turn


class Rules:
    """Facts by rule, no weights, no settings.

    The slots: name, nickname, age, birthday, home, home_town, work, school, partner, pet (the kind), family (who there
    is), like, dislike, "favorite THING", language, plan (with an ISO date when one was named), event (a death), note
    (asked to be remembered). Home, work, partner and pet may come as an "end", and any as a "correct".
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def __call__(self, turns: Sequence[Turn]) -> list[list[Fact]]:
        return [_facts(turn) for turn in turns]


def _facts(turn: Turn) -> list[Fact]:
    reading = Reading(turn)
    fact_answers.remember_who(reading)
    for clause in reading.clauses:
        if not clause.unreal and (not clause.asks or _CALLING.search(clause.plain)):
            _read(reading, clause)
    if not reading.found:
        fact_answers.answer(reading)
    if not reading.found:
        _note(reading)
    correction = fact_answers.correction(reading) if not reading.found else None
    return [correction] if correction else _tidy(fact_answers.marked(reading))


def _read(reading: Reading, clause: Clause) -> None:
    lead = after(_LEAD, clause.plain)
    if _companion(reading, clause, lead) or _own_name(reading, clause, lead):
        return
    both = re.compile(r"(?:me|i) and (?=[^ ])").match(clause.plain, lead)
    subject = reading.people.subject(clause, both.end() if both else lead)
    if subject is None:
        _without_subject(reading, clause, lead)
        _mentions(reading, clause, 0)
        return
    about, said, end = subject
    if said:
        reading.introduce(about, said)
    elif about:
        reading.people.mention(about)
    with_me = re.compile(r" and (?:i|me)(?= |$)").match(clause.plain, end)
    if both or with_me:
        # "Me and my wife Carla moved": it is true of both, and the person is the one to remember it of.
        about, end = "", with_me.end() if with_me else end
    reading.subject = about
    fact_predicates.read(reading, clause, about, end)
    _mentions(reading, clause, end)
    fact_plans.read(reading, clause, about, end)


def _without_subject(reading: Reading, clause: Clause, lead: int) -> None:
    """What chat leaves the "i" out of: "im lena, 23, from berlin", "just moved to rome"."""
    plain = clause.plain
    if reading.subject is not None and reading.found:
        match = re.compile(r"(?:and )?(\d{1,3})(?: years old| years| yo| y o)?$").match(plain, lead)
        if match and reading.found[-1].slot == "name":
            fact_states.age(reading, clause, reading.subject, 0, match)
        match = re.compile(r"(?:and )?(?:originally )?from ").match(plain, lead)
        if match:
            index = index_at(plain, match.end())
            fact_states.home_town(reading, clause, reading.subject, index, match)
    # Only after the person's own clause, or at the start of the message, is the one who is left out the person.
    dropped = _DROPPED.match(plain, lead) if reading.subject == "" or clause is reading.clauses[0] else None
    if dropped:
        fact_predicates.read(reading, clause, "", dropped.start("core"))
        reading.subject = ""
    fact_plans.read_bare(reading, clause, lead)


def _mentions(reading: Reading, clause: Clause, start: int) -> None:
    """Somebody who is named in passing: "with my dog rex"."""
    for match in re.compile(r"(?<![^ ])(?:my|our) ").finditer(clause.plain, start):
        before = clause.plain[: match.start()]
        if re.search(r"(?:^| )(?:not|never|no)(?: [^ ]+)? $", before):
            continue
        found = reading.people.subject(clause, match.start())
        if found and found[0]:
            about, said, _ = found
            if said:
                reading.introduce(about, said)
            else:
                reading.people.mention(about)


# -- the names of the two who talk


def _companion(reading: Reading, clause: Clause, lead: int) -> bool:
    """The name that the person gives the companion."""
    at = next(i for i, other in enumerate(reading.clauses) if other is clause)
    tag = " ".join([clause.plain, *(other.plain for other in reading.clauses[at + 1 : at + 2])]).strip()
    so = clause.plain.startswith("so ")  # "so you are called luna" wants to know
    if _IS_IT.search(clause.plain) and (clause.asks or so or tag.endswith((" right", " correct", " is it not"))):
        return True  # "so your name is bob, right?" names nobody
    match = _CALLING.match(clause.plain, lead)
    found = match and fact_values.name(clause.words, index_at(clause.plain, match.end()))
    if found and ends(clause, found[1]):
        reading.add("name", found[0], "companion")
    return match is not None


_FOLLOWS = ("had", "btw", "here")
"""What may follow a name in somebody's very first message, without a comma: "im marta had a bad day"."""


def _own_name(reading: Reading, clause: Clause, lead: int) -> bool:
    """ "My name is", "call me", "i am", and what follows in the same breath."""
    plain, words = clause.plain, clause.words
    here = _HERE.match(plain)
    found = fact_values.name(words, index_at(plain, here.start("name")), sure=False) if here else None
    if here and found and (_greeted(reading, clause) or (not reading.turn.history and clause is reading.clauses[0])):
        reading.subject = ""
        reading.add("name", found[0])
        return True
    match = _MY_NAME.search(plain)
    slot = "nickname" if match and match["nick"] else "name"
    found = fact_values.name(words, index_at(plain, match.end())) if match else None
    if match and found and not match["my"] and not ends(clause, found[1]):
        found = None
    if not found:
        if _call_me(reading, clause, lead):
            return True
        match = _I_AM.match(plain, lead)
        found = fact_values.name(words, index_at(plain, match.end()), sure=False) if match else None
        if not match or not found or not _introducing(reading, clause, match):
            return False
        follows = clause.words[found[1]].plain if found[1] < len(clause.words) else ""
        if not ends(clause, found[1]) and not (follows in _FOLLOWS and not reading.turn.history):
            return False
    reading.subject = ""
    reading.add(slot, found[0])
    end = position_of(clause, found[1])
    joint = re.compile(r".*(?: and| but| or)(?: just| you can)? (?=call)").match(plain, end)
    if joint:
        _call_me(reading, clause, joint.end())
    fact_predicates.read(reading, clause, "", end)
    town = re.compile(r" (?:and )?(?:originally )?from ").match(plain, end)
    if town:
        fact_states.home_town(reading, clause, "", index_at(plain, town.end()), town)
    _mentions(reading, clause, end)
    return True


def _call_me(reading: Reading, clause: Clause, lead: int) -> bool:
    match = _CALL_ME.match(clause.plain, lead)
    found = match and fact_values.name(clause.words, index_at(clause.plain, match.end()))
    if not match or not found or not ends(clause, found[1]):
        return False
    named = any(f.slot == "name" and not f.about for f in reading.people.known)
    others = match["who"] or re.search(r"\b(?:everyone|everybody) $", clause.plain[:lead])
    reading.add("nickname" if named or others else "name", found[0])
    return True


def _introducing(reading: Reading, clause: Clause, match: re.Match[str]) -> bool:
    """Whether "i am lena" can be an introduction here: a greeting, a capital, a question for it, a first message."""
    word = clause.words[index_at(clause.plain, match.end())]
    titles = [w.raw for w in clause.words if w.raw[:1].isalpha() and w.plain not in ("i", "am")]
    title_case = len(titles) > 2 and all(t[:1].isupper() for t in titles)
    capital = word.raw[:1].isupper() and not word.raw.isupper() and not title_case
    asked = fact_answers.ASKS["name"].search(fact_answers.asked(reading))
    first = not reading.turn.history
    greeted = _greeted(reading, clause)
    if match["it"]:
        return bool(asked or ((greeted or first) and (capital or first)))
    return bool(greeted or capital or asked or first)


def _greeted(reading: Reading, clause: Clause) -> bool:
    so_far = reading.clauses[: reading.clauses.index(clause) + 1]
    return any(_GREETED.search(c.plain) for c in so_far)


def _note(reading: Reading) -> None:
    """What the person asks to be remembered and no slot holds; orders to the companion are no facts."""
    match = _REMEMBER.match(reading.turn.text[:500].strip())
    if match and not _ORDER.search(match["what"]):
        reading.add("note", re.sub(r"\s+", " ", match["what"]).strip(" .!"))


def _tidy(found: list[Fact]) -> list[Fact]:
    """Each fact once; of a slot that holds one, the last statement."""
    facts: list[Fact] = []
    for fact in found:
        if fact.change != "end" and fact.slot in ONE_AT_A_TIME:
            facts = [f for f in facts if (f.about, f.slot) != (fact.about, fact.slot) or f.change == "end"]
        if replace(fact, change="state") not in [replace(f, change="state") for f in facts if f.change == fact.change]:
            facts.append(fact)
    return facts


_LEAD = re.compile(rf"(?:(?:{FILLER}) )*")
_GREETED = re.compile(
    r"(?:^| )(?:hi|hey|hello|heya|hiya|yo|good morning|good evening|good afternoon|nice to meet you|greetings|"
    r"sup)(?: |$)"
)
_IS_IT = re.compile(r"(?:^| )(?:your name is|you are called) ")
_CALLING = re.compile(
    r"(?:(?:i think|from now on|maybe|let me|hm|then) )*(?:i (?:will|am going to|want to|would like to|shall|"
    r"hereby|am) (?:just |now )?(?:call|name|calling|naming) you|"
    r"(?:can|may|could|shall) (?:i|we) (?:just )?call you|(?:how about|what if) i call you|let us call you|"
    r"i (?:named|name|call|baptize) you|your (?:new )?name (?:is|will be|shall be)(?: now)?|"
    r"you are (?:now )?(?:called|named)|you will be (?:called|named)) "
)
_MY_NAME = re.compile(
    r"(?:^|(?<=and )|(?<=but )|(?<=hi )|(?<=hey )|(?<=hello )|(?<=so )|(?<=actually )|(?<=no )|(?<=well )|(?<=yes "
    r")|(?<=ok )|"
    r"(?<=that )|(?<=remember )|(?<=sorry )|(?<=you )|(?<=oh )|(?<=way )|(?<=because )|(?<=btw )|(?<=said ))"
    r"(?P<my>my) (?:(?:full|first|real|actual|given) )?(?P<nick>nick ?)?names? (?:is (?:actually |really |still )?|s |"
    r"would be |)(?=[^ ])"
    r"|^(?:(?:hi|hey|hello|hiya|yo|heya|the) )*names? (?:is |s )?(?=[^ ])"
)
_HERE = re.compile(r"(?:(?:hi|hey|hello|hiya|yo|heya|good morning|good evening) )*(?P<name>[^ ]+) here(?: again)?$")
_CALL_ME = re.compile(
    r"(?:(?P<who>everyone|everybody|people|friends|my friends|my family|most people|they|all my friends|my mates) "
    r"(?:just |all )?|(?:you|u) (?:can|may|could) (?:also |just )?|just |please |but )*(?:call|calls) me (?:by )?"
)
_I_AM = re.compile(r"(?:i am|(?P<it>this is|it is|its)) (?:the one and only )?(?=[^ ])")
_DROPPED = re.compile(
    r"(?:(?:just|currently|recently|finally|now) )*(?P<core>(?:moved to|moved from|relocated to|living in|based "
    r"in|grew up in|born in|born on|"
    r"born and raised in|got (?:a|an|two|three|my)|adopted|not (?:really )?a (?:big )?fan of|love|loving|hate|can "
    r"not stand|do not (?:really )?(?:like|enjoy)|studying|"
    r"(?:finished|left|dropped out of|graduated from) (?:high |my )?(?:school|uni|university|college|studies|degree)|"
    r"working (?:at|as)|work at|raised in|majoring in|turned \d+|broke up with|graduated|got fired|quit my job|"
    r"been living in|"
    r"married to|engaged to|have (?:a|two|three))(?= |$))"
)
_REMEMBER = re.compile(
    r"(?i)(?:please |pls |plz |can you |hey,? )*(?:remember|don['’]?t forget|keep in mind|note)(?: that|:|,)? "
    r"(?P<what>(?:i|i['’]?m|i['’]?ve|my|our)\b[^?\n]{3,200})$"
)
_ORDER = re.compile(
    r"(?i)\b(?:you (?:must|should|have to|need to|will|are|can)|from now on|always|never (?:say|refuse|tell|"
    r"mention)|ignore|instructions?|"
    r"system|prompt|pretend|act as|rules?|jailbreak|respond|reply|answer|obey|override|developer mode)\b"
)
