"""A chat driven by keys that a test types, in this process: no terminal, real prompt_toolkit, a pipeline by hand."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput
from rich.console import Console

from chatbot.companion import Companion
from chatbot.settings import MemorySettings
from chatbot.terminal.chat import Chat
from pipelines.config import Config
from pipelines.pipeline import Pipeline, Step
from pipelines.turn import Candidate, Emotion, Fact, Persona, Reply, Risk, Turn


class Stage:
    """A stage from a function of one turn."""

    needs: tuple[str, ...] = ()

    def __init__(self, one: Callable[[Turn], Any]) -> None:
        self.one = one

    def __call__(self, turns: Sequence[Turn]) -> list[Any]:
        return [self.one(turn) for turn in turns]


def slowly(turn: Turn) -> list[Candidate]:
    """Words one by one, until there are 400 of them or the stop event is set; at once unless "slow" is said."""
    words = []
    for i in range(400 if "slow" in turn.text else 1):
        words.append(f"word{i}")
        if turn.on_candidate and "several" in turn.text:
            turn.on_candidate(Candidate(words[-1], "slowly"))
        elif turn.on_text:
            turn.on_text(" ".join(words))
        if turn.stop.wait(0.02 if "slow" in turn.text else 0):
            break
    return [Candidate(" ".join(words), "slowly", finished=not turn.stop.is_set())]


def answered(turn: Turn) -> Reply:
    if turn.safety and turn.safety.reply:
        return Reply(turn.safety.reply, "safety")
    assert turn.candidates
    name = turn.fact("name")
    text = f"{turn.candidates[0].text}, {name}" if name else turn.candidates[0].text
    return Reply(text, "slowly", "it was the only one", tuple(turn.candidates))


def endangered(turn: Turn) -> Risk:
    return Risk("now", "self_harm", "Help is near.") if "danger" in turn.text else Risk()


def sad(turn: Turn) -> Emotion:
    return Emotion({"sadness": 0.8}, ("sadness",), -0.8) if "sad" in turn.text else Emotion({}, ("neutral",), 0.0)


def named(turn: Turn) -> list[Fact]:
    return [Fact("name", turn.text[5:].title())] if turn.text.startswith("i am ") else []


def steps() -> list[Step]:
    """safety ("danger" is now), emotion (sad or not), facts ("i am X" is a name), candidates (slowly), reply."""
    return [
        Step("safety", "fake", Stage(endangered)),
        Step("emotion", "fake", Stage(sad)),
        Step("facts", "fake", Stage(named)),
        Step("candidates", "slowly", Stage(slowly)),
        Step("reply", "fake", Stage(answered)),
    ]


class Screen:
    """What the chat has printed, and the keys to it."""

    def __init__(self, chat: Chat, keys: PipeInput, out: io.StringIO) -> None:
        self.chat, self.keys, self.out = chat, keys, out
        self.seen = 0

    @property
    def text(self) -> str:
        return self.out.getvalue()

    async def ready(self) -> Companion:
        """The companion, once it is loaded."""
        await self.until(lambda: self.chat._loading.finished)
        return await self.chat.worker.ready()

    def type(self, text: str) -> None:
        self.keys.send_text(text)

    async def wait(self, text: str, seconds: float = 60.0) -> str:
        """What was printed since the last wait, once the text is in it."""
        deadline = time.monotonic() + seconds
        while text not in self.text[self.seen :]:
            assert time.monotonic() < deadline, f"{text!r} is not in {self.text[self.seen :]!r}"
            await asyncio.sleep(0.01)
        new = self.text[self.seen :]
        self.seen = len(self.text)
        return new

    async def say(self, text: str, expect: str) -> str:
        self.type(text + "\r")
        return await self.wait(expect)

    async def until(self, true: Callable[[], bool], seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, "it did not come to pass"
            await asyncio.sleep(0.005)


@asynccontextmanager
async def chatting(
    folder: Path, config: Config | None = None, make: Any = None, width: int = 100, leave: bool = True
) -> AsyncIterator[Screen]:
    """A chat that has begun; it is left by Ctrl-D at the end.

    make: of the companion; by hand from `steps` if None, the real one if False."""
    memory = MemorySettings(folder=str(folder))
    found = config or Config(Path("hand.toml"), Persona(), [], {"memory": memory})

    def by_hand(config: Any, progress: Any) -> Companion:
        return Companion(Pipeline(steps()), config.persona, config.sections["memory"])

    out = io.StringIO()
    console = Console(file=out, width=width, color_system=None, highlight=False)
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        chat = Chat(found, "me", console, by_hand if make is None else make or None)
        running = asyncio.create_task(chat.run())
        screen = Screen(chat, keys, out)
        try:
            yield screen
            if leave:
                keys.send_text("\x03\x04")
                assert await asyncio.wait_for(running, 10) == 0
        finally:
            if not running.done():
                chat.leave()
                await asyncio.wait([running], timeout=5)
