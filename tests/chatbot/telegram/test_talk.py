"""Whole talks over Telegram: the real bot as a process, against the stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest
from friends import BotProcess, Friend
from standin import TOKEN, Standin


async def test_hello_naming_and_memory(tmp_path: Path) -> None:
    async with Standin(per_chat=0) as server, BotProcess(server, tmp_path, [7]) as bot:
        lena = Friend(server, 7)
        hello = await lena.asks("/start")
        assert "AI" in hello
        assert "/erase" in hello
        assert hello.endswith("What should I call you?")
        named = await lena.asks("lena")
        assert "Lena" in named
        assert "what will you call me?" in named
        assert "Ada" in await lena.asks("Ada")
        assert 'name "Lena"' in await lena.asks("/memory")
        assert "Ada" in await lena.asks("/persona")
        print(await lena.asks("what is my name?"))
        assert "Lena" in lena.received[-1]["text"]
        assert await bot.stop() == 0
        assert TOKEN not in bot.logged
        assert "lena" not in bot.logged.lower()


@pytest.mark.models
async def test_the_real_default_pipeline_is_killed_in_the_middle_of_an_answer(tmp_path: Path) -> None:
    async with Standin(per_chat=0) as server, BotProcess(server, tmp_path, [7], config="config.toml") as bot:
        lena = Friend(server, 7)
        assert "AI" in await lena.asks("/start")
        lena.say("lena")
        assert "Lena" in (await lena.hears(600))["text"]
        lena.say("my sister anna moved to rome, and i had a hard day at work")
        await server.until(lambda: not server.waiting)  # it was taken; the answer takes longer than this
        await bot.kill()
        assert len(lena.received) == 2
        lena.say("what's my name?")
        async with bot:
            told = (await lena.hears(600))["text"]
            named = (await lena.hears(600))["text"] if "Lena" not in told else told
            assert "Lena" in named
            known = await lena.asks("/memory")
            assert "Rome" in known
            assert await bot.stop(60) == 0
        assert len(lena.received) in (4, 5)
        assert TOKEN not in bot.logged
        assert "Traceback" not in bot.logged
        assert "anna" not in bot.logged.lower()
