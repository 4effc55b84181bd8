"""Every exception that this project raises on purpose, in one tree.

ChatbotError            has a message for a person; the command line prints it, without a traceback, exit code 1
├── UsageError          what was asked for makes no sense; exit code 2
│   └── ConfigError     a config file with its whole list of problems
├── WeightsError        a model's weights are missing, damaged or out of reach
├── StageError          a stage broke its contract, or cannot work with the others in the config
└── MemoryFileError        a person's memory file cannot be used
    ├── MemoryDamaged   the file is not a readable database; it was set aside
    └── DiskFull        there is no room left to remember in
"""

from __future__ import annotations

from collections.abc import Sequence


class ChatbotError(Exception):
    """Something went wrong that a person can understand and mend."""

    exit_code = 1


class UsageError(ChatbotError):
    """The command, setting or file that was named does not make sense."""

    exit_code = 2


class ConfigError(UsageError):
    """A config with problems: all of them, so that one look is enough to mend the file."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        count = len(self.problems)
        tail = f"{count} problem{'s' if count != 1 else ''}. Nothing was loaded."
        super().__init__("\n".join([*self.problems, tail]))


class WeightsError(ChatbotError):
    """Weights are missing, do not have the sha256 of their card, or no source could be reached."""


class StageError(ChatbotError):
    """A stage returned something other than one value per turn, or two stages do not fit together."""


class MemoryFileError(ChatbotError):
    """A person's memory cannot be read or written."""


class MemoryDamaged(MemoryFileError):
    """The memory file is no readable database. It was set aside, not replaced in silence."""


class DiskFull(MemoryFileError):
    """No room is left on the disk; nothing of the turn was half-written."""
