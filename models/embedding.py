"""One sentence vector per turn, and the features that the intent and emotion heads read: one encoder pass for all.

The encoder is all-MiniLM-L6-v2 (22M parameters, Reimers and Gurevych 2019, "Sentence-BERT"), mean-pooled. It reads
English, forgets case and word order beyond a sentence or two, and knows nothing of the history: each text is alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar
from weakref import WeakValueDictionary

import emoji
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from models.hub import fetch
from models.int8 import replace_linear, supported
from pipelines.errors import WeightsError
from pipelines.turn import Embedding, Turn

MAX_CHARACTERS = 4000
"""Read at most this much of a text before cutting it into tokens, so that a very long message costs no more."""

EMOTICONS = {
    ":)": "smile", ":-)": "smile", "(:": "smile", "=)": "smile", ":]": "smile", ":d": "grin", ":-d": "grin",
    "=d": "grin", "xd": "laughing", ";)": "wink", ";-)": "wink", ":(": "sad face", ":-(": "sad face", "=(": "sad face",
    ":[": "sad face", ":'(": "crying", ";(": "crying", "t_t": "crying", "t.t": "crying", ";_;": "crying",
    ":/": "unsure face", ":-/": "unsure face", ":|": "blank face", "-_-": "annoyed face", ">:(": "angry face",
    ":o": "surprised face", ":-o": "surprised face", "o_o": "surprised face", ":p": "playful face", "<3": "love heart",
    "</3": "broken heart", "^^": "smile", "^_^": "smile", "uwu": "cute face", ":3": "cute face", ":*": "kiss",
}  # fmt: skip
"""Emoticons in words, lower case: the encoder's vocabulary has their characters but never saw them as faces."""


def readable(text: str) -> str:
    """The text as the encoder should read it: emoji and emoticons in words, since its vocabulary has almost none.

    At most MAX_CHARACTERS of it; a run of one emoji counts once. A lone half of a surrogate pair, which some clients
    send, is no text that a tokenizer accepts, and becomes a question mark.
    """
    text = text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    if not text.isascii():
        text = _REPEATED.sub(r"\1", text)
        text = emoji.replace_emoji(text, lambda chars, data: f" {data['en'].strip(':').replace('_', ' ')} ")
    return " ".join(EMOTICONS.get(word.lower(), word) for word in text.split())


_REPEATED = re.compile(r"([^\x00-\u1fff])\1+")


_LOADED: WeakValueDictionary[tuple[Path, Path | None, bool], Any] = WeakValueDictionary()
"""One copy in memory, however many stages read with the same weights. Nothing writes to a loaded model."""


def plain(folder: Path) -> Any:
    """The encoder of a folder as transformers loads it, without dropout in its attention."""
    import transformers

    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    return transformers.AutoModel.from_pretrained(
        folder, local_files_only=True, add_pooling_layer=False, attention_probs_dropout_prob=0.0
    ).eval()


def _load(folder: Path, tuned: Path | None, int8: bool) -> Any:
    """The model, with `recall`, the projection that gives the vector (weight, bias), when its layers are tuned."""
    model = _LOADED.get((folder, tuned, int8))
    if model is None:
        model = plain(folder)
        model.recall, model.about = None, {}
        if tuned:
            _tune(model, tuned)
        if int8 and supported():
            replace_linear(model, fewest=64)
        _LOADED[folder, tuned, int8] = model
    return model


