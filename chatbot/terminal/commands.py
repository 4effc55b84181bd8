"""The slash commands: what each is called, what it says of itself, how a typed line finds it, how Tab completes it.

A command is a coroutine that gets the chat and the rest of the line. Those marked `at_once` need neither models nor
memory and do not wait for the answer under way.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from chatbot.companion import Companion
from chatbot.terminal import memory_commands, mood, people, saying_again, show, trace, workbench
from pipelines.config import describe
from pipelines.errors import UsageError
from pipelines.stages import stage_names
from pipelines.turn import SLOTS

if TYPE_CHECKING:
    from chatbot.terminal.chat import Chat


async def help_(chat: Chat, rest: str) -> None:
    if rest:
        command = find(chat, f"/{rest.removeprefix('/')}").command
        if command not in COMMANDS:
            raise UsageError(f"There is no /{show.shortened(rest.removeprefix('/'), 40)}. /help lists all")
        await chat.print(*[Text(line) for line in (command.usage, f"  {command.about}", *command.examples)])
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for title in dict.fromkeys(command.part for command in COMMANDS):
        table.add_row(Text(title, "bold"))
        for command in COMMANDS:
            if command.part == title:
                table.add_row(Text(command.usage, "cyan"), Text(command.about))
    await chat.print(
        table, Text("keys", "bold"), Text("Tab completes a command, the arrow keys bring back what you said")
    )
    await chat.print(Text("Enter sends, Ctrl-J or Esc-Enter breaks the line"))
    await chat.print(Text("Ctrl-C stops an answer, else clears the line; Ctrl-D leaves"))


async def persona(chat: Chat, rest: str) -> None:
    who = chat.config.persona
    also = f" (you call it {show.plain(chat.name)})" if chat.name != who.name else ""
    await chat.print(
        Text.assemble(("name    ", "cyan"), who.name, also),
        Text.assemble(("traits  ", "cyan"), ", ".join(who.traits)),
        Text.assemble(("likes   ", "cyan"), ", ".join(who.likes)),
        Text('Rename it in the talk ("I\'ll call you Ada"); the rest stands in the config under [persona].', "dim"),
    )


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
    """usage: the name with its arguments; run: what it does with the chat and the rest of the line; part: under which
    title /help lists it; other: names that people try; examples: for /help NAME."""

    usage: str
    about: str
    run: Callable[[Chat, str], Awaitable[None]]
    part: str = ""
    at_once: bool = False
    other: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.usage.split()[0]


TALK, KNOWN, INSIDE = "the talk", "what it knows of you", "inside"
COMMANDS = (
    Command("/help [NAME]", "this list, or one command", help_, TALK, at_once=True, other=("/?", "/h", "/commands")),
    Command("/retry", "answer the last message again", saying_again.retry, TALK, other=("/again", "/regenerate")),
    Command("/undo", "take back the last exchange, and what was learned from it", saying_again.undo, TALK),
    Command("/edit [TEXT]", "change the last message", saying_again.edit, TALK),
    Command("/say TEXT", "put words in its mouth", saying_again.say, TALK),
    Command("/mood", "how you felt, as a chart", mood_, TALK),
    Command("/persona", "who you are talking to", persona, TALK),
    Command(
        "/users [NAME]", "who has talked here; with a name: be them", memory_commands.users, TALK, other=("/user",)
    ),
    Command("/quit", "leave", quit_, TALK, at_once=True, other=("/exit", "/q", "/bye")),
    Command("/memory", "what it knows, and since when", memory_commands.memory, KNOWN),
    Command("/why [WHAT]", "why it said that; with a number or word: why it knows that", memory_commands.why, KNOWN),
    Command("/forget WHAT", "a number from /memory, words, or: last 2 hours", memory_commands.forget, KNOWN),
    Command("/pause", "write nothing down until /resume", memory_commands.pause, KNOWN),
    Command("/resume", "remember again", memory_commands.resume, KNOWN),
    Command("/export [FILE]", "all that is kept, as JSON; a FILE.txt is a page of text", memory_commands.export, KNOWN),
    Command("/erase", "delete all that is kept of you", memory_commands.erase, KNOWN),
    Command("/trace [on|off]", "the way of the last turn through the stages", trace_, INSIDE),
    Command(
        "/use SLOT STAGE",
        "exchange a stage while we talk; settings follow as key=value",
        workbench.use,
        INSIDE,
        at_once=True,
        examples=(
            "  /use emotion lexicon threshold=0.3",
            "  /use candidates +openai",
            "  /use candidates.template off",
        ),
    ),
    Command(
        "/set KEY VALUE",
        "change one setting",
        workbench.set_,
        INSIDE,
        at_once=True,
        examples=("  /set emotion.threshold 0.3", "  /set candidates.transformers.count 8", "  /set persona.name Ada"),
    ),
    Command("/config [save FILE]", "what holds, and where it comes from", workbench.config, INSIDE, at_once=True),
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
    """The command that the line calls, by its whole name, one that people try, or the only one that begins so; else
    one that says which name is near."""
    name, _, rest = line.removeprefix("/").lstrip(" ").partition(" ")
    name = f"/{name.lower()}"
    exact = [c for c in COMMANDS if name == c.name or name in c.other]
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
    if before == "/help":
        return [(c.name.removeprefix("/"), c.about) for c in COMMANDS]
    if before == "/trace":
        return [("on", "after every turn"), ("off", "only when asked")]
    if before in ("/user", "/users"):
        return [(name, "") for name in people.known(chat.config.sections["memory"].path, chat.user)]
    if before == "/use":
        return [(slot, "") for slot in SLOTS]
    if before.startswith("/use "):
        return _stages(*before.split()[1:3])
    if before == "/set":
        return [(line.split(" = ")[0].removeprefix("stages."), "") for line in describe(chat.config)]
    if before == "/config":
        return [("save", "write it down")]
    if before == "/erase":
        return [("everything", "there is no way back")]
    return []


def _stages(slot: str, use: str = "") -> list[tuple[str, str]]:
    """The stages of a slot, or once one is named the settings that it takes."""
    slot = slot.partition(".")[0]
    entries = {name.partition(".")[2]: entry for name, entry in stage_names().items() if name.startswith(f"{slot}.")}
    if not use:
        return [(name, "") for name in entries]
    try:
        parameters = inspect.signature(entries[use.removeprefix("+")].load()).parameters.values()
    except Exception:  # somebody else's package, or no such stage: nothing to offer
        return []
    return [(f"{p.name}=", "" if p.default is p.empty else repr(p.default)) for p in parameters]
