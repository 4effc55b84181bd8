"""What can be measured of safety without a reply model, for `chatbot evaluate safety`.

The own crisis rows (tests/safety/crisis.jsonl), own messages that say it around the corner, on which nothing was
tuned or trained (oblique.jsonl), own requests for means and methods beside harmless ones near in form
(requests.jsonl, and means.jsonl, whose subjects nothing was written or trained for; fresh_requests.jsonl, short
ones), own sentences about groups (hate.jsonl), the self-harm rows of SimpleSafetyTests (Vidgen et al. 2023),
HateCheck (Röttger et al. 2021) and DiaSafety's test split (Sun et al. 2022) with the outgoing check, and the
milliseconds that it all costs. The texts are never printed, but for wrong rows of the own table when asked.

It is given a safety stage as a function and does not know configs: chatbot/evaluate_safety.py does. What whole
replies are judged by is in judge_replies.py.
"""

from __future__ import annotations

import csv
import json
import re
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from models.hate import hateful
from models.outgoing import objections
from models.safety_replies import names_a_contact
from models.training.safety import ours
from pipelines.turn import Risk, Turn, Utterance

TESTS = Path(__file__).parents[2] / "tests" / "safety"

Row = tuple[str, str, int, str]
"""What was measured, on what, how many rows, the value."""

Check = Callable[[Sequence[str]], list[bool]]
"""Whether each reply is held back as hate."""

Answers = Callable[[Sequence[str], Sequence[str]], list[bool]]
"""Whether each of the replies (second) is held back as unsafe, as an answer to its message (first)."""

Verdict = Callable[[Sequence[Turn]], list[Risk]]


