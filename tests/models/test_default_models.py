"""The real default models, asked for meaning: what they make of messages as people type them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from chatbot.companion import Companion, Message
from pipelines.pipeline import Pipeline
from pipelines.turn import Turn

pytestmark = pytest.mark.models
Make = Callable[[Pipeline], Callable[[], Companion]]


def read(pipeline: Pipeline, *texts: str) -> list[Turn]:
    turns = [Turn(text) for text in texts]
    pipeline(turns, until="facts")
    assert [turn.failed for turn in turns] == [{}] * len(turns)
    return turns


def test_like_meanings_are_near(default_pipeline: Pipeline) -> None:
    a, b, c = read(default_pipeline, "my dog died", "i lost my puppy yesterday", "the train to oslo leaves at nine")
    assert a.embedding
    assert b.embedding
    assert c.embedding
    near = float(np.dot(a.embedding.vector, b.embedding.vector))
    far = float(np.dot(a.embedding.vector, c.embedding.vector))
    assert near > far + 0.2
    assert abs(float(np.linalg.norm(a.embedding.vector)) - 1) < 1e-4


def test_the_same_vectors_as_the_sentence_transformers_library() -> None:
    from models.embedding import MiniLM, SentenceTransformers

    turns = [Turn("hi im lena"), Turn("it rained all day and i was sad about it, a longer one"), Turn("")]
    for ours, theirs in zip(MiniLM(tuned="")(turns), SentenceTransformers()(turns), strict=True):
        assert float(np.dot(ours.vector, theirs.vector)) > 0.999
        assert ours.encoder == theirs.encoder


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("hey there!", {"greeting"}),
        ("tell me a joke", {"tell_joke"}),
        ("are you a real person or a robot", {"are_you_a_bot"}),
        ("thank you so much", {"thank_you"}),
        ("im so bored", {"bored"}),
    ],
)
def test_intents(default_pipeline: Pipeline, text: str, labels: set[str]) -> None:
    [turn] = read(default_pipeline, text)
    assert turn.intent
    assert turn.intent.label in labels
    assert turn.intent.in_scope
    assert 0 < turn.intent.probability <= 1


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("thank you so much for being there", {"gratitude"}),
        ("i am so angry at him i could scream", {"anger", "annoyance"}),
        ("i love her so much", {"love"}),
        ("i feel so sad and lonely tonight", {"sadness"}),
        ("omg what a surprise i did not expect that", {"surprise"}),
    ],
)
def test_emotions(default_pipeline: Pipeline, text: str, labels: set[str]) -> None:
    [turn] = read(default_pipeline, text)
    assert turn.emotion
    assert set(turn.emotion.labels) & labels
    assert len(turn.emotion.probabilities) == 28


def test_entities_in_proper_and_in_lower_case(default_pipeline: Pipeline) -> None:
    for text in ("My sister Anna moved to Berlin on Friday.", "my sister anna moved to berlin on friday"):
        [turn] = read(default_pipeline, text)
        found = {entity.text.lower(): entity for entity in turn.entities or ()}
        assert {"anna", "berlin"} <= set(found), text
        assert all(text[e.start : e.end] == e.text for e in found.values())
        assert any(e.label == "DATE" and e.value for e in found.values()), "a date has its day"


def test_replies_are_sampled_ranked_and_explained(default_pipeline: Pipeline, companions: Make) -> None:
    companion = companions(default_pipeline)()
    [turn] = companion.answer([("someone", "i planted tomatoes on my balcony and they finally have flowers")])
    assert turn.reply
    assert turn.failed == {}
    generated = [c for c in turn.candidates or () if c.source == "transformers"]
    assert len({c.text for c in generated}) >= 2
    assert turn.reply.text.startswith(turn.reply.ranked[0].text)
    totals = [c.scores["total"] for c in turn.reply.ranked]
    assert totals == sorted(totals, reverse=True)
    assert turn.reply.why


def test_several_people_are_answered_in_one_batch(default_pipeline: Pipeline, companions: Make) -> None:
    companion = companions(default_pipeline)()
    companion.answer([("a", "hi im ana"), ("b", "hi im bob")])
    turns = companion.answer([("b", "whats my name"), ("a", "whats my name"), ("c", "the sea was so calm today")])
    replies = [turn.reply.text for turn in turns if turn.reply]
    assert "Bob" in replies[0]
    assert "Ana" in replies[1]
    assert not {"Ana", "Bob"} & set(replies[2].split())


def test_a_stop_ends_the_generation(default_pipeline: Pipeline, companions: Make) -> None:
    companion = companions(default_pipeline)()
    message = Message("someone", "tell me a long story about a lighthouse keeper and his three cats")
    stage = next(step.stage for step in default_pipeline.steps if step.label == "candidates.transformers")
    steps = 0

    def written(*_: object) -> None:
        nonlocal steps
        steps += 1
        if steps == 3:
            message.stop.set()

    hook = stage.generator.writer.register_forward_hook(written)  # type: ignore[attr-defined]
    [turn] = companion.answer([message])
    assert turn.reply
    assert steps == 3, "not one token more was written"

    steps = 0
    hook.remove()
    layers = stage.generator.reader.get_decoder().layers  # type: ignore[attr-defined]
    message = Message("another", "tell me a long story about a mountain and the two goats who live there")
    hooks = [layer.register_forward_hook(written) for layer in layers]
    stage.generator.forget()  # type: ignore[attr-defined]
    [turn] = companion.answer([message])
    for hook in hooks:
        hook.remove()
    assert steps == 3, "not one layer more has read"
    assert turn.reply
    assert turn.reply.source == "stopped"
    assert [u.role for u in companion.memory("another").recent(9)] == ["person"]
