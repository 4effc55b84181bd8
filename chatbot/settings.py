"""The tables of the config that belong to the companion and its channels, with their types and defaults.

Each is checked by pipelines.config as a stage's settings are: unknown keys and wrong types are problems of the file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field


@dataclass(frozen=True)
class MemorySettings:
    """folder: where the files of all persons lie, "" for `CHATBOT_DATA` or else the platform's own folder;
    history: how many utterances travel with a turn at most (when they are that many, about half of them are left out
    at once, see Memory.talk); turn_days: for how many days what was said is kept, 0 for always (facts stay until they
    are forgotten); summaries: whether the most telling utterances of each talk stay after that."""

    folder: str = ""
    history: Annotated[int, Field(ge=0, le=64)] = 12
    turn_days: Annotated[int, Field(ge=0)] = 90
    summaries: bool = True

    @property
    def path(self) -> Path:
        return Path(self.folder).expanduser() if self.folder else data_folder()


def known_zone(name: str) -> str:
    """The name, if it is "" or one of the IANA time zones. Raises ValueError."""
    from zoneinfo import available_timezones

    if name and name not in available_timezones():
        raise ValueError(f'"{name}" is no time zone; write it like Europe/Berlin')
    return name


@dataclass(frozen=True)
class TelegramSettings:
    """The bot. Its token is never here: it comes from `CHATBOT_TELEGRAM_TOKEN` or from token_file.

    allow: ids of people (positive) and groups (negative) that may talk to it, nobody by default; invites: codes that
    let in whoever opens t.me/BOT?start=CODE; quiet: seconds without another message after which a burst is over;
    pace: seconds between two messages to one chat (Telegram allows one a second, in bursts more);
    per_person, per_day: messages answered a day, for one person and for all, 0 for no limit; check_ins: whether
    people may ask for reminders and check-ins at all; webhook: the public https address, "" to poll; listen: host and
    port that the webhook's server binds; health_port: where /healthz and /metrics answer on loopback, 0 for nowhere;
    stop_seconds: what running answers get at SIGTERM; base_url: another Bot API server."""

    allow: list[int] = field(default_factory=list)
    invites: list[str] = field(default_factory=list)
    token_file: str = ""
    reactions: bool = True
    check_ins: bool = True
    quiet: Annotated[float, Field(ge=0, le=10)] = 0.2
    pace: Annotated[float, Field(ge=0, le=60)] = 1.05
    per_person: Annotated[int, Field(ge=0)] = 500
    per_day: Annotated[int, Field(ge=0)] = 5000
    time_zone: Annotated[str, AfterValidator(known_zone)] = ""
    webhook: Annotated[str, Field(pattern=r"^(https://\S+)?$")] = ""
    listen: Annotated[str, Field(pattern=r"^\S+:\d{1,5}$")] = "127.0.0.1:8443"
    health_port: Annotated[int, Field(ge=0, le=65535)] = 0
    stop_seconds: Annotated[float, Field(ge=0, le=300)] = 10.0
    base_url: str = "https://api.telegram.org"


SECTIONS: dict[str, type] = {"memory": MemorySettings, "telegram": TelegramSettings}


def data_folder() -> Path:
    """`CHATBOT_DATA`, else the platform's folder for a user's data."""
    if value := os.environ.get("CHATBOT_DATA"):
        return Path(value)
    from platformdirs import user_data_path

    return user_data_path("chatbot", appauthor=False)
