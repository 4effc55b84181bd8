"""What is known of a person, page by page, with buttons to forget a fact or to ask why it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatbot.companion import Companion
from chatbot.telegram.inbox import Out
from chatbot.telegram.reading import Item
from chatbot.telegram.text import outs, plain
from models.prompt import fact_line

if TYPE_CHECKING:
    from chatbot.telegram.bot import Telegram

PAGE = 5


async def page(bot: Telegram, item: Item, number: int, edit: int | None = None) -> list[Out]:
    """A page of facts, the newest first."""

    def look(companion: Companion) -> tuple[list[tuple[int, str]], bool]:
        memory = companion.memory(item.person)
        facts = memory.facts()[::-1]
        day = "%d %b %Y"
        return [
            (f.id or 0, f"{fact_line(f)}" + (f", since {f.since.strftime(day)}" if f.since else "")) for f in facts
        ], memory.paused

    facts, paused = await bot.worker.call(look)
    note = "\n\nRight now I write nothing down (/resume)." if paused else ""
    if not facts:
        return outs(f"I don't know anything about you yet. Tell me something!{note}", edit=edit)
    last = (len(facts) - 1) // PAGE
    number = max(0, min(number, last))
    shown = list(enumerate(facts[number * PAGE : (number + 1) * PAGE], number * PAGE + 1))
    head = "What I know about you" + (f" ({number + 1} of {last + 1})" if last else "")
    lines = "\n".join(f"{i}. {text}" for i, (_, text) in shown)
    buttons = [[(f"forget {i}", f"forget:{id}:{number}"), (f"why {i}?", f"why:{id}")] for i, (id, _) in shown]
    turning = [("‹ newer", f"memory:{number - 1}")] * (number > 0) + [("older ›", f"memory:{number + 1}")] * (
        number < last
    )
    if turning:
        buttons.append(turning)
    return outs(*plain((head, "bold"), f"\n\n{lines}{note}"), buttons=buttons, edit=edit)


async def why(bot: Telegram, item: Item, id: int) -> list[Out]:
    """The words that a fact comes from."""

    def look(companion: Companion) -> str:
        memory = companion.memory(item.person)
        fact = next((f for f in memory.facts() if f.id == id), None)
        if fact is None:
            return "I don't know that any more."
        try:
            moment = memory.moment(fact.turn) if fact.turn is not None else None
        except KeyError:
            moment = None
        if moment is None:
            return f"{fact_line(fact)}: you told me, but I no longer have the words."
        return f"{fact_line(fact)}: on {moment.at.strftime('%d %b %Y at %H:%M')} you said: “{moment.text}”"

    return outs(await bot.worker.call(look))


async def forget_fact(bot: Telegram, item: Item, id: int, number: int) -> list[Out]:
    """Forget a fact with the words it came from, and show the page anew in the place of the old one."""
    await bot.worker.call(lambda companion: companion.memory(item.person).forget(id))
    bot.inbox.sweep()
    return await page(bot, item, number, edit=item.message)


async def forget_last(bot: Telegram, item: Item) -> list[Out]:
    """Take back the last exchange."""
    gone = await bot.worker.call(lambda companion: companion.memory(item.person).undo())
    bot.inbox.sweep()
    return outs("Forgotten: your last message and my answer." if gone else "There is nothing left to take back.")
