"""The bot as its operator runs it: --check, kill -9, SIGTERM, webhook, health, and a small soak."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path

import httpx
from friends import BotProcess, Friend
from soak import soak
from standin import BOT, TOKEN, Standin

from chatbot.memory import Memory


async def test_kill_9_loses_nothing_and_repeats_nothing(tmp_path: Path) -> None:
    async with Standin(per_chat=0) as server, BotProcess(server, tmp_path, [7, 8]) as bot:
        lena, tom = Friend(server, 7), Friend(server, 8)
        assert "Lena" in await lena.asks("my name is Lena")
        # The answer to one goes out, but the bot dies before it knows; that to the other does not go out.
        server.fault("sendMessage", "done-hang", "hang")
        lena.say("/qone")
        await server.until(lambda: len(lena.received) == 2)
        tom.say("my name is Tom")
        await server.until(lambda: server.calls["sendmessage"] == 3)
        await bot.kill()
        tom.say("/qtwo")
        second = BotProcess(server, tmp_path, [7, 8])
        async with second:
            assert "Tom" in (await tom.hears())["text"]
            assert "/qtwo" in (await tom.hears())["text"]
            # A second bot on the same folder is refused.
            third = await BotProcess(server, tmp_path, [7]).start("--set", "telegram.quiet=0.1")
            assert third.process is not None
            assert await asyncio.wait_for(third.process.wait(), 120) == 1
            assert "Another chatbot telegram is running" in third.logged
            assert await second.stop() == 0
        assert [m["text"] for m in lena.received][1:] == ["I don't know /qone. See /help."]
        assert len(tom.received) == 2
        assert TOKEN not in bot.logged
        assert "my name is" not in bot.logged
    memory = Memory.open(tmp_path / "memory", "telegram:8")
    assert [u.text for u in memory.recent(9) if u.role == "person"] == ["my name is Tom"]


async def test_webhook_health_and_metrics(tmp_path: Path) -> None:
    async with Standin(per_chat=0) as server:
        hook, health = _free_port(), _free_port()
        sets = [f"telegram.listen=127.0.0.1:{hook}", f"telegram.health_port={health}"]
        bot = BotProcess(server, tmp_path, [7], *sets, "telegram.webhook=https://bot.example/hook")
        starting = asyncio.create_task(bot.start())
        await server.until(lambda: server.webhook, 30)
        starting.cancel()
        lena = Friend(server, 7)
        update = {
            "update_id": 1,
            "message": server.keep({"chat": server._chat(7), "from": lena.user, "text": "/qhook"}),
        }
        secret = {"X-Telegram-Bot-Api-Secret-Token": server.webhook["secret_token"]}
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                address = f"http://127.0.0.1:{hook}/"
                assert (await client.post(address, json=update)).status_code == 403
                assert (await client.post(address, content=b"{", headers=secret)).status_code == 400
                for _ in range(2):  # Telegram may call twice
                    assert (await client.post(address, json=update, headers=secret)).status_code == 200
                assert "/qhook" in (await lena.hears())["text"]
                state = await client.get(f"http://127.0.0.1:{health}/healthz")
                assert (state.status_code, state.json()["ok"]) == (200, True)
                lines = (await client.get(f"http://127.0.0.1:{health}/metrics")).text.splitlines()
            assert "chatbot_updates_total 1" in lines
            assert "chatbot_queue_depth 0" in lines
            assert len(lena.received) == 1
            assert await bot.stop() == 0
        finally:
            if bot.process and bot.process.returncode is None:
                await bot.kill()


async def test_check_says_what_is_right_and_starts_nothing(tmp_path: Path) -> None:
    async with Standin() as server:
        bot = await BotProcess(server, tmp_path, [7]).start("--check")
        assert bot.process is not None
        assert await asyncio.wait_for(bot.process.wait(), 120) == 0
        assert f"@{BOT['username']}" in bot.logged
        assert bot.logged.strip().endswith("all right")
        assert not server.calls["getupdates"]
        assert TOKEN not in bot.logged


async def test_sigterm_is_heard_before_anything_has_begun(tmp_path: Path) -> None:
    slow = "r.run = lambda config: (print('starting', flush=True), time.sleep(300))"
    async with Standin() as server:
        bot = BotProcess(server, tmp_path, [7])
        bot.command[1:3] = [
            "-c",
            f"import time, chatbot.telegram.running as r; {slow}; from chatbot.cli import main; main()",
        ]
        starting = asyncio.create_task(bot.start())
        await server.until(lambda: bot.log.exists() and "starting" in bot.logged, 60)
        assert await bot.stop(60) == 0
        await starting


async def test_sigterm_is_heard_while_models_load(tmp_path: Path) -> None:
    slow = "r.make_companion = lambda config: (print('loading', flush=True), time.sleep(300))"
    async with Standin(per_chat=0) as server:
        bot = BotProcess(server, tmp_path, [7])
        bot.command[1:3] = [
            "-c",
            f"import time, chatbot.telegram.running as r; {slow}; from chatbot.cli import main; main()",
        ]
        starting = asyncio.create_task(bot.start())
        await server.until(lambda: bot.log.exists() and "loading" in bot.logged, 60)
        assert await bot.stop(60) == 0
        await starting
        assert "while=loading" in bot.logged


async def test_a_small_soak(tmp_path: Path) -> None:
    account = await soak(tmp_path, people=8, messages=6, kills=1, pace=0.25)
    print(json.dumps(vars(account)))
    assert account.right, account
    assert account.faults > 0


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
