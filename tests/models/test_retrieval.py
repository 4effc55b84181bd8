"""Written replies of other talks: which are near, and which may be said here. A small store, with the real encoder."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.embedding import MiniLM
from models.retrieval import Retrieval, known, meant, stems, to_it
from models.training.retrieval import Exchange, exchanges, kept, write
from pipelines.errors import WeightsError
from pipelines.turn import Risk, Turn, Utterance

NOW = datetime(2026, 3, 1, tzinfo=UTC)

TOLD = [
    ("", "i fixed the tap myself", "Well done! Fixing a tap is not easy.", "tap"),
    ("", "i fixed the sink, my brother laughed", "Well done. What did he say?", "he"),
    ("", "i failed my maths exam", "Oh no, that hurts. What went wrong?", ""),
    ("How long were you stuck?", "2 hours", "That's a long time to wait.", ""),
    ("How did you sleep?", "2 hours", "So little! Take it slow today.", ""),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = [(Exchange("t", b, m, r, ""), frozenset(needs.split())) for b, m, r, needs in TOLD]
    out = tmp_path_factory.mktemp("store")
    write(found, out, MiniLM())
    return out


@pytest.fixture(scope="module")
def stage(folder: Path) -> Retrieval:
    return Retrieval(str(folder), count=3)


def offered(stage: Retrieval, text: str, *before: str) -> list[str]:
    roles = ("person", "companion") if len(before) % 2 == 0 else ("companion", "person")
    history = [Utterance(roles[i % 2], said, NOW) for i, said in enumerate(before)]  # type: ignore[arg-type]
    turn = Turn(text, at=NOW, history=history)
    [turn.embedding] = MiniLM()([turn])
    [found] = stage([turn])
    assert all(c.source == "retrieval" and c.scores["near"] >= stage.near for c in found)
    return [c.text for c in found]


def test_the_likest_message_answers(stage: Retrieval):
    assert offered(stage, "failed maths :(") == ["Oh no, that hurts. What went wrong?"]


def test_a_word_or_a_he_that_this_talk_has_not_keeps_a_reply_away(stage: Retrieval):
    assert offered(stage, "i fixed the sink") == []
    assert offered(stage, "i fixed the tap today")[0] == "Well done! Fixing a tap is not easy."
    assert "Well done. What did he say?" in offered(stage, "i fixed the sink, dad laughed at me")


def test_a_short_answer_means_what_it_answers(stage: Retrieval):
    assert offered(stage, "2 hours", "hi", "Did you sleep well?")[0] == "So little! Take it slow today."
    assert offered(stage, "2 hours", "hi", "How long did you wait there, stuck?")[0] == "That's a long time to wait."


def test_nothing_is_near_to_what_nobody_said(stage: Retrieval):
    assert offered(stage, "the parliament of norway votes on fishing quotas") == []


def test_without_a_vector_or_after_a_stop_there_is_none(stage: Retrieval):
    stopped = Turn("i failed my maths exam", at=NOW)
    [stopped.embedding] = MiniLM()([stopped])
    stopped.stop.set()
    assert stage([Turn("i failed my maths exam", at=NOW), stopped]) == [[], []]


def test_what_is_asked_of_the_person_no_other_talk_answers(stage: Retrieval):
    assert offered(stage, "i fixed the tap, remember my sister's name?") == []


def test_what_is_said_of_the_companion_gets_what_was_said_to_that(tmp_path: Path):
    told = [("you miss the sea, right?", "Far away, even small things come back."), ("i miss the sea", "Which one?")]
    write([(Exchange("t", "", m, r, ""), to_it(m)) for m, r in told], tmp_path, MiniLM())
    stage = Retrieval(str(tmp_path))
    assert offered(stage, "do u miss the sea") == ["Far away, even small things come back."]
    assert offered(stage, "i really miss the sea") == ["Which one?"]


def test_over_a_fixed_reply_nothing_is_looked_up(stage: Retrieval):
    turn = Turn("i failed my maths exam", at=NOW, safety=Risk("now", "self-harm", "Call someone."))
    [turn.embedding] = MiniLM()([turn])
    assert stage([turn]) == [[]]


def test_a_broken_store_or_one_of_another_encoder_is_named(folder: Path, tmp_path: Path):
    with pytest.raises(WeightsError, match="made with the encoder"):
        Retrieval(str(folder), tuned="")
    (tmp_path / "replies.safetensors").write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="no store of replies"):
        Retrieval(str(tmp_path))


def test_stems_and_who_is_meant():
    assert stems("Fixing taps, fixed!") == {"fix", "tap"}
    assert meant("my grandma and her dog") == {"she"}
    assert meant("they left") == frozenset()
    assert {"she", "dog", "walk"} <= known(Turn("walked the dog", at=NOW, history=[Utterance("person", "my mum", NOW)]))


@given(st.text(max_size=300))
def test_any_text_has_stems(text: str):
    assert all(stems(text))


def test_a_reply_keeps_what_it_took_up_and_goes_when_it_says_something_rare():
    common = [Exchange("t", "", f"message {i}", "That's a good plan. Enjoy the evening.", "") for i in range(12)]
    taken = Exchange("t", "", "the kettle is broken", "A broken kettle! What will you do?", "")
    rare = Exchange("t", "", "so tired", "Even a walrus naps.", "")
    name = Exchange("t", "", "so tired", "Good plan, Wren.", "my name is Wren")
    stranger = Exchange("t", "", "so tired", "Good plan, Wren.", "")
    long = Exchange("t", "", "so tired", "That's a good plan. Enjoy it. Good plan.", "")
    found = dict(kept([*common, taken, rare, name, stranger, long]))
    assert long not in found
    assert found[taken] == {"kettl", "broken"}
    assert "wren" in found[name]
    assert rare not in found
    assert stranger not in found


def test_no_held_out_topic_is_in_the_store():
    from models.training.reply import held_out

    assert not any(held_out({"topic": e.topic}) for e in exchanges() if e.topic.startswith("easy_"))
    assert any(held_out({"topic": e.topic}) for e in exchanges(held=True))
