"""The person's side of the stand-in, and the bot as a process: a test reads like a conversation."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from standin import BOT, TOKEN, Standin


class Friend:
    """A person with an app. say, edit, press, send: what they do; hears: what comes next from the bot."""

    def __init__(self, server: Standin, id: int, name: str = "Lena", chat: int = 0, language: str = "en") -> None:
        self.server, self.id, self.chat = server, id, chat or id
        self.user = {"id": id, "is_bot": False, "first_name": name, "language_code": language}
        self._heard = 0

    def say(self, text: str, **also: Any) -> dict[str, Any]:
        return self.send(text=text, **also)

    def send(self, **content: Any) -> dict[str, Any]:
        message = self.server.keep({"chat": self.server._chat(self.chat), "from": self.user, **content})
        self.server.update(message=message)
        return message

    def edit(self, message: dict[str, Any], text: str) -> None:
        message |= {"text": text, "edit_date": message["date"] + 1}
        self.server.update(edited_message=dict(message))

    def press(self, message: dict[str, Any], label: str) -> str:
        """Press the button whose label begins so."""
        rows = message["reply_markup"]["inline_keyboard"]
        button = next(b for row in rows for b in row if b["text"].startswith(label))
        return self.press_data(message, button["callback_data"])

    def press_data(self, message: dict[str, Any], data: str) -> str:
        update = {"id": f"q{self.server._update_id}", "from": self.user, "message": message, "chat_instance": "1"}
        self.server.update(callback_query=update | {"data": data})
        return str(update["id"])

    @property
    def received(self) -> list[dict[str, Any]]:
        return [m for m in self.server.sent if m["chat"]["id"] == self.chat]

    async def hears(self, seconds: float = 15.0) -> dict[str, Any]:
        """The next message of the bot that was not looked at yet."""
        await self.server.until(lambda: len(self.received) > self._heard, seconds)
        self._heard += 1
        return self.received[self._heard - 1]

    async def asks(self, text: str) -> str:
        """Say something; gives what the bot says to it."""
        self.say(text)
        return str((await self.hears())["text"])


class BotProcess:
    """`chatbot telegram` as its operator would start it. allow: ids; sets: more settings."""

    def __init__(self, server: Standin, folder: Path, allow: list[int], *sets: str, config: str = "tiny") -> None:
        self.server, self.folder = server, folder
        self.log = folder / "log"
        settings = [f"telegram.base_url={server.url}", f"telegram.allow={allow}", f"memory.folder={folder / 'memory'}"]
        if not server.per_chat:
            settings.append("telegram.pace=0.0")
        self.command = [sys.executable, "-m", "chatbot", "telegram", "--config", config]
        self.command += [part for item in (*settings, *sets) for part in ("--set", item)]
        self.process: asyncio.subprocess.Process | None = None

    async def start(self, *more: str) -> BotProcess:
        env = {k: v for k, v in os.environ.items() if not k.upper().endswith("_PROXY")}
        env = {"OMP_NUM_THREADS": "1"} | env | {"CHATBOT_TELEGRAM_TOKEN": TOKEN}
        polls = self.server.calls["getupdates"]
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self.command, *more, env=env, stdout=log, stderr=log, cwd=self.folder
            )
        process = self.process
        if not more:
            await self.server.until(
                lambda: self.server.calls["getupdates"] > polls or process.returncode is not None, 600
            )
        return self

    async def __aenter__(self) -> BotProcess:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        if self.process and self.process.returncode is None:
            await self.kill()

    async def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        await self.process.wait()

    async def stop(self, seconds: float = 15.0) -> int:
        """SIGTERM; gives the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), seconds)

    @property
    def logged(self) -> str:
        return self.log.read_text("utf-8")


assert BOT["is_bot"]
