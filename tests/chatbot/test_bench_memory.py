"""The costs of memory: a row for each size, and what the command says of sizes that are none."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from chatbot.bench_memory import TIMED, run, table
from chatbot.cli import main


def test_a_row_for_each_size_with_all_its_times() -> None:
    told: list[str] = []
    rows = run(sizes=(5, 50), facts=20, tell=told.append)
    assert [(row["utterances"], row["facts"]) for row in rows] == [(5, 20), (50, 20)]
    assert all(row[what] > 0 for row in rows for what in TIMED)
    assert len(told) == 2
    assert [line.split()[0] for line in table(rows).splitlines()] == ["utterances", "5", "50"]


def test_the_command_prints_the_table() -> None:
    done = CliRunner().invoke(main, ["bench", "memory", "--sizes", "5", "--facts", "2"])
    assert done.exit_code == 0, done.output
    assert "recall, ms" in done.output


@pytest.mark.parametrize("sizes", ["", "x", "0", "10,,5", "-3"])
def test_sizes_that_are_none_are_wrong_usage(sizes: str) -> None:
    done = CliRunner().invoke(main, ["bench", "memory", "--sizes", sizes])
    assert done.exit_code == 2
    assert "numbers from 1 on" in done.output