def _tune(model: Any, path: Path) -> None:
    """Replace the layers by those of the file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            model.about = json.loads((file.metadata() or {})["encoder"])
            state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118
        model.recall = (state.pop("recall.weight"), state.pop("recall.bias"))
        unknown = model.load_state_dict(state, strict=False).unexpected_keys
    except (OSError, SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{path}: these are no tuned layers for this encoder: {error}") from error
    if unknown:
        raise WeightsError(f"{path}: {len(unknown)} tensors are not of this encoder, such as {unknown[0]}")


class MiniLM:
    """Fills `embedding`: a vector of 384 float32, unit length, whose dot product is the cosine similarity.

    weights: the card with config.json, model.safetensors and tokenizer.json; tuned: the card, or folder, with
    encoder.safetensors, layers that this project trained for intents and emotions on top of the same word embeddings
    ("" for none); max_tokens: what is longer is cut; batch_size: texts per forward pass, sorted by length first so
    that little is padded; int8: passes of 64 tokens and more are computed in int8 where the processor can
    (`models.int8`), at a cosine of 0.998 to float32, which a short message alone always has. Without `tuned`,
    features and vector are the same; with it, features (768,) are the first token's state and the vector, which was
    trained to stay the untouched encoder's.
    Raises WeightsError when the weights cannot be had, or `tuned` belongs to other weights.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    weights: ClassVar[tuple[str, ...]] = ("weights", "tuned")

    def __init__(
        self,
        weights: str = "minilm",
        tuned: str = "minilm-chat",
        max_tokens: Annotated[int, Field(ge=8, le=512)] = 256,
        batch_size: Annotated[int, Field(ge=1, le=1024)] = 16,
        int8: bool = True,
    ) -> None:
        from tokenizers import Tokenizer

        folder = fetch(weights)
        self.name = weights
        self.batch_size = batch_size
        self.tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(max_tokens)
        self.tokenizer.enable_padding()
        self.model: Any = _load(folder, fetch(tuned) / "encoder.safetensors" if tuned else None, int8)
        if tuned:
            if self.model.about["base"] != weights:
                raise WeightsError(f'{tuned} was tuned on "{self.model.about["base"]}", not on "{weights}"')
            self.name = self.model.about["name"]

    @property
    def width(self) -> int:
        """Of a vector; features end with it."""
        return int(self.model.config.hidden_size)

    def __call__(self, turns: Sequence[Turn]) -> list[Embedding]:
        vectors, features = self._encode([turn.text for turn in turns])
        return [Embedding(v, f, self.name) for v, f in zip(vectors, features, strict=True)]

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), 384) for plain texts, in order. The empty text has a vector like any other."""
        return self._encode(texts)[0]

    def features(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """What heads read, (len(texts), 384), or (len(texts), 768) with tuned layers, for plain texts, in order."""
        return self._encode(texts)[1]

    def _encode(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Vectors (n, 384) and features (n, 384), or (n, 768) when tuned."""
        width = self.model.config.hidden_size
        clean = [readable(text) for text in texts]
        order = sorted(range(len(clean)), key=lambda i: len(clean[i]))
        vectors = np.empty((len(clean), width), dtype=np.float32)
        first = np.empty((len(clean), width), dtype=np.float32)
        for start in range(0, len(order), self.batch_size):
            part = order[start : start + self.batch_size]
            first[part], vectors[part] = self._forward([clean[i] for i in part])
        return vectors, vectors if self.model.recall is None else np.concatenate([first, vectors], axis=1)

    def _forward(self, texts: list[str]) -> tuple[Any, Any]:
        """The first token's state and the vector, (n, 384) each."""
        import torch

        tokens = self.tokenizer.encode_batch(texts)
        ids = torch.tensor([t.ids for t in tokens])
        mask = torch.tensor([t.attention_mask for t in tokens])
        with torch.inference_mode():
            hidden = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
            pooled = (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
            if self.model.recall is not None:
                weight, bias = self.model.recall
                pooled = torch.nn.functional.linear(torch.cat([hidden[:, 0], pooled], 1), weight, bias)
            return hidden[:, 0].numpy(), torch.nn.functional.normalize(pooled, dim=1).numpy()


class SentenceTransformers:
    """Fills `embedding` with any model of the sentence-transformers library, pooled and normalised as it says itself.

    weights: a card or a folder. Heads read its features only if they were trained on it. The default is MiniLM above,
    which gives the same vectors for the same weights: importing this library takes longer than the rest of a start.
    """

    needs: ClassVar[tuple[str, ...]] = ()
    weights: ClassVar[tuple[str, ...]] = ("weights",)
    packages: ClassVar[dict[str, str]] = {"sentence_transformers": "sentence-transformers"}

    def __init__(self, weights: str = "minilm", batch_size: Annotated[int, Field(ge=1, le=1024)] = 64) -> None:
        from sentence_transformers import SentenceTransformer

        self.name, self.batch_size = weights, batch_size
        self.model: Any = SentenceTransformer(str(fetch(weights)), device="cpu", local_files_only=True)

    def __call__(self, turns: Sequence[Turn]) -> list[Embedding]:
        texts = [readable(turn.text) for turn in turns]
        vectors = self.model.encode(
            texts, batch_size=self.batch_size, normalize_embeddings=True, show_progress_bar=False
        ).astype(np.float32)
        return [Embedding(vector=vector, features=vector, encoder=self.name) for vector in vectors]
