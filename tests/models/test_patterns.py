"""Patterns that are skipped when they cannot match."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.patterns import Pattern


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (r"\bkill (?:me|him)", {"kill "}),
        (r"(?:rope|knife) in", {"rope", "knife"}),
        (r"(?:\w+ ){0,3}?pills?", {"pill"}),
        (r"(?:rope)?x", set()),
        (r"\w+", set()),
    ],
)
def test_literals_are_read_off_the_pattern(pattern, literals):
    assert set(Pattern(pattern).literals) == literals


def test_search_finds_and_skips():
    pattern = Pattern(r"\b(?:rope|knife) in (?:my|his) hand")
    assert pattern.search("a knife in his hand")
    assert pattern.search("a knife in the drawer") is None
    assert not pattern.possible("a spoon")
    assert pattern.sub("_", "a rope in my hand, a knife in my hand") == "a _, a _"
    assert [m[0] for m in pattern.finditer("a rope in my hand")] == ["rope in my hand"]


def test_a_broken_pattern_fails_at_once():
    with pytest.raises(re.error):
        Pattern("(?:a")


WORD = st.sampled_from(
    ["rope", "knife", "hand", "(?:my|his)", r"\w+", "(?:pills|meds)", "(?:to )?", "x{2,4}", "[ab]c", r"\b"]
)


@given(st.lists(WORD, min_size=1, max_size=5), st.text("abchiknoprex my", max_size=30))
def test_no_match_is_ever_skipped(words, text):
    pattern = Pattern(" ?".join(words))
    for candidate in (text, text + "rope knife hand my his pills xx ac", "".join(words)):
        if pattern.regex.search(candidate):
            assert pattern.possible(candidate)
