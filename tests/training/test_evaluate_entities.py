from models.training.evaluate_entities import _scores, mapped, span_f1, spans_of
from pipelines.turn import Entity


def test_tags_become_spans_of_the_joined_text() -> None:
    text, spans = spans_of(["Anna", "Lee", "at", "Acme"], ["B-person", "I-person", "O", "B-corporation"])
    assert {(text[a:b], label) for a, b, label in spans} == {("Anna Lee", "person"), ("Acme", "group")}


def test_neighbours_that_begin_anew_stay_two() -> None:
    assert len(spans_of(["Anna", "Ben"], ["B-person", "B-person"])[1]) == 2


def test_a_date_is_no_entity_of_the_set() -> None:
    assert mapped([Entity("friday", "DATE", 0, 6), Entity("Graz", "GPE", 10, 14)]) == {(10, 14, "location")}


def test_f1_counts_over_all_sentences() -> None:
    assert span_f1([(1, 2, 1), (1, 2, 3)]) == 0.5
    assert span_f1([(0, 0, 0)]) == 0.0


def test_the_report_has_a_picture_of_f1_per_label_and_intervals():
    truth = [{(0, 3, "person"), (7, 9, "group")}, {(0, 4, "person")}]
    found = _scores(truth, [{(0, 3, "person")}, {(0, 4, "person"), (6, 8, "group")}])
    assert found["pictures"]["per label"] == {"group": 0.0, "person": 1.0}
    assert found["precision"][0] == found["recall"][0] == 2 / 3
    assert len(found["precision"]) == 3
