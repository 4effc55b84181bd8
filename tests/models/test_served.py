"""A served model, by a stand-in on loopback: what is sent, what comes back, and what happens when it is down."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from models.served import OpenAI
from pipelines.turn import Candidate, Fact, Risk, Turn


class Server(ThreadingHTTPServer):
    """Answers every request with `answer`, after `delay` seconds, and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answer: bytes = json.dumps(
            {"choices": [{"message": {"content": "That sounds like a long day."}, "finish_reason": "stop"}]}
        ).encode()
        self.status = 200
        self.statuses: list[int] = []  # of the next answers, before `status` holds
        self.delay = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.keys.append(self.headers.get("Authorization"))
        time.sleep(self.server.delay)
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else self.server.status)
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # who asked has given up
            self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    stand_in = Server()
    threading.Thread(target=stand_in.serve_forever, daemon=True).start()
    yield stand_in
    stand_in.shutdown()
    stand_in.server_close()


def turn(text: str = "what a day", **fields: Any) -> Turn:
    return Turn(text, **{"safety": Risk(), **fields})


def test_the_prompt_goes_out_and_candidates_come_back(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "secret")
    stage = OpenAI(server.url, model="m", count=3, key="MY_KEY")
    [candidates] = stage([turn(profile=[Fact("name", "Lena")])])
    stage.close()
    assert [c.text for c in candidates] == ["That sounds like a long day."] * 3
    assert {c.source for c in candidates} == {"openai"}
    assert server.asked[0]["model"] == "m"
    assert [m["role"] for m in server.asked[0]["messages"]] == ["system", "user"]
    assert 'name "Lena"' in server.asked[0]["messages"][0]["content"]
    assert server.keys == ["Bearer secret"] * 3


def test_nothing_is_asked_over_a_fixed_or_a_sure_reply(server: Server) -> None:
    stage = OpenAI(server.url)
    fixed, sure = turn(safety=Risk("now", "self_harm", "here is help")), turn()
    sure.candidates = [Candidate("Your name is Lena.", "skills", sure=True)]
    assert stage([fixed, sure]) == [[], []]
    assert server.asked == []
    stage.close()


@pytest.mark.parametrize("broken", [b"not json", b"{}", b'{"choices": []}', b'{"choices": [{"message": null}]}'])
def test_an_answer_that_makes_no_sense_is_no_candidate(server: Server, broken: bytes) -> None:
    server.answer = broken
    stage = OpenAI(server.url, count=1)
    assert stage([turn()]) == [[]]
    stage.close()


def test_a_server_that_is_down_is_told_once_without_what_was_said(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    stage = OpenAI("http://127.0.0.1:9/v1", count=2, retries=0, timeout=2)
    with caplog.at_level(logging.WARNING):
        assert stage([turn("my secret")]) == [[]]
        assert stage([turn("my secret")]) == [[]]
    assert len(caplog.records) <= 2
    assert "secret" not in caplog.text
    stage.close()
    server.status = 500
    stage = OpenAI(server.url, count=1)
    assert stage([turn()]) == [[]]
    server.status = 200
    assert len(stage([turn()])[0]) == 1
    stage.close()


def test_what_may_do_later_is_asked_again_as_often_as_set(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.served.PAUSE", 0.0)
    stage = OpenAI(server.url, count=1, retries=2)
    server.statuses = [503, 429]
    assert len(stage([turn()])[0]) == 1
    assert len(server.asked) == 3
    server.statuses = [503, 503, 503]
    assert stage([turn()]) == [[]]
    assert len(server.asked) == 6
    server.statuses = [401, 200]
    assert stage([turn()]) == [[]]
    assert len(server.asked) == 7, "a wrong key is as wrong the second time"
    stage.close()


def test_a_server_that_takes_too_long_is_not_waited_for(server: Server) -> None:
    server.delay = 5
    stage = OpenAI(server.url, count=1, timeout=0.2, retries=5)
    assert stage([turn()]) == [[]]
    assert len(server.asked) == 1
    stage.close()


def test_a_stop_does_not_wait_for_the_server(server: Server) -> None:
    server.delay = 3
    stage = OpenAI(server.url, count=1)
    asked = turn()
    threading.Timer(0.2, asked.stop.set).start()
    started = time.perf_counter()
    assert stage([asked]) == [[]]
    assert time.perf_counter() - started < 2
    stage.close()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="http"):
        OpenAI("localhost:8080")
