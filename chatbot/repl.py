"""The terminal: a chat where there is a terminal, one reply per line where there is none, JSON for programs.

Replies alone go to stdout; everything else to stderr.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Iterator

from chatbot.companion import Message
from chatbot.settings import data_folder
from chatbot.assemble import make_companion
from chatbot.worker import Worker
from pipelines.config import Config
from pipelines.errors import ChatbotError
from pipelines.turn import Turn

MAX_INPUT = 10_000
"""Characters of one message that are read; what is longer is cut, and said so."""


def run(config: Config, user: str, as_json: bool) -> int:
    """Talk until the input ends. Gives the exit code."""
    if sys.stdin.isatty() and sys.stdout.isatty() and not as_json:
        return asyncio.run(_terminal(config, user))
    return asyncio.run(_lines(config, user, as_json))


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
    print(" ".join(turn.reply.text.split()), file=stream, flush=True)  # noqa: T201


async def _terminal(config: Config, user: str) -> int:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory
    from rich.console import Console

    console = Console(highlight=False)
    loading = {"label": "waking up"}
    folder = data_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    session: PromptSession[str] = PromptSession(history=FileHistory(str(folder / "input-history")))
    name = config.persona.name
    console.print(f"[dim]{name} is an AI. What you say stays in {config.sections['memory'].path}. Ctrl-D leaves.[/dim]")
    async with Worker(lambda: make_companion(config, lambda label: loading.update(label=label))) as worker:
        while True:
            try:
                text = (await session.prompt_async("you: ")).strip()
            except KeyboardInterrupt:
                continue
            except EOFError:
                console.print(f"[dim]{name}: bye for now.[/dim]")
                return 0
            if not text:
                continue
            stop = threading.Event()
            loop = asyncio.get_running_loop()
            loop.add_signal_handler(signal.SIGINT, stop.set)
            try:
                with console.status("[dim]...[/dim]"):
                    await worker.ready()
                    turn = await worker.say(Message(user, text[:MAX_INPUT], stop=stop))
            except ChatbotError as error:
                console.print(str(error), style="red")
                return error.exit_code
            finally:
                loop.remove_signal_handler(signal.SIGINT)
            if turn.reply:
                console.print(f"{turn.companion_name}:", style="bold cyan", end=" ")
                console.print(turn.reply.text, markup=False)
