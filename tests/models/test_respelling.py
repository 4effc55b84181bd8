"""Disguised words put back, and everything else left as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.folding import fold
from models.respelling import Respeller, common_words

RESPELLER = Respeller(["refugees", "women", "vermin", "rapists", "gays", "wog"], exact=["wog"])


def plain(text: str) -> str:
    return RESPELLER.after(fold(RESPELLER.before(text))).strip()


@pytest.mark.parametrize(
    "text",
    [
        "re fugees",
        "r efugees",
        "r e f u g e e s",
        "r3fug33s",
        "refug\u00e9es",
        "refguees",
        "refu\u200bgees",
        "r*fugees",
        "REFUGEES",
    ],
)
def test_one_disguised_word(text: str) -> None:
    assert plain(text) == "refugees"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ihatewomen", "i hate women"), ("w0m3n!", "women"), ("the gyas", "the gays"),
        ("v e r m i n here", "vermin here"),
        ("womenare fine", "women are fine"), ("wo men", "women"),
    ],
)  # fmt: skip
def test_in_a_sentence(text: str, words: str) -> None:
    assert plain(text).rstrip(" .") == words


@pytest.mark.parametrize(
    "text", ["my therapists are kind", "a dog on the lawn", "20mg at 4pm", "he has wo", "good for no thing"]
)
def test_harmless_words_stay(text: str) -> None:
    assert plain(text) == text


def test_common_words_hold_words_and_not_the_heading() -> None:
    assert {"people", "kitchen", "lonely"} <= common_words()
    assert not {"#", "English"} & common_words()


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    assert isinstance(plain(text), str)


def test_the_common_words_are_the_projects_own():
    models = Path(__file__).parents[2] / "models"
    files = [*(models / "training").rglob("*.jsonl"), *(models / "data").glob("*.toml")]
    texts = (file.read_text(encoding="utf-8").lower() for file in (*files, models / "training/hate_examples.toml"))
    ours = {word for text in texts for word in re.findall("[a-z]+", re.sub("['’]", "", text))}
    assert common_words() <= ours
