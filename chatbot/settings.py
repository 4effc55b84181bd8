"""The tables of the config that belong to the companion and its channels, with their types and defaults.

Each is checked by pipelines.config as a stage's settings are: unknown keys and wrong types are problems of the file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True)
class MemorySettings:
    """folder: where the files of all persons lie, "" for `CHATBOT_DATA` or else the platform's own folder;
    history: how many utterances travel with a turn; turn_days: for how many days what was said is kept, 0 for
    always (facts stay until they are forgotten)."""

    folder: str = ""
    history: Annotated[int, Field(ge=0, le=64)] = 10
    turn_days: Annotated[int, Field(ge=0)] = 90

    @property
    def path(self) -> Path:
        return Path(self.folder).expanduser() if self.folder else data_folder()


SECTIONS: dict[str, type] = {"memory": MemorySettings}


def data_folder() -> Path:
    """`CHATBOT_DATA`, else the platform's folder for a user's data."""
    if value := os.environ.get("CHATBOT_DATA"):
        return Path(value)
    from platformdirs import user_data_path

    return user_data_path("chatbot", appauthor=False)
