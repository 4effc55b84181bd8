"""A long reply grows in the chat: early words, edits at the pace, always the final text, also over a kill."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from friends import Friend
from house import House, house
from standin import Standin

from chatbot.companion import Message
from chatbot.telegram.streaming import LONG, MORE

START = "Once there was a lighthouse whose keeper wrote a letter to every ship that went by."
LONGER = START + " Most of the ships wrote back, some of them at length. "


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatbot.telegram.streaming.AFTER", 0.05)
    monkeypatch.setattr("chatbot.telegram.streaming.EVERY", 0.05)


@pytest.fixture
async def server() -> Standin:  # type: ignore[misc]
    async with Standin(per_chat=0) as server:
        yield server


async def begun(home: House, lena: Friend, said: str = "tell me a story") -> dict[str, str]:
    """The message in which an answer has begun to grow."""
    home.echo.gate.clear()
    home.echo.written = START
    lena.say(said)
    return await lena.hears()


async def test_a_long_reply_grows_by_edits_and_ends_with_the_final_text(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        message = await begun(home, lena)
        assert message["text"] == START + MORE
        home.echo.written = LONGER + "And one, *in winter*, came back. "
        await server.until(lambda: "came back" in message["text"])
        assert message["entities"][0]["type"] == "italic"  # type: ignore[index]
        home.echo.gate.set()
        await server.until(lambda: message["text"] == "echo: tell me a story")
        assert len(lena.received) == 1
        assert await home.words("telegram:7") == ["tell me a story", "echo: tell me a story"]
        home.echo.written = ""
        assert await lena.asks("thanks") == "echo: thanks"


async def test_short_replies_and_those_in_groups_are_sent_whole(server: Standin, tmp_path: Path) -> None:
    group = -1_000_000_000_077
    lena, here = Friend(server, 7), Friend(server, 7, chat=group)
    async with house(server, tmp_path, [7]) as home:
        home.echo.gate.clear()
        home.echo.written = START[: LONG - 1]
        lena.say("hm")
        await server.until(lambda: home.echo.seen == ["hm"])
        await asyncio.sleep(0.3)
        assert not lena.received
        home.echo.gate.set()
        assert (await lena.hears())["text"] == "echo: hm"
        home.echo.gate.clear()
        home.echo.written = LONGER
        here.say("juno, a story")
        await server.until(lambda: len(home.echo.seen) == 2)
        await asyncio.sleep(0.3)
        assert not here.received
        home.echo.gate.set()
        assert (await here.hears())["text"] == "echo: juno, a story"


async def test_edits_keep_the_pace_and_obey_a_flood_error(tmp_path: Path) -> None:
    async with Standin(per_chat=0.2) as server, house(server, tmp_path, [7], pace=0.25) as home:
        lena = Friend(server, 7)
        message = await begun(home, lena)
        for i in range(12):
            home.echo.written = LONGER + "more and " * i
            await asyncio.sleep(0.06)
        assert not server.refused
        assert 1 <= server.calls["editmessagetext"] <= 4
        server.fault("editMessageText", "429")
        home.echo.written = LONGER + "and then the flood came"
        await server.until(lambda: server.refused["editmessagetext 429 Too Many Requests"] == 1)
        asked = server.calls["editmessagetext"]
        home.echo.written = LONGER + "and then the flood went"
        await asyncio.sleep(0.3)
        assert server.calls["editmessagetext"] == asked  # retry_after is a second
        home.echo.gate.set()
        await server.until(lambda: message["text"] == "echo: tell me a story")
        assert len(lena.received) == 1


async def test_frames_that_get_lost_do_no_harm(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        message = await begun(home, lena)
        server.fault("editMessageText", "cut", "502", "done-cut")
        for i in range(3):
            home.echo.written = LONGER + "more " * i
            await server.until(lambda i=i: server.calls["editmessagetext"] > i)
        home.echo.gate.set()
        await server.until(lambda: message["text"] == "echo: tell me a story")
        assert len(lena.received) == 1


async def test_a_reply_of_more_than_one_message_grows_in_the_first(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    said = "word " * 900
    async with house(server, tmp_path, [7], quiet=0.0) as home:
        message = await begun(home, lena, said)
        home.echo.written = LONGER * 40
        await server.until(lambda: len(message["text"]) > 4000)
        home.echo.gate.set()
        second = await lena.hears()
        assert message["text"].startswith("echo: word")
        assert (message["text"] + " " + second["text"]).split() == f"echo: {said}".split()


async def test_cancel_takes_what_was_shown_away(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        message = await begun(home, lena)
        lena.say("/cancel")
        assert "stopped" in (await lena.hears())["text"]
        await server.until(lambda: message.get("deleted"))  # type: ignore[attr-defined]
        assert await home.words("telegram:7") == []
        assert home.telegram.inbox.depth() == 0


async def test_more_that_comes_takes_it_away_and_is_answered_with_it(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        message = await begun(home, lena)
        home.echo.written = ""
        lena.say("about a cat")
        await server.until(lambda: message.get("deleted"))  # type: ignore[attr-defined]
        home.echo.gate.set()
        assert (await lena.hears())["text"] == "echo: tell me a story\nabout a cat"


async def test_after_a_stop_in_the_middle_the_next_start_finishes_the_same_message(
    server: Standin, tmp_path: Path
) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        message = await begun(home, lena)
        for conversation in home.telegram._conversations.values():
            conversation.stopping = True
            assert conversation.stop is not None
            conversation.stop.set()
        await server.until(lambda: not home.telegram.busy)
        assert home.telegram.inbox.depth() == 1
    async with house(server, tmp_path, [7]) as home:
        await server.until(lambda: message["text"] == "echo: tell me a story")
        assert len(lena.received) == 1
        assert await home.words("telegram:7") == ["tell me a story", "echo: tell me a story"]
        assert await lena.asks("/q") == "I don't know /q. See /help."


async def test_a_failure_in_the_middle_ends_in_an_apology_in_its_place(
    server: Standin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:

        async def broken(message: Message) -> None:
            assert message.on_text is not None
            message.on_text(START)
            await server.until(lambda: lena.received)
            raise RuntimeError("broken")

        monkeypatch.setattr(home.telegram.worker, "say", broken)
        lena.say("one")
        lena.say("two")
        await server.until(lambda: lena.received and "tripped" in lena.received[0]["text"])
        # All of the burst is crossed off, not its first message alone.
        await server.until(lambda: home.telegram.inbox.depth() == 0)
        assert len(lena.received) == 1
