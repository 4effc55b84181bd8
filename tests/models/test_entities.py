from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.dates import iso
from models.entities import Encoder, Rules, Spacy
from models.hub import problem
from pipelines.turn import Entity, Turn

SUNDAY = datetime(2026, 11, 22, 15, 0, tzinfo=timezone(timedelta(hours=1)))


def entities(text: str) -> list[Entity]:
    return Rules()([Turn(text, at=SUNDAY)])[0]


def found(text: str) -> set[tuple[str, str]]:
    return {(entity.text, entity.label) for entity in entities(text)}


@pytest.mark.parametrize(
    ("text", "entity"),
    [
        ("hi im lena, my exam went terribly", ("lena", "PERSON")),
        ("my name is zorblax", ("zorblax", "PERSON")),
        ("my sister anna is here", ("anna", "PERSON")),
        ("my friend zorah is coming", ("zorah", "PERSON")),
        ("my dog bruno ate it", ("bruno", "PET")),
        ("we got a cat named Sir Fluff", ("Sir Fluff", "PET")),
        ("my cat biscuit is sick", ("biscuit", "PET")),
        ("i live in berlin", ("berlin", "GPE")),
        ("i moved to graz last week", ("graz", "GPE")),
        ("im from a village called Hof", ("Hof", "GPE")),
        ("i grew up in Oberdorf", ("Oberdorf", "GPE")),
        ("i work at Siemens", ("Siemens", "ORG")),
        ("watching stranger things rn", ("stranger things", "WORK_OF_ART")),
        ('reading "the long way"', ("the long way", "WORK_OF_ART")),
        ("it was 20 bucks", ("20 bucks", "MONEY")),
        ("i have 2 cats", ("2", "CARDINAL")),
        ("listening to Taylor Swift", ("Taylor Swift", "PERSON")),
    ],
)
def test_names_are_found_in_any_case(text: str, entity: tuple[str, str]) -> None:
    assert entity in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "im exhausted",
        "my sister cooks",
        "my boyfriend dumped me",
        "im in love",
        "lol omg haha",
        "my dog barks",
        "im from work",
        "my boss hates me",
    ],
)
def test_ordinary_words_are_no_names(text: str) -> None:
    assert not entities(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("tomorrow", "2026-11-23"),
        ("on friday", "2026-11-27"),
        ("next friday", "2026-11-27"),
        ("last friday", "2026-11-20"),
        ("the day after tomorrow", "2026-11-24"),
        ("in 3 days", "2026-11-25"),
        ("a week ago", "2026-11-15"),
        ("next week", "2026-W48"),
        ("next month", "2026-12"),
        ("last year", "2025"),
        ("this weekend", "2026-11-21"),
        ("may 12th 2027", "2027-05-12"),
        ("12.05.2027", "2027-05-12"),
        ("christmas", "2026-12-25"),
        ("8pm", "2026-11-22T20:00"),
        ("half past 7", "2026-11-22T07:30"),
        ("in 2 hours", "2026-11-22T17:00"),
        ("noon", "2026-11-22T12:00"),
    ],
)
def test_dates_and_times_are_seen_from_the_turn(text: str, value: str) -> None:
    assert iso(text, SUNDAY) == value


@pytest.mark.parametrize("text", ["", "soon", "the week of doom", "x" * 100, "32.13.2027", "25 o'clock"])
def test_what_is_no_date_has_no_value(text: str) -> None:
    assert iso(text, SUNDAY) is None


def test_the_tense_decides_which_weekday() -> None:
    assert entities("i saw her on monday")[0].value == "2026-11-16"
    assert entities("i will see her on monday")[0].value == "2026-11-23"


def test_an_hour_belongs_to_the_day_beside_it() -> None:
    values = {entity.text: entity.value for entity in entities("exam on friday at 8pm")}
    assert values == {"friday": "2026-11-27", "8pm": "2026-11-27T20:00"}


@given(st.text(max_size=300))
def test_offsets_point_at_the_words_and_nothing_overlaps(text: str) -> None:
    result = entities(text)
    assert all(text[entity.start : entity.end] == entity.text for entity in result)
    assert all(first.end <= second.start for first, second in pairwise(result))


@given(st.from_regex(r"((my|in|on|at|im|dog|named|friday|8|pm|\$|May|Anna's|\"|😂|\0) ){1,12}", fullmatch=True))
def test_offsets_hold_for_words_that_the_patterns_know(text: str) -> None:
    assert all(text[entity.start : entity.end] == entity.text for entity in entities(text))


