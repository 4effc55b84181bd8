"""Answers about the person: from facts they told, from their own recalled words, or an honest "you haven't told me".

Whose fact is asked for decides: "my sister's name" is never answered with the person's own. Nothing is guessed. It
does not know what used to be true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from models import asking, matching
from models.chatspeak import load
from models.phrases import choose, name_of, shown
from models.prompt import ago
from models.questions import Question, animals, is_question, known_kin, matches, owners, question, singular, words
from models.telling import listing, sentence, sentences, spoken
from pipelines.turn import Turn


def answer(turn: Turn, clause: str) -> str | None:
    """The reply to a clause in plain words (without "?") that asks about the person; None when it does not."""
    asked = question(clause)
    if (asked is None or asked.kind not in _WORDED) and (told := _matched(turn, clause)):
        return told
    if asked is None:
        return _broadly(turn, clause)
    if asked.kind == "all":
        return _all(turn)
    if asked.kind == "own":
        return _own(turn, asked.slot)
    if asked.kind == "favorite":
        return _favorite(turn, asked.word)
    if asked.kind == "has":
        return _whether_has(turn, asked.word)
    if asked.kind == "likes":
        return _whether_likes(turn, asked.word)
    if asked.kind == "partner":
        return _partner(turn, "partner")
    if asked.kind == "pets":
        return _pets(turn)
    if asked.kind == "theirs":
        return _theirs(turn, asked, clause)
    if asked.kind == "of_named":
        return _of_named(turn, asked)
    if asked.kind == "named":
        return _named(turn, asked.word)
    return _said(turn, clause, asked.kind)


_WORDED = ("all", "has", "named", "partner", "likes")
"""Kinds whose answer is more than a fact: a yes, whose name it is, all of them."""


def _matched(turn: Turn, text: str) -> str | None:
    """The answer from the facts whose words fit the question's (models/matching.py)."""
    known = [f for f in turn.known() if shown(f.value, name=f.slot in ("name", "nickname", "partner"))]
    found = matching.asked_for(known, text, turn.at, is_question(turn, text))
    if not found:
        return None
    fact = found[-1]
    if fact.slot == "partner" and not fact.about:
        return _partner(turn, "partner")
    if fact.slot == "pet" and not fact.about:
        return _pets(turn)
    if len({f.about for f in found}) > 1 and fact.slot != "partner":
        return _sentence(listing([text for f in found if (text := sentence(f, known, turn.at))][-MAX_ANSWERS:]))
    values = [shown(f.value, name=True) if f.slot == "name" else spoken(f.value, turn.at) for f in found]
    value = listing(list(dict.fromkeys(values))[-6:])
    if fact.slot.startswith("favorite ") and not fact.about:
        return choose(turn, _texts("about", "favorite"), thing=fact.slot.removeprefix("favorite "), value=value)
    key = f"their_{fact.slot}" if fact.about else fact.slot
    if key in load("skills")["about"]:
        value = sentence(fact, known, turn.at) if key in ("work", "school") else value
        return choose(turn, _texts("about", key), who=shown(fact.about), value=value)
    return _sentence(
        sentence(fact, known, turn.at)
        or f"your {shown(fact.about + chr(39) + 's ') if fact.about else ''}{fact.slot}: {value}"
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}, you told me."


def _broadly(turn: Turn, clause: str) -> str | None:
    """The answer to a question that no pattern has (models/asking.py): all that is known of it, or an honest no."""
    if found := asking.asked(clause):
        return _known_of(turn, found, clause)
    return _unknown(turn) if matching.asks_own(clause, turn.at, is_question(turn, clause)) else None


def _known_of(turn: Turn, found: asking.Asked, clause: str) -> str | None:
    if found.about == "other":
        return _unknown(turn)
    if found.about in ("name", "home", "home_town"):
        return _own(turn, found.about)
    one = singular(found.about)
    if one in words("partners"):
        return _partner(turn, one)
    if found.named:
        return _theirs(turn, Question("theirs", "name", one), clause)
    if one in ("pet", "animal"):
        return _pets(turn)
    known, whose = turn.known(), owners(turn.known(), one)
    told = [text for f in known if f.about in whose and (text := sentence(f, known, turn.at))]
    told += [text for f in known if f.slot == "pet" and f.value == one and (text := sentence(f, known, turn.at))]
    return choose(turn, _texts("known", "some"), facts=listing(told)) if told else _unknown(turn, "their", who=one)


MAX_ANSWERS = 3
_JOINED = re.compile(
    r"(?:^| )(?:and|n|or|also|plus) (?=(?:also |then )?(?:what|where|who|when|how|which|do|did|am|have|is) )"
)
_OWNER = re.compile(
    r"^(?:and |so |but |ok |what about |how about |you know |remember )*my ([a-z]+)(?: right| died| is \w+)?$"
)
_PRONOUN = re.compile(r"^what (?:is|was) (?:(?:he|she|it) (?:called|named)|(?:his|her|its) name)(?: again)?$")
_NOT_TOLD = {
    "name": "your name", "home": "where you live", "home_town": "where you're from", "age": "how old you are",
    "birthday": "when your birthday is", "work": "what you do for work", "school": "what you study",
    "like": "what you like", "dislike": "what you don't like", "plan": "about any plans",
}  # fmt: skip


