"""What a person asks of their memory, done: forget that, why do you think so, where did I live before, pause.

Which messages ask for something is said by chatbot/request_patterns.py. A request is not written down, and its reply
repeats nothing of what was forgotten, or the words would be back on the disk.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

from chatbot import memory_export
from chatbot.changes import Forgotten, whole_words
from chatbot.memory import Memory
from chatbot.request_patterns import LENGTHS, NUMBERS, SLOTS, Request, read
from models.prompt import fact_line
from pipelines.errors import UsageError
from pipelines.turn import Fact, Reply

SURE = timedelta(minutes=5)
"""For how long a "yes" still answers "erase everything?"."""

GONE = "Your words themselves I no longer have."
_UNIT = r"s(?:ec)?(?:ond)?s?|min(?:ute)?s?|m|h(?:our)?s?|d(?:ay)?s?|w(?:eek)?s?"
_QUESTION = re.compile(r"\?\s*$|^(?:so |and |hey )?(?:what|whats|who|whos|where|when|which|how|do|did)\b")
_LAST = re.compile(rf"(?:the )?last (?P<number>\d{{1,4}}) ?(?P<unit>{_UNIT})")


def answer(text: str, memory: Memory, at: datetime) -> Reply | None:
    """What the person asked of memory, done, and the reply to it; None when the message is no such request."""
    request = read(text)
    done = fulfil(request, memory, at) if request else None
    return Reply(done, "memory", "asked of memory itself") if done else None


def fulfil(request: Request, memory: Memory, at: datetime) -> str | None:
    """Do it, and say so; None when it is no request after all, since nothing is known that it could mean."""
    asked, kind = memory.get("erase_asked"), request.kind
    if asked and kind not in ("erase", "yes"):
        memory.set("erase_asked", None)
    if kind == "last":
        return _forget_last(memory)
    if kind == "since":
        seconds = LENGTHS[str(request.what["unit"])] * _number(request.what["number"] or "")
        gone_since = memory.forget(since=at - timedelta(seconds=seconds))
        return _told(len(gone_since.moments), len(gone_since.facts))
    if kind == "erase":
        memory.set("erase_asked", at.isoformat())
        return "Everything I know about you, and all we ever said, gone for good? Say yes, and I erase it."
    if kind == "yes":
        if asked and at - datetime.fromisoformat(asked) < SURE:
            memory.erase()
            return "Done. Everything I had of you is erased. If you like, we start from the beginning."
        return None
    if kind == "slot":
        return _forget_slot(request, memory)
    if kind == "text":
        return _forget_text(request, memory)
    if kind == "wrong":
        fact = _spoken_of(memory, memory.facts())
        if fact is None or fact.id is None:
            return None
        memory.forget(fact.id)
        return "Then I had that wrong, sorry. I have taken it out. What is it really?"
    if kind == "why":
        return _why(request, memory, at)
    if kind == "before":
        return _before(request, memory)
    if kind == "pause":
        memory.pause()
        return "Paused. What we say now is written down nowhere, until you tell me to remember again."
    if not memory.paused:
        return None
    memory.resume()
    return "I remember again, from here on. What you said in between I have not kept."


def _number(text: str) -> int:
    return int(text) if text.isdigit() else NUMBERS[text]


def _told(moments: int, facts: int) -> str:
    if not moments and not facts:
        return "There was nothing of that to forget."
    words = [f"{n} {what}{'s' if n != 1 else ''}" for n, what in ((moments, "message"), (facts, "fact")) if n]
    return f"Forgotten: {' and '.join(words)}. It is off the disk too."


def _forget_last(memory: Memory) -> str:
    """The last exchange; after a question that was answered with a fact, that fact too: it is what "that" means."""
    asked = next((u.text for u in reversed(memory.recent(2)) if u.role == "person"), "")
    answered = _spoken_of(memory, memory.facts()) if _QUESTION.search(asked.lower()) else None
    gone = memory.undo()
    if answered is not None and answered.id is not None:
        memory.forget(answered.id)
        return "Forgotten: what I just told you, and the words it came from."
    return "Forgotten: your last message and what I learned from it." if gone else "There is nothing left to forget."


def _forget_slot(request: Request, memory: Memory) -> str:
    slot = next(slot for slot in SLOTS if request.what.get(slot))
    found = [f for f in [*memory.facts(), *memory.past_facts()] if f.slot == slot and not f.about and f.id]
    gone = [memory.forget(f.id) for f in found]
    return _told(len({m.id for g in gone for m in g.moments}), sum(len(g.facts) for g in gone))


def _forget_text(request: Request, memory: Memory) -> str | None:
    """Somebody or something by name. "Forget work" may be mere comfort, so without "everything about" only names go."""
    what, about = str(request.what["what"]), request.what["about"] or ""
    known = [*memory.facts(), *memory.past_facts()]
    named = any(f.value.lower() == what and f.value[:1].isupper() for f in known)
    if not named and not about.startswith(("everything", "all")):
        return None
    gone = memory.forget(text=what)
    return _told(len(gone.moments), len(gone.facts))


def _spoken_of(memory: Memory, facts: list[Fact]) -> Fact | None:
    """The fact that the companion's last words tell: of several the newest, but a name before a mere "cat"."""
    last = next((u.text.lower() for u in reversed(memory.recent(2)) if u.role == "companion"), "")
    said = [f for f in facts if re.search(rf"(?<!\w){re.escape(f.value.lower())}(?!\w)", last)]
    return max(enumerate(said), key=lambda f: (f[1].value[:1].isupper(), f[0]))[1] if said else None


