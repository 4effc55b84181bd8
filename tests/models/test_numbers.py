"""Numbers in digits and in words, each as one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.numbers import FEW, numbers


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Two hundred and forty-eight people", {248}),
        ("won 1,250 euros", {1250}),
        ("ran 5k on her 60th, the sixtieth", {5000, 60}),
        ("at 8:30, a dozen of us", {8, 30, 12}),
        ("half a million, one or two", {1_000_000}),
        ("one thing, two of you, three", set()),
        ("twenty five", {25}),
    ],
)
def test_numbers_are_read(text: str, found: set[int]) -> None:
    assert numbers(text) == found


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert all(number > FEW for number in numbers(text))
