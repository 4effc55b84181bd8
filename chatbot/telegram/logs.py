"""Logs of the bot: one line per event, as key=value, to stderr; never a message's text, never the token.

Errors are logged by their type alone, since their messages may quote what was said or the address with the token.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType

SECRET = "<token>"  # noqa: S105  (what is shown in the token's place)


class Redaction(logging.Filter):
    """Takes the token out of every record, and the message out of every traceback (its places in the code stay)."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self.token = token

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.clean(record.getMessage()), ()
        if record.exc_info and record.exc_info[0]:
            record.msg += f" error={record.exc_info[0].__name__} at={_places(record.exc_info[2])}"
            record.exc_info = None
        record.exc_text = record.stack_info = None
        return True

    def clean(self, text: str) -> str:
        """The text without the token, nor its secret half."""
        secret = self.token.partition(":")[2]
        for part in (self.token, secret):
            if len(part) > 3:
                text = text.replace(part, SECRET)
        return text


def set_up(token: str, level: int = logging.INFO) -> Redaction:
    """Make stderr the only place that logs go to, each record redacted."""
    redaction = Redaction(token)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("time=%(asctime)s level=%(levelname)s from=%(name)s %(message)s"))
    handler.addFilter(redaction)
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level)
    # These write the address of every request, which holds the token, or the parameters, which hold the words.
    for name in ("httpx", "httpcore", "telegram", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # Logs a body that is no JSON, words included.
    logging.getLogger("telegram.request").setLevel(logging.CRITICAL)

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        logging.getLogger(__name__).critical("event=crashed", exc_info=(kind, error, trace))

    sys.excepthook = hook
    return redaction


def _places(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-4:]
    return ",".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in frames)