def answers(turn: Turn, clauses: Sequence[str], in_order: Sequence[str] = ()) -> list[str]:
    """What the clauses ask about the person, each answered: "where do i live and what is my name". One answer is
    worded as by `answer`; of several, an "I don't know that" says what is not known. in_order: the clauses as they were
    said, the questions not first."""
    parts = [part for clause in _with_owner(clauses) for part in _parts(clause)]
    found = [(part, reply) for part in parts if len(part.split()) <= 16 and (reply := answer(turn, part))]
    whole = " ".join(in_order or clauses)
    if len(clauses) > 1 and len(found) < 2 and (told := _matched(turn, whole)):
        return [told]
    if not found and (broad := asking.asked_in(in_order or clauses)):
        reply = _known_of(turn, broad, "")
        return [reply] if reply else []
    if len(found) < 2:
        return [reply for _, reply in found]
    return list(dict.fromkeys(_of_what(part, reply) for part, reply in found))[:MAX_ANSWERS]


def _with_owner(clauses: Sequence[str]) -> list[str]:
    """The clauses, with "my dog" put in where another clause asks "what is he called"."""
    owner = next((match[1] for clause in clauses if (match := _OWNER.search(clause))), "")
    return [_PRONOUN.sub(f"what is my {owner} called", clause) for clause in clauses] if owner else list(clauses)


def _parts(clause: str) -> list[str]:
    parts = [part for part in _JOINED.split(clause) if part.strip()]
    return parts if len(parts) > 1 and all(question(part) for part in parts) else [clause]


def _of_what(part: str, reply: str) -> str:
    asked = question(part)
    if asked is None or reply not in (*_texts("unknown", "thing"), *_texts("unknown", "name")):
        return reply
    what = _NOT_TOLD.get(asked.slot, "that") if asked.kind == "own" else "that"
    if asked.word:
        what = f"your favorite {asked.word}" if asked.kind == "favorite" else f"about your {asked.word}"
    return f"You haven't told me {what}."


def _texts(group: str, key: str) -> list[str]:
    return list(load("skills")[group][key])


def _unknown(turn: Turn, key: str = "thing", **values: str) -> str:
    return choose(turn, _texts("unknown", key), **values)


# -- the person's own facts


def _all(turn: Turn) -> str:
    facts = sentences(turn)
    if not facts:
        return _unknown(turn, "all")
    more = "; and a bit more" if len(facts) > 12 else ""
    start = choose(turn, _texts("known", "start"), facts="; ".join(facts[:12]) + more)
    return f"{start} {choose(turn, _texts('known', 'end'))}"


def _own(turn: Turn, slot: str) -> str:
    if slot == "name":
        name = name_of(turn)
        return choose(turn, _texts("about", "name"), value=name) if name else _unknown(turn, "name")
    facts = [f for f in turn.known() if f.slot == slot and not f.about and shown(f.value)]
    if not facts:
        return _unknown(turn)
    values = [spoken(f.value, turn.at) for f in facts]
    value = listing(values[-6:]) if slot in ("like", "dislike", "plan") else values[-1]
    if slot in ("work", "school"):
        value = sentence(facts[-1], (), turn.at)
    return choose(turn, _texts("about", slot), value=value)


def _pets(turn: Turn) -> str:
    """All pets, by name where there is one."""
    known = [f for f in turn.known() if f.about != "companion"]
    told = [f"{shown(f.value, name=True)} the {f.about}" for f in known if f.slot == "name" and f.about in animals()]
    told += [text for f in known if f.slot == "pet" and not f.about and (text := sentence(f, known, turn.at))]
    told = [text.removeprefix("you have ") for text in told]
    return f"You told me about {listing(told)}." if told else _unknown(turn)


def _favorite(turn: Turn, thing: str) -> str:
    for fact in reversed(turn.known()):
        if not fact.about and fact.slot == f"favorite {thing}":
            return choose(turn, _texts("about", "favorite"), thing=thing, value=spoken(fact.value, turn.at))
    return _unknown(turn)


def _whether_has(turn: Turn, thing: str) -> str | None:
    one = singular(thing)
    if one in words("partners"):
        return _partner(turn, one)
    if one not in animals() and not known_kin(one):
        return None
    facts = turn.known()
    whose = owners(facts, one)
    names = [name for f in facts if f.slot == "name" and f.about in whose and (name := shown(f.value, name=True))]
    if names:
        return f"Yes: {listing(names)}."
    kinds = [f.value for f in facts if not f.about and f.slot in ("pet", "family")]
    if whose or any(one in kind or (one == "pet" and kind in animals()) for kind in kinds):
        return _pets(turn) if one in ("pet", "animal") else f"Yes, you told me about your {one}."
    return _matched(turn, f"do i have {thing}") or _unknown(turn)


