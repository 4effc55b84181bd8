"""The slash commands: what each is called, what it says of itself, and what it does.

A command is a coroutine that gets the chat and the rest of the line. Those marked `at_once` need neither models nor
memory and do not wait for the answer under way.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from chatbot import requests
from chatbot.changes import Forgotten
from chatbot.companion import Companion, now
from chatbot.memory import Memory
from chatbot.terminal import mood, people, prompt, show, trace, workbench
from pipelines.config import describe, stage_names
from pipelines.errors import UsageError
from pipelines.turn import SLOTS, Fact, Moment

if TYPE_CHECKING:
    from chatbot.terminal.chat import Chat


async def help_(chat: Chat, rest: str) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for command in COMMANDS:
        table.add_row(command.usage, command.about)
    keys = Text("Enter sends · Ctrl-J or Esc-Enter: new line · Ctrl-C stops an answer, clears the line · Ctrl-D leaves")
    await chat.print(table, keys)


async def memory(chat: Chat, rest: str) -> None:
    from models.prompt import fact_line

    def read(memory: Memory) -> tuple[list[Fact], list[Fact], bool]:
        return memory.facts(), memory.past_facts(), memory.paused

    facts, past, paused = await chat.call(read)
    if paused:
        await chat.print(Text("Memory is paused: nothing new is written down until /resume.", "dim"))
    if not facts and not past:
        await chat.print(Text("I know nothing of you yet.", "dim"))
        return
    if facts:
        await chat.print(show.fact_lines(facts, [fact_line(f) for f in facts]))
    if past:
        await chat.print(Text("once", "dim"), show.fact_lines(past, [fact_line(f) for f in past]))
    await chat.print(Text("Forget one with its number: /forget 3", "dim"))


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
        await chat.print(Text(f"There was nothing of {show.shortened(rest, 60)!r} to forget.", "dim"))
        return
    await _resay(chat)
    chat.turn = None
    await chat.print(Text(f"Forgotten: {_count(len(gone.facts), 'fact')} and {_count(len(gone.moments), 'message')}."))


async def undo(chat: Chat, rest: str) -> None:
    gone = await _undo(chat)
    if not gone:
        await chat.print(Text("There is nothing to take back.", "dim"))


async def retry(chat: Chat, rest: str) -> None:
    gone = await _undo(chat, quiet=True)
    said = next((m.text for m in gone if m.role == "person"), None)
    if said is None:
        raise UsageError("There is nothing to answer again yet.")
    before = next((m.text for m in gone if m.role == "companion"), None)
    await chat.say(said)
    if chat.turn and chat.turn.reply and chat.turn.reply.text == before:
        await chat.print(Text("(the same again: nothing in this reply is left to chance)", "dim"))


async def edit(chat: Chat, rest: str) -> None:
    if rest:
        if not await _undo(chat, quiet=True):
            raise UsageError("There is nothing to change yet.")
        await chat.say(rest)
        return
    said = [u.text for u in await chat.call(lambda memory: memory.recent(8)) if u.role == "person"]
    if not said:
        raise UsageError("There is nothing to change yet.")
    chat.editing = True
    chat.prefill(said[-1])


async def say(chat: Chat, rest: str) -> None:
    """Put words in the companion's mouth: they are remembered as its own."""
    if not rest:
        raise UsageError("Say what? /say WORDS")

    def act(memory: Memory) -> bool:
        if memory.paused:
            memory.answer(rest, now(), to=-1)
            return True
        last = [m["id"] for m in memory.export()["moments"] if m["role"] == "person"]
        if last:
            memory.answer(rest, now(), to=last[-1])
        return bool(last)

    if not await chat.call(act):
        raise UsageError("Say something yourself first.")
    await chat.print(
        Text.assemble((f"{show.plain(chat.name)}: ", "bold cyan"), show.plain(rest), ("  (your words)", "dim"))
    )


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
    await _resay(chat)
    await chat.print(Text("Erased. Nothing of you is left here."))


async def persona(chat: Chat, rest: str) -> None:
    who = chat.config.persona
    also = f" (you call it {show.plain(chat.name)})" if chat.name != who.name else ""
    await chat.print(
        Text.assemble(("name    ", "cyan"), who.name, also),
        Text.assemble(("traits  ", "cyan"), ", ".join(who.traits)),
        Text.assemble(("likes   ", "cyan"), ", ".join(who.likes)),
        Text('Rename it in the talk ("I\'ll call you Ada"); the rest stands in the config under [persona].', "dim"),
    )


async def users(chat: Chat, rest: str) -> None:
    if rest:
        await user(chat, rest)
        return
    names = people.known(chat.config.sections["memory"].path, chat.user)
    await chat.print(*[Text(f"{'*' if name == chat.user else ' '} {show.plain(name)}") for name in names])
    await chat.print(Text("Switch with /user NAME", "dim"))


async def user(chat: Chat, rest: str) -> None:
    if not rest:
        raise UsageError(f"You are {chat.user}. Somebody else: /user NAME")
    chat.user, chat.turn, chat.editing = rest, None, False
    await chat.call(lambda memory: people.note(memory, rest))
    await chat.print(Text(f"This is {show.plain(rest)} now.", "dim"))
    await _resay(chat, aloud=True)


async def mood_(chat: Chat, rest: str) -> None:
    def act(companion: Companion) -> list[mood.Felt]:
        return mood.felt(companion.pipeline, companion.memory(chat.user).recent(mood.SPAN))

    felt = await chat.worker.call(act)
    await chat.print(mood.chart(felt, chat.console.width, chat.console.encoding))


