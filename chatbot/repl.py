"""The terminal: a chat where there is a terminal, one reply per line where there is none, JSON for programs.

Replies alone go to stdout; everything else to stderr.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Iterator

from chatbot.assemble import make_companion
from chatbot.companion import Message
from chatbot.worker import Worker
from pipelines.config import Config
from pipelines.turn import Turn

MAX_INPUT = 10_000
"""Characters of one message that are read; what is longer is cut, and said so."""


def run(config: Config, user: str, as_json: bool) -> int:
    """Talk until the input ends. Gives the exit code."""
    if sys.stdin.isatty() and sys.stdout.isatty() and not as_json:
        from chatbot.terminal.chat import Chat

        return asyncio.run(Chat(config, user).run())
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure:  # UTF-8 out as it is read, whatever the locale says
        reconfigure(encoding="utf-8", errors="replace")
    # A pipe has no answer to stop: Ctrl-C ends the program, and what was said is on the disk already.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return asyncio.run(_lines(config, user, as_json))
    finally:
        signal.signal(signal.SIGINT, before)


async def _lines(config: Config, user: str, as_json: bool) -> int:
    failed = False
    async with Worker(lambda: make_companion(config)) as worker:
        await worker.ready()
        for line in _read_lines():
            turn = await worker.say(Message(user, line))
            failed = failed or turn.reply is None or turn.reply.source == "error"
            if as_json:
                print(json.dumps(turn.as_dict(), ensure_ascii=False), flush=True)  # noqa: T201
            else:
                show(turn)
    return 1 if failed else 0


def _read_lines() -> Iterator[str]:
    """The lines of stdin, in UTF-8 whatever the locale says; bytes that are none become replacement characters."""
    for raw in sys.stdin.buffer:
        yield raw.decode("utf-8", "replace").rstrip("\r\n")[:MAX_INPUT]


def show(turn: Turn) -> None:
    """Print a reply on one line; an error goes to stderr."""
    if turn.reply is None:
        return
    stream = sys.stderr if turn.reply.source == "error" else sys.stdout
    print(" ".join(turn.reply.text.split()), file=stream, flush=True)
