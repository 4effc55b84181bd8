"""The commands: each a function from what was asked to the messages that answer it.

Nothing is sent here: what is returned goes to the inbox with the crossing off of the update, in one transaction.
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

from chatbot.companion import Companion
from chatbot.telegram import memory_pages, people, texts
from chatbot.telegram.inbox import Out
from chatbot.telegram.reading import Item
from chatbot.telegram.text import outs, plain

if TYPE_CHECKING:
    from chatbot.telegram.bot import Telegram

Answer = Awaitable[list[Out]]


async def start(bot: Telegram, item: Item) -> list[Out]:
    """Say what this is, and begin with each other's names."""
    chosen = await bot.worker.call(partial(_names, person=item.person))
    own, theirs = chosen
    text, spans = plain((f"Hi{f', {theirs}' if theirs else ''}! I'm {own}, an AI.", "bold"), "\n\n", texts.WHAT_I_KEEP)
    if item.group:
        return outs(f"{text}\n\nIn a group I answer when I'm mentioned, replied to or called by my name.", spans)
    if theirs:
        return outs(f"{text}\n\nWhat's on your mind?", spans)
    question = "What should I call you?"
    await bot.worker.call(
        partial(people.ask_name, person=item.person, at=item.at, greeting=f"Hi! I'm {own}, an AI. {question}")
    )
    await bot.people.change(item.person, naming="person")
    return outs(f"{text}\n\n{question}", spans)


async def help(bot: Telegram, item: Item) -> list[Out]:
    """All commands, in the person's language."""
    words = texts.commands(item.language)
    lines = "\n".join(f"/{name} {what}" for name, what in words.items())
    return outs(*plain((texts.help_head(item.language), "bold"), f"\n\n{lines}"))


async def memory(bot: Telegram, item: Item) -> list[Out]:
    """The first page of what is known."""
    return await memory_pages.page(bot, item, 0)


async def forget(bot: Telegram, item: Item) -> list[Out]:
    """Forget all that mentions a text, or the last exchange."""
    if not item.text:
        buttons = [[("The last thing I said", "forget:last")], [("Choose from the list", "memory:0")]]
        return outs("What shall I forget? Write it behind the command: /forget Berlin. Or:", buttons=buttons)
    if item.text.lower() in ("last", "that", "the last", "it"):
        return await memory_pages.forget_last(bot, item)
    gone = await bot.worker.call(lambda companion: companion.memory(item.person).forget(text=item.text))
    bot.inbox.sweep()
    if not gone.facts and not gone.moments:
        return outs("I found nothing that mentions this.")
    return outs(f"Forgotten, for good: {_count(len(gone.facts), 'fact')} and {_count(len(gone.moments), 'message')}.")


async def pause(bot: Telegram, item: Item) -> list[Out]:
    """Remember nothing until /resume."""
    await bot.worker.call(lambda companion: companion.memory(item.person).pause())
    return outs("From here on I write nothing down. We can talk; it is gone when you say /resume or I restart.")


async def resume(bot: Telegram, item: Item) -> list[Out]:
    """Remember again."""
    await bot.worker.call(lambda companion: companion.memory(item.person).resume())
    return outs("I'm remembering again, from here on. What was said in the pause is gone.")


async def export(bot: Telegram, item: Item) -> list[Out]:
    """Send everything that is kept, as a file."""
    if refusal := await bot.only_admins(item):
        return refusal
    return [Out(text="This is everything I keep about you.", kind="export")]


async def erase(bot: Telegram, item: Item) -> list[Out]:
    """Ask once, then delete everything."""
    if refusal := await bot.only_admins(item):
        return refusal
    buttons = [[("Yes, erase everything", "erase:yes"), ("No, keep it", "erase:no")]]
    return outs(
        "This deletes everything I keep about you, for good. I will not know you any more. Sure?", buttons=buttons
    )


async def persona(bot: Telegram, item: Item) -> list[Out]:
    """Who the companion is; with a name behind it, give it that name."""
    own, _ = await bot.worker.call(partial(_names, person=item.person))
    if item.text:
        name = people.companion_name(item.text, own)
        if name is None:
            return outs("That doesn't look like a name to me. Try: /persona Ada")
        turn = await bot.worker.call(
            partial(people.name_companion, person=item.person, text=f"I'll call you {name}", name=name, at=item.at)
        )
        if item.group:
            bot.names[item.chat] = name
        return outs(turn.reply.text if turn.reply else "")
    persona = bot.persona
    lines = f"\n\n{', '.join(persona.traits).capitalize()}. I like {', '.join(persona.likes)}."
    return outs(*plain((f"I'm {own}, an AI.", "bold"), lines, "\n\nTo call me something else: /persona Ada"))


async def mood(bot: Telegram, item: Item) -> list[Out]:
    """A picture of the person's own week."""
    return [Out(kind="mood")]


async def settings(bot: Telegram, item: Item) -> list[Out]:
    """The switches; with a time zone behind it, set that."""
    from chatbot.telegram import settings_menu

    return await settings_menu.show(bot, item)


async def privacy(bot: Telegram, item: Item) -> list[Out]:
    """What is kept, where, and who can see it."""
    return outs(*plain((texts.PRIVACY_HEAD, "bold"), f"\n\n{texts.PRIVACY}"))


async def retry(bot: Telegram, item: Item) -> list[Out]:
    """Reached only when there is nothing to answer anew (see Conversation)."""
    return outs("There is nothing I could answer anew. Say something first.")


async def cancel(bot: Telegram, item: Item) -> list[Out]:
    """Reached only when no answer is being written (it bypasses the queue)."""
    return outs("I'm not writing anything right now.")


async def remind(bot: Telegram, item: Item) -> list[Out]:
    """A reminder that the person asks for."""
    from chatbot.telegram import reminders

    return await reminders.ask(bot, item)


COMMANDS: dict[str, Callable[[Telegram, Item], Answer]] = {
    "start": start,
    "help": help,
    "memory": memory,
    "forget": forget,
    "pause": pause,
    "resume": resume,
    "export": export,
    "erase": erase,
    "persona": persona,
    "mood": mood,
    "remind": remind,
    "settings": settings,
    "cancel": cancel,
    "retry": retry,
    "privacy": privacy,
}


async def run(bot: Telegram, item: Item) -> list[Out]:
    """Answer a command; one that there is not gets the nearest that there is."""
    if item.command in COMMANDS:
        return await COMMANDS[item.command](bot, item)
    near = difflib.get_close_matches(item.command, COMMANDS, n=1, cutoff=0.5)
    return outs(f"I don't know /{item.command}. " + (f"Did you mean /{near[0]}?" if near else "See /help."))


def _names(companion: Companion, person: str) -> tuple[str, str]:
    """What the companion and the person are called; the latter "" when it is not known."""
    facts = companion.memory(person).facts()
    own = [f.value for f in facts if f.slot == "name" and f.about == "companion"]
    theirs = [f.value for f in facts if f.slot == "name" and not f.about]
    return (own or [companion.persona.name])[-1], (theirs or [""])[-1]


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}" + ("" if n == 1 else "s")
