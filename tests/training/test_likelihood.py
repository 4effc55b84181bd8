"""Scores of candidates: the block mask against plain passes, on a tiny random model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

torch = pytest.importorskip("torch")
from tokenizers import Tokenizer, models, pre_tokenizers  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast  # noqa: E402

from models.generation import Generator  # noqa: E402
from models.prompt import chatml  # noqa: E402
from models.training.likelihood import Likelihood  # noqa: E402

TALK = [
    {"role": "system", "content": "w1 w2"},
    {"role": "user", "content": "w3 w4"},
    {"role": "assistant", "content": "w5"},
    {"role": "system", "content": "w11"},
    {"role": "user", "content": "w6"},
    {"role": "assistant", "content": "w7 w8 w9"},
]
OTHERS = ["w7 w8 w9", "w10", "w1 w2 w3 w4 w5"]


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    path = tmp_path_factory.mktemp("tiny-llama")
    words = ["<unk>", "<|im_start|>", "<|im_end|>", "system", "user", "assistant", *(f"w{i}" for i in range(58))]
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<|im_end|>").save_pretrained(path)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=True, eos_token_id=2,
        initializer_range=0.3,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(path)
    return Generator(path, int8=False)


def plainly(generator: Generator, before: Sequence[Mapping[str, str]], reply: str) -> tuple[float, float, int]:
    """The same by one plain pass over the whole text."""
    head = generator.tokenizer(chatml(before), add_special_tokens=False).input_ids
    body = generator.tokenizer(f"{reply}<|im_end|>", add_special_tokens=False).input_ids
    with torch.inference_mode():
        rows = generator.reader(input_ids=torch.tensor([head + body])).logits[0].log_softmax(-1)
    each = [float(rows[len(head) - 1 + i, token]) for i, token in enumerate(body)]
    return sum(each[:-1]), each[-1], len(body) - 1


def test_candidates_side_by_side_score_as_each_alone_behind_the_talk(generator: Generator) -> None:
    found = list(Likelihood(generator).talk(TALK, [["w5", *OTHERS], OTHERS]))
    for scores, at, texts in ((found[0], 2, ["w5", *OTHERS]), (found[1], 5, OTHERS)):
        for score, text in zip(scores, texts, strict=True):
            words, end, tokens = plainly(generator, TALK[:at], text)
            assert (score.words, score.end) == (pytest.approx(words, abs=1e-4), pytest.approx(end, abs=1e-4))
            assert score.tokens == tokens


def test_the_next_reply_and_a_reply_to_nothing(generator: Generator) -> None:
    model = Likelihood(generator)
    assert [s.words for s in model.beside(TALK[:5], OTHERS)] == pytest.approx(
        [plainly(generator, TALK[:5], text)[0] for text in OTHERS], abs=1e-4
    )
    assert [s.end for s in model.alone(OTHERS, at_once=2)] == pytest.approx(
        [plainly(generator, [], text)[1] for text in OTHERS], abs=1e-4
    )
