"""Whole talks over Telegram: the real bot as a process, against the stand-in."""

from __future__ import annotations

from pathlib import Path

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
