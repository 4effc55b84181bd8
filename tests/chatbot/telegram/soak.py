"""Many people talk to the bot while it is killed, restarted, flooded and cut off: every message is answered once.

    python tests/chatbot/telegram/soak.py --people 200 --messages 20 --kills 4

Every other message is an unknown command with a number of its own, which the answer repeats: so each answer can be put
beside its question. The rest is plain talk, whose answers have their place between those, and which is read back from
the memories at the end. Prints one account and exits 1 if anything was lost, doubled, out of order, forgotten or logged
that should not be. rss_kb_per_1000 is the slope of the last process's memory over its second half, per 1,000 answers.

    python tests/chatbot/telegram/soak.py --people 20 --messages 500 --kills 0 --pace 0    # 5,000 turns of one process
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from friends import BotProcess, Friend
from standin import TOKEN, Standin

from chatbot.memory import Memory

FAULTS = {"sendmessage": (0.05, ["429", "502", "cut", "done-cut"]), "getupdates": (0.1, ["cut", "502", "429"])}
"""Per method: how likely a call has a fault, and which."""

PATIENCE = 1800.0
"""Seconds without an answer after which it counts as lost: longer than a very busy machine needs."""


@dataclass
class Account:
    people: int
    sent: int = 0
    answered: int = 0
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    turns: int = 0
    memories_wrong: int = 0
    logged: int = 0
    kills: int = 0
    faults: int = 0
    p50: float = 0.0
    p95: float = 0.0
    seconds: float = 0.0
    rss_mb: float = 0.0
    rss_kb_per_1000: float = 0.0

    @property
    def right(self) -> bool:
        wrong = self.lost + self.duplicated + self.out_of_order + self.memories_wrong + self.logged
        return not wrong and self.sent == self.answered


async def soak(
    folder: Path,
    people: int,
    messages: int,
    kills: int,
    seed: int = 1,
    pace: float = 1.05,
    config: str = "tiny",
    minutes: float = 30.0,
) -> Account:
    """Run it; gives the account. pace: seconds between two messages to a chat, for the bot and the stand-in alike;
    minutes: after these nobody says anything more, and what was said until then is what the account is about."""
    account, dice, waits = Account(people), random.Random(seed), []
    started = time.monotonic()
    ends = started + 60 * minutes
    async with Standin(per_chat=max(0.0, pace - 0.05)) as server:
        server.dice, server.chances = dice, FAULTS
        allowed = list(range(1, people + 1))
        sets = [f"telegram.pace={pace}", "telegram.quiet=0.0", "telegram.per_day=0", "telegram.per_person=0"]
        bot = BotProcess(server, folder, allowed, *sets, config=config)
        async with bot:
            friends = [Friend(server, i, name="P") for i in allowed]
            samples: list[tuple[int, float]] = []
            sampling = asyncio.create_task(_sample(bot, account, samples))
            talks = [asyncio.create_task(_talk(friend, messages, waits, account, ends)) for friend in friends]
            for kill in range(kills):
                part = (kill + 1) / (kills + 1)  # of all that is said, or of the time for it
                await _until(
                    lambda part=part: (
                        account.answered >= part * people * messages
                        or time.monotonic() >= started + part * 60 * minutes
                        or all(talk.done() for talk in talks)
                    )
                )
                await bot.kill()
                account.kills += 1
                samples.clear()
                await bot.start()
            said = await asyncio.gather(*talks)
            sampling.cancel()
            server.chances = {}
            await asyncio.sleep(2)  # for what should not come
            if await bot.stop(PATIENCE) != 0:
                account.logged += 1
        account.faults = sum(server.struck.values())
        for friend, n in zip(friends, said, strict=True):
            _check(friend, n, account)
            _check_memory(folder / "memory", friend.id, n, account)
        account.logged += sum(secret in bot.logged for secret in (TOKEN, "plainly said", "Traceback"))
    waits.sort()
    if len({turns for turns, _ in samples}) > 2:
        late = samples[len(samples) // 2 :]
        account.rss_mb = round(late[-1][1] / 1024, 1)
        account.rss_kb_per_1000 = round(1000 * statistics.linear_regression(*zip(*late, strict=True)).slope, 1)
    account.p50, account.p95 = (round(waits[int(len(waits) * q)], 2) if waits else 0.0 for q in (0.5, 0.95))
    account.seconds = round(time.monotonic() - started, 1)
    return account


async def _talk(friend: Friend, messages: int, waits: list[float], account: Account, ends: float) -> int:
    """Gives how many messages were said."""
    for i in range(messages):
        if time.monotonic() > ends:
            return i
        friend.say(f"/q{friend.id}x{i}" if i % 2 else f"plainly said {friend.id}x{i}")
        account.sent += 1
        asked = time.monotonic()
        try:
            await friend.hears(PATIENCE)
        except TimeoutError:
            account.lost += 1
            return i + 1
        account.answered += 1
        waits.append(time.monotonic() - asked)
    return messages


async def _sample(bot: BotProcess, account: Account, samples: list[tuple[int, float]]) -> None:
    """The bot's resident memory in KB beside the number of answers, twice a second."""
    while True:
        await asyncio.sleep(0.5)
        if bot.process is not None and bot.process.returncode is None:
            status = Path(f"/proc/{bot.process.pid}/status")
            found = re.search(r"VmRSS:\s+(\d+)", status.read_text()) if status.exists() else None
            if found:
                samples.append((account.answered, float(found[1])))


async def _until(true: object) -> None:
    while not true():  # type: ignore[operator]
        await asyncio.sleep(0.05)


def _check(friend: Friend, messages: int, account: Account) -> None:
    account.duplicated += max(0, len(friend.received) - messages)
    found = [re.search(rf"/q{friend.id}x(\d+)\.", r["text"]) for r in friend.received]
    numbers = [int(m[1]) for m in found if m]
    account.duplicated += len(numbers) - len(set(numbers))
    account.lost += len(set(range(1, messages, 2)) - set(numbers))
    # Talk and commands take turns: at every place stands the answer to what was asked there.
    account.out_of_order += [int(m[1]) if m else None for m in found] != [i if i % 2 else None for i in range(messages)]


def _check_memory(folder: Path, id: int, messages: int, account: Account) -> None:
    memory = Memory.open(folder, f"telegram:{id}")
    said = [u.text for u in memory.recent(2 * messages + 100) if u.role == "person"]
    account.turns += len(said)
    account.memories_wrong += said != [f"plainly said {id}x{i}" for i in range(0, messages, 2)]
    memory.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--messages", type=int, default=20)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pace", type=float, default=1.05, help="seconds between two messages to a chat")
    parser.add_argument("--config", default="tiny")
    parser.add_argument("--minutes", type=float, default=30.0, help="after these nobody says anything more")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        account = asyncio.run(soak(Path(folder), **vars(options)))
    print(json.dumps(asdict(account), indent=2))
    print("all right" if account.right else "WRONG")
    return 0 if account.right else 1


if __name__ == "__main__":
    sys.exit(main())
