"""`chatbot telegram --check`: token, config, weights, folders and Telegram, before anything starts."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from telegram.error import InvalidToken, TelegramError

from chatbot.telegram.running import connect, folder_of, read_token
from pipelines.config import Config
from pipelines.errors import ChatbotError


def check(config: Config, say: Callable[[str], None]) -> int:
    """Say what is right and what is wrong; gives the exit code. The config was read with its weights checked."""
    settings = config.sections["telegram"]
    problems = 0
    say(f"config    {config.path}: {len(config.stages)} stages, weights here")
    folder = folder_of(config)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "not writable", str(folder))
        say(f"folder    {folder}: writable")
    except OSError as error:
        problems += 1
        say(f"folder    {folder}: {error.strerror}")
    if settings.allow or settings.invites:
        say(f"people    {len(settings.allow)} on the allow-list, {len(settings.invites)} invites")
    else:
        say("people    nobody may talk to it yet: write to it, it tells you your id for [telegram] allow")
    try:
        token = read_token(settings)
        say(f"token     found, {asyncio.run(_ask(token, config))}")
    except InvalidToken:
        problems += 1
        say("token     Telegram does not know it: ask @BotFather")
    except TelegramError as error:
        problems += 1
        say(f"token     found, but Telegram is out of reach ({type(error).__name__})")
    except ChatbotError as error:
        problems += 1
        say(f"token     {error}")
    say("all right" if not problems else f"{problems} problem{'s' if problems > 1 else ''}")
    return 1 if problems else 0


async def _ask(token: str, config: Config) -> str:
    async with connect(token, config.sections["telegram"]) as bot:
        info = await bot.get_webhook_info()
        note = (
            " (a webhook is set; polling will remove it)"
            if info.url and not config.sections["telegram"].webhook
            else ""
        )
        return f"and it is @{bot.username}{note}"
