"""Preferences: the loss falls when the good one gains, whatever its length; side by side is as alone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

from models.training.prefer import READ, Example, Settings, examples, likelihoods, loss_of, read  # noqa: E402
from models.training.preferences import HELD_OUT, JUDGED, cuts  # noqa: E402
from models.training.reply import DIALOGUES, held_out, read_talks  # noqa: E402

END = 2


def test_candidates_side_by_side_are_as_likely_as_each_alone() -> None:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=40, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4
    )
    core = LlamaForCausalLM(config).eval()
    model = SimpleNamespace(get_base_model=lambda: core)
    prompt, candidates = [5, 6, 7, 8], [[9, 10, END], [11, END], [12, 13, 14, 15, END]]
    with torch.inference_mode():
        together = likelihoods(model, Example("a", prompt, candidates, [True, False, False]))
        for found, candidate in zip(together, candidates, strict=True):
            rows = core(input_ids=torch.tensor([prompt + candidate])).logits[0].log_softmax(-1)
            alone = sum(rows[len(prompt) - 1 + i, token] for i, token in enumerate(candidate))
            assert float(found) == pytest.approx(float(alone), abs=1e-4)


def test_the_loss_falls_when_the_good_one_gains_and_length_is_no_gain() -> None:
    example = Example("a", [5], [[6, 7, 8, END], [9, END]], [True, False])
    before = torch.tensor([-8.0, -4.0])
    start, _ = loss_of(before, before, example, Settings(nll=0.0))
    better, right = loss_of(before + torch.tensor([2.0, 0.0]), before, example, Settings(nll=0.0))
    same, _ = loss_of(before + torch.tensor([2.0, 1.0]), before, example, Settings(nll=0.0))  # 0.5 a token, both
    assert better < start
    assert right == 1.0
    assert float(same) == pytest.approx(float(start))


def test_a_prompt_counts_only_with_a_good_and_a_bad_candidate_and_the_best_comes_first() -> None:
    words = {"a": 3, "b": 4, "c": 5}

    def tokenizer(text: str, add_special_tokens: bool) -> SimpleNamespace:
        return SimpleNamespace(input_ids=[words.get(word, 9) for word in text.split()])

    line = {
        "id": "x",
        "persona": {"name": "Juno", "traits": [], "likes": []},
        "facts": [],
        "recalled": [],
        "history": [],
        "text": "hey",
        "emotion": [],
        "candidates": [
            ["a", "ok", -1, 1, "model"],
            ["b", "nonsense", -1, 1, "model"],
            ["c", "best", -1, 1, "model"],
            ["a b", "best", 0, 1, "template"],
        ],
    }
    [example] = examples([line], tokenizer, END, each=3, seed=1)
    assert example.candidates == [[5, END], [3, END], [4, END]]
    assert example.good == [True, True, False]
    line["better"] = "c a"
    [example] = examples([line], tokenizer, END, each=3, seed=1)
    assert example.candidates == [[5, 3, END], [5, END], [3, END], [4, END]]
    del line["better"]
    line["candidates"] = [["a", "ok", -1, 1, "model"]]
    assert examples([line], tokenizer, END, each=3, seed=1) == []


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_what_was_read_is_of_held_out_topics_and_adds_up(path: Path) -> None:
    topics = {line["id"]: line for line in read_talks([*JUDGED, HELD_OUT])}
    topics |= {cut["id"]: cut for talk in read_talks(sorted(DIALOGUES.glob("*.jsonl"))) for cut in cuts(talk)}
    assert all(held_out(topics[row["id"]]) for row in read_talks([path]))
    for shares in read(path).values():
        assert sum(shares.values()) == pytest.approx(1, abs=0.002)
