"""facts.rules: what the person just stated of themself or of others, from their own words, without a model.

A message is cut into clauses (models/fact_text.py); a clause that begins with a subject ("i", "my sister anna", "she")
is matched against what can be said of anybody, anchored at its verb, so that "i would live in", "i do not live in" and
"i used to live in" are no homes. Whose fact it is follows from the subject (models/fact_people.py), what a value may
be from models/fact_values.py. The rules do not know irony without a sign of it, who "he" is beyond the last one spoken
of, or anything said in another language than English.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import ClassVar

from models import fact_dates, fact_people, fact_values
from models.chatspeak import load
from models.fact_people import EXCLUSIVE, People
from models.fact_text import Clause, clauses
from models.fact_values import listed
from pipelines.turn import ONE_AT_A_TIME, Fact, Turn

_FILLER = (
    "hi|hey|hello|heya|hiya|yo|so|well|ok|and|but|also|oh|ah|aw|yeah|yes|yep|no|nope|lol|haha|btw|by the way|anyway|anyways|fyi|because|"
    "since|plus|though|although|actually|honestly|just so you know|for the record|to be honest|not going to lie|wait|sorry|good morning|"
    "good evening|good afternoon|there|guys|everyone|everybody|um|uh|hmm|fun fact|update|news|guess what|please|remember that|remember|"
    "basically|while|then|oops|thanks|thank you|nice to meet you|ooh|omg|oh my god|wow|anyhow|now|currently|correction|alright|right|"
    "do not forget that|do not forget|you should know that|you should know|i meant|i mean|nah|too|first|second|today|last year|"
    "last week|last month|recently|yesterday|as of today|finally|luckily|sadly|unfortunately|apparently|juno|this year|at the moment|right now"
)
_LEAD = re.compile(rf"(?:(?:{_FILLER}) )*")
_ADVERBS = "|".join(sorted(load("facts")["words"]["adverbs"].split(), key=len, reverse=True)).replace(
    "kind|of", "kind of|sort of"
)
_SKIP = re.compile(
    rf"(?: s(?= ))?(?: (?:{_ADVERBS}|kind of|sort of|have (?=moved|started|adopted|got |turned|become|switched|changed)|has (?=moved|started|adopted|got |turned|become|switched|changed)))* "
)
_GREETED = re.compile(
    r"(?:^| )(?:hi|hey|hello|heya|hiya|yo|good morning|good evening|good afternoon|nice to meet you|greetings|sup)(?: |$)"
)


class Rules:
    """Facts by rule, no weights. Settings: none.

    The slots: name, nickname, age, birthday, home, home_town, work, school, partner, pet (the kind), family (who there
    is), like, dislike, "favorite THING", language, plan (with an ISO date when one was named), note (asked to be
    remembered).
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def __call__(self, turns: Sequence[Turn]) -> list[list[Fact]]:
        return [_Message(turn).facts() for turn in turns]


