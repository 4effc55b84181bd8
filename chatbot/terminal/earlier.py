"""What was said before: shown to somebody who comes, and what the arrow keys go through.

Read from the memory each time, so that what is forgotten there is forgotten here.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from rich.text import Text

from chatbot.companion import now
from chatbot.memory import Memory
from chatbot.terminal import people, prompt, show
from pipelines.turn import Turn

if TYPE_CHECKING:
    from chatbot.terminal.chat import Chat

SHOWN = 6
"""Utterances of the last time that are shown."""

KEPT = 200
"""Utterances, of both sides, that the arrow keys go through."""


def greet(chat: Chat) -> None:
    """Before the prompt is there: who this is, where things are kept, the last turns."""
    folder = chat.config.sections["memory"].path
    memory = Memory.open(folder, chat.user)
    learn_name(chat, memory)
    chat.console.print(Text(f"{show.plain(chat.name)} is an AI companion. What you say stays in {folder}", "dim"))
    chat.console.print(Text("Enter sends, Ctrl-C stops an answer, Ctrl-D leaves. /help shows more.\n", "dim"))
    if memory.paused:
        chat.console.print(Text("Memory is paused: nothing is written down until /resume.\n", "dim"))
    said = memory.recent(KEPT)
    if said:
        chat.console.print(show.earlier(said[-SHOWN:], chat.name, now()))
    prompt.remember(chat.session, [u.text for u in said if u.role == "person"])
    people.note(memory, chat.user)
    memory.close()


async def reread(chat: Chat, aloud: bool = False) -> None:
    """After a change of the memory, or of the person: their name for the companion, their words for the arrow keys,
    and aloud the last turns."""
    await chat.call(partial(learn_name, chat))
    said = await chat.call(lambda memory: memory.recent(KEPT))
    prompt.remember(chat.session, [u.text for u in said if u.role == "person"])
    if aloud and said:
        await chat.print(show.earlier(said[-SHOWN:], chat.name, now()))


def learn_name(chat: Chat, memory: Memory) -> None:
    """Find out what this person calls the companion."""
    chat.name = Turn("", persona=chat.config.persona, profile=memory.facts()).companion_name
