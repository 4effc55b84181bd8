"""Text cut and marked as Telegram wants it: whatever the text, every piece is one that the server takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.telegram.text import MAX_ENTITIES, MAX_UNITS, Span, markdown, outs, plain, split, units

ANY = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
PIECES = ["\n\n", " ", ". ", "\U0001f9d1\u200d\U0001f692", "ä" * 900, "x" * 5000, "word " * 700]


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(
    st.lists(
        st.one_of(ANY, st.sampled_from(["\n\n", " ", ". ", "🧑‍🚒", "ä" * 900, "x" * 5000, "word " * 700])), max_size=12
    )
)
@settings(max_examples=150, deadline=None)
def test_every_piece_is_taken_and_no_word_is_lost(parts: list[str]) -> None:
    text = "".join(parts)
    pieces = [piece for piece, _ in split(text)]
    for piece in pieces:
        assert 1 <= utf16(piece) <= MAX_UNITS
        assert piece == piece.strip() != ""
    kept = re.sub(r"\s", "", text.replace("\0", ""))
    joined = re.sub(r"\s", "", "".join(pieces))
    # Only what cannot be seen may fall away.
    assert [c for c in joined if c.isalnum()] == [c for c in kept if c.isalnum()]


@given(
    st.text(st.sampled_from("ab 🎉\n"), min_size=1, max_size=400).map(lambda s: s * 30),
    st.lists(st.tuples(st.integers(0, 9000), st.integers(1, 200)), max_size=250),
)
@settings(max_examples=80, deadline=None)
def test_entities_stay_on_their_text_within_the_limits(text: str, places: list[tuple[int, int]]) -> None:
    spans = [Span(start, min(start + length, len(text)), "bold") for start, length in places if start < len(text)]
    for out in outs(text, spans):
        assert len(out.entities) <= MAX_ENTITIES
        data = out.text.encode("utf-16-le")
        for entity in out.entities:
            first, last = entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2
            assert 0 <= first < last <= len(data)
            data[first:last].decode("utf-16-le")  # no half of a pair


def test_words_are_not_broken_and_paragraphs_are_better_places() -> None:
    words = " ".join(f"word{i}" for i in range(1000))
    assert all(re.fullmatch(r"(word\d+ ?)+", piece) for piece, _ in split(words))
    text = "a" * 3000 + "\n\n" + "b " * 1000
    assert [piece[:1] for piece, _ in split(text)] == ["a", "b"]
    # A place between two lines is taken early on rather than one within a word.
    text = "a" * 1000 + "\n" + "b" * 4000
    assert [piece for piece, _ in split(text)] == text.split()
    text = "a" * 100 + "\t" + "b" * 4050
    assert [piece for piece, _ in split(text)] == text.split()


def test_an_emoji_is_not_cut_apart() -> None:
    family = "👩‍👩‍👧‍👦"
    for shift in range(12):
        pieces = [piece for piece, _ in split("x" * shift + family * 600)]
        assert all(len(piece.lstrip("x")) % len(family) == 0 for piece in pieces)


def test_a_span_goes_on_in_the_next_message() -> None:
    text = "word " * 1000
    first, second = outs(text, [Span(0, len(text), "italic")])
    assert first.entities[0]["length"] == units(first.text)
    assert second.entities == [{"type": "italic", "offset": 0, "length": units(second.text)}]


def test_more_than_a_hundred_entities_become_two_messages() -> None:
    text, spans = plain(*[(f"w{i}", "bold") if i % 2 else " " for i in range(300)])
    made = outs(text, spans)
    assert len(made) == 2
    assert sum(len(out.entities) for out in made) == 150


def test_buttons_go_under_the_last_and_the_edit_to_the_first() -> None:
    first, second = outs("word " * 1000, buttons=[[("a", "b")]], edit=5)
    assert (first.edit, first.buttons, second.edit) == (5, [], None)
    assert second.buttons == [[("a", "b")]]


@pytest.mark.parametrize("text", ["", "  \n ", "\u200b\u2060", "\0"])
def test_nothing_to_see_is_nothing_to_send(text: str) -> None:
    assert outs(text) == []


@pytest.mark.parametrize(
    ("source", "text", "looks"),
    [
        ("so **very** *good*", "so very good", ["bold", "italic"]),
        ("run `a*b*c` now", "run a*b*c now", ["code"]),
        ("~~no~~ yes", "no yes", ["strikethrough"]),
        ("see [this](https://example.org)", "see this", ["text_link"]),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))", []),
        ("2 * 3 * 4 = 24", "2 * 3 * 4 = 24", []),
        ("snake_case_name", "snake_case_name", []),
        ("1. one\n# two\n- three", "1. one\n# two\n- three", []),
        ("look:\n```python\nprint(1)\n```\ndone", "look:\nprint(1)\ndone", ["pre"]),
        ("*half open", "*half open", []),
    ],
)
def test_markdown_within_a_line(source: str, text: str, looks: list[str]) -> None:
    found, spans = markdown(source)
    assert found == text
    assert [span.type for span in spans] == looks


@given(ANY)
@settings(max_examples=150, deadline=None)
def test_markdown_survives_any_text(source: str) -> None:
    text, spans = markdown(source)
    assert len(text) <= len(source)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
