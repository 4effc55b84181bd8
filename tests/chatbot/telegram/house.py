"""The bot in the test's own process, around a pipeline made by hand: for what needs no weights and no restart."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from standin import TOKEN, Standin

from chatbot.assemble import make_companion, read_config
from chatbot.companion import Companion
from chatbot.settings import MemorySettings, TelegramSettings
from chatbot.telegram.bot import Telegram
from chatbot.telegram.inbox import Inbox
from chatbot.telegram.polling import Polling
from chatbot.telegram.running import connect
from chatbot.worker import Worker
from pipelines.pipeline import Pipeline, Step
from pipelines.turn import Emotion, Fact, Persona, Reply, Risk, Turn


class Safety:
    """ "danger" is met with a fixed reply, whose stars are no Markdown."""

    needs = ()

    def __call__(self, turns: Sequence[Turn]) -> list[Risk]:
        return [Risk("now", "self_harm", "*help* is here") if "danger" in t.text else Risk() for t in turns]


class Feelings:
    needs = ()

    def __call__(self, turns: Sequence[Turn]) -> list[Emotion]:
        return [Emotion({"joy": 0.9}, ("joy",), 0.8) if "yay" in t.text else Emotion({}, (), 0.0) for t in turns]


class Facts:
    """`i am X` is a name, `exam DATE` is a plan."""

    needs = ()

    def __call__(self, turns: Sequence[Turn]) -> list[list[Fact]]:
        made = []
        for turn in turns:
            facts = [Fact("name", turn.text[5:].title())] if turn.text.startswith("i am ") else []
            made.append(facts + ([Fact("plan", turn.text)] if turn.text.startswith("exam ") else []))
        return made


class Echo:
    """Repeats what was said; waits at `gate` first, or for the turn's stop. Until then it has written `written`."""

    needs = ()

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.seen: list[str] = []
        self.written = ""

    def __call__(self, turns: Sequence[Turn]) -> list[Reply]:
        self.seen += [t.text for t in turns]
        while not self.gate.wait(0.01) and not any(t.stop.is_set() for t in turns):
            for turn in turns:
                if turn.on_text and self.written:
                    turn.on_text(self.written)
        return [Reply(t.safety.reply if t.safety and t.safety.reply else f"echo: {t.text}", "echo") for t in turns]


class House:
    """A running bot. echo: the last stage; facts, words: what is in a memory."""

    def __init__(self, telegram: Telegram, echo: Echo) -> None:
        self.telegram, self.echo = telegram, echo

    async def facts(self, person: str) -> dict[str, str]:
        return await self.telegram.worker.call(lambda c: {f.slot: f.value for f in c.memory(person).facts()})

    async def words(self, person: str) -> list[str]:
        return await self.telegram.worker.call(lambda c: [u.text for u in c.memory(person).recent(50)])


@contextlib.asynccontextmanager
async def house(
    server: Standin, folder: Path, allow: list[int], config: str = "", **settings: Any
) -> AsyncIterator[House]:
    """The bot from its first update to its stop. config: the name of a real config, for its pipeline."""
    echo = Echo()
    options = TelegramSettings(
        allow=allow, base_url=server.url, **({"pace": 0.0, "quiet": 0.02, "time_zone": "Europe/Berlin"} | settings)
    )
    stages = [("safety", Safety()), ("emotion", Feelings()), ("facts", Facts()), ("reply", echo)]

    def make() -> Companion:
        if config:
            return make_companion(read_config(config, [f"memory.folder={folder / 'memory'}"]))
        pipeline = Pipeline([Step(slot, "fake", stage) for slot, stage in stages])
        return Companion(pipeline, settings=MemorySettings(folder=str(folder / "memory")))

    inbox = Inbox(folder / "telegram" / "inbox.db")
    async with connect(TOKEN, options) as bot, Worker(make) as worker:
        await worker.ready()
        telegram = Telegram(bot, worker, inbox, options, Persona())
        polling = Polling(bot, telegram.counters, telegram.take)
        task = asyncio.create_task(polling.run(inbox.put, telegram.catch_up))
        try:
            yield House(telegram, echo)
        finally:
            echo.gate.set()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await telegram.stop(5)
            inbox.close()
