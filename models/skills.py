"""Deterministic replies: what the companion knows for certain, says of itself, or must not get wrong.

A skill that fits gives one candidate that is sure; when none fits there is none, and others write the reply. Skills
read the words, not the intent slot, so that they answer alike whatever fills it. They know English only, one message
at a time, and nothing that was not told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar

from models import about_person, reminding, safety
from models.chatspeak import load
from models.games import add_up, clock, play
from models.intent_rules import by_clause
from models.languages import foreign
from models.phrases import choose, hurt, last_replies, shown
from models.questions import matches
from models.telling import listing
from pipelines.turn import Candidate, Turn

LOW, HIGH = -0.25, 0.45
"""Valence under which a message carries something hard, over which something good."""

Clause = tuple[str, Mapping[str, float], bool]
"""A clause in plain words, how much of it the phrases of each intent cover, and whether it is a question."""

_MARKUP = re.compile(
    r"<\|?(?:im_start|im_end|system|endoftext|user|assistant)\|?>|\[/?(?:INST|SYS)\]|^#{2,9} ?(?:system|instruction)",
    re.IGNORECASE | re.MULTILINE,
)
_INVISIBLE = re.compile(r"[^\s.?!,;:…\0\u200b-\u200f\u202a-\u202e\ufeff]")
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "poiuytrewq", "lkjhgfdsa", "mnbvcxz")

# Questions about the companion, by the intent of their phrases: the texts that answer, the first fitting pattern first.
_SELF: tuple[tuple[str, str, str], ...] = (
    ("what_is_your_name", r"\bwho are you\b|\bwho is this\b", "who"),
    ("what_is_your_name", r"", "name"),
    ("ask_bot_self", r"", "who"),
    ("how_old_are_you", r"", "age"),
    ("where_are_you_from", r"", "where"),
    ("ask_bot_location", r"", "where"),
    ("who_do_you_work_for", r"", "work_for"),
    ("who_made_you", r"", "maker"),
    ("be_friends", r"", "friends"),
    ("ask_bot_family", r"", "family"),
    ("ask_bot_relationship", r"\bothers?\b|\bother people\b|\banyone else\b|\busers\b|\bpeople do you\b", "others"),
    ("ask_bot_relationship", r"", "single"),
    ("do_you_have_pets", r"", "pets"),
    ("flirt", r"nudes|sex|dirty|naked|wearing|turn me on|virgin", "lewd"),
    ("flirt", r"", "romance"),
    ("miss_bot", r"^did you|^do you|^will you", "miss"),
    ("do_you_like_me", r"\b(?:love|feelings)\b", "love"),
    ("do_you_like_me", r"", "like"),
    ("love_bot", r"", "love"),
    ("ask_bot_body", r"\bsleep|\bdream", "sleep"),
    ("ask_bot_body", r"", "body"),
    ("ask_bot_gender", r"", "gender"),
    ("ask_bot_feelings", r"", "feelings"),
    ("are_you_a_bot", r"", "real"),
    ("change_language", r"\bspeak|\blanguage|\btalk in|\bswitch", "language"),
)


class Skills:
    """Candidates that are sure: questions about the person and the companion, naming, clock, games, goodbyes, help."""

    needs: ClassVar[tuple[str, ...]] = ()

    def __call__(self, turns: Sequence[Turn]) -> list[list[Candidate]]:
        return [[Candidate(text, "skills", sure=True)] if (text := _reply(turn)) else [] for turn in turns]


def _reply(turn: Turn) -> str | None:
    clauses: list[Clause] = [
        (" ".join(w for w in words if w != "?"), labels, words[-1] == "?")
        for words, labels in by_clause(turn.text, turn.companion_name.lower())
    ]
    for skill in _SKILLS:
        if text := skill(turn, clauses):
            return text
    return None


def _texts(group: str, key: str) -> list[str]:
    return list(load("skills")[group][key])


# -- odd messages


def _empty(turn: Turn, clauses: list[Clause]) -> str | None:
    if clauses or _INVISIBLE.search(turn.text[:2000]):
        return None
    return choose(turn, _texts("odd", "question_mark" if "?" in turn.text else "empty"))


def _injection(turn: Turn, clauses: list[Clause]) -> str | None:
    joined = " . ".join(text for text, _, _ in clauses)
    if _MARKUP.search(turn.text[:4000]) or matches("self", "injection", joined):
        return choose(turn, _texts("odd", "inject"))
    return None


def _language(turn: Turn, clauses: list[Clause]) -> str | None:
    found = foreign(turn.text)
    if not found:
        return None
    asked = any(matches("self", "real_at_all", text) for text, _, _ in clauses)
    return choose(turn, found[1]) + (" And whatever the language: I'm an AI." if asked else "")


def _gibberish(turn: Turn, clauses: list[Clause]) -> str | None:
    words = [word for text, labels, _ in clauses for word in text.split() if not labels]
    if len(words) <= 4 and any(map(_mash, words)) and all(_mash(word) or _beside(word) for word in words):
        return choose(turn, _texts("odd", "gibberish"))
    return None


def _mash(word: str) -> bool:
    """Keys hit at random: no vowels, a run along a row of the keyboard, or five consonants in a row."""
    if len(word) < 4 or not word.isascii() or not word.isalpha():
        return False
    along = any(word[i : i + 4] in row for row in _ROWS for i in range(len(word) - 3))
    if len(word) < 5:
        return along
    return along or not re.search(r"[aeiouy]", word) or bool(re.search(r"[bcdfghjklmnpqrstvwxz]{6}", word))


def _beside(word: str) -> bool:
    """Three keys in a row, which mean nothing beside more of the kind."""
    return len(word) == 3 and any(word in row for row in _ROWS)


# -- the person, and what is kept of them


def _about_them(turn: Turn, clauses: list[Clause]) -> str | None:
    in_order = [text for text, _, _ in clauses]
    found = about_person.answers(turn, [text for text, _, _ in sorted(clauses, key=lambda c: not c[2])], in_order)
    if len(found) < 2:
        return _with_tail(turn, found[0], clauses) if found else None
    return " ".join(found)


def _with_tail(turn: Turn, answer: str, clauses: list[Clause]) -> str:
    """The answer, and a word on what else the message said, if that was hard or good."""
    valence = turn.emotion.valence if turn.emotion else 0.0
    if len(clauses) < 2 or LOW < valence < HIGH or answer.endswith("?"):
        return answer
    return f"{answer} {choose(turn, _texts('known', 'tail_low' if valence <= LOW else 'tail_high'))}"


def _kept(turn: Turn, clauses: list[Clause]) -> str | None:
    """What is stored, and how to see, forget, pause or take it: pointed to, never claimed as done."""
    for text, _, _ in clauses:
        for key in ("pause", "export", "store", "forget"):
            if matches("kept", key, text):
                return choose(turn, _texts("memory", key))
        if matches("kept", "keep", text):
            return choose(turn, _texts("known", "keep"))
    return None


# -- the companion


def _too_young(turn: Turn, clauses: list[Clause]) -> str | None:
    return choose(turn, _texts("young", "love")) if safety.wants_romance_too_young(turn) else None


_ASKS_IT = re.compile(r"(?:(?:so|but|and|hey) )?(?:do|did|will|would|are|can|could|have) you\b")
"""A question to the companion, whether or not there is a mark behind it."""


_MEDICINE = re.compile(
    r"\b(?:should|can|could|may|shall|do|is it (?:ok|okay|safe|fine|bad|dangerous)|what (?:if|happens if)|want to|"
    r"thinking (?:of|about)|going to|will)\b.{0,40}"
    r"\b(?:stop|stopping|skip|skipping|quit|quitting|double|mix|mixing|come off|coming off|take more|take less|halve) "
    r"(?:(?:taking|using|my|the|of|these|those|all|some|a|two|mum's|moms) ){0,3}"
    r"(?:\w+ )?(?:meds|medication|medicines?|pills?|tablets?|antidepressants?|antibiotics?|insulin|dose|ssris?)\b"
)
""" "Should I stop taking my meds?" """


def _medicine(turn: Turn, clauses: list[Clause]) -> str | None:
    return choose(turn, _texts("care", "medicine")) if any(_MEDICINE.search(text) for text, _, _ in clauses) else None


def _about_me(turn: Turn, clauses: list[Clause]) -> str | None:
    for text, labels, asks in sorted(clauses, key=lambda c: not c[2]):
        words = len(text.split())
        others = matches("self", "others", text)
        if words <= 16 and (matches("self", "real_at_all", text) or (not others and matches("self", "real", text))):
            return _with_tail(turn, choose(turn, _texts("self", "real")), clauses)
        for intent, pattern, key in _SELF:
            covered = labels.get(intent, 0)
            enough = covered >= 0.55 or ((asks or _ASKS_IT.match(text)) and covered >= 0.3)
            if enough and not others and re.search(pattern, text):
                if intent == "love_bot" and not asks and words > 7:
                    continue
                return _with_tail(turn, choose(turn, _texts("self", key)), clauses)
    return None


_NO_TASTE = re.compile(
    r"^(?:to|the way|how|when|if|what|being|talking|chatting|your)\b|\b(?:me|my|mine|us|it|this|that|these|those|him|"
    r"her|them|you|yourself|people|humans|men|women|boys|girls|guys|kids|sex|nudes|users|someone|anyone|anybody)\b"
)
""" "Do you like me", "do you like to talk": no matter of taste."""
_LIFE = ("life_body", "life_job", "life_meal", "life_past", "life_kin", "life_sleep", "life_day")


def _myself(turn: Turn, clauses: list[Clause]) -> str | None:
    """The persona's traits and likes, as the config has them; whether the name is the one that somebody asks about; and
    no to what only a person has."""
    likes = turn.persona.likes
    for text, _, asks in clauses:
        named = matches("self", "other_name", text)
        if named and (
            asks or re.match(r"(?:so )|(?:\w+ )?(?:is|are)\b", text) or text.endswith((" right", " correct"))
        ):
            key = "is_name" if named[1] == turn.companion_name.lower() else "not_name"
            return choose(turn, _texts("self", key))
        if turn.persona.traits and matches("self", "traits", text):
            return choose(turn, _texts("self", "traits"), traits=listing(turn.persona.traits))
        for key in _LIFE:
            if matches("self", key, text):
                return choose(turn, _texts("self", key))
        if likes and matches("self", "likes", text):
            return choose(turn, _texts("self", "likes"), likes=listing(likes))
        if asked := matches("self", "one_like", text):
            wanted = set(re.findall(r"[a-z]{4,}", asked[2]))
            for like in likes:
                if wanted & set(re.findall(r"[a-z]{4,}", like.lower())):
                    key = "like_hated" if asked[1] in ("hate", "dislike") else "like_one"
                    return choose(turn, _texts("self", key), like=like)
            # What it has no senses for it neither likes nor hates: "Yes, I do" would be a lie.
            thing = re.sub(r" (?:too|then|at all|as well|or not|yourself)$", "", asked[2])
            if (asks or re.match(r"(?:\w+ )?do ", text)) and len(thing.split()) <= 3 and not _NO_TASTE.search(thing):
                return choose(turn, _texts("self", "no_senses"), thing=thing, likes=listing(likes) if likes else "")
    return None


def _our_talks(turn: Turn, clauses: list[Clause]) -> str | None:
    return reminding.talked_about(turn)


def _due_plan(turn: Turn, clauses: list[Clause]) -> str | None:
    return reminding.due_plan(turn) if _only_hello(clauses) else None


def _naming(turn: Turn, clauses: list[Clause]) -> str | None:
    """The companion's new name and the person's: both are facts of this message, or nothing was named."""
    given = [f for f in turn.facts or () if f.slot == "name" and f.about == "companion" and f.change != "end"]
    if given and any(matches("self", "naming", text) for text, _, _ in clauses):
        return choose(turn, _texts("meet", "new_ai_name"))
    told = [f for f in turn.facts or () if f.slot in ("name", "nickname") and not f.about and f.change != "end"]
    name = shown(told[-1].value, name=True) if told else ""
    first = not any(said.role == "companion" for said in turn.history) and not _known_before(turn)
    if first and (name or _only_hello(clauses)):
        valence = turn.emotion.valence if turn.emotion else 0.0
        key = "greeting" if not name else "named_low" if hurt(turn) else "named_high" if valence >= HIGH else "named"
        return choose(turn, _texts("meet", key), name=name)
    if not name or sum(len(text.split()) for text, _, _ in clauses) > 8:
        return None
    before = [f for f in turn.profile if f.slot in ("name", "nickname") and not f.about]
    if told[-1].change == "correct":
        return choose(turn, _texts("meet", "corrected"), name=name)
    same = any(f.value.lower() == told[-1].value.lower() for f in before)
    return choose(turn, _texts("meet", "again" if same else "renamed" if before else "later"), name=name)


def _known_before(turn: Turn) -> bool:
    return any(fact.about != "companion" for fact in turn.profile)


def _only_hello(clauses: list[Clause]) -> bool:
    return bool(clauses) and all("greeting" in labels or "good_morning" in labels for _, labels, _ in clauses)


# -- what it cannot do, what it said, what it can


def _cannot(turn: Turn, clauses: list[Clause]) -> str | None:
    for text, labels, asks in clauses:
        if labels.get("weather", 0) >= 0.5 and (asks or re.match(r"(?:what|how|will|is|do|weather|tell)\b", text)):
            return choose(turn, _texts("cannot", "weather"))
        if any(labels.get(intent, 0) >= 0.3 for intent in ("timer", "alarm", "play_music", "make_call", "what_song")):
            return choose(turn, _texts("cannot", "device"))
        if re.match(r"(?:please |can you |could you )*translate\b|how do you say .* in \w+$", text):
            return choose(turn, _texts("cannot", "translate"))
    return None


def _repeat(turn: Turn, clauses: list[Clause]) -> str | None:
    if len(clauses) != 1 or clauses[0][1].get("repeat", 0) < 0.8:
        return None
    said = last_replies(turn)
    return (
        choose(turn, _texts("odd", "repeat"), text=said[0][:500])
        if said
        else choose(turn, _texts("odd", "repeat_none"))
    )


def _help(turn: Turn, clauses: list[Clause]) -> str | None:
    for _, labels, _ in clauses:
        if labels.get("what_can_i_ask_you", 0) >= (0.99 if len(clauses) > 1 else 0.6):
            return choose(turn, _texts("help", "what"))
    return None


# -- leaving


def _leaving(turn: Turn, clauses: list[Clause]) -> str | None:
    """A goodbye gets a goodbye: no question, no hook, whatever else was said."""
    words = sum(len(text.split()) for text, _, _ in clauses)
    if not clauses or words > 30 or any(asks for _, _, asks in clauses):
        return None

    def covered(intent: str) -> float:
        return max(labels.get(intent, 0.0) for _, labels, _ in clauses)

    night = covered("good_night") >= 0.3
    bye = covered("goodbye") >= (0.3 if words <= 20 else 0.55)
    if night or bye or any(matches("self", "leaving", text) for text, _, _ in clauses):
        low = turn.emotion is not None and turn.emotion.valence <= LOW
        return choose(turn, _texts("bye", ("night" if night else "day") + ("_low" if low else "")))
    if covered("want_to_stop") >= 0.6:
        return choose(turn, _texts("bye", "stop"))
    if max(covered("wait_please"), covered("be_right_back")) >= 0.6 and words <= 8:
        return choose(turn, _texts("bye", "away"))
    return None


_SKILLS: tuple[Callable[[Turn, list[Clause]], str | None], ...] = (
    _empty,
    _injection,
    _language,
    _gibberish,
    _too_young,
    _medicine,
    _our_talks,
    _about_them,
    _kept,
    _naming,
    _due_plan,
    _leaving,
    _myself,
    _about_me,
    play,
    add_up,
    clock,
    _cannot,
    _repeat,
    _help,
)
"""In the order in which they are asked; the first that has something to say has the word."""
