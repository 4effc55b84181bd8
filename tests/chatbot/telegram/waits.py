"""How long people wait: one alone and twenty at once, over Telegram and without it.

    python tests/chatbot/telegram/waits.py --config config.toml

Two processes have the models loaded, the worker alone (what the terminal does) and the bot against the stand-in, and
they are asked in turns, so that a machine that is busy with other things is equally busy for both. First one person
asks the one and then the other. Then, in rounds, twenty people's messages are answered one by one by the worker, and
the same messages all at once over Telegram. Prints medians over the messages, and per round the gain in throughput, the
longest wait over the median one, and what of the gain is the batch's own: processor time for the messages one by one
over that for all at once, which a busy machine changes little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
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


async def measure(config: str, people: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        read = read_config(config, [f"memory.folder={folder}/alone"])
        async with (
            Worker(partial(make_companion, read)) as worker,
            Standin(per_chat=0) as server,
            BotProcess(server, Path(folder), list(range(1, people + 2)), config=config) as bot,
        ):
            await worker.ready()
            friends = [Friend(server, id) for id in range(1, people + 2)]

            async def alone(friend: Friend, text: str) -> float:
                asked = time.monotonic()
                await worker.say(Message(f"person {friend.id}", text))
                return time.monotonic() - asked

            async def telegram(friend: Friend, text: str) -> float:
                asked = time.monotonic()
                friend.say(text)
                await friend.hears(600)
                return time.monotonic() - asked

            me = friends.pop()
            await alone(me, SAID[-1])
            await telegram(me, SAID[-1])
            one = [(await alone(me, text), await telegram(me, text)) for text in SAID]
            gains, work, longest, medians = [], [], [], []
            for number in range(rounds):
                said = [SAID[(number + i) % len(SAID)] for i in range(len(friends))]
                started, worked = time.monotonic(), time.process_time()
                for friend, text in zip(friends, said, strict=True):
                    await alone(friend, text)
                singly, worked = time.monotonic() - started, time.process_time() - worked
                started, before = time.monotonic(), _worked(bot)
                waits = await asyncio.gather(*map(telegram, friends, said))
                together = time.monotonic() - started
                work.append(round(worked / (_worked(bot) - before), 2))
                gains.append(round(singly / together, 2))
                medians.append(round(statistics.median(waits), 2))
                longest.append(round(max(waits) / statistics.median(waits), 2))
    return {
        "one person, without Telegram: median s": round(statistics.median(a for a, _ in one), 2),
        "one person, over Telegram: median s": round(statistics.median(b for _, b in one), 2),
        "added by Telegram: median s": round(statistics.median(b - a for a, b in one), 2),
        f"{people} at once: throughput over one by one, per round": gains,
        f"{people} at once: processor time of one by one over it, per round": work,
        f"{people} at once: median wait s, per round": medians,
        f"{people} at once: longest wait over the median, per round": longest,
    }


def _worked(bot: BotProcess) -> float:
    """Seconds of processor time that the bot has used."""
    assert bot.process is not None
    fields = Path(f"/proc/{bot.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="config.toml")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(**vars(options))), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
