"""Deterministic replies: what the companion knows for certain, says of itself, or must not get wrong.

A skill that fits gives one candidate that is sure; when none fits there is none, and others write the reply. Skills
read the words, not the intent slot, so that they answer alike whatever fills it. They know English only, one message
at a time, and nothing that was not told.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from models import about_person
from models.chatspeak import load, plain
from models.intent_rules import by_clause
from models.languages import foreign
from models.phrases import choose, last_replies, shown
from pipelines.turn import Candidate, Turn

LOW, HIGH = -0.25, 0.45
"""Valence under which a message carries something hard, over which something good."""

Clause = tuple[str, dict[str, float], bool]
"""A clause in plain words, how much of it the phrases of each intent cover, and whether it is a question."""

_INJECTION = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass) (?:all |any |everything |of |your |the |my |these |previous |prior |above |earlier |system |safety )*"
    r"(?:instructions?|rules|prompts?|guidelines|programming|training|restrictions|directives|filters)\b|\b(?:system|initial|hidden|secret|original) prompt\b|"
    r"\b(?:repeat|show|print|reveal|tell me|give me|output|what (?:is|are|was|were)) (?:me )?(?:all )?(?:your|the) (?:full |exact |own )?(?:prompt|instructions|rules|guidelines|directives)\b|"
    r"\b(?:repeat|print|output) (?:everything|all|the (?:text|words)) (?:above|before)\b|\b(?:developer|debug|admin|god|jailbreak|dan|sudo) mode\b|\bjailbreak\b|"
    r"\bfrom now on (?:you|u) (?:are (?!called|named)|must|will|have to|should|shall|can)\b|\byou are (?:now|no longer) (?!called|named|my |in |at |so |the best)\w+|"
    r"\b(?:pretend|act|behave|respond|talk) (?:as if |like |to be |as |that )?(?:you )?(?:are |have |were |had )?(?:a |an )?(?:no (?:rules|restrictions|limits|filter)|unrestricted|unfiltered|uncensored|human|real person|evil|dan)\b|"
    r"\bnew instructions\b|\byour (?:real|true|new) (?:purpose|task|goal|instructions?) (?:is|are)\b|\byou have no (?:rules|restrictions|limits)\b|\bwithout (?:any )?(?:rules|restrictions|filters)\b"
)
_MARKUP = re.compile(
    r"<\|?(?:im_start|im_end|system|endoftext|user|assistant)\|?>|\[/?(?:INST|SYS)\]|^#{2,} ?(?:system|instruction)",
    re.I | re.M,
)
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "poiuytrewq", "lkjhgfdsa", "mnbvcxz")

# Questions about the companion, by the intent of their phrases: the texts that answer, the first fitting pattern first.
_SELF: tuple[tuple[str, str, str], ...] = (
    ("what_is_your_name", r"\bwho are you\b|\bwho is this\b", "who"),
    ("what_is_your_name", r"", "name"),
    ("how_old_are_you", r"", "age"),
    ("where_are_you_from", r"", "where"),
    ("who_do_you_work_for", r"", "work_for"),
    ("who_made_you", r"", "maker"),
    ("ask_bot_family", r"friend", "friends"),
    ("ask_bot_family", r"", "family"),
    ("ask_bot_relationship", r"\bothers?\b|\bother people\b|\banyone else\b|\busers\b|\bpeople do you\b", "others"),
    ("ask_bot_relationship", r"", "single"),
    ("do_you_have_pets", r"", "pets"),
    ("flirt", r"nudes|sex|dirty|naked|wearing|turn me on|virgin", "lewd"),
    ("flirt", r"", "romance"),
    ("miss_bot", r"^did you|^do you|^will you", "miss"),
    ("love_bot", r"", "love"),
    ("ask_bot_feelings", r"\bsleep|\bdream", "sleep"),
    ("ask_bot_feelings", r"\b(?:body|eat|breathe|see me|hear me|hungry)\b", "body"),
    ("ask_bot_feelings", r"", "feelings"),
    ("are_you_a_bot", r"", "real"),
    ("ask_bot_likes", r"\babout (?:you|yourself)$", "who"),
    ("change_language", r"\bspeak|\blanguage|\btalk in|\bswitch", "language"),
)
_REAL = re.compile(
    r"\b(?:are|r) (?:you|u)(?: \w+){0,3} (?:human|real|bot|robot|ai|machine|person|computer|alive|program|sentient|conscious|software|chatbot)\b|"
    r"\b(?:human|person|bot|robot|machine|computer|ai|program|chatbot)(?: \w+){0,4} (?:talking|speaking|chatting|texting|typing|writing|answering)\b.*\b(?:me|this|here)\b|"
    r"\b(?:am i|i am) (?:talking|speaking|chatting|texting) (?:to|with) (?:a |an |some )?(?:real |actual |live )?(?:human|person|bot|robot|machine|computer|ai|program|someone real)|"
    r"\byou (?:are|must be|have to be|seem|sound) (?:\w+ ){0,3}(?:human|a real person|a person|a bot|an ai|a robot|a machine|not real|real)$"
)
_NAMING = re.compile(
    r"\b(?:call|name|rename) you\b|\byour (?:new )?name is\b|\byou are (?:now )?called\b|\bchange your name\b"
)
_OTHERS = re.compile(r"\b(?:he|she|him|her|they|them|told|said|says)\b")


class Skills:
    """Candidates that are sure: questions about the person and the companion, naming, clock, games, goodbyes, help."""

    needs: ClassVar[tuple[str, ...]] = ()

    def __call__(self, turns: Sequence[Turn]) -> list[list[Candidate]]:
        return [[Candidate(text, "skills", sure=True)] if (text := _reply(turn)) else [] for turn in turns]


def _reply(turn: Turn) -> str | None:
    clauses = [
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
    if clauses or re.search(r"[^\s.?!,;:…\0\u200b-\u200f\u202a-\u202e\ufeff]", turn.text[:2000]):
        return None
    return choose(turn, _texts("odd", "question_mark" if "?" in turn.text else "empty"))


def _injection(turn: Turn, clauses: list[Clause]) -> str | None:
    joined = " . ".join(text for text, _, _ in clauses)
    if _MARKUP.search(turn.text[:4000]) or _INJECTION.search(joined):
        return choose(turn, _texts("odd", "inject"))
    return None


def _language(turn: Turn, clauses: list[Clause]) -> str | None:
    found = foreign(turn.text)
    return choose(turn, found[1]) if found else None


def _gibberish(turn: Turn, clauses: list[Clause]) -> str | None:
    words = [word for text, labels, _ in clauses for word in text.split() if not labels]
    if words and len(words) <= 4 and all(_mash(word) for word in words):
        return choose(turn, _texts("odd", "gibberish"))
    return None


def _mash(word: str) -> bool:
    """Keys hit at random: no vowels, a run along a row of the keyboard, or five consonants in a row."""
    if len(word) < 5 or not word.isascii() or not word.isalpha():
        return False
    along = any(word[i : i + 4] in row for row in _ROWS for i in range(len(word) - 3))
    return along or not re.search(r"[aeiouy]", word) or bool(re.search(r"[bcdfghjklmnpqrstvwxz]{6}", word))


# -- the person, and what is kept of them


def _about_them(turn: Turn, clauses: list[Clause]) -> str | None:
    for text, _, _ in sorted(clauses, key=lambda c: not c[2]):
        if len(text.split()) <= 16 and (answer := about_person.answer(turn, text)):
            return _with_tail(turn, answer, clauses)
    return None


def _with_tail(turn: Turn, answer: str, clauses: list[Clause]) -> str:
    """The answer, and a word on what else the message said, if that was hard or good."""
    valence = turn.emotion.valence if turn.emotion else 0.0
    if len(clauses) < 2 or LOW < valence < HIGH or answer.endswith("?"):
        return answer
    return f"{answer} {choose(turn, _texts('known', 'tail_low' if valence <= LOW else 'tail_high'))}"


def _kept(turn: Turn, clauses: list[Clause]) -> str | None:
    """What is stored, and how to see, forget, pause or take it: pointed to, never claimed as done."""
    for text, _, _ in clauses:
        if re.search(
            r"\b(?:pause|stop|quit) (?:your )?(?:memory|remembering|recording|saving)|off the record|do not remember this",
            text,
        ):
            return choose(turn, _texts("memory", "pause"))
        if re.search(
            r"\b(?:export|download|give me|send me) (?:all )?(?:my data|everything you (?:have|know|store)|my memory)",
            text,
        ):
            return choose(turn, _texts("memory", "export"))
        if re.search(
            r"\bwhat (?:data )?(?:do|did|have) you (?:store|stored|save|saved|keep|kept|collect)|\b(?:is|are) (?:this|my|our) (?:\w+ )?(?:private|safe|secret|confidential)"
            r"|\bwho (?:can|else|could) (?:else )?(?:read|see|sees|reads)|\bdo you (?:store|save|keep|record|share|sell|collect)\b|\bprivacy$",
            text,
        ):
            return choose(turn, _texts("memory", "store"))
        if re.search(
            r"^(?:please |can you |could you |just |you can |now |ok |hey |i want you to |you should )*(?:forget|erase|delete|unremember|wipe|clear) "
            r"(?:that|this|it|me|everything|all|what i|about (?!it$)|my|our|the last|i (?:said|told)|your memory|memory|history)",
            text,
        ) and not re.search(r"^forget (?:it|about it)$", text):
            return choose(turn, _texts("memory", "forget"))
        if re.match(
            r"(?:please |can you |could you |and )*remember (?:that |this|my |i |to )", text
        ) and not text.startswith("remember me"):
            return choose(turn, _texts("known", "keep"))
    return None


# -- the companion


def _about_me(turn: Turn, clauses: list[Clause]) -> str | None:
    for text, labels, asks in sorted(clauses, key=lambda c: not c[2]):
        words = len(text.split())
        if words <= 16 and not _OTHERS.search(text) and _REAL.search(text):
            return _with_tail(turn, choose(turn, _texts("self", "real")), clauses)
        for intent, pattern, key in _SELF:
            covered = labels.get(intent, 0)
            enough = covered >= 0.55 or (asks and covered >= 0.3)
            if enough and not _OTHERS.search(text) and re.search(pattern, text):
                if intent == "love_bot" and not asks and words > 7:
                    continue
                return _with_tail(turn, choose(turn, _texts("self", key)), clauses)
    return None


def _naming(turn: Turn, clauses: list[Clause]) -> str | None:
    """The companion's new name and the person's: both are facts of this message, or nothing was named."""
    given = [f for f in turn.facts or () if f.slot == "name" and f.about == "companion" and f.change != "end"]
    if given and any(_NAMING.search(text) for text, _, _ in clauses):
        return choose(turn, _texts("meet", "new_ai_name"))
    told = [f for f in turn.facts or () if f.slot in ("name", "nickname") and not f.about and f.change != "end"]
    name = shown(told[-1].value, name=True) if told else ""
    first = not any(said.role == "companion" for said in turn.history) and not _known_before(turn)
    if first and (name or _only_hello(clauses)):
        valence = turn.emotion.valence if turn.emotion else 0.0
        key = (
            "greeting" if not name else "named_low" if valence <= LOW else "named_high" if valence >= HIGH else "named"
        )
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


# -- clock, games, sums


def _clock(turn: Turn, clauses: list[Clause]) -> str | None:
    for text, labels, _ in clauses:
        if max(labels.get("time", 0), labels.get("date", 0)) < 0.5 and not re.search(
            r"\bwhat (?:time|day|date) is it\b", text
        ):
            continue
        if labels.get("time", 0) >= labels.get("date", 0):
            elsewhere = re.search(r"\bin (?!the )[a-z]{3,}", text)
            return choose(
                turn, _texts("cannot", "elsewhere") if elsewhere else _texts("clock", "time"), time=_time(turn.at)
            )
        for word, days in (("tomorrow", 1), ("yesterday", -1)):
            if word in text:
                date = _date(turn.at + timedelta(days=days))
                return choose(turn, _texts("clock", "other_day"), day=word.capitalize(), date=date)
        if match := re.search(r"\bis it (\w+day)\b", text):
            today = f"{turn.at:%A}"
            key = "yes_day" if match[1] == today.lower() else "no_day"
            return choose(turn, _texts("clock", key), weekday=today)
        return choose(turn, _texts("clock", "date"), date=_date(turn.at))
    return None


def _time(at: datetime) -> str:
    return f"{at.hour % 12 or 12}:{at.minute:02} {'am' if at.hour < 12 else 'pm'}"


def _date(at: datetime) -> str:
    return f"{at:%A}, {at.day} {at:%B} {at.year}"


def _games(turn: Turn, clauses: list[Clause]) -> str | None:
    games = load("games")
    if answer := _riddle_answer(turn, games["riddles"]):
        return answer
    covered = {label: c for _, labels, _ in clauses for label, c in labels.items() if c >= 0.3}
    another = any(re.fullmatch(r"(?:another|one more|again|more)(?: one| please)*", text) for text, _, _ in clauses)
    last = (last_replies(turn) or [""])[0]
    for intent, key in (("tell_joke", "jokes"), ("fun_fact", "facts"), ("play_game", "would_you_rather")):
        if intent in covered or (another and last in games[key]):
            return choose(turn, games[key])
    if "riddle" in covered or (another and any(r["ask"] in last for r in games["riddles"])):
        return choose(turn, [r["ask"] for r in games["riddles"]])
    if "tell_story" in covered:
        return choose(turn, games["poems" if "poem" in plain(turn.text) or "sing" in plain(turn.text) else "stories"])
    if "flip_coin" in covered:
        return choose(turn, _texts("odd", "coin"), side=random.choice(("Heads", "Tails")))
    if "roll_dice" in covered:
        sides = re.search(r"\bd(\d{1,3})\b", plain(turn.text))
        return choose(
            turn, _texts("odd", "dice"), number=str(random.randint(1, int(sides[1]) if sides and int(sides[1]) else 6))
        )
    return None


def _riddle_answer(turn: Turn, riddles: Sequence[dict[str, str]]) -> str | None:
    """The answer to the riddle that was asked last, when it is guessed or given up."""
    asked = next((r for r in riddles if any(r["ask"] in text for text in last_replies(turn)[:1])), None)
    if asked is None:
        return None
    said = plain(turn.text)
    key = asked["answer"].split()[-1]
    if re.search(rf"\b{key}s?\b", said):
        return choose(turn, load("games")["riddle"]["right"], answer=asked["answer"])
    if re.search(
        r"\b(?:do not know|no idea|give up|tell me|what is it|dunno|no clue|answer|idk|not sure|what)\b", said
    ):
        return choose(turn, load("games")["riddle"]["told"], answer=asked["answer"])
    return None


_SUM = re.compile(
    r"^\s*(?:what(?:'?s| is)|whats|calculate|how much is)?\s*(-?\d{1,9}(?:\.\d{1,6})?)\s*(\+|-|\*|x|×|/|÷|plus|minus|times|divided by)\s*"
    r"(-?\d{1,9}(?:\.\d{1,6})?)\s*[=?.!]*\s*$",
    re.IGNORECASE,
)


def _sum(turn: Turn, clauses: list[Clause]) -> str | None:
    match = _SUM.match(turn.text[:80])
    if not match:
        return None
    a, b, sign = float(match[1]), float(match[3]), match[2].lower()
    if sign in ("/", "÷", "divided by") and b == 0:
        return "Dividing by zero? Not even I dare."
    values = {"+": a + b, "plus": a + b, "-": a - b, "minus": a - b, "/": a / (b or 1), "÷": a / (b or 1)}
    value = values.get(sign, a / (b or 1) if sign == "divided by" else a * b)
    return choose(turn, _texts("odd", "sum"), value=f"{value:.10g}" if abs(value) < 1e10 else f"{value:.0f}")


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
    found = (
        {
            label: max(c.get(label, 0) for _, c, _ in clauses)
            for label in ("goodbye", "good_night", "wait_please", "want_to_stop")
        }
        if clauses
        else {}
    )
    if not found or words > 30 or any(asks for _, _, asks in clauses):
        return None
    low = bool(turn.emotion and turn.emotion.valence <= LOW)
    night = found["good_night"] >= 0.3
    if night or (found["goodbye"] >= 0.3 and (found["goodbye"] >= 0.55 or words <= 20)):
        key = ("night" if night else "day") if not low else ("night_low" if night else "low")
        return choose(turn, _texts("bye", key))
    if found["want_to_stop"] >= 0.6:
        return choose(turn, _texts("bye", "stop"))
    if found["wait_please"] >= 0.6 and words <= 8:
        return choose(turn, _texts("bye", "away"))
    return None


_SKILLS: tuple[Callable[[Turn, list[Clause]], str | None], ...] = (
    _empty,
    _injection,
    _language,
    _gibberish,
    _about_them,
    _kept,
    _naming,
    _leaving,
    _about_me,
    _games,
    _sum,
    _clock,
    _cannot,
    _repeat,
    _help,
)
"""In the order in which they are asked; the first that has something to say has the word."""
