"""`chatbot memory`: every command with what it says and its exit code, on a memory that was filled by hand."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chatbot.cli import main
from chatbot.companion import now
from chatbot.memory import Memory
from chatbot.settings import data_folder
from pipelines.turn import Fact


@pytest.fixture
def lena() -> Memory:
    memory = Memory.open(data_folder(), "lena")
    for days, text, facts in (
        (9, "hi im lena and i live in leeds", [Fact("name", "Lena"), Fact("home", "Leeds")]),
        (3, "my bf is tom", [Fact("partner", "Tom")]),
        (2, "i moved to york, the violin came along", [Fact("home", "York")]),
        (0, "good morning", []),
    ):
        at = now() - timedelta(days=days)
        id = memory.hear(text, at)
        memory.learn(id, facts)
        memory.answer("ok", at, to=id)
    return memory


def run(*arguments: str, said: str = "", user: str = "lena") -> Result:
    return CliRunner().invoke(main, ["memory", *arguments, "--user", user], input=said)


def ok(*arguments: str, said: str = "", user: str = "lena") -> str:
    done = run(*arguments, said=said, user=user)
    assert done.exit_code == 0, done.output
    return done.output


def test_show_lists_the_facts_with_their_day_and_the_words_they_come_from(lena: Memory) -> None:
    shown = ok("show")
    days = {f.value: f"{f.since:%Y-%m-%d}" for f in lena.facts() if f.since}
    assert re.search(
        rf'\d+  {days["Lena"]}  name "Lena"\n +Because you told me on .*: “hi im lena and i live in leeds”', shown
    )
    assert re.search(rf'\d+  {days["York"]}  lives in "York"', shown)
    assert 'Leeds"' not in shown
    assert "paused" not in shown


def test_show_of_nobody_says_so() -> None:
    assert ok("show", user="nobody") == "Nothing is known of nobody yet.\n"


def test_show_talks_lists_what_sums_them_up(lena: Memory) -> None:
    shown = ok("show", "--talks")
    assert f"{now() - timedelta(days=2):%Y-%m-%d}  i moved to york, the violin came along" in shown
    assert "good morning" not in shown
    assert ok("show", "--talks", user="nobody") == "No talk with nobody is summed up yet.\n"


@pytest.mark.parametrize("what", ["home", "York", "york"])
def test_why_quotes_the_words_by_a_word_of_the_fact(lena: Memory, what: str) -> None:
    told = ok("why", what)
    assert 'lives in "York": Because you told me on' in told
    assert "“i moved to york, the violin came along”" in told
    assert ("Leeds" in told) is (what == "home"), "the past is told by its slot as well"


def test_why_takes_a_number_and_words_that_are_gone_are_said_to_be(lena: Memory) -> None:
    [name] = [f for f in lena.facts() if f.slot == "name"]
    assert "hi im lena" in ok("why", str(name.id))
    lena.prune(now() - timedelta(days=8), summaries_stay=False)
    assert "Your words themselves I no longer have." in ok("why", str(name.id))


@pytest.mark.parametrize("what", ["9999", "zebra"])
def test_why_of_no_fact_is_wrong_usage(lena: Memory, what: str) -> None:
    done = run("why", what)
    assert done.exit_code == 2
    assert done.output == (f"There is no fact '{what}': chatbot memory show (in the chat: /memory) lists them.\n")


def test_forget_by_words_by_number_and_by_time(lena: Memory) -> None:
    assert ok("forget", "Tom") == "Forgotten: 1 facts, 2 messages.\n"
    [name] = [f for f in lena.facts() if f.slot == "name"]
    assert ok("forget", str(name.id)) == "Forgotten: 1 facts, 2 messages.\n"
    assert ok("forget", "last", "3", "days") == "Forgotten: 1 facts, 4 messages.\n"
    assert ok("forget", "zebra") == ok("forget", str(10**30)) == "Forgotten: 0 facts, 0 messages.\n"
    left = b"".join(file.read_bytes() for file in data_folder().iterdir())
    assert not any(word in left for word in (b"tom", b"Tom", b"york", b"York"))


def test_forget_and_why_need_to_be_told_what(lena: Memory) -> None:
    for command in ("forget", "why"):
        done = run(command)
        assert done.exit_code == 2
        assert "Missing argument 'WHAT...'" in done.output


def test_pause_and_resume(lena: Memory) -> None:
    assert ok("pause") == "Paused: nothing is written down until: chatbot memory resume\n"
    assert ok("show").startswith("Memory is paused: nothing new is written down.\n")
    assert lena.hear("secret", now()) < 0
    assert ok("resume") == "It remembers again, from here on.\n"
    assert "paused" not in ok("show")


def test_export_is_json_that_import_takes(lena: Memory, tmp_path: Path) -> None:
    file = tmp_path / "lena.json"
    file.write_text(ok("export"), encoding="utf-8")
    assert {"format", "moments", "facts", "settings"} == set(json.loads(file.read_text()))
    assert ok("import", str(file), user="copy") == "Taken in: 3 facts that hold, 1 past ones.\n"
    assert json.loads(ok("export", user="copy")) == json.loads(file.read_text())
    done = run("import", str(file))
    assert done.exit_code == 2
    assert "not empty" in done.output
    assert ok("import", str(file), "--replace") == "Taken in: 3 facts that hold, 1 past ones.\n"


def test_export_as_a_page_of_text(lena: Memory) -> None:
    page = ok("export", "--text")
    assert 'lives in "York" (since ' in page
    assert 'once: lives in "Leeds" (until ' in page
    assert "you: my bf is tom" in page
    assert "it: ok" in page
    assert "nothing yet" in ok("export", "--text", user="nobody")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "it is not JSON"),
        ("[1]", "this is no exported memory"),
        ('{"format": 2, "moments": [], "facts": [], "settings": {}}', "this is no exported memory: format"),
        ("[" * 100_000, "it is not JSON"),
        (None, "No such file"),
    ],
)
def test_import_of_what_is_no_export_is_one_message_and_changes_nothing(
    lena: Memory, tmp_path: Path, content: str | None, what: str
) -> None:
    file = tmp_path / "x.json"
    if content is not None:
        file.write_text(content)
    done = run("import", str(file), "--replace")
    assert done.exit_code == 2
    assert what in done.output
    assert "Traceback" not in done.output
    assert len(lena.facts()) == 3


def test_erase_asks_and_does_it_only_at_yes(lena: Memory) -> None:
    done = run("erase", said="n\n")
    assert done.exit_code == 1
    assert "Erase everything about lena? This cannot be undone. [y/N]: n" in done.output
    assert len(lena.facts()) == 3
    assert "Everything about lena is erased." in ok("erase", said="y\n")
    assert not list(data_folder().glob("*.db*"))
    assert ok("erase", "--yes", user="nobody") == "Everything about nobody is erased.\n"


def test_a_damaged_file_and_a_folder_that_is_none_are_one_message(lena: Memory, tmp_path: Path) -> None:
    lena.close()
    lena.path.write_bytes(b"this is no database " * 500)
    done = run("show")
    assert done.exit_code == 1
    assert "is damaged. It was set aside as" in done.output
    assert ok("show") == "Nothing is known of lena yet.\n"
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(main, ["memory", "show"], env={"CHATBOT_DATA": str(tmp_path / "file")})
    assert done.exit_code == 1
    assert "cannot be used" in done.output
