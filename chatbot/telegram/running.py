"""The process: the token, one bot per folder, start, signals, and an end within a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from telegram import Bot, BotCommand
from telegram.error import InvalidToken, NetworkError, TelegramError
from telegram.request import HTTPXRequest

from chatbot.assemble import make_companion
from chatbot.settings import TelegramSettings
from chatbot.telegram import logs, reminders, texts, webserver
from chatbot.telegram.bot import Telegram
from chatbot.telegram.inbox import Inbox
from chatbot.telegram.polling import Polling
from chatbot.telegram.reading import KINDS
from chatbot.worker import Worker
from pipelines.config import Config
from pipelines.errors import ChatbotError, UsageError

log = logging.getLogger(__name__)

TOKEN = "CHATBOT_TELEGRAM_TOKEN"  # noqa: S105  (the variable's name)
SWEEP = 60.0
"""Seconds between two sweeps of what is done out of the inbox's file."""


def run(config: Config) -> int:
    """Run the bot until SIGTERM or SIGINT. Gives the exit code."""
    token = read_token(config.sections["telegram"])
    logs.set_up(token)
    try:
        with alone(folder_of(config)):
            return asyncio.run(_run(config, token))
    except InvalidToken:
        raise ChatbotError("Telegram does not know this token. Ask @BotFather for it, or for a new one.") from None


def folder_of(config: Config) -> Path:
    """Where the bot's own file lies: beside the memories."""
    return Path(config.sections["memory"].path) / "telegram"


def read_token(settings: TelegramSettings) -> str:
    """The token, from the environment or the file that the config names. Raises UsageError that says what is wrong."""
    token = os.environ.pop(TOKEN, "").strip()
    where = f"the environment variable {TOKEN}"
    if not token and settings.token_file:
        path = Path(settings.token_file).expanduser()
        where = str(path)
        if not path.is_file():
            raise UsageError(f"[telegram] token_file = {path}: there is no such file")
        if path.stat().st_mode & 0o077:
            raise UsageError(f"{path} can be read by others than you. Mend it: chmod 600 {path}")
        token = path.read_text(encoding="utf-8").strip()
    if not token:
        raise UsageError(f"There is no token. Put it into {TOKEN}, or into a file that [telegram] token_file names.")
    number, colon, rest = token.partition(":")
    if not (colon and number.isdecimal() and len(rest) >= 20 and rest.replace("-", "").replace("_", "").isalnum()):
        raise UsageError(f"What is in {where} does not look like a token (digits, a colon, about 35 letters).")
    return token


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One bot per folder: two would answer each other's updates."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ChatbotError(f"Another chatbot telegram is running on {folder}.") from None
        yield


def connect(token: str, settings: TelegramSettings) -> Bot:
    """The library's bot, with timeouts and pools that survive a bad network."""
    return Bot(
        token,
        base_url=f"{settings.base_url}/bot",
        base_file_url=f"{settings.base_url}/file/bot",
        request=HTTPXRequest(connection_pool_size=64, connect_timeout=10, read_timeout=20, pool_timeout=60),
        get_updates_request=HTTPXRequest(connection_pool_size=8, connect_timeout=10),
    )


async def _run(config: Config, token: str) -> int:
    settings: TelegramSettings = config.sections["telegram"]
    bot = connect(token, settings)
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ending.set)
    await _initialise(bot, ending)
    if ending.is_set():
        return 0
    inbox = Inbox(folder_of(config) / "inbox.db")
    async with Worker(lambda: make_companion(config)) as worker:
        stopped = asyncio.create_task(ending.wait())
        loading = asyncio.ensure_future(worker.ready())
        await asyncio.wait({loading, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not loading.done():
            log.info("event=stopped while=loading")
            inbox.close()
            # A thread that loads (or fetches) models cannot be interrupted, and there is nothing yet to finish.
            os._exit(0)
        await loading
        telegram = Telegram(bot, worker, inbox, settings, config.persona)
        log.info("event=started bot=@%s people=%d", bot.username, len(settings.allow))
        try:
            async with _doors(telegram, settings) as tasks:
                await asyncio.wait({*tasks, stopped}, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task.done() and task.exception():
                        raise task.exception() or RuntimeError
        finally:
            await telegram.stop(settings.stop_seconds)
    inbox.sweep()
    inbox.close()
    with contextlib.suppress(TelegramError, asyncio.TimeoutError):
        await asyncio.wait_for(bot.shutdown(), 3)
    return 0


async def _initialise(bot: Bot, ending: asyncio.Event) -> None:
    """Learn our own name, waiting while the network is away. Raises InvalidToken."""
    wait = 1.0
    while not ending.is_set():
        try:
            await bot.initialize()
            await bot.delete_webhook()
            await set_menu(bot)
            return
        except NetworkError as error:
            if wait == 1.0:
                log.warning("event=network_lost error=%s", type(error).__name__)
        except InvalidToken:
            raise
        except TelegramError as error:
            log.warning("event=start_delayed error=%s", type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(ending.wait(), wait)
        wait = min(wait * 2, 30.0)


async def set_menu(bot: Bot) -> None:
    """The list of commands that Telegram shows, per language."""
    for language in texts.LANGUAGES:
        commands = [BotCommand(name, what) for name, what in texts.commands(language).items()]
        await bot.set_my_commands(commands, language_code=None if language == "en" else language)


@contextlib.asynccontextmanager
async def _doors(telegram: Telegram, settings: TelegramSettings) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """All that brings in work: updates, reminders, the operator's questions. On the way out all doors are closed."""
    polling = Polling(telegram.bot, telegram.counters, telegram.take)
    tasks: list[asyncio.Task[Any]] = []
    servers: list[asyncio.Server] = []
    started = time.monotonic()
    try:
        if settings.health_port:
            lines = lambda: list(telegram.counters.lines(telegram.inbox.depth(), telegram.busy))  # noqa: E731
            state = lambda: {"ok": not polling.trouble, "up": round(time.monotonic() - started)}  # noqa: E731
            servers.append(await webserver.serve("127.0.0.1", settings.health_port, webserver.health(lines, state)))
        if settings.webhook:
            secret = secrets.token_urlsafe(32)
            host, _, port = settings.listen.rpartition(":")
            await telegram.catch_up()
            servers.append(await webserver.serve(host, int(port), webserver.webhook(secret, telegram.take)))
            await telegram.bot.set_webhook(settings.webhook, secret_token=secret, allowed_updates=KINDS)
        else:
            tasks.append(asyncio.create_task(polling.run(telegram.inbox.put, telegram.catch_up)))
        tasks.append(asyncio.create_task(reminders.run(telegram)))
        tasks.append(asyncio.create_task(_sweeping(telegram.inbox)))
        yield tasks
    finally:
        for server in servers:
            server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _sweeping(inbox: Inbox) -> None:
    while True:
        await asyncio.sleep(SWEEP)
        inbox.sweep()
