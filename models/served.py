"""Candidates from a served language model: any server with an OpenAI-compatible chat endpoint.

vLLM, Ollama, llama-server, TGI and the hosted ones speak it. What people say leaves this process here: to the address
in the config and nowhere else. A server that is down is no error of the talk: the stage then gives no candidate, says
so once in the log, and a local model listed after it with `fallback = true` answers.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Annotated, Any, ClassVar

import httpx
from pydantic import Field

from models.candidates import tidy, wants_generation
from models.generation import Sample
from models.prompt import messages
from pipelines.turn import Candidate, Turn

log = logging.getLogger(__name__)

STOP_LOOK = 0.05
"""Seconds between two looks at the stop events while the server writes."""

LATER = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may do."""

PAUSE = 0.3
"""Seconds before a request is sent again."""


class OpenAI:
    """A served chat model.

    url: up to and with /v1; model: its name there ("" where a server has only one); count: candidates per turn, one
    request each; timeout: seconds until what is not there yet is given up; retries: after a refused or broken
    connection, or an answer that says "later" (429, 502, 503, 504); key: the environment variable that holds the key,
    not the key itself.
    """

    needs: ClassVar[tuple[str, ...]] = ("safety",)

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080/v1",
        model: str = "",
        count: Annotated[int, Field(ge=1, le=32)] = 4,
        max_tokens: Annotated[int, Field(ge=8, le=2048)] = 96,
        temperature: Annotated[float, Field(ge=0, le=2)] = 0.8,
        timeout: Annotated[float, Field(gt=0, le=600)] = 30.0,
        retries: Annotated[int, Field(ge=0, le=5)] = 1,
        key: str = "OPENAI_API_KEY",
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ValueError(f'url = "{url}" must begin with http:// or https://')
        secret = os.environ.get(key, "")
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self.settings = {"max_tokens": max_tokens, "temperature": temperature} | ({"model": model} if model else {})
        self.count, self.url = count, url.rstrip("/")
        self.timeout, self.retries = timeout, retries
        self.client = httpx.Client(headers=headers, timeout=timeout)
        self.pool = ThreadPoolExecutor(max_workers=32, thread_name_prefix="served")
        self.down = False

    def __call__(self, turns: Sequence[Turn]) -> list[list[Candidate]]:
        asked: list[list[Future[Sample | None]]] = [
            [self.pool.submit(self._ask, turn) for _ in range(self.count)] if wants_generation(turn) else []
            for turn in turns
        ]
        waiting = {future for futures in asked for future in futures}
        deadline = time.monotonic() + self.timeout
        while waiting and time.monotonic() < deadline:
            _, waiting = wait(waiting, timeout=STOP_LOOK)
            for turn, futures in zip(turns, asked, strict=True):
                if turn.stop.is_set():  # what is under way comes to its end unread
                    waiting -= set(futures)
        return [
            [
                candidate
                for future in futures
                if future.done() and (sample := future.result()) and (candidate := tidy(sample, "openai"))
            ]
            for futures in asked
        ]

    def _ask(self, turn: Turn) -> Sample | None:
        """One reply, or None when the server has none to give."""
        body: dict[str, Any] = {"messages": messages(turn, turn.companion_name), **self.settings}
        try:
            answer = self._post(body)
            answer.raise_for_status()
            choice = answer.json()["choices"][0]
            text, finished = str(choice["message"]["content"] or ""), choice.get("finish_reason") != "length"
        except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
            if not self.down:
                # The type alone: an error's text may hold the address with a key, or what was said.
                log.warning("the served model gives no reply: %s", type(error).__name__)
            self.down = True
            return None
        if self.down:
            log.warning("the served model is back")
        self.down = False
        return Sample(text, finished, logprob=0.0)

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        for left in range(self.retries, -1, -1):
            try:
                answer = self.client.post(f"{self.url}/chat/completions", json=body)
                if not left or answer.status_code not in LATER:
                    break
            except httpx.TimeoutException:
                raise
            except httpx.TransportError:
                if not left:
                    raise
            time.sleep(PAUSE)
        return answer

    def close(self) -> None:
        """Let go of the connections."""
        self.pool.shutdown(wait=False, cancel_futures=True)
        self.client.close()
