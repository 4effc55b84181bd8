"""One turn for one person: what is remembered goes in, the pipeline runs, what was learned is kept.

Knows no model and no channel: it is given a pipeline and people's messages. Not for several threads: the worker
calls it from one.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from chatbot import request_patterns, requests
from chatbot.memory import Memory
from chatbot.settings import MemorySettings
from chatbot.talk import WINDOW, untold
from pipelines.errors import MemoryFileError
from pipelines.pipeline import Pipeline
from pipelines.turn import Candidate, Moment, Persona, Reply, Turn

OPEN_MEMORIES = 256
"""How many people's files are kept open at once (three handles each); the one not talked to for longest is closed
first. Opening one costs more than a turn's writing."""

UNWRITTEN = "(Not written down.)"
"""What stands before the answer to "don't remember this: ..."."""

LOST = "Sorry, something in me tripped over that one. I did hear you, and I'm still here. Could you say it once more?"
"""What is said when no stage came to a reply."""


def now() -> datetime:
    """The time, aware, in the zone of this machine."""
    return datetime.now().astimezone()


@dataclass(frozen=True)
class Message:
    """Something that a person said; stop: set it to end the generation of the answer; on_text: called from the models'
    thread with all of the reply so far, while a single candidate is being written; on_candidate: called there
    with the candidate that leads, while several are."""

    person: str
    text: str
    at: datetime | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    on_text: Callable[[str], None] | None = None
    on_candidate: Callable[[Candidate], None] | None = None


class Companion:
    """Answers messages of any number of people, each from their own memory in `settings.path`."""

    def __init__(
        self,
        pipeline: Pipeline,
        persona: Persona | None = None,
        settings: MemorySettings | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.pipeline = pipeline
        self.persona = persona or Persona()
        self.settings = settings or MemorySettings()
        self.clock = clock
        self._memories: OrderedDict[str, Memory] = OrderedDict()
        self._pruned: dict[str, date] = {}  # of those open: the day on which old words were let go of

    def memory(self, person: str) -> Memory:
        """This person's memory, opened if need be. Raises MemoryFileError when the file cannot be used."""
        memory = self._memories.pop(person, None) or Memory.open(self.settings.path, person)
        self._memories[person] = memory
        while len(self._memories) > OPEN_MEMORIES:
            old, closed = self._memories.popitem(last=False)
            self._pruned.pop(old, None)
            closed.close()
        today = self.clock().date()
        if self.settings.turn_days and self._pruned.get(person) != today:
            memory.prune(self.clock() - timedelta(days=self.settings.turn_days), self.settings.summaries)
            self._pruned[person] = today
        return memory

    def answer(self, messages: Sequence[Message | tuple[str, str]], at: datetime | None = None) -> list[Turn]:
        """One turn per message, answered and remembered; one message per person at most, in one batch.

        The words are on the disk before any model sees them, so that a crash loses nothing: what was heard and never
        read is caught up with before the next message of that person. A memory that cannot be used harms only its
        owner: that turn's reply is the error's message, with the source "error".
        """
        turns: list[Turn] = []
        unwritten: set[int] = set()  # places in the batch of what is to be heard and not kept
        ids: dict[int, int] = {}  # of the turns that could be written down: place in the batch -> moment
        for message in (m if isinstance(m, Message) else Message(*m) for m in messages):
            when = message.at or at or self.clock()
            try:
                memory = self.memory(message.person)
                self._catch_up(memory, message.person)
                secret = request_patterns.unwritten(message.text)
                turn = self._turn(memory, message.person, secret or message.text, when)
                # What is asked of memory is not written down: "forget tom" must not leave "tom" on the disk.
                # Safety comes before that too.
                if request_patterns.read(message.text):
                    self.pipeline([turn], until="safety")
                    if not self._in_danger(turn) and (turn.safety is None or turn.safety.reply is None):
                        turn.reply = turn.reply or requests.answer(message.text, memory, when)
                if turn.reply is None:
                    ids[len(turns)] = memory.hear(turn.text, when, write=secret is None)
                    if secret is not None:
                        unwritten.add(len(turns))
            except MemoryFileError as error:
                turn = Turn(message.text, message.person, when, reply=Reply(str(error), "error", "nothing was kept"))
            turn.stop, turn.on_text, turn.on_candidate = message.stop, message.on_text, message.on_candidate
            turns.append(turn)
        self.pipeline([turns[i] for i in ids])
        for i, id in ids.items():
            turn = turns[i]
            if turn.stop.is_set() and (turn.reply is None or turn.reply.source == "fallback"):
                turn.reply = Reply("", "stopped", "before a word was written")
            elif turn.reply is None or not turn.reply.text.strip():
                turn.reply = Reply(LOST, "lost", "no stage came to a reply")
            if i in unwritten and turn.reply.source != "stopped":
                turn.reply = replace(turn.reply, text=f"{UNWRITTEN} {turn.reply.text}")
            try:
                self._learn(self.memory(turn.person), turn, id)
                if turn.reply.source != "stopped":  # what was not said is not remembered as said
                    self.memory(turn.person).answer(turn.reply.text, at or self.clock(), to=id)
            except MemoryFileError as error:
                turn.failed["memory"] = str(error)
        return turns

    def close_memories(self) -> None:
        """Close the files of all persons; they open again when needed."""
        for memory in self._memories.values():
            memory.close()
        self._memories.clear()
        self._pruned.clear()

    def close(self) -> None:
        """Close all memories and whatever the stages hold open."""
        self.close_memories()
        self.pipeline.close()

    def _turn(self, memory: Memory, person: str, text: str, at: datetime) -> Turn:
        return Turn(
            text=text,
            person=person,
            at=at,
            persona=self.persona,
            history=memory.talk(self.settings.history),
            untold=untold(memory.recent(WINDOW), at),
            profile=memory.facts(),
            past=memory,
        )

    def _catch_up(self, memory: Memory, person: str) -> None:
        moments: list[Moment] = memory.unread()
        for moment in moments:
            turn = self._turn(memory, person, moment.text, moment.at)
            turn.history = [u for u in turn.history if u.at < moment.at]
            self.pipeline([turn], until="facts")
            self._learn(memory, turn, moment.id)

    def _in_danger(self, turn: Turn) -> bool:
        """As safety says. Where it failed, perhaps; in a config that was made without it, nobody says so."""
        if turn.safety is None:
            return any(step.slot == "safety" for step in self.pipeline.steps)
        return turn.safety.level in ("risk", "now")

    def _learn(self, memory: Memory, turn: Turn, id: int) -> None:
        # What is said in danger is met, not collected, and never brought up again.
        in_danger = self._in_danger(turn)
        facts = [] if in_danger else turn.facts or []
        vector = turn.embedding.vector if turn.embedding and not in_danger else None
        memory.learn(id, facts, vector, turn.embedding.encoder if turn.embedding else "", hide=in_danger)
