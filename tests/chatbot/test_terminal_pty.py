"""The whole program in a real pseudo-terminal, and in a pipe: keys, signals, exit codes, colours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

SLOW = '''
class Slow:
    """Takes eight seconds over a word, unless it is stopped."""

    needs = ()

    def __call__(self, turns):
        from pipelines.turn import Candidate

        return [[Candidate("half a tho" if turn.stop.wait(8) else "all of it", "slow")] for turn in turns]


class First:
    needs = ()

    def __call__(self, turns):
        from pipelines.turn import Reply

        return [Reply(turn.candidates[-1].text, "first", "", tuple(turn.candidates)) for turn in turns]


class Fine:
    needs = ()

    def __call__(self, turns):
        from pipelines.turn import Risk

        return [Risk() for _ in turns]
'''
CONFIG = """
[stages.safety]
use = "fine"
[stages.candidates]
use = "slow"
[stages.reply]
use = "quick"
"""
ENTRIES = """[chatbot.stages]
safety.fine = slow_stage:Fine
candidates.slow = slow_stage:Slow
reply.quick = slow_stage:First
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which the stages above are installed."""
    (tmp_path / "slow_stage.py").write_text(SLOW)
    info = tmp_path / "slow_stage-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: slow-stage\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRIES)
    (tmp_path / "slow.toml").write_text(CONFIG)
    return {
        **os.environ,
        "PYTHONPATH": str(tmp_path),
        "CHATBOT_DATA": str(tmp_path / "data"),
        "PROMPT_TOOLKIT_NO_CPR": "1",
        "TERM": "xterm-256color",
    }


@pytest.fixture
def chat(tmp_path: Path, environ: dict[str, str]) -> Iterator[Any]:
    arguments = ["-m", "chatbot", "repl", "--config", str(tmp_path / "slow.toml")]
    child = pexpect.spawn(sys.executable, arguments, env=environ, encoding="utf-8", timeout=20, dimensions=(30, 80))
    yield child
    child.close(force=True)


def run(environ: dict[str, str], tmp_path: Path, *arguments: str, text: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "chatbot", "repl", "--config", str(tmp_path / "slow.toml"), *arguments]
    return subprocess.run(command, input=text.encode(), env=environ, capture_output=True, timeout=60, check=False)


def test_ctrl_c_stops_the_answer_at_once_and_ctrl_d_leaves(chat: Any) -> None:
    chat.expect("you: ")
    chat.send("tell me\r")
    chat.expect("Ctrl-C stops")
    took = []
    for _ in range(3):
        started = time.monotonic()
        chat.sendintr()
        chat.expect("half a tho.*stopped")
        took.append(time.monotonic() - started)
        chat.send("again\r")
        chat.expect("Ctrl-C stops")
    assert min(took) < 1, f"{took}: a tenth of that on a free machine; this only tells stopping from waiting"
    chat.sendintr()
    chat.expect("stopped")
    chat.send("\x04")
    chat.expect("Bye!")
    chat.expect(pexpect.EOF)
    chat.wait()
    assert chat.exitstatus == 0


def test_what_is_typed_before_the_prompt_is_there_waits_for_it(chat: Any) -> None:
    assert chat.waitnoecho(15)  # the program is there, and still importing
    chat.send("/persona\rhello\r")
    chat.expect("you: ")
    assert "hello" not in chat.before
    chat.expect("rain on windows")
    chat.expect("Ctrl-C stops")
    chat.sendintr()
    chat.expect("half a tho")


def test_a_signal_from_outside_puts_the_terminal_back(chat: Any) -> None:
    chat.expect("you: ")
    chat.send("half a thou")
    chat.expect("half a thou")
    chat.kill(signal.SIGINT)  # clears the line, as the key does
    chat.send("/help\r")
    chat.expect("/memory")
    chat.kill(signal.SIGTERM)
    chat.expect("Bye!")
    chat.expect(pexpect.EOF)
    chat.wait()
    assert chat.exitstatus == 0


def test_a_dumb_terminal_will_do(tmp_path: Path, environ: dict[str, str]) -> None:
    arguments = ["-m", "chatbot", "repl", "--config", str(tmp_path / "slow.toml")]
    child = pexpect.spawn(sys.executable, arguments, env={**environ, "TERM": "dumb"}, encoding="utf-8", timeout=20)
    child.expect("you: ")
    child.send("/persona\r")
    child.expect("rain on windows")
    child.send("\x04")
    child.expect("Bye!")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0


def test_no_color_means_no_colour(tmp_path: Path, environ: dict[str, str]) -> None:
    arguments = ["-m", "chatbot", "repl", "--config", str(tmp_path / "slow.toml")]
    for colour in (False, True):
        extra = {} if colour else {"NO_COLOR": "1"}
        child = pexpect.spawn(sys.executable, arguments, env={**environ, **extra}, encoding="utf-8", timeout=20)
        child.expect("you: ")
        child.send("/persona\r")
        child.expect("Rename")
        shown = child.before
        child.close(force=True)
        assert ("\x1b[36mname" in shown) == colour


def test_in_a_pipe_there_is_one_reply_per_line_and_nothing_else(tmp_path: Path, environ: dict[str, str]) -> None:
    config = (tmp_path / "slow.toml").read_text().replace('use = "slow"', 'use = "template"')
    (tmp_path / "slow.toml").write_text(config)
    done = run(environ, tmp_path, text="one\ntwo\n")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert b"\x1b" not in done.stdout
    assert b"you:" not in done.stdout
    done = run(environ, tmp_path, "--json", text="hé\n")
    [line] = done.stdout.splitlines()
    turn = json.loads(line)
    assert turn["text"] == "hé"
    assert list(turn) == [
        *("text", "safety", "intent", "entities", "emotion", "facts", "memories", "candidates"),
        *("reply", "why", "ms", "failed"),
    ]  # fmt: skip


def test_ctrl_c_in_a_pipe_ends_without_a_traceback(tmp_path: Path, environ: dict[str, str]) -> None:
    command = [sys.executable, "-m", "chatbot", "repl", "--config", str(tmp_path / "slow.toml")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environ) as child:
        assert child.stdin
        assert child.stderr
        child.stdin.write(b"hello\n")
        child.stdin.flush()
        deadline = time.monotonic() + 20
        while not list((tmp_path / "data").glob("*.db")) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        assert child.wait(10) == -signal.SIGINT
        assert child.stderr.read() == b""
