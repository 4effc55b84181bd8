"""The token and --check: each thing that can be wrong is said in one line that tells how to mend it; in process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner
from standin import TOKEN, Standin

from chatbot.cli import main
from chatbot.settings import TelegramSettings
from chatbot.telegram.running import TOKEN as VARIABLE
from chatbot.telegram.running import alone, read_token
from pipelines.errors import ChatbotError, UsageError


def test_the_token_comes_from_the_environment_and_leaves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f" {TOKEN}\n")
    assert read_token(TelegramSettings()) == TOKEN
    with pytest.raises(UsageError, match=VARIABLE):
        read_token(TelegramSettings())


def test_a_token_file_must_be_private(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    file.chmod(0o644)
    settings = TelegramSettings(token_file=str(file))
    with pytest.raises(UsageError, match="chmod 600"):
        read_token(settings)
    file.chmod(0o600)
    assert read_token(settings) == TOKEN
    with pytest.raises(UsageError, match="no such file"):
        read_token(TelegramSettings(token_file=str(tmp_path / "other")))


@pytest.mark.parametrize("wrong", ["123", "abc:def", f"{TOKEN} {TOKEN}", "123456:short"])
def test_what_is_no_token_is_not_repeated(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, wrong)
    with pytest.raises(UsageError) as caught:
        read_token(TelegramSettings())
    assert wrong not in str(caught.value)


def test_one_bot_per_folder(tmp_path: Path) -> None:
    with alone(tmp_path), pytest.raises(ChatbotError, match="Another"), alone(tmp_path):
        pass


async def test_a_token_that_telegram_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = TOKEN[:-2] + "99"
    monkeypatch.setenv(VARIABLE, wrong)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with Standin() as server:
        arguments = ["telegram", "--config", "tiny", "--check", "--set", f"telegram.base_url={server.url}"]
        arguments += ["--set", f"memory.folder={tmp_path}"]
        result = await asyncio.to_thread(CliRunner().invoke, main, arguments)
    assert result.exit_code == 1
    assert "Telegram does not know it" in result.output
    assert wrong not in result.output


def test_settings_that_make_no_sense_are_problems_of_the_config(tmp_path: Path) -> None:
    wrong = ["time_zone=Mars/Base", "webhook=http://plain.example", "listen=nowhere", 'allow=["me"]', "pcae=1"]
    arguments = [part for item in wrong for part in ("--set", f"telegram.{item}")]
    result = CliRunner().invoke(main, ["config", "check", "tiny", *arguments])
    assert result.exit_code == 2
    assert "no time zone" in result.output
    assert 'Did you mean "pace"' in result.output
    assert "5 problems" in result.output


@pytest.mark.parametrize(
    ("token", "base", "said"),
    [
        ("", "http://127.0.0.1:9", "There is no token"),
        (TOKEN, "http://127.0.0.1:9", "out of reach"),
    ],
)
def test_check_says_what_is_wrong(
    token: str, base: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, token)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    arguments = ["telegram", "--config", "tiny", "--check", "--set", f"telegram.base_url={base}"]
    result = CliRunner().invoke(main, [*arguments, "--set", f"memory.folder={tmp_path}"])
    assert result.exit_code == 1
    assert said in result.output
    assert "nobody may talk to it" in result.output
    assert "1 problem" in result.output
    assert TOKEN not in result.output
