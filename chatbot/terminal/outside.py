"""What reaches the chat past its prompt: signals from outside, and what libraries write to stderr."""

from __future__ import annotations

import asyncio
import io
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def signals(interrupt: Callable[[], None], leave: Callable[[], None]) -> Iterator[None]:
    """SIGINT between two prompts acts like Ctrl-C, SIGTERM like Ctrl-D: the terminal is always put back.

    Does nothing outside the main thread, where Python allows no handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    wanted = {signal.SIGINT: interrupt, signal.SIGTERM: leave}
    before = {
        number: signal.signal(number, lambda *_, act=act: loop.call_soon_threadsafe(act))
        for number, act in wanted.items()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Lines(io.TextIOBase):
    """A text stream that is no terminal and hands on whole lines."""

    def __init__(self, line: Callable[[str], None]) -> None:
        self._line, self._rest = line, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line)
        return len(text)
