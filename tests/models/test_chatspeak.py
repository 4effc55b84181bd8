from hypothesis import given
from hypothesis import strategies as st

from models.chatspeak import LIMIT, clauses, plain, squeeze


def test_short_forms_are_written_out_and_apostrophes_dropped() -> None:
    assert plain("whats ur NAMEEE??") == "what is your name ?"
    assert plain("I'm fine, don’t worry") == plain("im fine, dont worry") == "i am fine , do not worry"


def test_long_drawn_words_keep_the_double_letters_that_they_have() -> None:
    drawn = {"heyyyy": "hey", "goooood": "good", "sooo": "so", "feeeel": "feel", "book": "book"}
    assert {word: squeeze(word) for word in drawn} == drawn


def test_ill_is_a_sickness_after_a_word_that_says_so() -> None:
    assert plain("ill call you pixel").startswith("i will call")
    assert plain("im ill") == "i am ill"
    assert plain("i feel so ill") == "i feel so ill"


def test_laughter_is_one_word() -> None:
    assert plain("hahahahaha") == plain("ahahaha") == "haha"
    assert plain("LOLOLOL") == plain("lmaooo") == "lol"


def test_emoji_and_emoticons_stay() -> None:
    assert plain("ok :) 😂<3").split() == ["ok", ":)", "😂", "<3"]


def test_clauses_end_at_punctuation_and_keep_their_question_mark() -> None:
    assert clauses("my exam went badly. whats my name? 😂") == ["my exam went badly", "what is my name ?"]


@given(st.text())
def test_any_text_becomes_single_spaced_tokens(text: str) -> None:
    result = plain(text)
    assert result == " ".join(result.split())
    assert len(clauses(text)) <= len(text)


def test_only_the_beginning_of_a_very_long_text_is_read() -> None:
    assert plain("a " * LIMIT + "zebra").split()[-1] == "a"
