"""The decoding loop, on a tiny random model made here: batches, caches, stops and seeds. No weights are fetched."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
from transformers import DynamicCache, LlamaForCausalLM  # noqa: E402

from models import generation  # noqa: E402
from models.branches import Branches, _plain  # noqa: E402
from models.candidates import leading, streaming  # noqa: E402
from models.generation import Generator, Sample, Sampling, _common  # noqa: E402
from models.lora import merge  # noqa: E402
from models.outgoing import objections  # noqa: E402
from pipelines.errors import WeightsError  # noqa: E402
from pipelines.turn import Turn  # noqa: E402

NEVER = threading.Event()


@pytest.fixture(scope="module")
def folder(tiny_llama: Callable[..., Path]) -> Path:
    return tiny_llama()


@pytest.fixture(scope="module")
def generator(folder: Path) -> Generator:
    return Generator(folder, int8=False)


def prompt(*numbers: int) -> str:
    return " ".join(f"w{n}" for n in numbers)


def test_as_many_samples_as_asked_for_each_prompt(generator: Generator) -> None:
    result = generator.sample([prompt(1, 2, 3), prompt(4)], 3, Sampling(max_tokens=5), [NEVER, NEVER], 0)
    assert [len(samples) for samples in result] == [3, 3]
    assert all(sample.text and sample.logprob <= 0 for samples in result for sample in samples)


def test_a_seed_makes_it_repeatable(generator: Generator) -> None:
    once, again = (generator.sample([prompt(1, 2)], 4, Sampling(max_tokens=8), [NEVER], 7) for _ in range(2))
    assert [s.text for s in once[0]] == [s.text for s in again[0]]
    other = generator.sample([prompt(1, 2)], 4, Sampling(max_tokens=8), [NEVER], 8)
    assert [s.text for s in once[0]] != [s.text for s in other[0]]


def test_a_stop_ends_that_prompt_alone(generator: Generator) -> None:
    stopped = threading.Event()
    stopped.set()
    result = generator.sample([prompt(1), prompt(2)], 2, Sampling(max_tokens=6), [stopped, NEVER], 0)
    assert [s.text for s in result[0]] == ["", ""]
    assert not any(s.finished for s in result[0])
    assert all(s.text for s in result[1])


def test_what_comes_to_its_end_is_finished_and_leaves_the_batch(generator: Generator) -> None:
    samples = generator.sample([prompt(5)], 24, Sampling(max_tokens=200, temperature=2.0, top_p=1.0), [NEVER], 3)[0]
    assert any(s.finished for s in samples)
    assert len({len(s.text.split()) for s in samples}) > 1


def test_the_last_of_many_is_not_waited_for(generator: Generator) -> None:
    sampling = Sampling(max_tokens=250, temperature=2.0, top_p=1.0)
    samples = generator.sample([prompt(5)], 8, sampling, [NEVER], 4)[0]
    left = [len(s.text.split()) for s in samples if not s.finished]
    assert 1 <= len(left) <= 2
    assert max(left) < 240, "they were dropped, and did not run into the limit"
    alone = generator.sample([prompt(5)], 1, sampling, [NEVER], 4)[0]
    assert alone[0].finished or len(alone[0].text.split()) > 200, "a single sample is always written to its end"


def test_a_kept_beginning_gives_the_same_logits(folder: Path) -> None:
    fresh, used = Generator(folder, int8=False), Generator(folder, int8=False)
    used.read(prompt(1, 2, 3, 4, 5, 6), NEVER)
    _, expected = fresh.read(prompt(1, 2, 3, 4, 9, 8), NEVER)
    cache, logits = used.read(prompt(1, 2, 3, 4, 9, 8), NEVER)
    assert torch.allclose(expected, logits, atol=1e-5)
    assert cache.get_seq_length() == 6
    assert len(used._kept) == 1, "a talk that went on takes the place of its beginning"
    _, same = used.read(prompt(1, 2, 3, 4, 9, 8), NEVER)
    assert torch.allclose(expected, same, atol=1e-5)
    used.forget()
    assert not used._kept


def test_writing_does_not_change_what_is_kept(folder: Path) -> None:
    generator = Generator(folder, int8=False)
    generator.sample([prompt(1, 2, 3)], 4, Sampling(max_tokens=9), [NEVER], 1)
    assert [cache.get_seq_length() for cache in generator._kept.values()] == [3]


def step(generator: Generator, cache: Branches, *tokens: int) -> torch.Tensor:
    out = generator.writer(
        input_ids=torch.tensor([tokens]).T, position_ids=cache.positions(), past_key_values=cache, branches=cache
    )
    cache.written += 1
    return out.logits[:, -1]


def test_each_branch_has_the_logits_that_its_text_has_alone(generator: Generator) -> None:
    prompts = [prompt(1, 2, 3, 4, 5), prompt(7)]
    cache = Branches([generator.read(p, NEVER)[0] for p in prompts], 2, 3)
    step(generator, cache, 5, 6, 7, 8)
    step(generator, cache, 9, 10, 11, 12)
    cache.keep([0, 2, 3])
    together = step(generator, cache, 13, 14, 15)
    for row, (p, own) in enumerate(zip([0, 1, 1], ([5, 9, 13], [7, 11, 14], [8, 12, 15]), strict=True)):
        ids = [*generator.tokenizer(prompts[p], add_special_tokens=False).input_ids, *own]
        expected = generator.reader(input_ids=torch.tensor([ids]), past_key_values=DynamicCache()).logits[:, -1]
        assert torch.allclose(expected[0], together[row], atol=1e-4)


def test_quantised_writing_is_near_and_leaves_the_reader_alone(folder: Path) -> None:
    both = Generator(folder, int8=True)
    cache, before = both.read(prompt(3, 4, 5), NEVER)
    near = step(both, Branches([cache], 1, 1), 6)
    exact = both.reader(input_ids=torch.tensor([[*both.tokenizer(prompt(3, 4, 5)).input_ids, 6]])).logits[:, -1]
    assert torch.nn.functional.cosine_similarity(exact[0], near[0], dim=0) > 0.99
    assert not torch.equal(exact, near)
    both.forget()
    assert torch.equal(before, both.read(prompt(3, 4, 5), NEVER)[1])


def test_a_norm_is_exchanged_only_for_one_that_does_the_same() -> None:
    class OwnRMSNorm(torch.nn.Module):
        def __init__(self, shift: float) -> None:
            super().__init__()
            self.weight, self.shift = torch.nn.Parameter(torch.rand(8)), shift

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * (self.weight + self.shift)

    assert _plain(OwnRMSNorm(0.0)) is not None
    assert _plain(OwnRMSNorm(1.0)) is None, "Gemma's adds one to its weight"


def test_what_is_kept_is_bounded_and_the_least_recently_used_goes(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "KEPT_TOKENS", 12)
    generator = Generator(folder, int8=False)
    for p in (prompt(1, 2, 3, 4), prompt(11, 12, 13, 14), prompt(1, 2, 3, 4, 5), prompt(21, 22, 23, 24)):
        generator.read(p, NEVER)
    first = [generator.tokenizer.decode(tokens[:1]) for tokens in generator._kept]
    assert first == ["w1", "w21"], "the talk that went on was used later than the other"
    generator.read(prompt(*range(30, 50)), NEVER)
    assert len(generator._kept) == 1, "one that is longer than the bound is kept alone"


def test_a_stop_is_looked_at_for_every_token_and_a_finished_row_is_not_written_on(generator: Generator) -> None:
    class Stop(threading.Event):
        looks = 0

        def is_set(self) -> bool:
            return self.looks > 20

    stop, rows = Stop(), []

    def step(module: object, given: object, kwargs: dict[str, torch.Tensor]) -> None:
        rows.append(len(kwargs["input_ids"]))
        stop.looks += 1

    hook = generator.writer.register_forward_pre_hook(step, with_kwargs=True)
    sampling = Sampling(max_tokens=200, temperature=2.0, top_p=1.0)
    try:
        [samples] = generator.sample([prompt(5)], 8, sampling, [stop], 3)
    finally:
        hook.remove()
    assert len(rows) <= 21, "the step in which it was set is the last"
    assert rows == sorted(rows, reverse=True)
    assert rows[0] > rows[-1], "a row that came to its end has left the batch"
    assert len(samples) == 8


@pytest.mark.parametrize(("a", "b", "length"), [("", "abc", 0), ("abc", "abd", 2), ("ab", "abc", 2), ("xbc", "abc", 0)])
def test_the_common_beginning(a: str, b: str, length: int) -> None:
    assert _common([*map(ord, a)], [*map(ord, b)]) == length


def test_an_adapter_is_merged_or_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    name = "model.layers.0.self_attn.q_proj"
    a, b = torch.ones(2, 32), torch.ones(32, 2)
    key = f"base_model.model.{name}.lora_"
    save_file({f"{key}A.weight": a, f"{key}B.weight": b}, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 4}))
    model = LlamaForCausalLM.from_pretrained(folder)
    before = model.get_submodule(name).weight.clone()
    merge(model, tmp_path)
    assert torch.allclose(model.get_submodule(name).weight, before + 2 * (b @ a))
    with pytest.raises(WeightsError, match="no LoRA adapter"):
        merge(model, folder)
    save_file({f"{key}A.weight": a[:, :3].clone(), f"{key}B.weight": b}, tmp_path / "adapter_model.safetensors")
    with pytest.raises(WeightsError, match="another model"):
        merge(model, tmp_path)


def test_a_single_sample_streams_and_ends_where_its_reader_stops_it(generator: Generator) -> None:
    heard: list[str] = []
    stop = threading.Event()

    def hear(text: str) -> None:
        heard.append(text)
        if len(heard) == 3:
            stop.set()

    [[sample]] = generator.sample([prompt(1, 2)], 1, Sampling(max_tokens=40, temperature=0.1), [stop], 1, hear)
    assert len(heard) == 3
    assert heard[0] in heard[1] in heard[2]
    assert (sample.text, sample.finished) == (heard[2], False)
    generator.sample([prompt(1, 2)], 2, Sampling(max_tokens=4), [NEVER], 1, heard.append)
    assert len(heard) == 3, "several samples do not stream"


def test_a_prompt_read_in_parts_gives_the_logits_it_has_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = Generator(folder, int8=False)
    monkeypatch.setattr(generation, "READ_AT_ONCE", 16)
    long = list(range(2, 55))
    read = generator.read(prompt(*long), NEVER)
    assert read is not None
    ids = torch.tensor([generator.tokenizer(prompt(*long), add_special_tokens=False).input_ids])
    expected = generator.reader(input_ids=ids, past_key_values=DynamicCache()).logits[:, -1]
    assert torch.allclose(expected, read[1], atol=1e-4)


def test_a_stop_while_a_prompt_is_read_ends_the_reading(folder: Path) -> None:
    generator, stop, ran = Generator(folder, int8=False), threading.Event(), []
    for number, layer in enumerate(generator.reader.get_decoder().layers):
        layer.register_forward_hook(lambda *_, number=number: (ran.append(number), stop.set(), None)[-1])
    [[one, two], [other, _]] = generator.sample([prompt(1, 2), prompt(3)], 2, Sampling(max_tokens=3), [stop, NEVER], 1)
    assert ran[:2] == [0, 0], "one layer read the first prompt, and then the other's turn began"
    assert one.text == two.text == ""
    assert other.text
    assert len(generator._kept) == 1


def test_whole_words_are_streamed_until_the_outgoing_check_objects() -> None:
    heard: list[str] = []
    stream = streaming(Turn("hello", on_text=heard.append))
    assert stream is not None
    for text in ("", "Oh", "Oh h", "Oh hello", "Oh hello the", "Oh hello there, my"):
        stream(text)
    assert heard == ["Oh", "Oh hello", "Oh hello there,"]
    bad = "As an AI language model, I cannot do that."
    assert objections(bad, Turn("hello"))
    for end in range(len(bad) + 8):
        stream((bad + " And so on")[:end])
    assert not any(objections(text, Turn("hello")) for text in heard)
    assert not any("so" in text.split() for text in heard), "it does not begin again after an objection"
    assert streaming(Turn("hello")) is None


def test_a_finished_candidate_is_shown_when_it_is_likelier_than_those_before_it() -> None:
    led: list[str] = []
    lead = leading(Turn("hello", on_candidate=lambda candidate: led.append(candidate.text)))
    assert lead is not None
    said = [
        ("Oh.", -1.0),
        ("Well.", -2.0),
        ("Hello you!", -0.5),
        ("As an AI language model, I cannot.", -0.1),
        ("", 0.0),
    ]
    for text, logprob in said:
        lead(Sample(text, True, logprob))
    assert led == ["Oh.", "Hello you!"]
    assert leading(Turn("hello")) is None
