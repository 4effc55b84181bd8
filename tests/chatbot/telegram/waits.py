"""How long people wait: one alone and twenty at once, over Telegram and without it.

    python tests/chatbot/telegram/waits.py --config config.toml

Prints the median from question to answer without Telegram (the worker alone, as in the terminal) and over the stand-in;
then, for twenty people who ask at the same time, the throughput against answering one by one, and the longest wait.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from friends import BotProcess, Friend
from standin import Standin

from chatbot.assemble import make_companion, read_config
from chatbot.companion import Message
from chatbot.worker import Worker

SAID = (
    "I had a long day at work",
    "my cat knocked over a plant again",
    "I might learn to bake bread",
    "the rain would not stop today",
    "I am a bit nervous about tomorrow",
    "my neighbour plays the trumpet at night",
    "I finally finished that book",
)


async def alone(config: str, folder: Path) -> list[float]:
    """Seconds per answer, one person, the worker alone."""
    read = read_config(config, [f"memory.folder={folder}"])
    async with Worker(partial(make_companion, read)) as worker:
        await worker.ready()
        await worker.say(Message("warm", SAID[-1]))
        times = []
        for text in SAID:
            asked = time.monotonic()
            await worker.say(Message("me", text))
            times.append(time.monotonic() - asked)
    return times


async def over_telegram(config: str, folder: Path, people: int) -> dict[str, Any]:
    """Seconds per answer for one person, then for many at once."""
    async with Standin(per_chat=0) as server:
        allow = list(range(1, people + 2))
        async with BotProcess(server, folder, allow, config=config) as bot:
            me = Friend(server, people + 1)
            me.say(SAID[-1])
            await me.hears(120)
            one = []
            for text in SAID:
                asked = time.monotonic()
                me.say(text)
                await me.hears(120)
                one.append(time.monotonic() - asked)
            friends = [Friend(server, id) for id in range(1, people + 1)]

            async def ask(friend: Friend, text: str) -> float:
                friend.say(text)
                await friend.hears(300)
                return time.monotonic() - asked

            asked = time.monotonic()
            await asyncio.gather(*(ask(friend, SAID[0]) for friend in friends))
            asked = time.monotonic()
            many = await asyncio.gather(*(ask(f, SAID[1 + i % (len(SAID) - 1)]) for i, f in enumerate(friends)))
            whole = time.monotonic() - asked
            await bot.stop()
    return {"one": one, "many": many, "whole": whole}


async def measure(config: str, people: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        terminal = statistics.median(await alone(config, Path(folder) / "a"))
        (Path(folder) / "b").mkdir()
        telegram = await over_telegram(config, Path(folder) / "b", people)
    one, median = statistics.median(telegram["one"]), statistics.median(telegram["many"])
    return {
        "median alone, no Telegram": round(terminal, 2),
        "median alone, Telegram": round(one, 2),
        "added by Telegram": round(one - terminal, 2),
        f"{people} at once: answers a second": round(people / telegram["whole"], 2),
        "one by one: answers a second": round(1 / one, 2),
        "gain by batches": round(people / telegram["whole"] * one, 2),
        f"{people} at once: median wait": round(median, 2),
        f"{people} at once: longest wait over median": round(max(telegram["many"]) / median, 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="config.toml")
    parser.add_argument("--people", type=int, default=20)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.config, options.people)), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