def _whether_likes(turn: Turn, thing: str) -> str:
    for fact in turn.known():
        value = fact.value.lower()
        if fact.slot in ("like", "dislike") and not fact.about and (thing in value or value in thing):
            said = "Yes, you told me you like" if fact.slot == "like" else "No, you told me you don't like"
            return f"{said} {spoken(fact.value, turn.at)}."
    return _unknown(turn)


# -- facts about others


def _theirs(turn: Turn, asked: Question, clause: str) -> str | None:
    one = singular(asked.word)
    if one in ("nick", "nickname"):
        return _own(turn, "name")
    if one in ("last", "middle", "family", "own", "favorite"):
        return _unknown(turn)
    facts = turn.known()
    whose = owners(facts, one)
    if not whose and not known_kin(one) and one not in animals():
        # "who is my teacher" may have been told of in passing; "what is my problem" is no one.
        rhetorical = matches("person", "rhetorical", clause)
        return None if rhetorical else _said(turn, clause, "fact")
    if asked.slot == "name" and one in words("partners"):
        return _partner(turn, one)
    values = [f.value for f in facts if f.slot == asked.slot and f.about in whose]
    if asked.slot == "name":
        names = [name for value in values if (name := shown(value, name=True))]
        if not names:
            return _unknown(turn, "their_name", who=one)
        key, who = ("their_name", one) if len(names) == 1 else ("their_names", asked.word)
        return choose(turn, _texts("about", key), who=who, value=listing(names))
    if not values:
        return _unknown(turn, "their", who=one)
    key = f"their_{asked.slot}" if asked.slot in ("home", "age", "work") else "their_name"
    return choose(turn, _texts("about", key), who=one, value=spoken(values[-1], turn.at))


def _partner(turn: Turn, kind: str) -> str:
    """kind: "partner", or the word that the person used; a girlfriend is not answered with a known husband."""
    facts = turn.known()
    named = [f for f in facts if f.slot == "name" and f.about in words("partners")]
    if kind != "partner" and named and not any(f.about == kind for f in named):
        return _unknown(turn, "their_name", who=kind)
    own = [f.value for f in facts if f.slot == "partner" and not f.about]
    for value in [*(f.value for f in named if kind in ("partner", f.about)), *own]:
        if value.lower() not in words("partners") and (name := shown(value, name=True)):
            return choose(turn, _texts("about", "partner"), value=name)
    return f"You told me you have a {shown(own[-1])}, but not the name yet." if own else _unknown(turn)


def _named(turn: Turn, word: str) -> str | None:
    """ "Who is Anna?"; nothing for a name that was never told, which may be anybody's."""
    for fact in reversed(turn.known()):
        if fact.value.lower() == word and fact.slot in ("name", "partner") and fact.about != "companion":
            name = shown(fact.value, name=True)
            who = fact.about or ("partner" if fact.slot == "partner" else "")
            return choose(turn, _texts("about", "who_is"), who=who, value=name) if who else f"That's you, {name}!"
    return None


def _of_named(turn: Turn, asked: Question) -> str | None:
    """ "How old is Anna?", when Anna was told of."""
    owner = next((f.about for f in turn.known() if f.slot == "name" and f.value.lower() == asked.word and f.about), "")
    return _theirs(turn, Question("theirs", asked.slot, owner), "") if owner not in ("", "companion") else None


# -- what was said, in the person's own words


def _said(turn: Turn, clause: str, kind: str) -> str:
    """A plan or note with a word of the question, or a recalled moment with one, quoted; else an honest no."""
    asked = _telling(clause)
    for fact in reversed(turn.known()):
        if fact.slot in ("plan", "note") and not fact.about and asked & _telling(spoken(fact.value, turn.at)):
            return choose(turn, _texts("about", "plan"), value=spoken(fact.value, turn.at))
    for memory in turn.memories or ():
        moment = memory.moment
        if moment.role == "person" and asked & _telling(moment.text) and not moment.text.rstrip().endswith("?"):
            when = ago(moment.at, turn.at).replace("today", "earlier today")
            return choose(turn, _texts("known", "quote"), when=when, When=when.capitalize(), text=shown(moment.text))
    return _unknown(turn, "said" if kind == "remember" else "thing")


def _telling(text: str) -> set[str]:
    """The stems of the words that tell one moment from another."""
    found = (word for word in re.findall(r"\w+", text.lower()[:1000]) if word not in words("stop"))
    return {word[:-3] if word.endswith("ing") and len(word) > 6 else word[:1] + word[1:].rstrip("s") for word in found}
