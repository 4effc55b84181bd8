"""Which known facts a question asks for, in whatever words: "bet you forgot what my sisters cat is called".

No pattern knows the sentence. Words that only frame a question are set aside (`[matching]` in `data/questions.toml`),
and a fact is asked for when all words that are left are explained by it: by whose it is, by what its slot is called,
by its value. One word too many ("my car", "should i") and nothing is answered; so it is for the best of several facts,
unless they are of one kind. Slips of the keyboard are mended towards the words that could be meant here.

It knows no meanings beyond its lists, English only, and not what "her" refers to beyond the same message.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from models.chatspeak import load
from models.entity_rules import lists
from models.facts.people import forms, kinds, pet_kinds
from models.respelling import common_words
from models.telling import spoken
from pipelines.turn import Fact

_MINE = frozenset(("i", "me", "my", "mine", "we", "us", "our", "myself"))
_AUX = frozenset(("is", "are", "was", "were", "am", "do", "does", "did", "have", "has", "had", "can"))
_WH = frozenset(("what", "which", "who", "whom", "whose", "where", "when", "how"))
_PRONOUNS = frozenset(("he", "she", "it", "they", "his", "her", "its", "their", "him", "them"))
_OTHERS = frozenset(("you", "your", "yours", "yourself", "why"))
_KNOW = "(?:know|knew|remember|recall|forget|forgot|forgotten|guess|tell|say|spell|name|mention|have)"
_TOLD = (
    r"(?:(?:say|said|mention|mentioned)(?: to you)?|(?:tell|told) you)(?: about)?"
    r"(?: earlier| before| yesterday| once)?\b"
)
_REQUESTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\bhow (?:do|would|should) (?:you|i) (?:spell|write)\b",
        rf"\b(?:do|did|can|could|would|will|have) you (?:not )?(?:\w+ )?{_KNOW}\b",
        rf"\byou (?:(?:do|can|could|did|will) not )?(?:\w+ )?{_KNOW}\b",
        r"\b(?:tell|remind) (?:me|us)\b(?: of)?",
        rf"\b(?:(?:did|have|had) i|i have|i) (?:ever |already |just |once )?{_TOLD}(?! at\b)",
        r"\bi (?:just |totally |completely )?(?:(?:can|do|could) not (?:even )?(?:remember|recall|know)|forg[oe]t)\b",
        r"\bi (?:bet|wonder)\b|\bbet\b",
        r"^(?:ok |so |and |hey |now |please )*(?:name|spell|say|guess|remember|recall)\b",
        r"\b(?:any|some|no) (?:idea|clue)\b|(?:,| )(?:do|did|can) you$",
    )
)
"""What only asks the companion to remember, and is left out of the question."""
_ORDER = re.compile(
    r"^(?:(?:please|just|now|ok|and|so) )*forget\b|\b(?:can|could|will|would|should|must|to)(?: \w+){0,2} forget\b"
)
""" "Forget my birthday" is no question for it."""
_JOB = re.compile(
    r"\b(what (?:do|does) (?!.*\b(?:i|we|you|it|to) do\b)\w.* )do\b"
    r"|\b(what (?!.*\b(?:i|we|you|it|to) does\b)(?!does )\w.* )does$"
)
""" "What does my dad do", "what my dad does": his work."""
_ACTED = re.compile(
    r"\b(?:i|we|he|she|they) did\b|\bdo i (?:say|tell)\b|\bwho (?:\w+ )?(?:called|named|call|calls|names|name)\b"
)
""" "What we did in school": more is asked than where that was."""
MOST_WORDS = 18


_NOBODYS = tuple(
    Fact(slot, "?")
    for slot in (
        *("home", "home_town", "age", "birthday", "work", "school", "partner", "pet", "nickname", "like", "dislike"),
        *("language", "instrument", "allergy"),
    )
)


def asked_for(facts: Sequence[Fact], text: str, at: datetime, question_mark: bool) -> list[Fact]:
    """The facts of one slot that a text in plain words asks for, [] when it asks for none of them or when that is not
    sure. question_mark: whether the clause ends in one; facts: all that are known; at: for the days of plans."""
    scored = _scored([fact for fact in facts if fact.about != "companion" and fact.value], text, at, question_mark)
    best = max((score for score, _ in scored), default=0)
    found = [fact for score, fact in scored if score == best]
    return found if len({fact.slot for fact in found}) == 1 or len({fact.value for fact in found}) == 1 else []


def asks_own(text: str, at: datetime, question_mark: bool) -> bool:
    """Whether a text in plain words asks for a fact of the person that anybody might have told, known or not."""
    return bool(_scored(_NOBODYS, text, at, question_mark))


def _scored(known: Sequence[Fact], text: str, at: datetime, question_mark: bool) -> list[tuple[int, Fact]]:
    if not known or len(text.split()) > MOST_WORDS:
        return []
    own = {word for fact in known for word in _of_value(fact, at) | set(_plain(fact.slot)) | set(_plain(fact.about))}
    mended = " ".join(_mend(word, own) for word in text.lower().split())
    bare = mended
    for pattern in _REQUESTS:
        bare = pattern.sub(" ", bare)
    said = _words(bare)
    if _ORDER.search(mended) or not _asks(said, question_mark, bare != mended):
        return []
    return [(score, fact) for fact in known if (score := _score(fact, said, known, at))]


# -- the words of the question


@cache
def _data() -> dict[str, Any]:
    return dict(load("questions")["matching"])


@cache
def _vocabulary() -> frozenset[str]:
    data = _data()
    cues = {word for entries in data["cues"].values() for entry in entries for word in entry.split()}
    same = {word for group in data["same"] for word in group}
    groups = {word for kind, group in data["groups"].items() for word in (kind, *group)}
    people = {_joined(kind) for kind in kinds().values()}
    beside = {word for group in data["beside"].values() for word in group}
    return frozenset(
        {*data["frame"], *cues, *beside, *same, *groups, *people, *_PRONOUNS, *_OTHERS, "should", "will", "not"}
    )


@cache
def _somebody() -> re.Pattern[str]:
    return re.compile(rf"\b({forms()})s?\b")


def _joined(kind: str) -> str:
    return kind.replace("-", "_").replace(" ", "_")


def _words(bare: str) -> list[str]:
    """The words in the form that facts are compared in: kin and favorites by one name each."""
    bare = _JOB.sub(lambda match: f"{match[1] or match[2]}job", " ".join(bare.split()))
    bare = _ACTED.sub("acted", bare)
    bare = re.sub(r"\bhome (?:town|city|country|village)\b", "hometown", bare)
    said = [_same(word) for word in _somebody().sub(lambda match: _joined(kinds()[match[1]]), bare).split()]
    people = {_joined(kind) for kind in kinds().values()}
    for i, word in enumerate(said[:-1]):
        for age in ("older", "younger"):
            # "My big sister", and not "who is older, me or my sister".
            if word in _data()["groups"][age] and said[i + 1] in people:
                said[i] = f"{age}_"
    return said


@cache
def _same_words() -> dict[str, str]:
    return {word: group[0] for group in _data()["same"] for word in group}


def _same(word: str) -> str:
    return _same_words().get(word, word)


def _mend(word: str, own: set[str]) -> str:
    """own: the words of the facts. A word that is whole English, or a name, is never mended into another."""
    vocabulary = _vocabulary()
    if word in vocabulary or word in own or word in kinds():
        return word
    one = word[:-1] if word.endswith("s") else word
    if one in vocabulary or one in own or one in kinds():
        return one
    if len(word) < 3 or word in common_words() or {word, one} & set(lists()["names"]):
        return word
    return _near(one) or (_nearest(one, sorted(own), 0.85) if len(word) > 4 else "") or word


@lru_cache(maxsize=4096)
def _near(word: str) -> str:
    return _nearest(word, sorted({*_vocabulary(), *kinds()}), 0.8)


def _nearest(word: str, choice: Sequence[str], cutoff: float) -> str:
    near = difflib.get_close_matches(word, choice, n=3, cutoff=cutoff)
    return next((w for w in near if w[0] == word[0] and len(w) > 2 and abs(len(w) - len(word)) < 2), "")


def _plain(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower().replace("'s ", " "))


def _of_value(fact: Fact, at: datetime) -> set[str]:
    told = {word for word in _plain(spoken(fact.value, at)) if len(word) > 1 and word not in _data()["frame"]}
    told |= {word[:-1] for word in told if word.endswith("s") and len(word) > 3}
    return told | {_joined(kinds()[word]) for word in told if word in kinds()}


def _asks(said: Sequence[str], question_mark: bool, requested: bool) -> bool:
    """Whether the words are put as a question or a request, and not to the companion about itself."""
    if set(said) & _OTHERS:
        return False
    at = _question_word(said)
    begins = next((word for word in said if word not in ("so", "and", "but", "ok", "hey", "wait", "now")), "")
    if at is None:
        mine = bool({"my", "our", "mine"} & set(said))
        again = begins in ("my", "our") and "again" in said
        return begins in _AUX or (mine and (requested or question_mark or again))
    after = said[at + 1 :]
    subject = next((i for i, word in enumerate(after) if word in ("i", "my", "we", "our")), len(after))
    # "Where i live it rains" has no verb before the "i", and is no question by itself.
    return requested or question_mark or "again" in said or bool(_AUX & set(after[:subject]))


def _question_word(said: Sequence[str]) -> int | None:
    return next((i for i in range(len(said) - 1, -1, -1) if said[i] in _WH), None)


# -- one fact against the words


def _score(fact: Fact, said: Sequence[str], known: Sequence[Fact], at: datetime) -> int:
    """0: not asked for; else how many words of the question the slot and the value explain."""
    words = set(said)
    if not _may_ask(fact.slot, said):
        return 0
    whose = _whose(fact, words, known)
    if whose is None:
        return 0
    left = words - set(_data()["frame"]) - whose
    if whose & set(pet_kinds()) or fact.about:
        left -= _PRONOUNS
    named = _cued(fact, words)
    value = left & _of_value(fact, at) if fact.slot not in ("age", "birthday") else set()
    if fact.slot in ("pet", "family") and not named and not ("i" in words and "my" not in words):
        value = set()  # "Who is my sister" is not answered by that there is one
    if left - named - value - set(_data()["beside"].get(fact.slot, ())) or not (named or value):
        return 0
    # "Remember i live in Rome" tells; only a question may name what it asks for.
    if value - named and _question_word(said) is None and not (_AUX & set(said[:3])):
        return 0
    # Where somebody studies is not answered by what they study.
    if "where" in words and fact.slot in ("work", "school") and fact.value.islower():
        return 0
    return len(named) + len(value)


def _may_ask(slot: str, said: Sequence[str]) -> bool:
    at = _question_word(said)
    if at is None:
        return True
    asks = _data()["asks"]
    pair = " ".join(said[at : at + 2])
    allowed = asks.get(pair) or asks.get(said[at])
    if said[at] == "how" and pair not in asks and not {"call", "name"} & set(said):
        return False
    return allowed is None or slot in allowed or slot not in _data()["cues"]


def _cued(fact: Fact, words: set[str]) -> set[str]:
    """The words that name the slot."""
    if fact.slot.startswith("favorite "):
        thing = {_same(word) for word in _plain(fact.slot)[1:]}
        liked = words & {"favorite", "best", "most", "love", "like", "prefer", "always", "top"}
        return thing | liked if thing <= words and liked else set()
    own = [" ".join(_same(word) for word in _plain(fact.slot.replace("_", " ")))]
    cues = [set(entry.split()) for entry in _data()["cues"].get(fact.slot, own)]
    found = {word for cue in cues if cue <= words for word in cue}
    if fact.slot not in _data()["cues"] and found:
        found |= words & {"name", "call"}  # a slot of somebody else's making: "cat" of "Anna"
    if fact.slot == "name" and fact.about and "who" in words:
        found.add("who")
    return found


def _whose(fact: Fact, words: set[str], known: Sequence[Fact]) -> set[str] | None:
    """The words that say whose fact it is; None when the question is not about them."""
    if not fact.about:
        own = words & _MINE or (fact.slot == "plan" and "when" in words)
        return set() if own else None
    found: set[str] = set()
    about = re.sub(r"^(\w+) of (.+)$", r"\2's \1", fact.about)
    parts = re.split(r"'s ", about)
    for i, part in enumerate(parts):
        owner = "'s ".join(parts[: i + 1]) if i + 1 < len(parts) else fact.about
        mentioned = _mentions(owner, part, words, known)
        if not mentioned:
            return None
        found |= mentioned
    names = {word for f in known if f.slot == "name" and f.about for word in _plain(f.value)}
    names |= {word for part in parts for word in _plain(part) if word not in kinds() and part[:1].isupper()}
    return found if words & (_MINE | {"the", "that"}) or found & names else None


def _mentions(about: str, part: str, words: set[str], known: Sequence[Fact]) -> set[str]:
    """The words that mean this somebody: kind ("sister"), a wider kind ("sibling"), their name."""
    data = _data()
    kind_words = _somebody().sub(lambda match: _joined(kinds()[match[1]]), part.lower()).split()
    names = {word for f in known if f.slot == "name" and f.about == about for word in _plain(f.value)}
    heads = {word for word in kind_words if word in {_joined(kind) for kind in kinds().values()}} or set(kind_words)
    for group in load("questions")["words"]["kin"]:
        joined = {_joined(kind) for kind in group}
        heads |= joined if heads & joined else set()
    heads |= {kind for kind in ("kid", "sibling", "parent", "partner") if heads & set(data["groups"][kind])}
    heads |= {"pet", "animal"} if heads & {_joined(kind) for kind in pet_kinds()} else set()
    found = words & (heads | names)
    if not found:
        return set()
    ages = {
        f"{age}_" for age in ("older", "younger") if age not in kind_words and {"older", "younger"} & set(kind_words)
    }
    found |= {word for word in words if word.endswith("_") and word not in ages}
    return found | (words & set(kind_words))
