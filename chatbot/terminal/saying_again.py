"""The slash commands that change what was said last: /undo, /retry, /edit, /say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from chatbot.companion import now
from chatbot.memory import Memory
from chatbot.terminal import earlier, show
from pipelines.errors import UsageError
from pipelines.turn import Fact, Moment

if TYPE_CHECKING:
    from chatbot.terminal.chat import Chat


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


async def _undo(chat: Chat, quiet: bool = False) -> list[Moment]:
    def act(memory: Memory) -> tuple[list[Moment], list[Fact]]:
        before = memory.facts()
        gone = memory.undo()
        after = {f.id for f in memory.facts()}
        return gone, [f for f in before if f.id not in after]

    gone, unlearned = await chat.call(act)
    chat.turn = None
    if gone and not quiet:
        await earlier.reread(chat)
        said = next((m.text for m in gone if m.role == "person"), gone[0].text)
        also = "".join(f", and that I had learned: {show.fact(f)}" for f in unlearned)
        await chat.print(Text(f"Taken back: {show.quoted(said)}{also}", "dim"))
    return list(gone)
