"""The loop, with stages made by hand: no model is loaded here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import pytest

from pipelines.errors import StageError
from pipelines.pipeline import CLOSED, Pipeline, Step
from pipelines.turn import Candidate, Fact, Intent, Reply, Risk, Turn


class Fake:
    """A stage that answers with what a function makes of each turn, and counts its calls."""

    needs: tuple[str, ...] = ()

    def __init__(self, answer: Callable[[Turn], Any], needs: tuple[str, ...] = ()) -> None:
        self.answer, self.needs = answer, needs
        self.batches: list[int] = []

    def __call__(self, turns: Sequence[Turn]) -> list[Any]:
        self.batches.append(len(turns))
        return [self.answer(turn) for turn in turns]


def refuse_poison(turn: Turn) -> Intent:
    if "poison" in turn.text:
        raise ValueError("cannot read this")
    return Intent("greeting", 0.9)


def safe() -> Step:
    return Step("safety", "fake", Fake(lambda t: Risk()))


def test_a_value_lands_in_the_field_of_its_slot() -> None:
    turn = Turn("hello")
    Pipeline([safe(), Step("intent", "fake", Fake(lambda t: Intent("greeting", 0.9)))])([turn])
    assert turn.intent == Intent("greeting", 0.9)
    assert set(turn.ms) == {"safety.fake", "intent.fake"}
    assert turn.failed == {}


def test_a_batch_is_one_call() -> None:
    stage = Fake(refuse_poison)
    Pipeline([Step("intent", "fake", stage)])([Turn("a"), Turn("b"), Turn("c")])
    assert stage.batches == [3]


def test_one_poisonous_turn_harms_only_itself() -> None:
    turns = [Turn("a"), Turn("poison"), Turn("c")]
    Pipeline([safe(), Step("intent", "fake", Fake(refuse_poison))])(turns)
    assert [t.intent is not None for t in turns] == [True, False, True]
    assert turns[1].failed == {"intent.fake": "ValueError: cannot read this"}
    assert turns[0].failed == {}


def test_a_stage_whose_need_failed_is_left_out_for_that_turn() -> None:
    stage = Fake(lambda t: [Candidate(t.intent.label, "fake")], needs=("intent",))
    turns = [Turn("poison"), Turn("fine")]
    Pipeline([safe(), Step("intent", "fake", Fake(refuse_poison)), Step("candidates", "fake", stage)])(turns)
    assert turns[0].candidates is None
    assert "intent" in turns[0].failed["candidates.fake"]
    assert turns[1].candidates == [Candidate("greeting", "fake")]


def test_safety_fails_closed() -> None:
    def broken(turn: Turn) -> Risk:
        raise RuntimeError("no verdict")

    after = Fake(lambda t: Reply("I know nothing", "fake"))
    turn = Turn("hello")
    Pipeline([Step("safety", "fake", Fake(broken)), Step("reply", "fake", after)])([turn])
    assert turn.reply is not None
    assert turn.reply.text == CLOSED
    assert after.batches == [], "nothing may run after safety failed"


def test_safety_without_a_verdict_fails_closed_too() -> None:
    turn = Turn("hello")
    Pipeline([Step("safety", "fake", Fake(lambda t: None))])([turn])
    assert turn.reply is not None
    assert turn.reply.source == "closed"


@pytest.mark.parametrize(
    ("slot", "value", "says"),
    [
        ("emotion", "joy", "emotion.fake returned a str; emotion holds an Emotion"),
        ("entities", Risk(), "entities.fake returned a Risk; entities holds a list"),
        ("intent", Risk(), "intent.fake returned a Risk; intent holds an Intent"),
    ],
)
def test_a_value_that_the_slot_does_not_hold_fails_before_others_trip_over_it(
    slot: str, value: object, says: str
) -> None:
    turn = Turn("hello")
    Pipeline([safe(), Step(slot, "fake", Fake(lambda t: value))])([turn])
    assert getattr(turn, slot) is None
    assert turn.failed == {f"{slot}.fake": f"StageError: {says}"}


def test_a_stage_that_returns_no_list_says_so() -> None:
    class Nothing:
        needs: ClassVar[tuple[str, ...]] = ()

        def __call__(self, turns: object) -> None: ...

    turn = Turn("hello")
    Pipeline([safe(), Step("emotion", "fake", Nothing())])([turn])  # type: ignore[arg-type]
    assert "emotion.fake returned a NoneType; it must return a list" in turn.failed["emotion.fake"]


def test_candidates_of_several_stages_are_joined() -> None:
    one = Step("candidates", "one", Fake(lambda t: [Candidate("a", "one")]))
    two = Step("candidates", "two", Fake(lambda t: [Candidate("b", "two"), Candidate("c", "two")]))
    turn = Turn("hello")
    Pipeline([one, two])([turn])
    assert [c.text for c in turn.candidates or ()] == ["a", "b", "c"]


def test_the_wrong_number_of_values_is_the_stages_fault() -> None:
    class Short:
        needs: ClassVar[tuple[str, ...]] = ()

        def __call__(self, turns: Sequence[Turn]) -> list[Any]:
            return []

    turn = Turn("hello")
    Pipeline([Step("intent", "short", Short())])([turn])
    assert turn.failed["intent.short"].startswith(StageError.__name__)


def test_until_stops_after_that_slot() -> None:
    reply = Fake(lambda t: Reply("x", "fake"))
    turn = Turn("hello")
    Pipeline([safe(), Step("facts", "fake", Fake(lambda t: [])), Step("reply", "fake", reply)])([turn], until="facts")
    assert turn.facts == []
    assert turn.reply is None
    Pipeline([safe(), Step("reply", "fake", reply)])([turn], until="facts")
    assert turn.reply is None, "until a slot that no step fills is no step at all"


@pytest.mark.parametrize(
    ("stated", "known"),
    [
        (Fact("home", "Berlin"), [("home", "Berlin"), ("like", "tea")]),
        (Fact("like", "Tea"), [("home", "Paris"), ("like", "Tea")]),
        (Fact("like", "rain"), [("home", "Paris"), ("like", "tea"), ("like", "rain")]),
        (Fact("like", "tea", change="end"), [("home", "Paris")]),
        (Fact("home", "", change="end"), [("like", "tea")]),
        (Fact("home", "Rome", about="sister"), [("home", "Paris"), ("like", "tea"), ("home", "Rome")]),
    ],
)
def test_what_is_known_once_a_message_is_heard(stated: Fact, known: list[tuple[str, str]]) -> None:
    turn = Turn("...", profile=[Fact("home", "Paris"), Fact("like", "tea")], facts=[stated])
    assert sorted((f.slot, f.value) for f in turn.known()) == sorted(known)


def test_a_turn_as_plain_values() -> None:
    turn = Turn("hi", intent=Intent("greeting", 0.123456), reply=Reply("Hello!", "fake", "why not"))
    plain = turn.as_dict()
    assert list(plain)[:10] == [
        "text", "safety", "intent", "entities", "emotion", "facts", "memories", "candidates", "reply", "why",
    ]  # fmt: skip
    assert plain["intent"]["probability"] == 0.1235
    assert plain["reply"] == "Hello!"


def test_safety_is_asked_even_when_what_it_needs_is_missing() -> None:
    safety = Fake(lambda t: Risk("low") if t.embedding is None else Risk(), needs=("embedding",))
    broken = Step("embedding", "fake", Fake(refuse_poison))
    turn = Turn("poison")
    Pipeline([broken, Step("safety", "fake", safety)])([turn])
    assert turn.safety == Risk("low")


def test_a_safety_stage_that_cannot_do_without_is_closed() -> None:
    safety = Fake(lambda t: Risk(t.embedding.encoder), needs=("embedding",))  # type: ignore[union-attr, arg-type]
    after = Fake(lambda t: Reply("I know nothing", "fake"))
    turn = Turn("poison")
    Pipeline(
        [Step("embedding", "fake", Fake(refuse_poison)), Step("safety", "fake", safety), Step("reply", "f", after)]
    )([turn])
    assert turn.reply is not None
    assert turn.reply.text == CLOSED
