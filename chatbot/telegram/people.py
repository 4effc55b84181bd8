"""What a person chose on Telegram, kept in their own memory file, and the naming of each other after /start."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from chatbot.companion import Companion
from chatbot.worker import Worker
from pipelines.turn import Fact, Reply, Turn

REMEMBERED = 2000
"""People whose choices are kept at hand."""


@dataclass(frozen=True)
class Choices:
    """naming: what was asked last: "person" (their name), "companion" (what to call us) or ""; zone: an IANA name."""

    naming: str = ""
    reactions: bool = True
    check_ins: bool = False
    zone: str = ""

    def time_zone(self, default: str = "") -> tzinfo | None:
        """The person's zone, else the default, else this machine's (None)."""
        name = self.zone or default
        return ZoneInfo(name) if name else None


class People:
    """The choices of all people, read once and written through."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self._known: OrderedDict[str, Choices] = OrderedDict()

    async def get(self, person: str) -> Choices:
        if person not in self._known:
            self._known[person] = await self.worker.call(partial(_load, person=person))
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._known[person]

    async def change(self, person: str, **changes: Any) -> Choices:
        chosen = replace(await self.get(person), **changes)
        await self.worker.call(partial(_save, person=person, choices=chosen))
        self._known[person] = chosen
        return chosen

    def drop(self, person: str) -> None:
        """Read it from the file again, the next time."""
        self._known.pop(person, None)


def _load(companion: Companion, person: str) -> Choices:
    memory = companion.memory(person)
    return Choices(
        naming=memory.get("telegram.naming") or "",
        reactions=memory.get("telegram.reactions") != "off",
        check_ins=memory.get("telegram.check_ins") == "on",
        zone=memory.get("telegram.zone") or "",
    )


def _save(companion: Companion, person: str, choices: Choices) -> None:
    memory = companion.memory(person)
    memory.set("telegram.naming", choices.naming or None)
    memory.set("telegram.reactions", None if choices.reactions else "off")
    memory.set("telegram.check_ins", "on" if choices.check_ins else None)
    memory.set("telegram.zone", choices.zone or None)


# -- naming each other

_NO_NAMES = (
    "hi hello hey yes no nope yeah ok okay sure what why who how skip nothing none idk dunno thanks help stop hm hmm "
    "lol haha maybe later nvm whatever good fine cool nice bye wait sorry please"
)
_THAT = ("that", "that's", "that’s", "it", "it's", "it’s", "yours", "this", "just")
_KEEP = re.compile(
    r"(?:just |keep |stay |stick with |leave it at )?(?P<name>[\w'’-]+)(?: is| sounds)?"
    r"(?: fine| good| great| ok| okay| nice)[.! ]*",
    re.IGNORECASE,
)
_ADORNED = re.compile(
    r"(?:i(?:['’]?ll| will)? call you |let['’]?s go with |how about |maybe |you['’]?re |be )?"
    r"(?P<name>[^\W\d_][\w'’-]{0,20}(?: [^\W\d_][\w'’-]{0,20}){0,2})[.!?~ ]*",
    re.IGNORECASE,
)


def companion_name(text: str, present: str) -> str | None:
    """The name in an answer to "what will you call me?", or None when it is none. present: the name we have."""
    text = text.strip()[:80]
    if match := _KEEP.fullmatch(text):
        name = match["name"].lower()
        return present if name in (present.lower(), *_THAT) else match["name"] if match["name"].istitle() else None
    match = _ADORNED.fullmatch(text)
    if not match or set(_NO_NAMES.split()) & set(match["name"].lower().split()):
        return None
    name = match["name"]
    # Several words are a name only if they are written as one: "Ada Lovelace", but not "i'm tired".
    if " " in name or "'" in name or "’" in name:
        return name if name.istitle() else None
    return name.title() if name.islower() else name


def name_companion(companion: Companion, person: str, text: str, name: str, at: datetime) -> Turn:
    """Remember what the person calls us, from these words of theirs, and say so."""
    memory = companion.memory(person)
    reply = f"{name} it is. I like it. So, what's on your mind?"
    id = memory.hear(text, at)
    memory.learn(id, [Fact("name", name, "companion")])
    memory.answer(reply, companion.clock(), to=id)
    return Turn(
        text, person, at, companion.persona, profile=memory.facts(), reply=Reply(reply, "naming", "the asked-for name")
    )


def ask_name(companion: Companion, person: str, at: datetime, greeting: str) -> None:
    """Put the greeting into the talk, so that a bare name in answer to it is understood."""
    memory = companion.memory(person)
    memory.answer(greeting, companion.clock(), to=memory.hear("/start", at))
