"""Commands, buttons, who may talk and how much: in process, over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from friends import Friend
from house import house
from standin import Standin

from chatbot.telegram.commands import COMMANDS
from chatbot.telegram.running import set_menu
from chatbot.telegram.texts import LANGUAGES

GROUP = -1_000_000_000_077


@pytest.fixture
async def server() -> Standin:  # type: ignore[misc]
    async with Standin(per_chat=0) as server:
        yield server


async def test_a_stranger_gets_one_polite_line_with_their_number(server: Standin, tmp_path: Path) -> None:
    stranger, lena = Friend(server, 99), Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        assert "99" in await stranger.asks("hello?")
        message = stranger.say("hello??")
        stranger.edit(message, "HELLO")
        stranger.say("/memory")
        await lena.asks("hi")
        await server.until(lambda: home.telegram.inbox.depth() == 0)
        assert len(stranger.received) == 1
        assert home.echo.seen == ["hi"]
        assert not (await home.words("telegram:99"))


async def test_a_strangers_press_does_nothing(server: Standin, tmp_path: Path) -> None:
    stranger, lena = Friend(server, 99), Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        await lena.asks("i am lena")
        lena.say("/erase")
        question = await lena.hears()
        # The same chat, another person's finger: as with a forged or forwarded button.
        stranger.chat = 7
        pressed = stranger.press(question, "Yes")
        await server.until(lambda: pressed in server.answered_buttons)
        await server.until(lambda: home.telegram.inbox.depth() == 0)
        assert "private" in server.answered_buttons[pressed]
        assert await home.facts("telegram:7") == {"name": "Lena"}


async def test_an_invite_lets_a_person_in_for_good(server: Standin, tmp_path: Path) -> None:
    guest = Friend(server, 99)
    async with house(server, tmp_path, [], invites=["open-sesame"]):
        assert "99" in await guest.asks("/start open-says-me")
        assert "AI" in await guest.asks("/start open-sesame")
    async with house(server, tmp_path, [], invites=[]):
        assert await guest.asks("hi") == "echo: hi"


async def test_budgets_end_with_one_line_and_danger_is_still_met(server: Standin, tmp_path: Path) -> None:
    lena, tom = Friend(server, 7), Friend(server, 8)
    async with house(server, tmp_path, [7, 8], per_person=2, per_day=3) as home:
        assert await lena.asks("one") == "echo: one"
        assert await lena.asks("two") == "echo: two"
        assert "tomorrow" in await lena.asks("three")
        assert await lena.asks("danger") == "*help* is here"
        assert await tom.asks("hi") == "echo: hi"
        assert "tomorrow" in await tom.asks("hi again")  # all of the day's budget is used
        lena.say("four")
        await server.until(lambda: not server.waiting and home.telegram.inbox.depth() == 0)
        assert home.echo.seen == ["one", "two", "hi"]


async def test_every_command_is_in_the_menu_and_the_help_of_every_language(server: Standin, tmp_path: Path) -> None:
    lena, max_ = Friend(server, 7), Friend(server, 8, language="de")
    async with house(server, tmp_path, [7, 8]) as home:
        await set_menu(home.telegram.bot)
        for language, words in LANGUAGES.items():
            assert list(words) == list(COMMANDS)
            assert [c["command"] for c in server.menu["" if language == "en" else language]] == list(COMMANDS)
        english, german = await lena.asks("/help"), await max_.asks("/help")
        assert all(f"/{name} " in english and f"/{name} " in german for name in COMMANDS)
        assert english != german


async def test_an_unknown_command_suggests_the_nearest(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]):
        assert "/memory" in await lena.asks("/memroy")
        assert "/help" in await lena.asks("/xqzw")


async def test_memory_in_pages_with_why_and_forget(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        assert "don't know anything" in await lena.asks("/memory")
        await lena.asks("i am lena")
        for day in range(10, 16):
            await lena.asks(f"exam 2031-01-{day}")
        lena.say("/memory")
        page = await lena.hears()
        assert "(1 of 2)" in page["text"]
        lena.press(page, "older")
        await server.until(lambda: "(2 of 2)" in page["text"])
        lena.press(page, "why 7")
        assert "you said: “i am lena”" in (await lena.hears())["text"]
        lena.press(page, "forget 7")
        await server.until(lambda: "Lena" not in page["text"])
        assert "name" not in await home.facts("telegram:7")
        assert "i am lena" not in await home.words("telegram:7")


async def test_forget_by_text_and_the_last(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        await lena.asks("i am lena")
        assert "1 fact" in await lena.asks("/forget Lena")
        assert await home.words("telegram:7") == []
        assert "nothing" in await lena.asks("/forget Lena")
        await lena.asks("exam 2031-01-01")
        lena.say("/forget")
        lena.press(await lena.hears(), "The last")
        assert "Forgotten" in (await lena.hears())["text"]
        assert await home.facts("telegram:7") == {}
        # Nor does /retry bring it back.
        assert "nothing" in await lena.asks("/retry")


async def test_pause_writes_nothing_until_resume(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        await lena.asks("/pause")
        await lena.asks("i am lena")
        assert "/resume" in await lena.asks("/memory")
        await lena.asks("/resume")
        assert await home.facts("telegram:7") == {}
        assert await home.words("telegram:7") == []


async def test_export_sends_the_file_and_erase_asks_once(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        await lena.asks("i am lena")
        lena.say("/export")
        await lena.hears()
        chat, name, data = server.files[0]
        assert (chat, name) == (7, "memory.json")
        assert "i am lena" in json.dumps(json.loads(data))
        lena.say("/erase")
        question = await lena.hears()
        lena.press(question, "No")
        await server.until(lambda: "Nothing was erased" in question["text"])
        lena.say("/erase")
        question = await lena.hears()
        lena.press(question, "Yes")
        await server.until(lambda: "is erased" in question["text"])
        assert await home.facts("telegram:7") == {}
        assert await home.words("telegram:7") == []
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"lena" not in path.read_bytes(), path


async def test_mood_is_a_picture(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]):
        assert "isn't enough" in await lena.asks("/mood")
        await lena.asks("yay")
        lena.say("/mood")
        assert "bright (1)" in (await lena.hears())["caption"]
        assert server.files[0][2].startswith(b"\x89PNG")


async def test_persona_shows_and_renames(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]):
        assert "Juno" in await lena.asks("/persona")
        assert "Ada" in await lena.asks("/persona Ada")
        assert "I'm Ada" in await lena.asks("/persona")


async def test_the_time_zone_can_be_told(server: Standin, tmp_path: Path) -> None:
    lena = Friend(server, 7)
    async with house(server, tmp_path, [7]) as home:
        assert "Asia/Tokyo" in await lena.asks("/settings tokyo")
        refusal = await lena.asks("/settings atlantis")
        assert "don't know" in refusal
        assert "Atlantic" in refusal
        await lena.asks("hello")
        at = await home.telegram.worker.call(lambda c: c.memory("telegram:7").recent(2)[0].at)
        assert at.utcoffset() == timedelta(hours=9)
