"""The worker: order per person, batches of what waits, and an end that leaves nobody hanging."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from chatbot.companion import Companion, Message
from chatbot.settings import MemorySettings
from chatbot.worker import MAX_BATCH, Worker
from pipelines.errors import WeightsError
from pipelines.pipeline import Pipeline, Step
from pipelines.turn import Reply, Turn


class Echo:
    """Repeats what was said; keeps the batches; waits for `gate` first, or for a turn's own stop."""

    needs = ()

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.entered = threading.Event()

    def __call__(self, turns: Sequence[Turn]) -> list[Reply]:
        self.batches.append([t.text for t in turns])
        self.entered.set()
        while not self.gate.wait(0.01) and not any(t.stop.is_set() for t in turns):
            pass
        return [Reply(t.text, "echo") for t in turns]


def companion(folder: Path, echo: Echo) -> Companion:
    return Companion(Pipeline([Step("reply", "echo", echo)]), settings=MemorySettings(folder=str(folder)))


async def entered(echo: Echo) -> None:
    await asyncio.get_running_loop().run_in_executor(None, echo.entered.wait, 5)


async def test_what_waits_is_one_batch_and_a_persons_messages_keep_their_order(tmp_path: Path) -> None:
    echo = Echo()
    async with Worker(lambda: companion(tmp_path, echo)) as worker:
        first = asyncio.create_task(worker.say(Message("a", "a1")))
        await entered(echo)
        others = [
            asyncio.create_task(worker.say(Message(person, text)))
            for person, text in [("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1"), ("b", "b2")]
        ]
        await asyncio.sleep(0)
        echo.gate.set()
        turns = await asyncio.gather(first, *others)
    assert [t.reply.text for t in turns if t.reply] == ["a1", "a2", "a3", "b1", "c1", "b2"]
    assert echo.batches == [["a1"], ["a2", "b1", "c1"], ["a3", "b2"]]
    memory = companion(tmp_path, echo).memory("a")
    assert [u.text for u in memory.recent(9)] == ["a1", "a1", "a2", "a2", "a3", "a3"]


async def test_a_chatty_person_starves_nobody(tmp_path: Path) -> None:
    echo = Echo()
    async with Worker(lambda: companion(tmp_path, echo)) as worker:
        flood = [asyncio.create_task(worker.say(Message("flood", str(i)))) for i in range(30)]
        quiet = [asyncio.create_task(worker.say(Message(f"p{i}", "hello"))) for i in range(MAX_BATCH + 4)]
        echo.gate.set()
        await asyncio.gather(*quiet)
        assert sum(task.done() for task in flood) <= 4
        await asyncio.gather(*flood)
    assert max(map(len, echo.batches)) == MAX_BATCH


async def test_cancelling_the_wait_stops_the_generation(tmp_path: Path) -> None:
    echo = Echo()
    async with Worker(lambda: companion(tmp_path, echo)) as worker:
        message = Message("a", "long")
        task = asyncio.create_task(worker.say(message))
        await entered(echo)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert message.stop.is_set()
        echo.gate.set()
        turn = await worker.say(Message("a", "next"))
    assert turn.reply == Reply("next", "echo")


async def test_what_fails_to_load_is_told_to_everyone_who_asks(tmp_path: Path) -> None:
    def broken() -> Companion:
        raise WeightsError("there are no weights")

    async with Worker(broken) as worker:
        with pytest.raises(WeightsError, match="no weights"):
            await worker.ready()
        with pytest.raises(WeightsError, match="no weights"):
            await worker.say(Message("a", "hello"))


async def test_leaving_while_somebody_waits_ends_both(tmp_path: Path) -> None:
    echo = Echo()
    async with Worker(lambda: companion(tmp_path, echo)) as worker:
        running = asyncio.create_task(worker.say(Message("a", "one")))
        await entered(echo)
        waiting = asyncio.create_task(worker.say(Message("a", "two")))
        await asyncio.sleep(0)
        echo.gate.set()
    results = await asyncio.gather(running, waiting, return_exceptions=True)
    assert isinstance(results[0], Turn)
    assert isinstance(results[1], asyncio.CancelledError)


async def test_an_action_runs_between_two_batches(tmp_path: Path) -> None:
    echo = Echo()
    echo.gate.set()
    async with Worker(lambda: companion(tmp_path, echo)) as worker:
        await worker.say(Message("a", "hello"))
        said = await worker.call(lambda c: [u.text for u in c.memory("a").recent(5)])
    assert said == ["hello", "hello"]