class _Message:
    """One reading of one message."""

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.people = People(list(turn.profile))
        self.found: list[Fact] = []
        self.moved = False
        self.subject: str | None = None
        text = _appositive().sub(r"\1 \2 ", turn.text[:2000])
        self.clauses = clauses(text)
        self.whole = " ".join(c.plain for c in self.clauses)

    def facts(self) -> list[Fact]:
        self._remember_who()
        for clause in self.clauses:
            if clause.unreal or (clause.asks and not _CALLING.search(clause.plain)):
                continue
            self._read(clause)
        if not self.found:
            self._answer()
        if not self.found:
            self._correction()
        self._mark_corrections()
        return _tidy(self.found)

    def _mark_corrections(self) -> None:
        """What contradicts a known fact, said as a contradiction ("no, i live in berlin"), corrects it. A move does not."""
        for i, fact in enumerate(self.found):
            old = [f for f in self.turn.profile if (f.about, f.slot) == (fact.about, fact.slot)]
            if fact.change != "state" or fact.slot not in ONE_AT_A_TIME or not old or self.moved:
                continue
            if old[-1].value.casefold() == fact.value.casefold():
                continue
            contrast = re.search(rf"(?:^| )not (?:in |from |at )?{re.escape(old[-1].value.lower())}(?: |$)", self.whole)
            opened = _CORRECTS.match(self.whole) and not re.search(
                r"(?:^| )(?:now|these days|since|moved|new)(?: |$)", self.whole
            )
            if contrast or opened:
                self.found[i] = replace(fact, change="correct")

    def add(self, slot: str, value: str, about: str = "", change: str = "state") -> None:
        fact = Fact(slot, value, about, "end" if change == "end" else "state")
        if fact not in self.found:
            self.found.append(fact)
        if change == "state":
            if slot in ONE_AT_A_TIME:
                self.people.known = [f for f in self.people.known if (f.about, f.slot) != (about, slot)]
            self.people.known.append(fact)
        if about and about != "companion":
            self.people.mention(about)

    # -- one clause

    def _read(self, clause: Clause) -> None:
        start = _after(_LEAD, clause.plain)
        before = len(self.found)
        if self._named_companion(clause) or self._called(clause):
            return
        subject = self.people.subject(clause, start)
        if subject is None:
            self._without_subject(clause, start)
            self._mentions(clause)
            return
        about, said, end = subject
        if said:
            self._introduce(about, said)
        elif about and self.people.name_of(about) is None:
            self.people.mention(about)
        self.subject = about
        self._predicates(clause, about, end)
        if len(self.found) == before or not said:
            self._mentions(clause, after=end)
        self._plan(clause, about, end)

    def _predicates(self, clause: Clause, about: str, end: int) -> None:
        """What is said of `about` from plain[end:] on, and in what is joined to it by "and"."""
        starts = [
            end,
            *(m.end() for m in re.finditer(r" (?:and|but|then|now)(?= )", clause.plain) if m.start() >= end),
        ]
        for n, start in enumerate(starts):
            begin = _after(_SKIP, clause.plain, start)
            for pattern, read, joined in _PREDICATES:
                match = pattern.match(clause.plain, begin)
                if match and (n == 0 or joined):
                    index = clause.plain[: match.end()].count(" ") if match.end() else 0
                    if read(self, clause, about, index, match):
                        break

    def _without_subject(self, clause: Clause, start: int) -> None:
        """What chat leaves the "i" out of, after a clause that had a subject: "im lena, 23, from berlin"."""
        if self.subject is None:
            return
        plain = clause.plain
        match = re.compile(r"(\d{1,3})(?: years old| years| yo| y o)?$").match(plain, start)
        if match and self.found and self.found[-1].slot == "name":
            _age(self, clause, self.subject, 0, match)
        match = re.compile(r"(?:originally |and )?from ").match(plain, start)
        if match:
            _home_town(self, clause, self.subject, _index(plain, match.end()), match)
        match = re.compile(r"(?:and )?(?:live|living|lives|based) in ").match(plain, start)
        if match:
            _home(self, clause, self.subject, _index(plain, match.end()), match)

    def _mentions(self, clause: Clause, after: int = 0) -> None:
        """Somebody who is named in passing: "with my dog rex"."""
        for match in re.finditer(r"(?<= )(?:my|our) ", clause.plain):
            if match.start() < after or re.search(r"(?:not|never|no) (?:[^ ]+ )?$", clause.plain[: match.start()]):
                continue
            found = self.people.subject(clause, match.start())
            if found and found[0]:
                about, said, _ = found
                if said:
                    self._introduce(about, said)
                else:
                    self.people.mention(about)

    def _introduce(self, about: str, name: str) -> None:
        """Somebody of that kind with that name."""
        kind = about.split(" ")[-1] if about.startswith(("older ", "younger ")) else about
        kind = kind if kind in fact_people.kinds().values() else kind.removesuffix(f" {name}")
        if about in EXCLUSIVE:
            old = self.people.name_of(about)
            if old and old.casefold() != name.casefold():
                for fact in [f for f in self.people.known if f.about == about and f.slot != "name"]:
                    self.add(fact.slot, fact.value, about, "end")
        if kind in fact_people.pet_kinds():
            self.add("pet", kind)
        if kind in listed("partners"):
            self.add("partner", name)
        self.add("name", name, about)

    # -- the person's own name, and the companion's

    def _named_companion(self, clause: Clause) -> bool:
        match = _CALLING.search(clause.plain)
        found = match and fact_values.name(clause.words, _index(clause.plain, match.end()))
        if match and found and _ends(clause, found[1]):
            self.add("name", found[0], "companion")
            return True
        return bool(match)

    def _called(self, clause: Clause) -> bool:
        """ "My name is", "call me", "i am"."""
        plain, words = clause.plain, clause.words
        match = _MY_NAME.search(plain)
        if match:
            found = fact_values.name(words, _index(plain, match.end()))
            if found:
                self.subject = ""
                self.add("nickname" if match["nick"] else "name", found[0])
                self._call_me(clause, re.compile(r".* (?:and|but|or) ").match(plain))
                self._predicates(clause, "", len(" ".join(w.plain for w in words[: found[1]])))
                return True
        if self._call_me(clause, _LEAD.match(plain)):
            return True
        match = _I_AM.match(plain, _after(_LEAD, plain))
        if match is None:
            return False
        found = fact_values.name(words, _index(plain, match.end()), sure=False)
        if not found or not _ends(clause, found[1]) or not self._introducing(clause, match):
            return False
        self.subject = ""
        self.add("name", found[0])
        self._predicates(clause, "", len(" ".join(w.plain for w in words[: found[1]])))
        return True

    def _call_me(self, clause: Clause, lead: re.Match[str] | None) -> bool:
        match = lead and _CALL_ME.match(clause.plain, lead.end())
        found = match and fact_values.name(clause.words, _index(clause.plain, match.end()))
        if not match or not found or not _ends(clause, found[1]):
            return False
        named = any(f.slot == "name" and not f.about for f in self.people.known)
        self.add("nickname" if named or match["who"] else "name", found[0])
        return True

    def _introducing(self, clause: Clause, match: re.Match[str]) -> bool:
        """Whether "i am lena" can be an introduction here: a greeting, a capital, a question for it, a first message."""
        word = clause.words[_index(clause.plain, match.end())]
        titles = [w.raw for w in clause.words if w.raw[:1].isalpha() and w.plain != "i"]
        capital = (
            word.raw[:1].isupper() and not word.raw.isupper() and not all(t[:1].isupper() for t in titles[1:] or ["a"])
        )
        capital = capital or (word.raw[:1].isupper() and not word.raw.isupper() and len(titles) <= 2)
        asked = _ASKS["name"].search(self._asked())
        first = not self.turn.history
        greeted = _GREETED.search(" ".join(c.plain for c in self.clauses[: self.clauses.index(clause) + 1]))
        if match["it"]:
            return bool(asked or ((greeted or first) and (capital or first)))
        return bool(greeted or capital or asked or first)

    def _plan(self, clause: Clause, about: str, end: int) -> None:
        """Something that is to happen on a day that was named."""
        when = fact_dates.find(clause.plain, self.turn.at)
        rest = clause.plain[end:]
        match = _PLANS.match(rest)
        if match is None or (when is None and not (match["moving"] or "").startswith(("moving", "relocating"))):
            return
        start = end + match.start(next(g for g in ("what", "moving", "doing", "will", "of") if match[g]))
        stop = when.start if when and end + match.end() <= when.start + 1 else len(clause.plain)
        what = clause.raw(start, stop).strip()
        if not (match["event"] or match["of"]) and when and when.iso == self.turn.at.date().isoformat():
            return
        if match["of"]:
            what = clause.raw(start, end + match.end("of"))
        if match["moving"]:
            found = fact_values.place(clause.words, _index(clause.plain, end + match.end()))
            if not found:
                return
            if when and when.start < match.end() + end:
                return
            what = f"{match['moving'].strip()} {found[0]}"
        if not what or (match["doing"] and match["doing"] in _NO_PLANS):
            return
        self.add("plan", f"{what} {when.phrase}" if when else what, about)

    # -- what only the talk before tells

    def _asked(self) -> str:
        """The companion's last words, plain, if they ask something."""
        last = self.turn.history[-1] if self.turn.history else None
        if last is None or last.role != "companion" or "?" not in last.text:
            return ""
        return " ".join(c.plain for c in clauses(last.text))

    def _remember_who(self) -> None:
        """Who the person spoke of last, so that "she" is somebody."""
        said = [u.text for u in self.turn.history if u.role == "person"][-1:]
        for text in said:
            for clause in clauses(text):
                for match in re.finditer(r"(?<![^ ])(?:my|our) ", clause.plain):
                    found = self.people.subject(clause, match.start())
                    if found and found[0]:
                        self.people.mention(found[0])

    def _answer(self) -> None:
        """A bare answer to the companion's question: "lena", "in berlin", "23"."""
        asked = self._asked()
        live = [c for c in self.clauses if not c.unreal and not c.asks]
        if not asked or not live or len(live[0].words) > 5:
            return
        clause = live[0]
        start = _after(_ANSWER_LEAD, clause.plain)
        index = _index(clause.plain, start)
        if index >= len(clause.words):
            return
        if _ASKS["name"].search(asked):
            found = fact_values.name(clause.words, index)
            if found and _ends(clause, found[1]):
                self.add("name", found[0])
        elif _ASKS["home"].search(asked):
            found = fact_values.place(clause.words, index)
            if found and _ends(clause, found[1]):
                self.add("home", found[0])
        elif _ASKS["home_town"].search(asked):
            found = fact_values.place(clause.words, index)
            if found and _ends(clause, found[1]):
                self.add("home_town", found[0])
        elif _ASKS["age"].search(asked):
            match = re.compile(r"(\d{1,3})(?= |$)").match(clause.plain, start)
            if match:
                _age(self, clause, "", index, match)
        elif (match := _ASKS["their_name"].search(asked)) is not None:
            kind = fact_people.kinds().get(match["kin"])
            found = fact_values.name(clause.words, index)
            if kind and found and _ends(clause, found[1]):
                self._introduce(self.people.resolve(kind), found[0])

    def _correction(self) -> None:
        """ "No, i said berlin", "it's anna, not hanna": which fact it was follows from what is known."""
        whole = self.whole
        if not self.turn.profile or not (_CORRECTS.match(whole) or " not " in f" {whole} "):
            return
        wrong = next(
            (
                f
                for f in reversed(self.turn.profile)
                if re.search(rf"(?:^| )not (?:in |from )?{re.escape(f.value.lower())}(?: |$)", whole)
            ),
            None,
        )
        for clause in self.clauses:
            if clause.asks or clause.unreal:
                continue
            start = _after(_LEAD, clause.plain)
            match = re.compile(r"(?:(?:it is|i said|i meant|that is|not [^ ]+ but|called) )*(?:in |from )?").match(
                clause.plain, start
            )
            index = _index(clause.plain, match.end() if match else start)
            if index >= len(clause.words) or clause.words[index].plain == "not":
                continue
            meant = bool(re.search(r"(?:^| )(?:i said|i meant|it is|i mean|but)(?: |$)", whole)) or (
                _CORRECTS.match(whole) and len(self.whole.split()) <= 3
            )
            old = wrong or (self._in_doubt() if meant else None)
            if old is None:
                continue
            value = _same_kind(clause, index, old)
            if value and value.casefold() != old.value.casefold():
                self.found.append(Fact(old.slot, value, old.about, "correct"))
                return

    def _in_doubt(self) -> Fact | None:
        """The fact that the talk is about: what the companion just said back, or else the last one learned."""
        last = next((u.text.lower() for u in reversed(self.turn.history) if u.role == "companion"), "")
        able = [f for f in self.turn.profile if f.slot in ONE_AT_A_TIME or f.slot == "nickname"]
        said = [f for f in able if re.search(rf"(?<!\w){re.escape(f.value.lower())}(?!\w)", last)]
        found = said or able
        return found[-1] if found else None


