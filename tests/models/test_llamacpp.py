"""llama.cpp with a real small GGUF: as a stage of its own, and as a served model that `candidates.openai` asks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from tokenizers import Tokenizer

pytest.importorskip("xllamacpp", reason="the extra chatbot[llamacpp] is not installed here")

import itertools

from models.candidates import Transformers
from models.hub import fetch, problem
from models.llamacpp import LlamaCpp, gguf
from models.served import OpenAI
from pipelines.errors import WeightsError
from pipelines.pipeline import Pipeline, Step
from pipelines.turn import Candidate, Fact, Risk, Turn

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def stage() -> Iterator[LlamaCpp]:
    stage = LlamaCpp(count=3, max_tokens=12, context=2048, threads=1, seed=3)
    yield stage
    stage.close()


def turn(text: str = "my boss yelled at me today") -> Turn:
    return Turn(text, safety=Risk(), profile=[Fact("name", "Lena")])


def test_candidates_come_for_each_turn_that_wants_some(stage: LlamaCpp) -> None:
    sure = turn()
    sure.candidates = [Candidate("Your name is Lena.", "skills", sure=True)]
    first, none, second = stage([turn(), sure, turn("i baked bread")])
    assert none == []
    assert 1 <= len(first) <= 3
    assert 1 <= len(second) <= 3
    assert {c.source for c in first + second} == {"llamacpp"}
    assert all(c.scores["logprob"] < 0 for c in first)
    assert not any("<|" in c.text for c in first + second)


def test_the_prompt_becomes_the_tokens_that_our_own_models_read(stage: LlamaCpp) -> None:
    text = "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
    own = Tokenizer.from_file(str(fetch("smollm2-135m-instruct") / "tokenizer.json"))
    expected = own.encode(text, add_special_tokens=False).ids
    [read] = json.loads(
        httpx.post(  # the server's own view, marks and all
            stage.server.listening_address + "/tokenize",
            json={"content": text, "parse_special": True, "add_special": True},
            headers={"Authorization": f"Bearer {stage.key}"},
        ).text
    ).values()
    assert read == expected
    used = stage.server.handle_completions({"prompt": text, "max_tokens": 1})["usage"]
    assert used["prompt_tokens"] == len(expected)


def test_a_stop_is_heard_at_the_next_token(stage: LlamaCpp) -> None:
    looks = 0

    def stopped() -> bool:
        nonlocal looks
        looks += 1
        return looks > 4

    samples = stage.sample("Once upon a time", {**stage.settings, "max_tokens": 200}, stopped)
    assert looks == 5, "one look before anything, and one a token"
    assert sum(len(s.text.split()) for s in samples) <= 4
    assert not any(s.finished for s in samples)
    stopping = turn()
    stopping.stop.set()
    assert stage([stopping]) == [[]]


def test_a_single_candidate_streams(stage: LlamaCpp) -> None:
    heard: list[str] = []
    one = LlamaCpp.__new__(LlamaCpp)
    one.__dict__.update(stage.__dict__, count=1)
    asked = turn()
    asked.on_text = heard.append
    one([asked])
    assert heard
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(heard))


def test_a_prompt_beyond_the_context_is_refused_with_the_reason(stage: LlamaCpp) -> None:
    with pytest.raises(RuntimeError, match="exceeds the available context"):
        stage.sample("word " * 4000, stage.settings)


def test_it_is_a_server_that_candidates_openai_can_ask_and_nobody_without_the_key(
    stage: LlamaCpp, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = stage.server.listening_address + "/v1"
    assert url.startswith("http://127.0.0.1:")
    assert httpx.post(url + "/completions", json={"prompt": "hi", "max_tokens": 1}).status_code == 401
    monkeypatch.setenv("OWN_KEY", stage.key)
    served, without = (OpenAI(url, count=2, max_tokens=8, key=name) for name in ("OWN_KEY", "NO_SUCH_KEY"))
    [candidates] = served([turn()])
    assert 1 <= len(candidates) <= 2
    assert {c.source for c in candidates} == {"openai"}
    assert without([turn()]) == [[]]
    served.close()
    without.close()


def test_while_the_server_is_down_the_local_model_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    served = OpenAI("http://127.0.0.1:9/v1", count=1, retries=0)
    local = Transformers.__new__(Transformers)
    local.__dict__.update(count=1, seed=1, fallback=True, sampling=None)
    asked: list[int] = []
    monkeypatch.setattr(Transformers, "__call__", lambda self, turns: asked.append(len(turns)) or [[] for _ in turns])
    Pipeline([Step("candidates", "openai", served), Step("candidates", "transformers", local)])([turn()])
    assert asked == [1]
    served.close()


def test_a_file_a_folder_or_a_card_names_the_weights(tmp_path: Path) -> None:
    folder = fetch("smollm2-135m-instruct-gguf")
    file = gguf(folder)
    assert file.suffix == ".gguf"
    assert (problem(str(file)), fetch(str(file))) == (None, file)
    with pytest.raises(WeightsError, match="one GGUF file"):
        gguf(tmp_path)
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF and no more")
    with pytest.raises(WeightsError, match="cannot load"):
        LlamaCpp(str(broken))


def test_stops_of_several_turns_are_their_own(stage: LlamaCpp) -> None:
    going, stopping = turn(), turn("i baked bread")
    stopping.stop = threading.Event()
    stopping.stop.set()
    kept, dropped = stage([going, stopping])
    assert kept
    assert dropped == []
