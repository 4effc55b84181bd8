"""Shared by all tests: nothing of the person who runs them is read or written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatbot.assemble import read_config
from chatbot.companion import Companion
from chatbot.settings import MemorySettings
from pipelines.pipeline import Pipeline
from pipelines.turn import Persona

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHATBOT_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("CHATBOT_CONFIG", raising=False)


@pytest.fixture(scope="session")
def default_pipeline() -> Iterator[Pipeline]:
    """The default chain on its real models, loaded once for all tests, with a seed."""
    config = read_config(str(ROOT / "config.toml"), ["stages.candidates.transformers.seed=1"])
    pipeline = config.build()
    yield pipeline
    pipeline.close()


@pytest.fixture(scope="session")
def tiny_pipeline() -> Pipeline:
    """The chain without weights."""
    return read_config("tiny").build()


@pytest.fixture
def companions(tmp_path: Path) -> Callable[[Pipeline], Callable[[], Companion]]:
    """Makes companions on one data folder of this test, around a pipeline that is already loaded."""
    settings = MemorySettings(folder=str(tmp_path / "people"))
    return lambda pipeline: lambda: Companion(pipeline, Persona(), settings)


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes the folder of a random Llama of 64 words; settings are those of its config that matter."""

    def make(**settings: float) -> Path:
        import torch
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

        path = tmp_path_factory.mktemp("tiny-llama")
        words = ["<unk>", "<|im_start|>", "<|im_end|>", *(f"w{i}" for i in range(61))]
        tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>", eos_token="<|im_end|>")
        fast.save_pretrained(path)
        torch.manual_seed(0)
        size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
        config = LlamaConfig(
            vocab_size=64, num_key_value_heads=2, max_position_embeddings=256, tie_word_embeddings=True,
            eos_token_id=2, **(size | settings),
        )  # fmt: skip
        LlamaForCausalLM(config).save_pretrained(path)
        return path

    return make