def source_of(fact: Fact, memory: Memory, at: datetime) -> str:
    """Where a fact comes from: the words and the day, or the day alone when the words are gone."""
    day = _day(fact.since or fact.until or at, at)
    try:
        words = memory.moment(fact.turn).text.strip() if fact.turn is not None else ""
    except KeyError:
        words = ""
    return f"Because you told me {day}: “{words[:300]}”" if words else f"You told me {day}. {GONE}"


def forget(what: str, memory: Memory, at: datetime) -> Forgotten:
    """Forget by what a command was given: a fact's number, "last 2 hours", or words."""
    if what.isdecimal():
        return memory.forget(int(what)) if int(what) < 2**63 else Forgotten((), ())
    last = _LAST.fullmatch(what.lower())
    if last:
        unit = next(seconds for name, seconds in LENGTHS.items() if name[0] == last["unit"][0])
        return memory.forget(since=at - timedelta(seconds=unit * int(last["number"])))
    return memory.forget(text=what)


def why(what: str, memory: Memory, at: datetime) -> str:
    """Where the facts come from that a command names by their number or a word. Raises UsageError for none."""
    known = [*memory.past_facts(), *memory.facts()]
    found = [f for f in known if str(f.id) == what]
    if not what.isdecimal():
        found = [f for f in known if whole_words(what).search(f"{f.about} {f.slot} {f.value}".replace("_", " "))]
    if not found:
        raise UsageError(f"There is no fact {what!r}: chatbot memory show (in the chat: /memory) lists them.")
    return "\n".join(f"{fact_line(f)}: {source_of(f, memory, at)}" for f in found)


def exported(memory: Memory, text: bool = False) -> str:
    """All that is kept, as JSON or as a page of text, with a line break at its end."""
    data = memory.export()
    if not text:
        return json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n"
    lines = [f"{fact_line(f)} (since {f.since:%Y-%m-%d})" if f.since else fact_line(f) for f in memory.facts()]
    lines += [
        f"once: {fact_line(f)}" + (f" (until {f.until:%Y-%m-%d})" if f.until else "") for f in memory.past_facts()
    ]
    return memory_export.page(data, lines)


def _why(request: Request, memory: Memory, at: datetime) -> str | None:
    known = [*memory.past_facts(), *memory.facts()]
    slot = next((slot for slot in SLOTS if request.what.get(slot)), None)
    own = [f for f in known if f.slot == slot and not f.about]
    fact = (own[-1] if own else None) if slot else _spoken_of(memory, known)
    if fact is None or fact.turn is None:
        return None
    return source_of(fact, memory, at)


def _day(when: datetime, at: datetime) -> str:
    days = (at.date() - when.astimezone(at.tzinfo).date()).days
    if days in (0, 1):
        return "today" if days == 0 else "yesterday"
    return f"on {when.day} {when:%B}" + (f" {when.year}" if when.year != at.year else "")


def _before(request: Request, memory: Memory) -> str | None:
    """What was true once: the last one that ended, or the last that ended before the one that is named."""
    what = request.what
    thing = what["was"] or what["thing"] or ""
    slot = {"city": "home", "town": "home", "job": "work"}.get(thing, thing)
    slot = "home" if what["live"] else "work" if what["job"] else "school" if what["study"] else slot
    slot = "partner" if what["ex"] else slot
    known = [f for f in [*memory.past_facts(), *memory.facts()] if f.slot == slot and not f.about]
    named = next((f for f in known if f.value.lower() == (what["than"] or "")), None)
    limit = named.since if named else None
    ended = [(f.until, f) for f in known if f.until and (limit is None or f.until <= limit)]
    past = [fact for _, fact in sorted(ended, key=lambda end: end[0])]
    if not past:
        return None
    value = past[-1].value
    return {
        "home": f"Before, you lived in {value}.",
        "work": f"Before, your work was this: {value}.",
        "school": f"Before, it was {value}.",
        "partner": f"That was {value}.",
        "name": f"Before, I knew you as {value}.",
    }.get(slot)