def test_a_very_long_message_is_searched_only_at_its_beginning() -> None:
    assert found("anna " + "bla " * 5000 + "berlin") == {("anna", "PERSON")}


@pytest.fixture(scope="module")
def spacy_stage() -> Spacy:
    if what := problem("en-core-web-sm"):
        pytest.skip(what)
    return Spacy()


@pytest.mark.models
class TestSpacy:
    def test_it_finds_what_no_list_has(self, spacy_stage: Spacy) -> None:
        (result,) = spacy_stage([Turn("Barack Obama met Angela Merkel at the White House", at=SUNDAY)])
        assert {entity.text for entity in result if entity.label == "PERSON"} == {"Barack Obama", "Angela Merkel"}

    def test_lower_case_finds_what_proper_case_finds(self, spacy_stage: Spacy) -> None:
        cased = "My sister Anna lives in Berlin. See you on Friday at 8pm."
        high, low = spacy_stage([Turn(cased, at=SUNDAY), Turn(cased.lower(), at=SUNDAY)])
        assert [(e.start, e.end, e.label, e.value) for e in high] == [(e.start, e.end, e.label, e.value) for e in low]
        assert len(high) == 4

    def test_a_batch_gives_the_same_as_one_by_one(self, spacy_stage: Spacy) -> None:
        turns = [Turn(text, at=SUNDAY) for text in ("im lena", "", "my dog bruno 😂", "\0 berlin \0", "LOL OK")]
        assert spacy_stage(turns) == [spacy_stage([turn])[0] for turn in turns]

    def test_offsets_point_at_the_words(self, spacy_stage: Spacy) -> None:
        texts = ["  “Anna” :) ", "😂😂 In London, I paid $20!", "a" * 9000, "\0", "İstanbul'da Anna’s cat", "\n\n"]
        for turn, result in zip(map(Turn, texts), spacy_stage([Turn(text) for text in texts]), strict=True):
            assert all(turn.text[e.start : e.end] == e.text for e in result)


@pytest.fixture(scope="module")
def encoder_stage() -> Encoder:
    if what := problem("minilm"):
        pytest.skip(what)
    return Encoder()


@pytest.mark.models
class TestEncoder:
    def test_it_finds_what_no_list_has_in_any_case(self, encoder_stage: Encoder) -> None:
        text = "Oluwadamilola moved from Porto Alegre to Winnipeg"
        high, low = encoder_stage([Turn(text), Turn(text.lower())])
        assert [(e.start, e.end, e.label) for e in high] == [(e.start, e.end, e.label) for e in low]
        assert [(e.text, e.label) for e in low] == [
            ("oluwadamilola", "PERSON"),
            ("porto alegre", "GPE"),
            ("winnipeg", "GPE"),
        ]

    def test_what_the_rules_know_stays(self, encoder_stage: Encoder) -> None:
        (result,) = encoder_stage([Turn("my dog bruno is 3 on friday", at=SUNDAY)])
        assert [(e.text, e.label, e.value) for e in result] == [
            ("bruno", "PET", None),
            ("3", "CARDINAL", None),
            ("friday", "DATE", "2026-11-27"),
        ]

    @pytest.mark.parametrize("text", ["lol omg haha", "im exhausted", "my boss hates me", "ok gtg bye", ""])
    def test_ordinary_chat_names_nobody(self, encoder_stage: Encoder, text: str) -> None:
        assert not encoder_stage([Turn(text)])[0]

    def test_a_batch_gives_the_same_as_one_by_one(self, encoder_stage: Encoder) -> None:
        turns = [Turn(text) for text in ("im lena", "", "my dog bruno 😂", "\0 berlin \0", "LOL OK", "\ud83d anna")]
        assert encoder_stage(turns) == [encoder_stage([turn])[0] for turn in turns]

    def test_offsets_point_at_the_words(self, encoder_stage: Encoder) -> None:
        texts = ["  “Anna” :) ", "😂😂 In London, I paid $20!", "a" * 9000, "\0", "İstanbul'da Anna’s cat", "\n\n"]
        for turn, result in zip(map(Turn, texts), encoder_stage([Turn(text) for text in texts]), strict=True):
            assert all(turn.text[e.start : e.end] == e.text for e in result)