async def trace_(chat: Chat, rest: str) -> None:
    if rest in ("on", "off"):
        chat.tracing = rest == "on"
        await chat.print(Text(f"The trace of each turn is {rest}.", "dim"))
    elif rest:
        raise UsageError("/trace shows the last turn; /trace on and /trace off show every turn's or none")
    elif chat.turn is None:
        raise UsageError("There was no turn yet since you came.")
    else:
        await chat.print(trace.view(chat.turn, chat.console.width))


async def quit_(chat: Chat, rest: str) -> None:
    chat.leave()


@dataclass(frozen=True)
class Command:
    """usage: the name with its arguments; run: what it does with the chat and the rest of the line."""

    usage: str
    about: str
    run: Callable[[Chat, str], Awaitable[None]]
    at_once: bool = False

    @property
    def name(self) -> str:
        return self.usage.split()[0]


COMMANDS = (
    Command("/help", "this list", help_, at_once=True),
    Command("/memory", "what it knows of you, and since when", memory),
    Command("/why", "why it said that", why),
    Command("/forget WHAT", "a number from /memory, words, or: last 2 hours", forget),
    Command("/undo", "take back the last exchange, and what was learned from it", undo),
    Command("/retry", "answer the last message again", retry),
    Command("/edit [TEXT]", "change the last message", edit),
    Command("/say TEXT", "put words in its mouth", say),
    Command("/pause", "write nothing down until /resume", pause),
    Command("/resume", "remember again", resume),
    Command("/mood", "how you felt, as a chart", mood_),
    Command("/trace [on|off]", "the way of the last turn through the stages", trace_),
    Command("/persona", "who you are talking to", persona),
    Command("/users [NAME]", "who has talked here; with a name: be them", users),
    Command("/user NAME", "be somebody else", user),
    Command("/export [FILE]", "all that is kept of you, as JSON; a FILE.txt is a page of text", export),
    Command("/erase", "delete all that is kept of you", erase),
    Command("/use SLOT STAGE", "exchange a stage; settings follow as key=value", workbench.use, at_once=True),
    Command("/set KEY VALUE", "change a setting, such as emotion.threshold", workbench.set_, at_once=True),
    Command("/config [save FILE]", "what holds, and where it comes from", workbench.config, at_once=True),
    Command("/quit", "leave", quit_, at_once=True),
)


@dataclass(frozen=True)
class Call:
    """A command with its argument, ready to be run."""

    chat: Chat
    command: Command
    rest: str

    @property
    def at_once(self) -> bool:
        return self.command.at_once

    async def __call__(self) -> None:
        await self.command.run(self.chat, self.rest)


def find(chat: Chat, line: str) -> Call:
    """The command that the line calls, by its whole name or the only one that begins so; else one that says which
    name is near."""
    name, _, rest = line.partition(" ")
    name = name.lower()
    exact = [c for c in COMMANDS if c.name == name]
    begins = [c for c in COMMANDS if c.name.startswith(name)]
    if exact or (len(begins) == 1 and len(name) > 2):
        return Call(chat, (exact or begins)[0], rest.strip())
    near = difflib.get_close_matches(name, [c.name for c in COMMANDS], n=1, cutoff=0.5)
    guess = f" Did you mean {near[0]}?" if near else ""
    what = f"There is no {show.shortened(name, 40)}.{guess} /help lists all; // says a text that begins with a slash."

    async def tell(chat: Chat, rest: str) -> None:
        raise UsageError(what)

    return Call(chat, Command(name, "", tell, at_once=True), rest)


def words(chat: Chat, before: str) -> Iterable[tuple[str, str]]:
    """What may stand after these words of a command line, each with its meaning."""
    if not before:
        return [(c.name, c.about) for c in COMMANDS]
    if before == "/trace":
        return [("on", "after every turn"), ("off", "only when asked")]
    if before in ("/user", "/users"):
        return [(name, "") for name in people.known(chat.config.sections["memory"].path, chat.user)]
    if before == "/use":
        return [(slot, "") for slot in SLOTS]
    if before.startswith("/use ") and before.count(" ") == 1:
        slot = before.split()[1]
        names = [name.partition(".") for name in stage_names()]
        return [(use, entry) for entry, _, use in names if entry == slot]
    if before == "/set":
        return [(line.split(" = ")[0].removeprefix("stages."), "") for line in describe(chat.config)]
    if before == "/config":
        return [("save", "write it down")]
    if before == "/erase":
        return [("everything", "there is no way back")]
    return []


async def _undo(chat: Chat, quiet: bool = False) -> list[Moment]:
    def act(memory: Memory) -> tuple[list[Moment], list[Fact]]:
        before = memory.facts()
        gone = memory.undo()
        after = {f.id for f in memory.facts()}
        return gone, [f for f in before if f.id not in after]

    from models.prompt import fact_line

    gone, unlearned = await chat.call(act)
    chat.turn = None
    if gone and not quiet:
        await _resay(chat)
        said = next((m.text for m in gone if m.role == "person"), gone[0].text)
        also = "".join(f", and that I had learned: {show.plain(fact_line(f))}" for f in unlearned)
        await chat.print(Text(f"Taken back: {show.shortened(said, 80)!r}{also}", "dim"))
    return list(gone)


async def _resay(chat: Chat, aloud: bool = False) -> None:
    """Let the arrow keys forget what the memory forgot."""
    await chat.call(chat.learn_name)
    said = await chat.call(lambda memory: memory.recent(200))
    prompt.remember(chat.session, [u.text for u in said if u.role == "person"])
    if aloud and said:
        await chat.print(show.earlier(said[-6:], chat.name, now()))


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
