"""Replies put together from hand-written sentences: the feeling first, then the intent, then honest curiosity.

The sentences are in `data/templates.toml`. Nothing is generated: a reply is one sentence, and about half of the time a
small question. It takes up single words of the message ("your exam"), names and facts that are known, and understands
nothing beyond the intent, the emotion and the facts that earlier stages found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field

from models.chatspeak import EMOJI, clauses, load, plain
from models.phrases import chance, hurt, last_replies, name_of, ranked, shown
from models.telling import dead, spoken
from pipelines.turn import Candidate, Fact, Turn

LONG = 40
"""Words from which on a message is a long one."""

Entry = dict[str, Any]
"""Sentences under "say", and questions that may follow under "ask"."""


class Template:
    """Candidates from hand-written sentences. No weights.

    count: how many candidates; they differ from each other and, as far as there are others, from the last replies.
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, count: Annotated[int, Field(ge=1, le=8)] = 3) -> None:
        self.count = count

    def __call__(self, turns: Sequence[Turn]) -> list[list[Candidate]]:
        # After a stop, nothing new is put beside what was being said.
        return [
            [] if turn.stop.is_set() else [Candidate(text, "template") for text in self._texts(turn)] for turn in turns
        ]

    def _texts(self, turn: Turn) -> list[str]:
        entry, values = _entry(turn)
        values = _values(turn) | values
        says = ranked(turn, entry["say"], **values)
        asks = _questions(turn, entry["ask"], values)
        texts = []
        for i in range(min(self.count, len(says))):
            asking = asks and (entry.get("always") or (chance(turn, "ask", 2) + i) % 2 == 0)
            texts.append(f"{says[i]} {asks[i % len(asks)]}" if asking else says[i])
        return texts


def _entry(turn: Turn) -> tuple[Entry, dict[str, str]]:
    """The sentences that fit, and the values that only they use."""
    data = load("templates")
    sets, feelings = data["sets"], data["emotion"]
    intent = turn.intent.label if turn.intent and turn.intent.in_scope else ""
    if intent == "self_harm" and (turn.safety is None or turn.safety.level == "none"):
        intent = ""  # that is for the safety stage to find: a helpline answers neither a joke nor a dead hamster
    feeling, strength = _feeling(turn)
    if intent in sets["glad"] and hurt(turn):
        intent = ""  # "my boss yelled at me" has the shape of news: the feeling says of which kind
    if feeling == "grief" and strength >= 0.4:
        return feelings["grief"], {}
    if who := _troubled(turn):
        return data["intent"]["their_trouble"], {"who": who}
    if intent in sets["felt"]:
        return data["intent"][intent], {}
    if not clauses(turn.text) and EMOJI.search(turn.text):
        return feelings.get(feeling) or data["unknown"]["emoji"], {}
    strong = strength >= 0.45 and feeling not in sets["faint"] and intent not in sets["answered"]
    if strong and feeling in feelings:
        return feelings[feeling], {}
    if fact := _told(turn):
        return fact
    intent = _in_context(turn, intent)
    if intent in data["intent"]:
        return data["intent"][intent], {}
    words = plain(turn.text).split()
    if len(words) >= LONG:
        return data["unknown"]["long"], {}
    if "?" in words and any(f" {phrase} " in f" {' '.join(words)} " for phrase in sets["reassurance"]):
        return data["unknown"]["reassurance"], {}
    if "?" in words or (words and words[0] in sets["asking"]):
        return data["unknown"]["question"], {}
    if when := _when(turn):
        return data["unknown"][when], {}
    if strength >= 0.4 and feeling in feelings:
        return feelings[feeling], {}
    # "Four legs good" is no answer to a vet's letter.
    return (None if hurt(turn) else _subject(words)) or data["unknown"]["statement"], {}


def _in_context(turn: Turn, intent: str) -> str:
    """The intent, told apart by what was said before or by its words where that changes the reply."""
    sets = load("templates")["sets"]
    last = (last_replies(turn) or [""])[0]
    words = plain(turn.text).split()
    if not intent and last in load("games")["would_you_rather"]:
        return "game_answer"
    for answer in ("yes", "no"):
        if intent == answer or (not intent and 1 <= len(words) <= 4 and words[0] in sets[answer]):
            return f"{answer}_to_question" if last.rstrip().endswith("?") else answer
    if intent == "share_about_me" and not {"tell", "hear", "guess", "news", "story", "happened"} & set(words):
        return ""  # a plain statement: what it is about says more
    if intent == "ask_bot_likes" and {"think", "opinion", "thoughts"} & set(words):
        return "opinion"
    return intent


