"""Which known facts a question asks for, in whatever words: "bet you forgot what my sisters cat is called".

No pattern knows the sentence. Words that only frame a question are set aside (`[matching]` in `data/questions.toml`),
and a fact is asked for when all words that are left are explained by it: by whose it is, by what its slot is called,
by its value. One word too many ("my car", "should i") and nothing is answered; so it is for the best of several facts,
unless they are of one kind. Slips of the keyboard are mended towards the words that could be meant here.

It knows no meanings beyond its lists, English only, and not what "her" refers to beyond the same message.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from models.chatspeak import load
from models.facts.people import kinds, pet_kinds
from models.framing import AUX, PRONOUNS, asks, data, joined, question_word, same, somebody, unframed
from models.telling import spoken
from pipelines.turn import Fact

_MINE = frozenset(("i", "me", "my", "mine", "we", "us", "our", "myself"))
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
    said, requested = unframed(text, own)
    if not said or not asks(said, question_mark, requested):
        return []
    return [(score, fact) for fact in known if (score := _score(fact, said, known, at))]


def _plain(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.lower().replace("'s ", " "))


def _of_value(fact: Fact, at: datetime) -> set[str]:
    told = {word for word in _plain(spoken(fact.value, at)) if len(word) > 1 and word not in data()["frame"]}
    told |= {word[:-1] for word in told if word.endswith("s") and len(word) > 3}
    return told | {joined(kinds()[word]) for word in told if word in kinds()}


# -- one fact against the words


def _score(fact: Fact, said: Sequence[str], known: Sequence[Fact], at: datetime) -> int:
    """0: not asked for; else how many words of the question the slot and the value explain."""
    words = set(said)
    if not _may_ask(fact.slot, said):
        return 0
    whose = _whose(fact, words, known)
    if whose is None:
        return 0
    left = words - set(data()["frame"]) - whose
    if whose & set(pet_kinds()) or fact.about:
        left -= PRONOUNS
    if fact.slot in ("name", "nickname") and not fact.about and ("it" in words or not words & {"my", "me", "am"}):
        return 0  # "What did i call it" is about something else
    named = _cued(fact, words)
    value = left & _of_value(fact, at) if fact.slot not in ("age", "birthday") else set()
    if fact.slot in ("pet", "family") and not fact.about and not named and not ("i" in words and "my" not in words):
        value = set()  # "Who is my sister" is not answered by that there is one
    if left - named - value - set(data()["beside"].get(fact.slot, ())) or not (named or value):
        return 0
    # "Remember i live in Rome" tells; only a question may name what it asks for.
    if value - named and question_word(said) is None and not (AUX & set(said[:3])):
        return 0
    # Where somebody studies is not answered by what they study.
    if "where" in words and fact.slot in ("work", "school") and fact.value.islower():
        return 0
    return len(named) + len(value)


def _may_ask(slot: str, said: Sequence[str]) -> bool:
    at = question_word(said)
    if at is None:
        return True
    asks = data()["asks"]
    pair = " ".join(said[at : at + 2])
    allowed = asks.get(pair) or asks.get(said[at])
    if said[at] == "how" and pair not in asks and not {"call", "name", "address"} & set(said):
        return False
    return allowed is None or slot in allowed or slot not in data()["cues"]


def _cued(fact: Fact, words: set[str]) -> set[str]:
    """The words that name the slot."""
    if fact.slot.startswith("favorite "):
        thing = {same(word) for word in _plain(fact.slot)[1:]}
        liked = words & {"favorite", "best", "most", "love", "like", "prefer", "always", "top"}
        return thing | liked if thing <= words and liked else set()
    own = [" ".join(same(word) for word in _plain(fact.slot.replace("_", " ")))]
    cues = [set(entry.split()) for entry in data()["cues"].get(fact.slot, own)]
    found = {word for cue in cues if cue <= words for word in cue}
    if fact.slot not in data()["cues"] and found:
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
    lists_of = data()
    kind_words = somebody().sub(lambda match: joined(kinds()[match[1]]), part.lower()).split()
    names = {word for f in known if f.slot == "name" and f.about == about for word in _plain(f.value)}
    heads = {word for word in kind_words if word in {joined(kind) for kind in kinds().values()}} or set(kind_words)
    for group in load("questions")["words"]["kin"]:
        alike = {joined(kind) for kind in group}
        heads |= alike if heads & alike else set()
    heads |= {kind for kind in ("kid", "sibling", "parent", "partner") if heads & set(lists_of["groups"][kind])}
    heads |= {"pet", "animal"} if heads & {joined(kind) for kind in pet_kinds()} else set()
    found = words & (heads | names)
    if not found:
        return set()
    ages = {
        f"{age}_" for age in ("older", "younger") if age not in kind_words and {"older", "younger"} & set(kind_words)
    }
    found |= {word for word in words if word.endswith("_") and word not in ages}
    return found | (words & set(kind_words))