# -- what can be said of anybody; each reads at words[index], and tells whether it found something

Read = Callable[["_Message", Clause, str, int, "re.Match[str]"], bool]


def _index(plain: str, position: int) -> int:
    """The number of the word that begins at plain[position]."""
    return plain[:position].count(" ")


def _after(pattern: re.Pattern[str], text: str, start: int = 0) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _ends(clause: Clause, index: int) -> bool:
    """Whether a value may end before words[index]: nothing follows, or what begins something else."""
    return index >= len(clause.words) or clause.words[index].plain in listed("cut") - {
        "s",
        "am",
        "is",
        "was",
        "has",
        "had",
    }


def _name(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    found = fact_values.name(clause.words, index)
    if not found:
        return False
    if about:
        kind = about.split("'s ")[-1]
        resolved = (
            message.people.resolve(kind, "", found[0])
            if kind == about and kind in fact_people.kinds().values()
            else about
        )
        message._introduce(resolved, found[0])
    else:
        message.add("name", found[0])
    return True


def _is_name(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    if not about or index >= len(clause.words) or not clause.words[index].raw[:1].isupper():
        return False
    found = fact_values.name(clause.words, index, sure=False)
    return bool(found and _ends(clause, found[1]) and _name(message, clause, about, index, match))


def _age(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    age = int(match[1])
    if not (1 if about else 5) <= age <= 115:
        return False
    message.add("age", str(age), about)
    return True


def _home(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    found = fact_values.place(clause.words, index)
    if not found:
        return False
    after = found[1]
    words = [w.plain for w in clause.words]
    if words[after : after + 1] == ["to"] and "from" in match[0]:
        target = fact_values.place(clause.words, after + 1)
        if not target:
            return False
        message.moved = True
        message.add("home", target[0], about)
        return True
    if "from" in match[0]:
        return False
    message.moved = message.moved or "move" in match[0]
    message.add("home", found[0], about)
    return True


def _home_town(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    found = fact_values.place(clause.words, index)
    if not found or not _ends(clause, found[1]):
        return False
    message.add("home_town", found[0], about)
    return True


def _works(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    """At or for somebody, as something, or both."""
    words, parts, i = clause.words, list[str](), index - 1
    while i < len(words):
        plain = words[i].plain
        if plain == "as":
            i += words[i + 1].plain in ("a", "an", "the", "their") if i + 1 < len(words) else 0
            found = fact_values.phrase(words, i + 1, listed("cut"), 4)
            parts.insert(0, found[0].lower() if found else "")
        elif plain in ("at", "for", "with") or (plain == "in" and parts):
            found = fact_values.employer(words, i + 1)
            if plain == "with" or (plain == "in" and not found):
                break
            parts.append(f"{'at ' if parts else ''}{found[0]}" if found else "")
        elif plain == "in":
            found = _field(clause, i + 1)
            parts.append(found[0] if found else "")
        else:
            break
        if not found:
            return False
        i = found[1]
    value = " ".join(part for part in parts if part)
    if value:
        message.add("work", value, about)
    return bool(value)


def _field(clause: Clause, index: int) -> tuple[str, int] | None:
    words = clause.words
    if index >= len(words):
        return None
    if words[index].plain in ("a", "an"):
        return fact_values.employer(words, index)
    for length in (2, 1):
        phrase = " ".join(w.plain for w in words[index : index + length])
        if phrase in listed("fields"):
            return (phrase.upper() if phrase in ("it", "hr", "ai", "tv", "pr") else phrase), index + length
    return None


def _is_work(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    found = fact_values.occupation(clause.words, index)
    if not found:
        return False
    value, after = found
    words = clause.words
    if after < len(words) and words[after].plain in ("at", "for"):
        place = fact_values.employer(words, after + 1)
        value = f"{value} at {place[0]}" if place else value
    elif not _ends(clause, after):
        return False
    message.add("work", value, about)
    return True


def _studies(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    words = clause.words
    if index >= len(words) or words[index].plain in listed("not_subjects"):
        return False
    found = fact_values.phrase(words, index, listed("cut") - {"and"}, 4)
    if not found:
        return False
    value, after = found
    if after < len(words) and words[after].plain in ("at", "in"):
        place = fact_values.phrase(words, after + 1, listed("cut"), 4)
        if place and place[0].lower() not in ("uni", "university", "college", "school", "home", "moment"):
            value = f"{value} at {fact_values.proper(place[0])}"
    message.add("school", value, about)
    return True


def _school(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    found = fact_values.phrase(clause.words, index, listed("cut") - {"of"}, 5)
    if not found:
        return False
    value = found[0]
    if match["go"] and not re.search(
        r"(?i)\b(?:university|uni|college|school|high|academy|institute|tu|mit|ucla|harvard|oxford|cambridge|stanford|yale)\b",
        value,
    ):
        return False
    if value.lower() in ("school", "uni", "university", "college", "high school"):
        return False
    message.add("school", fact_values.proper(value), about)
    return True


def _grade(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    message.add("school", match[1].replace("grade", "grade"), about)
    return True


def _has(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    """A pet, a partner or family, perhaps with a name."""
    rest = clause.plain[match.end() :]
    kin = re.match(
        rf"(?:(?P<n>a|an|one|two|three|four|five|six|some|another|\d) )?(?:[^ ]+ ){{0,2}}?(?P<kin>{fact_people.forms()})(?P<many>s|es|ies)?(?= |$)",
        rest,
    )
    if not kin or (not kin["n"] and not kin["many"]):
        return False
    if re.search(
        r"(?:^| )(?:hot|stuffed|toy|no|imaginary|virtual|zoom|video|doctor|dentist|feeling|crush on|ex)(?: |$)",
        rest[: kin.end()],
    ):
        return False
    kind = fact_people.kinds()[kin["kin"]]
    after = rest[kin.end() :]
    if re.match(
        r" (?:appointment|person|allergy|food|costume|problem|sitter|shelter|lover|people|fever|nap|meeting|picture|cafe|video|phobia|toy|bed|in mind|at (?:work|school)|s )",
        after + " ",
    ):
        return False
    family, pet, partner = kind in listed("family"), kind in fact_people.pet_kinds(), kind in listed("partners")
    if kin["many"]:
        value = f"{kin['n']} {kin['kin']}{kin['many']}" if kin["n"] else f"{kin['kin']}{kin['many']}"
        if pet:
            message.add("pet", kind, about)
        elif family:
            message.add("family", value, about)
        _several_names(message, clause, about, kind, match.end() + kin.end())
        return pet or family
    if pet:
        message.add("pet", kind, about)
    elif family:
        message.add("family", kind, about)
    elif partner and not any(f.slot == "partner" and f.about == about for f in message.people.known):
        message.add("partner", kind, about)
    owner = f"{about}'s {kind}" if about else None
    if not about or owner:
        message.people.mention(owner or message.people.resolve(kind))
    named = re.match(
        r"(?: (?:who|that|which) (?:is|s))? (?:named|called|whose name is|with the name|and (?:his|her|its|it) names? (?:is|s)|name is) ",
        after,
    )
    start = _index(clause.plain, match.end() + kin.end() + (named.end() if named else 1))
    found = fact_values.name(clause.words, start, sure=bool(named))
    if found and (named or (clause.words[start].raw[:1].isupper() and _ends(clause, found[1]))):
        if about:
            message.add("name", found[0], f"{about}'s {kind}")
        else:
            message._introduce(message.people.resolve(kind, "", found[0]), found[0])
    return pet or family or partner


def _several_names(message: _Message, clause: Clause, about: str, kind: str, position: int) -> None:
    """ "two cats called miso and mochi", "two cats, miso and mochi"."""
    if about:
        return
    lead = re.compile(r" (?:named|called) ").match(clause.plain, position)
    words = list(clause.words[_index(clause.plain, lead.end()) :]) if lead else []
    if not lead and position >= len(clause.plain):
        following = message.clauses[message.clauses.index(clause) + 1 :]
        for other in following:
            if other.sentence != clause.sentence or len(other.words) > 3 or other.unreal:
                break
            words.extend(other.words)
    names = []
    for i, word in enumerate(words):
        if word.plain in ("and", "&", ","):
            continue
        found = fact_values.name(words, i)
        if not found:
            return
        names.append(found[0])
    for name in names[:6]:
        message._introduce(message.people.resolve(kind, "", name), name)


def _likes(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str], slot: str = "like") -> bool:
    position = message.clauses.index(clause)
    parts = [list(clause.words[index:])]
    following = [c for c in message.clauses[position + 1 :] if c.sentence == clause.sentence and not c.unreal]
    # "Pizza, sushi and ramen": the pieces after commas belong to it when the last begins or ends the list with "and".
    run = []
    for other in following:
        if len(other.words) > 4 or message.people.subject(other, _after(_LEAD, other.plain)):
            break
        run.append(other)
        if re.search(r"(?:^| )(?:and|or)(?: |$)", other.plain):
            parts.extend(list(c.words) for c in run)
            break
    other_slot = "dislike" if slot == "like" else "like"
    added = False
    for words in parts:
        i = 0
        while i < len(words):
            if words[i].plain in ("and", "or", "also"):
                i += 1
                continue
            found = fact_values.taste(words, i)
            if not found:
                break
            value = found[0]
            for fact in message.turn.profile:
                if (fact.about, fact.slot, fact.value.casefold()) == (about, other_slot, value.casefold()):
                    message.add(other_slot, fact.value, about, "end")
            message.add(slot, value, about)
            added = True
            i = found[1]
            if i < len(words) and words[i].plain not in ("and", "or"):
                break
    return added


def _dislikes(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    if re.search(r"(?:^| )(?:anymore|any more|any longer)(?: |$)", clause.plain):
        found = fact_values.taste(clause.words, index)
        if found:
            message.add("like", found[0], about, "end")
        return bool(found)
    return _likes(message, clause, about, index, match, "dislike")


def _favorite(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    found = fact_values.taste(clause.words, index)
    if not found:
        return False
    slot = f"favorite {match['thing']}"
    for fact in message.turn.profile:
        if fact.slot == slot and fact.about == about and fact.value.casefold() != found[0].casefold():
            message.add(slot, fact.value, about, "end")
    message.add(slot, found[0], about)
    return True


def _speaks(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    added = False
    position = message.clauses.index(clause)
    words = [w.plain for w in clause.words[index:]]
    for other in message.clauses[position + 1 :]:
        if other.sentence == clause.sentence and len(other.words) <= 4:
            words.extend(w.plain for w in other.words)
    for word in words:
        if word in listed("languages"):
            message.add("language", word.capitalize(), about)
            added = True
        elif word not in (
            "and",
            "a",
            "little",
            "bit",
            "of",
            "some",
            "fluent",
            "fluently",
            "both",
            "also",
            "native",
            "well",
            ",",
            "perfect",
        ):
            break
    return added


def _birthday(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    when = fact_dates.find(clause.plain[match.end() :], message.turn.at, past=True)
    if not when or when.start > 3 or len(when.iso) != 10:
        return False
    year, month, day = when.iso.split("-")
    said_year = f" {year}" if year in clause.plain else ""
    message.add("birthday", f"{int(day)} {calendar.month_name[int(month)]}{said_year}", about)
    return True


def _partner(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    if about:
        return False
    found = fact_values.name(clause.words, index, sure=False)
    if not found or not _ends(clause, found[1]):
        return False
    message.add("partner", found[0])
    return True


def _used_to(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    slot = {"live": "home", "like": "like", "love": "like", "enjoy": "like", "work": "work"}[match["verb"]]
    if slot == "home":
        found = fact_values.place(clause.words, index)
    elif slot == "like":
        found = fact_values.taste(clause.words, index)
    else:
        found = fact_values.employer(clause.words, index)
    if not found:
        return False
    held = [f for f in message.people.known if (f.about, f.slot) == (about, slot)]
    same = next((f.value for f in held if found[0].casefold() in f.value.casefold()), None)
    message.add(slot, same or found[0], about, "end")
    return True


def _no_longer(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    """ "I don't live in Paris anymore": the end of what is known, and only of that."""
    slot = {"live": "home", "work": "work", "study": "school", "have": "pet", "speak": "language"}[match["verb"]]
    rest = clause.plain[match.end() - 1 :] + " "
    over = "no longer" in match[0] or re.search(r" (?:anymore|any more|any longer) ", rest)
    for fact in list(message.people.known):
        if (fact.about, fact.slot) == (about, slot) and (
            f" {fact.value.lower()} " in rest
            or (over and slot != "pet" and re.match(r" (?:there|here|anymore|any) ", rest))
        ):
            message.add(slot, fact.value, about, "end")
    return True


def _ended(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    """A job, a school, a marriage that is over."""
    slot = "work" if match["job"] else "school" if match["school"] else "partner"
    for fact in list(message.people.known):
        if (fact.about, fact.slot) == (about, slot):
            message.add(slot, fact.value, about, "end")
    if slot == "partner" and not about:
        _part(message, None)
    return True


def _part(message: _Message, name: str | None) -> None:
    """They are no couple any more: what was known of the partner becomes past."""
    for kind in listed("partners"):
        for fact in list(message.people.known):
            if fact.about == kind:
                message.add(fact.slot, fact.value, kind, "end")


def _broke_up(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    if about:
        return False
    rest = clause.plain[match.end() :].strip()
    name = rest.removeprefix("with ").split(" ")[0] if rest.startswith("with ") else ""
    partners = [f for f in message.people.known if f.slot == "partner" and not f.about]
    known = message.people.names().get(name, "")
    if (
        name
        and name not in ("my", "him", "her", "them")
        and not known
        and name not in [f.value.lower() for f in partners]
    ):
        found = fact_values.name(clause.words, _index(clause.plain, match.end() + 6), sure=False)
        if found and not partners:
            message.add("partner", found[0], "", "end")
        return True
    for fact in partners:
        message.add("partner", fact.value, "", "end")
    _part(message, name)
    return True


def _died(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    """What was true of somebody who died is past; that they died is kept."""
    if not about or "'s " in about:
        return False
    kind = next((k for k in fact_people.pet_kinds() if about == k or about.startswith(f"{k} ")), None)
    if kind:
        others = [f.about for f in message.people.known if f.about.startswith(kind) and f.about != about]
        if not others:
            message.add("pet", kind, "", "end")
    for fact in list(message.people.known):
        if fact.about == about and fact.slot != "name":
            message.add(fact.slot, fact.value, about, "end")
    name = message.people.name_of(about)
    message.add("event", f"{name or about} died", "")
    return True


def _not_name(message: _Message, clause: Clause, about: str, index: int, match: re.Match[str]) -> bool:
    found = fact_values.name(clause.words, index)
    known = message.people.name_of(about) if found else None
    if found and known and known.casefold() == found[0].casefold():
        message.add("name", known, about, "end")
    return True


_PREDICATES: tuple[tuple[re.Pattern[str], Read, bool], ...] = tuple(
    (re.compile(pattern), read, joined)
    for pattern, read, joined in (
        (r"(?:am|is|are) (?:not|no longer) (?:called|named) ", _not_name, False),
        (r"names? (?:is|s) not ", _not_name, False),
        (r"(?:am |is |are )?(?:called|named) ", _name, True),
        (r"(?:full |real |first )?names? (?:is |s |are )", _name, False),
        (r"(?:go|goes) by (?:the name (?:of )?)?", _name, True),
        (
            r"(?:am|is|turned|just turned) (?:only |just |already |now |about to be )?(\d{1,3})(?= years? (?:old|young)| yo | y o | yo$| now| today| and | but |$)",
            _age,
            True,
        ),
        (r"used to (?P<verb>live|work|like|love|enjoy) (?:in |at |for |as |an? )*", _used_to, True),
        (
            r"(?:do not|does not|no longer) (?:really |even |actually )?(?P<verb>live|work|study|have|speak)s?(?= |$)",
            _no_longer,
            True,
        ),
        (
            r"(?:live|lives|living|am living|is living|are living|am based|is based|reside|resides|stay|stays|am settled) (?:right )?in ",
            _home,
            True,
        ),
        (r"(?:live|lives) in (?:a|an|the|my|our) (?:[^ ]+ ){1,4}?(?:in|of|outside) ", _home, True),
        (r"(?:live|lives) (?:alone|by myself|together|(?:together )?with (?:[^ ]+ ){1,4}?)in ", _home, True),
        (
            r"(?:have |has |am |is )?(?:moved|relocated|emigrated|immigrated) (?:back |out |over |away |here )?(?:from )",
            _home,
            True,
        ),
        (
            r"(?:have |has |am |is )?(?:moved|relocated|emigrated|immigrated) (?:back |out |over |all the way |in with (?:[^ ]+ ){1,3}?)?(?:to |in )",
            _home,
            True,
        ),
        (r"(?:am|is|are) (?:originally |actually |both )?from ", _home_town, True),
        (r"(?:come|comes|came) (?:originally )?from ", _home_town, True),
        (r"(?:grew up|was born|were born|was raised|was born and raised|grew up and lived) in ", _home_town, True),
        (
            r"(?:work|works|working|am working|is working|started working|started|got a job|have a job|have a new job|got a new job|am employed|started a new job|started a job) (?:full time |part time |remotely |mainly |mostly |now |currently |freelance )?(?:at |for |as |in )",
            _works,
            True,
        ),
        (r"(?:am|is|became|become|am training to be|work as) (?:a|an|the) ", _is_work, True),
        (r"job is (?:being )?(?:a |an )", _is_work, False),
        (
            r"(?:am|is) (?:also )?(?:studying|majoring in|doing (?:a|my|her|his) (?:phd|masters?|bachelors?|degree) in) ",
            _studies,
            True,
        ),
        (r"(?:study|studies|major in|majors in) ", _studies, True),
        (
            r"(?:(?P<go>go|goes|am going|is going) to|(?:am|is) (?:a |an )?(?:student|freshman|sophomore|junior|senior|undergrad|pupil|phd student) (?:at|of)|attend|attends|am at) (?:the )?(?=[^ ])",
            _school,
            True,
        ),
        (
            r"(?:am|is) in (?:the )?((?:\d{1,2}(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth) grade|year \d{1,2}|grade \d{1,2})(?= |$)",
            _grade,
            True,
        ),
        (r"(?:have(?: got)?|has(?: got)?|got|own|owns|adopted|just got|bought|rescued) ", _has, True),
        (r"(?:am|is) (?:now )?(?:married|engaged) to ", _partner, True),
        (r"(?:am|are|started|is) (?:now )?(?:dating|seeing) ", _partner, True),
        (r"(?:speak|speaks) ", _speaks, True),
        (r"(?:(?:native |first )language|mother tongue) is ", _speaks, False),
        (r"(?:birthday|bday) (?:is|s) (?:on )?(?=[^ ])", _birthday, False),
        (r"(?:was|were) born (?:on )?(?=[^ ])", _birthday, True),
        (
            r"(?:(?:absolutely |really |so )?(?:love|loves|like|likes|adore|adores|enjoy|enjoys)|(?:am|is) (?:really |so |very |super |totally |big )?(?:into|a (?:big |huge |massive )?fan of|obsessed with|fond of|crazy about|addicted to)) (?:to )?(?:eat |eating )?(?=[^ ])",
            _likes,
            True,
        ),
        (
            r"(?:hate|hates|dislike|dislikes|despise|despises|detest|detests|loathe|loathes|can not stand|do not (?:really |even )?(?:like|enjoy)|does not (?:really )?(?:like|enjoy)|am not (?:really )?(?:into|a (?:big )?fan of)|is not (?:into|a fan of)|never liked) (?=[^ ])",
            _dislikes,
            True,
        ),
        (r"favorite (?P<thing>[^ ]+(?: [^ ]+)?) (?:is|are|s|has to be|would be|of all time is) ", _favorite, False),
        (
            r"(?:just )?(?:(?P<job>(?:quit|left|lost|resigned from|got fired from) (?:my|her|his|their) job|got (?:fired|laid off|sacked|made redundant)|retired|am retired|quit work|handed in my (?:resignation|notice)|(?:was|got) let go|am unemployed)|(?P<school>(?:finished|graduated from|dropped out of|left|am done with|completed) (?:high |my )?(?:school|uni|university|college|studies|degree)|graduated)|(?P<over>(?:am|got) (?:single|divorced|separated)(?: now| again| since)?))(?= |$)",
            _ended,
            True,
        ),
        (
            r"(?:(?:just |recently )?(?:broke|split|have broken|have split) up|split|got dumped|(?:am|are) no longer together|divorced|(?:left|dumped) (?=my ))(?= |$)",
            _broke_up,
            True,
        ),
        (
            r"(?:broke up with me|dumped me|left me|cheated on me and we broke up)(?= |$)",
            lambda m, c, a, i, x: _left(m, a),
            True,
        ),
        (
            r"(?:has |just |sadly )*(?:died|passed away|passed on|passed|is dead|was put (?:down|to sleep)|crossed the rainbow bridge)(?= |$)",
            _died,
            True,
        ),
        (r"(?:is) ", _is_name, False),
    )
)


def _left(message: _Message, about: str) -> bool:
    if about not in listed("partners"):
        return False
    for fact in [f for f in message.people.known if f.slot == "partner" and not f.about]:
        message.add("partner", fact.value, "", "end")
    _part(message, None)
    return True


_EVENTS = (
    "exam|exams|test|interview|job interview|appointment|meeting|date|party|wedding|presentation|concert|flight|operation|surgery|trip|game|match|"
    "race|marathon|show|gig|performance|recital|deadline|audition|competition|tournament|class|lesson|driving test|finals|graduation|funeral|checkup|"
    "call|dinner|holiday|vacation|birthday party|hearing|trial|reunion|shift|dentist appointment|doctors appointment|final|quiz|essay due|paper due"
)
_PLANS = re.compile(
    rf" (?:(?:have|has|have got|got|am having|is having) (?:a |an |my |the |our |this |her |his )?(?P<what>(?:[^ ]+ ){{0,3}}?(?P<event>{_EVENTS}))(?= |$)"
    rf"|(?:am|is|are) (?:(?:going|planning|supposed) to )?(?P<moving>(?:moving|flying|traveling|travelling|going|driving|heading|relocating) (?:back )?to )(?=[^ ])"
    rf"|(?:am|is|are) (?P<go>(?P<doing>[a-z]+ing)) (?=[^ ])"
    rf"|will (?P<will>[a-z]+) (?=[^ ])"
    rf"|(?P<of>(?:[^ ]+ ){{0,3}}?(?:{_EVENTS}))(?: (?:is|s|are|will be|got moved to)) (?=[^ ]))"
)
_NO_PLANS = frozenset(
    [
        "feeling",
        "thinking",
        "being",
        "having",
        "doing",
        "getting",
        "working",
        "trying",
        "looking",
        "wondering",
        "hoping",
        "sleeping",
        "going-to-bed",
        "staying",
        "sitting",
        "studying",
        "talking",
        "kidding",
        "joking",
        "saying",
        "telling",
        "planning",
        "dying",
        "starving",
        "freezing",
        "missing",
    ]
)


_CALLING = re.compile(
    r"(?:^| )(?:i (?:will|am going to|want to|would like to|shall|hereby|am) (?:just |now )?(?:call|name|calling|naming) you|"
    r"(?:can|may|could|shall) (?:i|we) (?:just )?call you|(?:how about|what if) i call you|let us call you|"
    r"i (?:named|name|call|baptize) you|your (?:new )?name (?:is|will be|shall be)(?: now)?|you are (?:now )?(?:called|named)|you will be (?:called|named)) "
)
_MY_NAME = re.compile(
    r"(?:^|(?<=and )|(?<=but )|(?<=hi )|(?<=hey )|(?<=hello )|(?<=so )|(?<=actually )|(?<=no )|(?<=well )|(?<=said )|(?<=yes )|(?<=ok )|(?<=btw )|(?<=that )|(?<=remember )|(?<=sorry )|(?<=you )|(?<=oh )|(?<=way )|(?<=because )|(?<=the ))"
    r"(?:my )(?:(?:full|first|real|actual|given) )?(?P<nick>nick ?)?names? (?:is actually |is really |is still |is |s |would be |)(?=[^ ])"
)
_CALL_ME = re.compile(
    r"(?:(?P<who>everyone|everybody|people|friends|my friends|my family|most people|they|all my friends|my mates) (?:just |all )?|you (?:can|may|could) (?:also |just )?|u can |just |please |but )*(?:call|calls) me (?:by )?"
)
_I_AM = re.compile(r"(?:i am|(?P<it>this is|it is)) (?:called |named |the one and only )?(?=[^ ])")
_CORRECTS = re.compile(
    r"(?:no|nope|nah|actually|wait|oops|sorry|wrong|not true|correction|i (?:said|meant|mean)|that is (?:wrong|not true|not right|incorrect|false|not what i said|not correct)|it is not|you (?:got|have|remember) [^ ]+(?: [^ ]+)? wrong|not quite|i never said)(?: |$)"
)
_ANSWER_LEAD = re.compile(
    rf"(?:(?:{_FILLER}|it is|its|i am|in|from|at|the|my name is|she is|he is|called|he is called|she is called|it is called) )*"
)
_ASKS = {
    "name": re.compile(
        r"what is your name|your name|who am i (?:talking|speaking) (?:to|with)|what (?:should|can|shall|do|may) i call you|call you|who are you"
    ),
    "home": re.compile(r"where (?:do|are) you (?:live|living|based)|where you live|which city"),
    "home_town": re.compile(r"where (?:are|do) you (?:come )?from"),
    "age": re.compile(r"how old are you|your age"),
    "their_name": re.compile(
        rf"(?:what is|what s|does) (?:your|the|their|his|her) (?P<kin>{fact_people.forms()})(?: s|s)? (?:name|called)|(?:name of your|call your|your) (?P<kin_>{fact_people.forms()})(?: s)? (?:name|called)"
    ),
}


@cache
def _appositive() -> re.Pattern[str]:
    """ "My sister, Anna, moved": commas that hide a name."""
    return re.compile(
        rf"(?i)\b((?:my|our) (?:{fact_people.ADJECTIVES}){{0,2}}(?:{fact_people.forms()})), ([^\W\d_]{{2,20}}), "
    )


def _same_kind(clause: Clause, index: int, old: Fact) -> str | None:
    """What stands at words[index], if it could be another value of the same slot."""
    words = clause.words
    if old.slot == "age":
        return words[index].plain if words[index].plain.isdigit() else None
    read = {"home": fact_values.place, "home_town": fact_values.place, "work": fact_values.employer}.get(old.slot)
    if old.slot in ("name", "nickname", "partner"):
        read = fact_values.name
    found = read(words, index) if read else None
    return found[0] if found and _ends(clause, found[1]) else None


def _tidy(found: list[Fact]) -> list[Fact]:
    """Each fact once; of a slot that holds one, the last statement; nothing both ended and stated."""
    facts: list[Fact] = []
    for fact in found:
        if fact.change != "end":
            if fact.slot in ONE_AT_A_TIME:
                facts = [f for f in facts if (f.about, f.slot) != (fact.about, fact.slot) or f.change == "end"]
            facts = [f for f in facts if (f.about, f.slot, f.value) != (fact.about, fact.slot, fact.value)]
        facts.append(fact)
    return facts
