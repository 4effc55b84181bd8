"""What a reply may not say because nobody told it: facts of the person that are in no memory, numbers, another name,
another persona.

Plain patterns over what a candidate states about the person ("your dog Max", "you live in Rome", "you told me about
the party"), against the words of the message, the person's own words of late, their facts and recalled moments. When
the message asks for a fact of the person, a reply that states anything must be made of such words. It knows no
paraphrase ("the furry one at your place"), and it holds back a harmless guess rather than let an invention through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from models import asking, matching
from models.chatspeak import clauses, load, plain
from models.entity_rules import lists
from models.numbers import numbers
from models.questions import is_question, question, words
from pipelines.turn import Turn

_APOSTROPHES = str.maketrans(dict.fromkeys("'`´ʼ′‘", "’"))
_NOT = r"(?<!n’t )(?<!never )(?<!not )(?<!do )(?<!did )(?<!if )(?<!have )(?<!where )(?<!when )(?<!until )"
_STATES = re.compile(
    rf"{_NOT}\byou(?:’re| are)? (?:live|lived|living|grew up|were born|come|came|moved|work|worked|working|study|"
    r"studied|studying) (?:in|at|from|near|to|as|for) (?:a |an |the )?(\w+)"
)
_NAMES = re.compile(r"\b(?:[Yy]our name(?:’s| is)|[Yy]ou(?:’re| are)(?: called| named)?|call you) ([A-Z]\w+)")
_HELLO = "hi|hey|hello|thanks|thank you|sorry|welcome|night|morning|bye|dear|oh|aw+"
_CALLED = re.compile(rf"\b(?i:{_HELLO}),? ([A-Z][a-z]+)\b|, ([A-Z][a-z]+)[.!?,]|^([A-Z][a-z]+)[,!] ")
_BEING = r"(?:\b(?:is|are|was|were)|’s|’re)"
_CALLS = re.compile(rf"{_BEING} (?:called|named) (?=(\w+))|\b[Nn]ames?{_BEING.replace('(?:', '(?: ?', 1)} (?=(\w+))")
_PLACED = re.compile(r"\b(?:[Yy]ou(?:’re| are| live)?|have you)(?: \w+)? (?:in|from|at) ([A-Z]\w+)")
_SPOKEN_TO = re.compile(r"(\w+), ([A-Z][a-z]+)[.!?]|\b(?i:hi|hey|hello|thanks|thank you|sorry|night),? ([A-Z][a-z]+)\b")
_TOLD = re.compile(
    r"(?<!n’t )(?<!never )(?<!not )(?<!have )\byou(?:’ve| have|’d| had)? (?:just )?"
    r"(?:told me|said|mentioned|were saying|were telling me)\b([^.!?]*)"
)
_LAST = re.compile(
    r"\b(?:last time|the other day|remember when (?:you|we)|we (?:talked|spoke|chatted) about)\b([^.!?]*)"
)
_AGE = re.compile(r"\byou(?:’re| are) (?:only |just |already |now )?(\d{1,2})(?= *(?:[.,!?]|$|years|now|and))")
_SELF = re.compile(r"\b(?:[Ii]’m|[Ii] am|[Mm]y name(?:’s| is)|[Cc]all me|[Tt]his is|[Ii]t’s me,) ([A-Z][a-z]+)\b")
_DISLIKES = re.compile(
    r"\bi (?:(?:really |honestly )?(?:don’t|do not|never|can’t|didn’t) (?:\w+ )?(?:like|love|enjoy|stand|care for)|"
    r"hate|dislike)([^.!?]{0,40})|\bi(?:’m| am) not (?:a fan of|into|fond of)([^.!?]{0,40})"
)
_DENIES = re.compile(r"\bi(?:’m| am) (?:not|never) (?:very |really |a |that |so |at all )*(\w+)")
_HONEST = re.compile(
    r"\b(?:(?:don’t|do not|didn’t|couldn’t|can’t) (?:\w+ )?(?:know|remember|recall|have|say|think (?:you|i)|see|find|"
    r"tell)|(?:haven’t|have not|hasn’t) (?:\w+ )?(?:told|said|mentioned|shared|given|got|heard|been|come)|not sure|"
    r"no idea|no clue|never (?:told|said|mentioned)|not told|remind me|tell me|yet to)\b"
)
_COUNTS = re.compile(
    r"^(?:yes|yeah|yep|yup|no|nope|of course|sure)\b|\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten)\b"
)
_THIRD = re.compile(r"\b(?:he|she|they|his|her|their|he’s|she’s|they’re)\b|\bi know (?:which|what|who|where)\b")
_ASKING = re.compile(
    r"\?|^(?:(?:so|and|but|ok|hey|well|btw) )?(?:what|where|who|which|whose|when|how|do|did|does|can|could|is|are|am|"
    r"have|has|you|any|guess|tell|remind|name|spell|say|bet|i bet|remember)\b|\b(?:know|remember|guess|idea|forgot|"
    r"recall|please)\b|\b(?:age|name|birthday|breed|job)s?$"
)
_DIED = re.compile(
    r"\b(?:he|she|they|it|your \w+)(?:’s| is| was| has| had)? (?:died|dead|passed away|killed|gone now)\b"
)
_DEATH = frozenset(
    ("died", "dead", "die", "dies", "dying", "death", "passed", "killed", "funeral", "lost", "gone", "grief", "buried")
)


def objections(text: str, turn: Turn, written: bool = False) -> list[str]:
    """Why a reply that nobody is sure of is not grounded in this turn: short reasons, none when it is. written: by a
    person beforehand, so that its numbers and names are no misreading. Never raises."""
    said = text[:2000].translate(_APOSTROPHES)
    told = _told(turn)
    found = []
    asked = asks_about_person(turn) and _states(said, told)
    if _invents(said, told) or asked or (not written and _names(said, turn)):
        found.append("invents_memory")
    if any(_is_name(name) and not _among(name, told) for name in _addressed(said)) or _mistakes_for(said, turn):
        found.append("wrong_name")
    if not written and numbers(said) - _told_numbers(turn):
        found.append("wrong_number")
    if _contradicts(said, turn):
        found.append("contradicts_persona")
    return found


def _told_numbers(turn: Turn) -> set[int]:
    """The numbers that either side said or that are known, and what they may be rounded to: 148 to 140 and 100."""
    texts = [turn.text, *(said.text for said in turn.history), *(fact.value for fact in turn.known())]
    texts += [memory.moment.text for memory in turn.memories or ()]
    told = {number for text in texts for number in numbers(text)}
    return told | {number // 10**size * 10**size for number in told for size in range(1, len(str(number)))}


def _names(said: str, turn: Turn) -> bool:
    """Whether it states what somebody is called or where the person is, which skills alone answer: "He's called Bruno."
    A name that the message itself gives may be taken up, unless the message asks for one."""
    message = set(plain(turn.text).split())
    asks = bool(message & {"name", "names", "called", "who"} and _ASKING.search(plain(turn.text)))
    named = [f.value.lower() for f in turn.known() if f.slot == "name" and f.about not in ("", "companion")]
    others = set(named) - message
    home = {word for f in turn.known() if f.slot in ("home", "home_town") and not f.about for word in f.value.split()}
    for sentence in re.split(r"(?<=[.!?]) +", said):
        if sentence.endswith("?"):
            continue
        if any(asks or (match[1] or match[2]).lower() not in message for match in _CALLS.finditer(sentence)):
            return True
        if any(match[1].lower() not in message and match[1] not in home for match in _PLACED.finditer(sentence)):
            return True
        if asks and others & {word.lower() for word in re.findall(r"\b[A-Z]\w+", sentence)}:
            return True
    return False


def _mistakes_for(said: str, turn: Turn) -> bool:
    """Whether it speaks to the person by a name that belongs to somebody else: "Well done, Bruno." of their dog. A name
    behind a word of kin or in a list ("your sister, Anna", "Tom, Anna") is only mentioned."""
    named = [(f.about, f.value.lower().split()[0]) for f in turn.known() if f.slot == "name" and f.value.strip()]
    others = {name for about, name in named if about} - {name for about, name in named if not about}
    for match in _SPOKEN_TO.finditer(said):
        before, name = (match[1] or "").lower(), (match[2] or match[3]).lower()
        if name in others and before not in _all_kin() and not (before and _is_name(before)):
            return True
    return False


def asks_about_person(turn: Turn) -> bool:
    """Whether the message asks for a fact of the person, or might: it looks like a question and names what is theirs.
    Wider than what skills answer, since here a mistake costs no more than a candidate."""
    texts = [clause.removesuffix(" ?") for clause in clauses(turn.text)]
    found = [question(text) for text in texts if len(text.split()) <= 16]
    if any(asked and asked.kind != "remember" for asked in found) or asking.asked_in(texts):
        return True
    if any(matching.asks_own(text, turn.at, is_question(turn, text)) for text in texts):
        return True
    whole = plain(turn.text)
    return len(whole.split()) <= 14 and bool(_ASKING.search(whole) and asking.names_theirs(whole.rstrip(" ?")))


@cache
def _all_kin() -> frozenset[str]:
    return frozenset({*lists()["relations"], *lists()["pets"], *words("partners"), *words("kinds")})


@cache
def _not_everyones() -> re.Pattern[str]:
    """ "your dog", "you have two brothers": whom not everybody has."""
    everyone = {*load("grounding")["everyone"]}
    kin = "|".join(sorted(_all_kin() - everyone, key=len, reverse=True))
    return re.compile(
        rf"\byour (?:own |little |big |older |younger |old |new |sweet |dear )?({kin})s?\b"
        rf"|{_NOT}\byou(?:’ve got| have| had| got) (?:a |an |two |three |four |\d )(?:\w+ )?({kin})s?\b"
    )


def _told(turn: Turn) -> set[str]:
    """The words that the person's own side of the talk holds, lower case, in the singular."""
    texts = [turn.text, *(said.text for said in turn.history if said.role == "person")]
    texts += [f"{fact.slot} {fact.value} {fact.about}" for fact in turn.known() if fact.about != "companion"]
    texts += [memory.moment.text for memory in turn.memories or () if memory.moment.role == "person"]
    texts.append(turn.companion_name)
    plain = {word for text in texts for word in re.findall(r"\w+", text[:4000].lower())}
    told = plain | {_one(word) for word in plain}
    for group in (*load("questions")["words"]["kin"], *load("grounding")["kin"]):
        if told & set(group):
            told |= set(group)
    if told & (set(lists()["pets"]) | {"animal"}):
        told |= {"pet", "animal"}
    if told & set(words("partners")):
        told.add("partner")
    return told