def _subject(words: Sequence[str]) -> Entry | None:
    """The sentences of the first everyday subject that the message names."""
    text = f" {' '.join(words)} "
    for entry in load("templates")["subject"].values():
        if any(f" {word} " in text for word in entry["words"]):
            return dict(entry)
    return None


def _when(turn: Turn) -> str | None:
    """Whether the message tells of a day to come or of one that is over."""
    today = turn.at.date().isoformat()
    for entity in turn.entities or ():
        if entity.label in ("DATE", "TIME") and entity.value and re.match(r"\d{4}-\d\d-\d\d", entity.value):
            day = entity.value[:10]
            if day != today:
                return "ahead" if day > today else "behind"
    return None


def _feeling(turn: Turn) -> tuple[str, float]:
    """The likeliest feeling and its probability, one that is not faint if there is one; ("", 0) for none."""
    labels = [label for label in (turn.emotion.labels if turn.emotion else ()) if label != "neutral"]
    if turn.emotion is None or not labels:
        return "", 0.0
    faint = load("templates")["sets"]["faint"]
    label = next((label for label in labels if label not in faint), labels[0])
    return label, float(turn.emotion.probabilities.get(label, 0.0))


def _troubled(turn: Turn) -> str | None:
    """Whose trouble it is, when it is somebody else's: "my sister is so sad" gives "your sister"."""
    kin = load("entities")["relations"]
    trouble = set(load("templates")["sets"]["trouble"])
    for clause in clauses(turn.text):
        match = re.match(r"(?:\w+ ){0,3}?my ((?:best |little |big )?\w+) (?:is|was|feels|has|got|just|had)\b", clause)
        words = set(clause.split())
        if match and match[1].split()[-1] in kin and words & trouble and not words & {"i", "me", "us", "we"}:
            return f"your {match[1]}"
    return None


def _told(turn: Turn) -> tuple[Entry, dict[str, str]] | None:
    """Sentences for a fact of this message that was not known before."""
    texts = load("templates")["fact"]
    known = {(f.about, f.slot, f.value.lower()) for f in turn.profile}
    new = [f for f in turn.facts or () if f.change == "state" and (f.about, f.slot, f.value.lower()) not in known]
    # A pet's name says more than that there is a pet, a name more than anything else about somebody.
    for fact in sorted(new, key=lambda f: (f.slot != "name", f.slot == "pet")):
        key = _key(fact)
        value = shown(fact.value, name=True) if fact.slot in ("name", "partner") else spoken(fact.value, turn.at)
        if key in texts and value:
            return texts[key], {"value": value, "who": shown(fact.about)}
    return None


def _key(fact: Fact) -> str:
    if fact.about == "companion" or (not fact.about and fact.slot in ("name", "nickname")):
        return ""
    if fact.about:
        pet = fact.about in load("entities")["pets"]
        return ("pet_name" if pet else "their_name") if fact.slot == "name" else "their"
    return "favorite" if fact.slot.startswith("favorite") else fact.slot


def _values(turn: Turn) -> dict[str, str]:
    """What sentences may be filled with: empty where there is nothing, and names only now and then."""
    name = name_of(turn) or ""
    lately = " ".join(last_replies(turn)[:3])
    pets = load("entities")["pets"]
    gone = dead(turn.known())
    named = [f.value for f in turn.profile if f.slot == "name" and f.about in pets]
    pet = [shown(value, name=True) for value in named if value.lower() not in gone]
    likes = turn.persona.likes
    return {
        "name": "" if name and name in lately else name,
        "pet": pet[0] if pet and pet[0] not in lately else "",
        "likes": likes[chance(turn, "likes", len(likes))] if likes else "",
        "topic": _topic(turn.text),
    }


def _topic(text: str) -> str:
    """Something of the person's that may be said back: "my math exam" gives "your math exam"; "" for none."""
    topics = load("templates")["topics"]
    words = plain(text).split()
    for i, word in enumerate(words[:-1]):
        if word == "my":
            first, second = words[i + 1], " ".join(words[i + 2 : i + 3])
            if first in topics["before"] and second in topics["words"]:
                return f"your {first} {second}"
            if first in topics["words"]:
                return f"your {first}"
    return ""


def _questions(turn: Turn, asks: Sequence[str], values: dict[str, str]) -> list[str]:
    """The questions that can be asked; none after two replies that were questions already."""
    last = last_replies(turn)[:2]
    if len(last) == 2 and all(text.rstrip().endswith("?") for text in last):
        return []
    whole = [ask for ask in asks if all(values.get(field) for field in re.findall(r"\{(\w+)\}", ask))]
    return ranked(turn, whole, **values) if whole else []
