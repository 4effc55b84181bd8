"""From Ctrl-C to a reply on the screen that is marked as stopped, in a real terminal, on the config's own models.

    python tests/chatbot/ctrl_c.py --config config.toml

Says a message, presses Ctrl-C after a while that differs from time to time, and waits until the marked reply is there
and the prompt is free again. Prints the milliseconds of each, sorted, and the median.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time

import pexpect

SAID = (
    "i painted my kitchen blue and now i regret it",
    "what would you do with a free day like this",
    "my neighbour sings at night lol",
    "i want to learn the guitar this year",
    "do you think the sea is better than the mountains",
    "we had soup and then we talked for hours",
)


def measure(config: str, times: int) -> list[float]:
    """Milliseconds of each stop, in order."""
    took = []
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "CHATBOT_DATA": folder, "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm-256color"}
        arguments = ["-m", "chatbot", "repl", "--config", config]
        chat = pexpect.spawn(sys.executable, arguments, env=environ, encoding="utf-8", timeout=120, dimensions=(40, 90))
        chat.delaybeforesend = None
        chat.expect("you: ")
        chat.send("hello, it was a long day\r")
        chat.expect("Ctrl-C stops\\)")
        time.sleep(4)  # the first answer of all is there, and its cost is not that of a stop
        for i in range(times):
            chat.send(f"{SAID[i % len(SAID)]}\r")
            chat.expect(r"(thinking|choosing|writing)[^\r\n]*Ctrl-C stops\)")
            time.sleep(0.1 + 0.08 * (i % 8))
            started = time.monotonic()
            chat.sendintr()
            if chat.expect([r"\(stopped", pexpect.TIMEOUT], timeout=3) == 0:  # else the answer was there before the key
                took.append(1000 * (time.monotonic() - started))
            time.sleep(1)
        chat.close(force=True)
    return took


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="config.toml")
    parser.add_argument("--times", type=int, default=20)
    asked = parser.parse_args()
    found = sorted(measure(asked.config, asked.times))
    print(f"{len(found)} stops, ms: {' '.join(f'{ms:.0f}' for ms in found)}; median {statistics.median(found):.0f}")