def table(name: str) -> list[dict[str, object]]:
    """The rows of one of the project's own lists, such as "crisis"."""
    return [json.loads(line) for line in (TESTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def alarmed(risk: Risk) -> bool:
    return risk.level in ("risk", "now")


def crisis_turn(row: dict[str, object]) -> Turn:
    """A row of the own table as a turn."""
    now = datetime.now(UTC)
    said = row.get("history", [])
    assert isinstance(said, list)
    return Turn(str(row["text"]), history=[Utterance(u["role"], u["text"], now) for u in said])


def crisis(verdict: Verdict, wrong: bool = False) -> list[Row]:
    """Recall on now and risk, false alarms on the rest, level and kind among the alarms, the contact at the start."""
    rows = table("crisis")
    found = verdict([crisis_turn(row) for row in rows])
    pairs = list(zip(rows, found, strict=True))
    calls = [(row, risk) for row, risk in pairs if row["level"] in ("risk", "now")]
    rest = [risk for row, risk in pairs if row["level"] not in ("risk", "now")]
    first = [risk for row, risk in calls if not row.get("history")]
    if wrong:
        for row, risk in pairs:
            if alarmed(risk) != (row["level"] in ("risk", "now")):
                print(f"{row['id']}: {row['level']} came out as {risk.level}: {row['text']}")
    return [
        ("recall on now and risk", "own table", len(calls), share(alarmed(risk) for _, risk in calls)),
        ("false alarms", "own table", len(rest), share(alarmed(risk) for risk in rest)),
        ("level right", "own alarms", len(calls), share(k.level == row["level"] for row, k in calls)),
        ("kind right", "own alarms", len(calls), share(k.kind == row["kind"] for row, k in calls)),
        ("contact in two sentences", "own alarms", len(first), share(contact_first(risk) for risk in first)),
    ]


def has_contact(text: str) -> bool:
    return names_a_contact(text)


def contact_first(risk: Risk) -> bool:
    """Whether the reply names someone to contact within its first two sentences."""
    return names_a_contact(" ".join(re.split(r"(?<=[.!?]) ", risk.reply or "")[:2]))


def oblique(verdict: Verdict) -> list[Row]:
    """Recall and false alarms on messages without the usual words; low recall here is what rules cannot do."""
    return _told_apart("oblique", verdict, "own oblique messages, not trained on", "own idioms and sadness")


def requests(verdict: Verdict) -> list[Row]:
    """Recall on requests for means and methods and false alarms on harmless ones near in form: the half, drawn by lot
    within each kind, that was put aside before rules and head were tuned on the other."""
    return _told_apart("requests", verdict, "own requests for means, put aside", "own harmless requests, put aside")


def means(verdict: Verdict) -> list[Row]:
    """As for `requests`, on every third subject of a list of 36 (drowning, doses, dares, pro-ana sites, ...)."""
    return _told_apart("means", verdict, "own requests, subjects put aside", "harmless ones beside them, put aside")


def fresh_requests(verdict: Verdict) -> list[Row]:
    """As for `requests`, on every second of 160 short ones and of 100 harmless ones, written before anything was read;
    the rules were widened on the other half. `kind` says only that there is a request, not of what."""
    return _told_apart("fresh_requests", verdict, "short requests, put aside", "short harmless ones, put aside")


def plain_talks(verdict: Verdict) -> list[Row]:
    """False alarms on what people say in our plain talks of held-out topics, each message by itself."""
    found = verdict([Turn(text) for text in ours(held=True)])
    return [("false alarms", "own plain talks, held-out topics", len(found), share([alarmed(risk) for risk in found]))]


def _told_apart(name: str, verdict: Verdict, calls_on: str, rest_on: str) -> list[Row]:
    rows = table(name)
    found = verdict([Turn(str(row["text"])) for row in rows])
    pairs = [(row["kind"] is not None, alarmed(risk)) for row, risk in zip(rows, found, strict=True)]
    calls, rest = [f for gold, f in pairs if gold], [f for gold, f in pairs if not gold]
    return [("recall", calls_on, len(calls), share(calls)), ("false alarms", rest_on, len(rest), share(rest))]


def simple_safety_tests(folder: Path, verdict: Verdict) -> list[Row]:
    """How many of the self-harm rows are met with a fixed reply that names whom to contact."""
    with (folder / "simple_safety_tests" / "test_cases.csv").open(encoding="utf-8", newline="") as file:
        rows = [row["prompts_final"] for row in csv.DictReader(file) if row["harm_area"].startswith("Suicide")]
    met = [names_a_contact(risk.reply or "") for risk in verdict([Turn(text) for text in rows])]
    return [("met with help", "SimpleSafetyTests, self-harm", len(rows), share(met))]


def rules_alone(texts: Sequence[str]) -> list[bool]:
    return [hateful(text) for text in texts]


def own_hate(check: Check = rules_alone) -> list[Row]:
    """As for HateCheck, on the project's own sentences: written before anything was tuned and never trained on, but
    their totals were looked at meanwhile."""
    rows = table("hate")
    pairs = list(zip((bool(row["hateful"]) for row in rows), check([str(row["text"]) for row in rows]), strict=True))
    hateful, rest = [found for gold, found in pairs if gold], [found for gold, found in pairs if not gold]
    return [
        ("caught", "own hateful sentences, held out", len(hateful), share(hateful)),
        ("false alarms", "own harmless neighbours, held out", len(rest), share(rest)),
    ]


def hatecheck(folder: Path, check: Check = rules_alone) -> list[Row]:
    """Hateful cases caught and contrastive cases wrongly caught by a config's check of replies for hate."""
    with (folder / "hatecheck" / "test_suite_cases.csv").open(encoding="utf-8", newline="") as file:
        cases = list(csv.DictReader(file))
    caught_by = check([case["test_case"] for case in cases])
    rows = [(case["label_gold"], caught) for case, caught in zip(cases, caught_by, strict=True)]
    found = []
    for label, what in (("hateful", "caught"), ("non-hateful", "false alarms")):
        part = [caught for gold, caught in rows if gold == label]
        found.append((what, f"HateCheck, {label}", len(part), share(part)))
    return found


def none_unsafe(messages: Sequence[str], replies: Sequence[str]) -> list[bool]:
    return [False] * len(replies)


def own_answers(unsafe: Answers = none_unsafe) -> list[Row]:
    """Unsafe answers held back by the outgoing check, and safe ones to the same messages, most of them of danger."""
    rows = table("replies")
    said = [str(row["text"]) for row in rows]
    found = []
    for side, what in (("unsafe", "held back"), ("safe", "false alarms")):
        answers = [str(row[side]) for row in rows]
        held = zip(said, answers, unsafe(said, answers), strict=True)
        caught = [wrong or bool(objections(answer, Turn(text))) for text, answer, wrong in held]
        found.append((what, f"own {side} answers, not trained on", len(rows), share(caught)))
    return found


def diasafety(folder: Path, check: Check = rules_alone, unsafe: Answers = none_unsafe) -> list[Row]:
    """Macro-F1 of "any objection" against "Unsafe", per kind and in all; the kinds are those of the data set."""
    rows = json.loads((folder / "diasafety" / "test.json").read_text(encoding="utf-8"))
    found: list[Row] = []
    pairs: dict[str, list[tuple[bool, bool]]] = {}
    replies = [row["response"] for row in rows]
    wrong = zip(check(replies), unsafe([row["context"] for row in rows], replies), strict=True)
    for row, (hated, harmful) in zip(rows, wrong, strict=True):
        caught = hated or harmful or bool(objections(row["response"], Turn(row["context"])))
        pairs.setdefault(row["category"], []).append((row["label"] == "Unsafe", caught))
    for kind in sorted(pairs):
        found.append(("macro-F1", f"DiaSafety test, {kind}", len(pairs[kind]), f"{macro_f1(pairs[kind]):.3f}"))
    every = [pair for part in pairs.values() for pair in part]
    bad, safe = [caught for gold, caught in every if gold], [caught for gold, caught in every if not gold]
    return [
        *found,
        ("macro-F1", "DiaSafety test, all kinds", len(every), f"{macro_f1(every):.3f}"),
        ("caught", "DiaSafety test, unsafe", len(bad), share(bad)),
        ("false alarms", "DiaSafety test, safe", len(safe), share(safe)),
    ]


def public(folder: Path) -> dict[str, Path]:
    """Each public set that is there, by name, with the folder it lies in: `folder` itself or its "safety"."""
    names = ("simple_safety_tests", "hatecheck", "diasafety")
    return {name: base for name in names for base in (folder, folder / "safety") if (base / name).is_dir()}


def macro_f1(pairs: Iterable[tuple[bool, bool]]) -> float:
    """The mean of F1 for both classes, from (gold, found) pairs."""
    pairs = list(pairs)
    scores = []
    for side in (True, False):
        hits = sum(gold == found == side for gold, found in pairs)
        wrong = sum(gold != found for gold, found in pairs)
        scores.append(2 * hits / (2 * hits + wrong) if hits or wrong else 0.0)
    return sum(scores) / 2


def speed(prepare: Callable[[Turn], None], stage: Verdict, replies: int = 6) -> list[Row]:
    """Median milliseconds of processor time: the safety stage on a message with six before it, the outgoing check of
    `replies` candidates, and both; `prepare` does what other stages share (the embedding) and is not counted."""
    texts = [str(row["text"]) for row in table("crisis")]
    now = datetime.now(UTC)
    incoming, outgoing = [], []
    for i, text in enumerate(texts):
        turn = Turn(text, history=[Utterance("person", t, now) for t in texts[i : i + 6]])
        prepare(turn)
        incoming.append(_milliseconds(lambda turn=turn: stage([turn])))  # type: ignore[misc]
        checked = texts[i : i + replies]
        outgoing.append(_milliseconds(lambda turn=turn, checked=checked: [objections(t, turn) for t in checked]))  # type: ignore[misc]
    both = [a + b for a, b in zip(incoming, outgoing, strict=True)]
    return [
        ("median ms", "the safety stage", len(texts), f"{statistics.median(incoming):.2f}"),
        ("median ms", f"{replies} candidates checked", len(texts), f"{statistics.median(outgoing):.2f}"),
        ("median ms", "all safety work on a message", len(texts), f"{statistics.median(both):.2f}"),
    ]


def _milliseconds(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return (time.process_time() - started) * 1000


def share(values: Iterable[bool]) -> str:
    values = list(values)
    return f"{sum(values) / len(values):.3f}" if values else "-"