def _one(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _among(word: str, told: set[str]) -> bool:
    return bool({word.lower(), _one(word.lower())} & told)


def _content(text: str) -> list[str]:
    return [w for w in re.findall(r"[a-z]{4,}", text.lower()) if w not in load("grounding")["plain"]]


def _invents(said: str, told: set[str]) -> bool:
    """Whether it states something of the person that their own words do not hold."""
    low = said.lower()
    for match in _not_everyones().finditer(low):
        if not any(_among(word, told) for word in (match[1] or match[2]).split()):
            return True
    if any(not _among(m[1], told) and m[1] not in load("grounding")["anywhere"] for m in _STATES.finditer(low)):
        return True
    if _DIED.search(low) and not told & _DEATH:
        return True
    if any(not _among(match[1], told) for match in _AGE.finditer(low)):
        return True
    parts = (_content(match[1]) for pattern in (_TOLD, _LAST) for match in pattern.finditer(low))
    return any(part and not any(_among(word, told) for word in part) for part in parts)


def _states(said: str, told: set[str]) -> bool:
    """As the answer to a question about the person: whether a sentence neither says that it does not know, nor asks,
    nor holds what was told and nothing else."""
    for sentence in re.split(r"(?<=[.!?]) +", said):
        low = sentence.lower()
        capitals = [name for name in re.findall(r"\b[A-Z][a-z]+\b", sentence) if _is_name(name)]
        strange = any(not _among(name, told) for name in capitals)
        if not strange and (low.endswith("?") or (_HONEST.search(low) and " but " not in low)):
            continue
        content = [word for word in _content(low) if not _among(word, told)]
        if strange or content or _COUNTS.search(low) or _THIRD.search(low) or not capitals:
            return True
    return False


def _addressed(said: str) -> Iterator[str]:
    """Names by which it speaks to the person."""
    for match in _NAMES.finditer(said):
        yield match[1]
    for match in _CALLED.finditer(said):
        yield next(group for group in match.groups() if group)


@cache
def _no_names() -> frozenset[str]:
    data = load("grounding")
    return frozenset((*data["capitals"], *data["openings"], *lists()["places"]))


def _is_name(word: str) -> bool:
    low = word.lower()
    return low in lists()["names"] or (low not in _no_names() and low not in load("grounding")["plain"])


def _contradicts(said: str, turn: Turn) -> bool:
    """Another name for itself, a like denied, a trait denied."""
    own = turn.companion_name.lower()
    for match in _SELF.finditer(said):
        if match[1].lower() != own.split()[0] and _is_name(match[1]):
            return True
    low = said.lower()
    likes = {word for like in turn.persona.likes for word in _content(like)}
    if any(likes & set(_content(match[1] or match[2] or "")) for match in _DISLIKES.finditer(low)):
        return True
    traits = {word for trait in turn.persona.traits for word in re.findall(r"[a-z]{4,}", trait) if word != "little"}
    return any(match[1] in traits for match in _DENIES.finditer(low))
