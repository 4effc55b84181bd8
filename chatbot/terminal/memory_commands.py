"""The slash commands around a person's memory: what is known, why, forgetting, pausing, taking along, whose it is."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from chatbot import requests
from chatbot.changes import Forgotten
from chatbot.companion import now
from chatbot.memory import Memory
from chatbot.terminal import earlier, people, show, trace
from pipelines.errors import UsageError
from pipelines.turn import Fact

if TYPE_CHECKING:
    from chatbot.terminal.chat import Chat


async def memory(chat: Chat, rest: str) -> None:
    def read(memory: Memory) -> tuple[list[Fact], list[Fact], bool]:
        return memory.facts(), memory.past_facts(), memory.paused

    facts, past, paused = await chat.call(read)
    if paused:
        await chat.print(Text("Memory is paused: nothing new is written down until /resume.", "dim"))
    if not facts and not past:
        await chat.print(Text("I know nothing of you yet: tell me something about yourself.", "dim"))
        return
    if facts:
        await chat.print(show.fact_lines(facts))
    if past:
        await chat.print(Text("once", "dim"), show.fact_lines(past))
    example = (facts or past)[0].id
    await chat.print(Text(f"/why {example} shows the words it comes from, /forget {example} takes it out", "dim"))


async def why(chat: Chat, rest: str) -> None:
    if rest:
        await chat.print(Text(await chat.call(lambda memory: requests.why(rest, memory, now()))))
        return
    turn = chat.turn
    if turn is None or turn.reply is None:
        raise UsageError("I have not said anything yet since you came.")
    await chat.print(trace.why(turn))


async def forget(chat: Chat, rest: str) -> None:
    if not rest:
        raise UsageError("Forget what? /forget 3 (a number from /memory), /forget WORDS, or /forget last 2 hours")
    gone: Forgotten = await chat.call(lambda memory: requests.forget(rest, memory, now()))
    if not gone.facts and not gone.moments:
        await chat.print(Text(f"There was nothing of {show.quoted(rest)} to forget.", "dim"))
        return
    await earlier.reread(chat)
    chat.turn = None
    await chat.print(Text(f"Forgotten: {_count(len(gone.facts), 'fact')} and {_count(len(gone.moments), 'message')}."))


async def pause(chat: Chat, rest: str) -> None:
    await chat.call(lambda memory: memory.pause())
    await chat.print(Text("Paused: what we say now is not written down. /resume remembers again."))


async def resume(chat: Chat, rest: str) -> None:
    await chat.call(lambda memory: memory.resume())
    await chat.print(Text("I remember again, from here on."))


async def export(chat: Chat, rest: str) -> None:
    path = Path(rest).expanduser() if rest else Path(f"memory-{now():%Y-%m-%d}.json")
    data = await chat.call(lambda memory: requests.exported(memory, text=path.suffix == ".txt"))
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(data)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}. Name another file: /export FILE") from None
    await chat.print(Text(f"Everything I know of you is in {path}"))


async def erase(chat: Chat, rest: str) -> None:
    if rest != "everything":
        await chat.print(Text("This deletes all that I know of you, for good. If you want that: /erase everything"))
        return
    await chat.call(lambda memory: memory.erase())
    chat.turn = None
    await earlier.reread(chat)
    await chat.print(Text("Erased. Nothing of you is left here."))


async def users(chat: Chat, rest: str) -> None:
    if not rest:
        names = people.known(chat.config.sections["memory"].path, chat.user)
        await chat.print(*[Text(f"{'*' if name == chat.user else ' '} {show.plain(name)}") for name in names])
        await chat.print(Text("Be somebody else, old or new: /users NAME", "dim"))
        return
    chat.user, chat.turn, chat.editing = rest, None, False
    await chat.call(lambda memory: people.note(memory, rest))
    await chat.print(Text(f"This is {show.plain(rest)} now.", "dim"))
    await earlier.reread(chat, aloud=True)


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
