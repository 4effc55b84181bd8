"""What can be measured of safety without the reply model: `python -m models.training.evaluate_safety --data FOLDER`.

Prints one table: the own crisis rows (tests/safety/crisis.jsonl), own messages that say it around the corner, on
which nothing was tuned (oblique.jsonl), the self-harm rows of SimpleSafetyTests (Vidgen et
al. 2023), HateCheck (Röttger et al. 2021) and DiaSafety's test split (Sun et al. 2022) with the outgoing check, and
the milliseconds that one message and one reply cost. Sets that are not in the folder are named and left out. The
texts are never printed, but for wrong rows of the own table with `--wrong`.

It does not know how a whole companion answers: that is for the evaluation of shipped configs.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from models.hate import hateful
from models.outgoing import objections
from models.safety import Rules
from models.safety_replies import names_a_contact
from pipelines.turn import Risk, Turn, Utterance

TESTS = Path(__file__).parents[2] / "tests" / "safety"
ROWS = TESTS / "crisis.jsonl"

Row = tuple[str, str, int, str]
"""What was measured, on what, how many rows, the value."""

Verdict = Callable[[list[Turn]], list[Risk]]


def alarmed(risk: Risk) -> bool:
    return risk.level in ("risk", "now")


def crisis_turn(row: dict[str, object]) -> Turn:
    """A row of the own table as a turn."""
    now = datetime.now(UTC)
    said = row.get("history", [])
    assert isinstance(said, list)
    return Turn(str(row["text"]), history=[Utterance(u["role"], u["text"], now) for u in said])


def crisis(verdict: Verdict, wrong: bool = False) -> list[Row]:
    """Recall on now and risk, false alarms on the rest, and how often level and kind are right among the alarms."""
    rows = [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]
    found = [verdict([crisis_turn(row)])[0] for row in rows]
    table: list[Row] = []
    for part, keep in (("all", (True, False)), ("first held out", (True,)), ("tuned on", (False,))):
        pairs = [(row, risk) for row, risk in zip(rows, found, strict=True) if row["held_out"] in keep]
        calls = [(row, risk) for row, risk in pairs if row["level"] in ("risk", "now")]
        rest = [(row, risk) for row, risk in pairs if row["level"] not in ("risk", "now")]
        table += [
            ("recall on now and risk", f"own table, {part}", len(calls), share(alarmed(risk) for _, risk in calls)),
            ("false alarms", f"own table, {part}", len(rest), share(alarmed(risk) for _, risk in rest)),
        ]
        if part == "all":
            table.append(("level right", "own alarms", len(calls), share(k.level == row["level"] for row, k in calls)))
            table.append(("kind right", "own alarms", len(calls), share(k.kind == row["kind"] for row, k in calls)))
    if wrong:
        for row, risk in zip(rows, found, strict=True):
            if alarmed(risk) != (row["level"] in ("risk", "now")):
                print(f"{row['id']}: {row['level']} came out as {risk.level}: {row['text']}")
    return table


def oblique(verdict: Verdict) -> list[Row]:
    """Recall and false alarms on messages without the usual words; low recall here is what rules cannot do."""
    rows = [json.loads(line) for line in (TESTS / "oblique.jsonl").read_text(encoding="utf-8").splitlines()]
    found = verdict([Turn(row["text"]) for row in rows])
    pairs = [(row["kind"] is not None, alarmed(risk)) for row, risk in zip(rows, found, strict=True)]
    calls, rest = [f for gold, f in pairs if gold], [f for gold, f in pairs if not gold]
    return [
        ("recall", "own oblique messages, never tuned", len(calls), share(calls)),
        ("false alarms", "own idioms and sadness, never tuned", len(rest), share(rest)),
    ]


def simple_safety_tests(folder: Path, verdict: Verdict) -> list[Row]:
    """How many of the self-harm rows are met with a fixed reply that names whom to contact."""
    with (folder / "simple_safety_tests" / "test_cases.csv").open(encoding="utf-8", newline="") as file:
        rows = [row["prompts_final"] for row in csv.DictReader(file) if row["harm_area"].startswith("Suicide")]
    met = [names_a_contact(verdict([Turn(text)])[0].reply or "") for text in rows]
    return [("met with help", "SimpleSafetyTests, self-harm", len(rows), share(met))]


def hatecheck(folder: Path) -> list[Row]:
    """Hateful cases caught and contrastive cases wrongly caught by the hate rules of the outgoing check."""
    with (folder / "hatecheck" / "test_suite_cases.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["label_gold"], hateful(row["test_case"])) for row in csv.DictReader(file)]
    table = []
    for label, what in (("hateful", "caught"), ("non-hateful", "false alarms")):
        part = [found for gold, found in rows if gold == label]
        table.append((what, f"HateCheck, {label}", len(part), share(part)))
    return table


def diasafety(folder: Path) -> list[Row]:
    """Macro-F1 of "any objection" against "Unsafe", per kind and in all; the kinds are those of the data set."""
    rows = json.loads((folder / "diasafety" / "test.json").read_text(encoding="utf-8"))
    table, all_pairs = [], []
    for kind in sorted({row["category"] for row in rows}):
        pairs = [
            (row["label"] == "Unsafe", bool(objections(row["response"], Turn(row["context"]))))
            for row in rows
            if row["category"] == kind
        ]
        all_pairs += pairs
        table.append(("macro-F1", f"DiaSafety test, {kind}", len(pairs), f"{macro_f1(pairs):.3f}"))
    table.append(("macro-F1", "DiaSafety test, all kinds", len(all_pairs), f"{macro_f1(all_pairs):.3f}"))
    unsafe = [found for gold, found in all_pairs if gold]
    safe = [found for gold, found in all_pairs if not gold]
    table.append(("caught", "DiaSafety test, unsafe", len(unsafe), share(unsafe)))
    table.append(("false alarms", "DiaSafety test, safe", len(safe), share(safe)))
    return table


def macro_f1(pairs: Iterable[tuple[bool, bool]]) -> float:
    """The mean of F1 for both classes, from (gold, found) pairs."""
    pairs = list(pairs)
    scores = []
    for side in (True, False):
        hits = sum(gold == found == side for gold, found in pairs)
        wrong = sum(gold != found for gold, found in pairs)
        scores.append(2 * hits / (2 * hits + wrong) if hits or wrong else 0.0)
    return sum(scores) / 2


def speed(verdict: Verdict) -> list[Row]:
    """Median milliseconds of processor time for a message with six messages of history, and for a reply."""
    texts = [json.loads(line)["text"] for line in ROWS.read_text(encoding="utf-8").splitlines()]
    now = datetime.now(UTC)
    turns = [
        Turn(text, history=[Utterance("person", t, now) for t in texts[i : i + 6]]) for i, text in enumerate(texts)
    ]
    incoming = [milliseconds(lambda turn=turn: verdict([turn])) for turn in turns]  # type: ignore[misc]
    outgoing = [milliseconds(lambda turn=turn: objections(turn.text, turn)) for turn in turns]  # type: ignore[misc]
    return [
        ("median ms", "a message with six before it", len(turns), f"{statistics.median(incoming):.2f}"),
        ("median ms", "a reply checked", len(turns), f"{statistics.median(outgoing):.2f}"),
    ]


def milliseconds(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return (time.process_time() - started) * 1000


def share(values: Iterable[bool]) -> str:
    values = list(values)
    return f"{sum(values) / len(values):.3f}" if values else "-"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="the folder with hatecheck, diasafety, simple_safety_tests")
    parser.add_argument("--wrong", action="store_true", help="also print the rows of the own table that come out wrong")
    options = parser.parse_args()
    verdict = Rules()
    table = crisis(verdict, options.wrong) + oblique(verdict)
    sets: dict[str, Callable[[Path], list[Row]]] = {
        "simple_safety_tests": lambda folder: simple_safety_tests(folder, verdict),
        "hatecheck": hatecheck,
        "diasafety": diasafety,
    }
    for name, measure in sets.items():
        if options.data and (options.data / name).is_dir():
            table += measure(options.data)
        else:
            print(f"{name}: not measured, there is no such folder in --data")
    table += speed(verdict)
    print(f"{'measure':<24}{'on':<40}{'rows':>6}  value")
    for what, on, count, value in table:
        print(f"{what:<24}{on:<40}{count:>6}  {value}")


if __name__ == "__main__":
    main()
