"""What is typed before the prompt is there waits for it, unseen, with Enter as Enter.

Until prompt_toolkit takes over, a terminal would show the keys and turn Enter into a line feed, which the prompt reads
as "break the line". Does nothing where there is no terminal, or no termios (Windows keeps keys as they are).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def hold_keys() -> Iterator[None]:
    """Keep the terminal quiet inside; put it back as it was afterwards."""
    try:
        import termios
    except ImportError:
        yield
        return
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    quiet = termios.tcgetattr(sys.stdin)
    quiet[0] &= ~termios.ICRNL
    quiet[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(sys.stdin, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
