"""The scores of `chatbot evaluate reply`, from what was measured of each item, and their table. Knows no model but the
sentence encoder."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from models.training import choosing, convai2, reply_checks
from models.training.choosing import Choice
from models.training.likelihood import Score
from models.training.scores import interval

COLUMNS = ("base", "adapter", "ranked")

Row = dict[str, Any]
Chooser = Callable[[Choice, Sequence[Score], Sequence[Score]], choosing.Floats]


def scores(
    parts: Mapping[str, list[Row]],
    choices: Mapping[str, Sequence[Choice]],
    prompts: Sequence[Row],
    chooser: Chooser | None = None,
) -> dict[str, Any]:
    """{measure: {column: score}} from what was measured of each item, with 95 % intervals.

    parts: rows by "column-part"; what is not there is left out; choices: for "convai2" and "own", as chosen from;
    chooser: gives each candidate a number.
    """
    from models.embedding import MiniLM

    encode = MiniLM().encode
    found: dict[str, Any] = {}
    for part, name in (("convai2", "ConvAI2"), ("own", "own talks")):
        for column in ("base", "adapter"):
            if rows := parts.get(f"{column}-{part}"):
                _put(found, f"{name}: perplexity per word", column, _perplexity(rows, "words"))
                _put(found, f"{name}: the same, the reply's end counted", column, _perplexity(rows, "words", True))
                _put(found, f"{name}: perplexity per token", column, _perplexity(rows, "tokens", True))
            if rows := parts.get(f"{column}-{part}-chosen"):
                hits = [choosing.hit(choosing.mean_logprob(both(row)[0])) for row in rows]
                _put(found, f"{name}: Hits@1 of 20, log-probability per token", column, _mean(hits))
                hits = [choosing.hit(choosing.pointwise(*both(row))) for row in rows]
                _put(found, f"{name}: Hits@1 of 20, less that without the talk", column, _mean(hits))
        if chooser and (rows := parts.get(f"adapter-{part}-chosen")):
            hits = [choosing.hit(chooser(c, *both(row))) for c, row in zip(choices[part], rows, strict=True)]
            _put(found, f"{name}: Hits@1 of 20, mixed by the chooser", "ranked", _mean(hits))
    for column in COLUMNS:
        if rows := parts.get(f"{'base' if column == 'base' else 'adapter'}-written"):
            picked = choices["convai2"][: len(rows)]
            pick = best if column == "ranked" else _first
            texts = [pick(row, choice, encode) for row, choice in zip(rows, picked, strict=True)]
            f1 = [convai2.word_f1(text, choice.candidates[0]) for text, choice in zip(texts, picked, strict=True)]
            _put(found, "ConvAI2: word F1", column, _mean(f1))
            _put(found, "ConvAI2: distinct-2", column, {"value": convai2.distinct(texts), "of": len(texts)})
        if rows := parts.get(f"{column}-prompts"):
            for what, score in prompt_scores(rows, prompts).items():
                _put(found, what, column, score)
    return found


def _put(found: dict[str, Any], what: str, column: str, score: Row) -> None:
    found.setdefault(what, {})[column] = score


def both(row: Row) -> tuple[list[Score], list[Score]]:
    """The scores of a row of `chosen`: in the talk, and without it."""
    return [Score(*s) for s in row["in"]], [Score(*s) for s in row["alone"]]


def _perplexity(rows: Sequence[Row], per: str, ends: bool = False) -> Row:
    nats = np.array([r["nats"] + (r["ends"] if ends else 0) for r in rows])
    counts = np.array([r[per] + (r["replies"] if ends else 0) for r in rows])
    value = interval(len(rows), lambda at: math.exp(nats[at].sum() / counts[at].sum()))
    return {"value": math.exp(nats.sum() / counts.sum()), "interval": value, "of": len(rows)}


def _mean(values: Iterable[float]) -> Row:
    array = np.array([float(v) for v in values])
    if not len(array):
        return {"value": float("nan"), "of": 0}
    return {
        "value": float(array.mean()),
        "interval": interval(len(array), lambda at: float(array[at].mean())),
        "of": len(array),
    }


def _first(row: Row, choice: Choice, encode: choosing.Encode) -> str:
    return str(row["texts"][0])


def best(row: Row, choice: Choice, encode: choosing.Encode) -> str:
    """The sample that is nearest to all others in words (minimum Bayes risk, Kumar and Byrne 2004, with word F1 as the
    gain), relevance and likelihood a little: set by hand and tuned on nothing."""
    texts = [text for text in row["texts"] if text] or [""]
    likely = dict(zip(row["texts"], row["likely"], strict=True))
    vectors = encode([*texts, choice.said[-1]])
    agree = [sum(convai2.word_f1(a, b) for b in texts if b is not a) / max(1, len(texts) - 1) for a in texts]
    totals = [
        g + 0.1 * float(v @ vectors[-1]) + 0.02 * likely.get(t, 0)
        for g, v, t in zip(agree, vectors, texts, strict=False)
    ]
    return str(texts[int(np.argmax(totals))])


def prompt_scores(rows: Sequence[Row], prompts: Sequence[Row]) -> dict[str, Row]:
    """Rates of what is wrong on our own prompts: among all, and for invented facts among the questions for one. Skills
    were mended after a look at the first prompts, so that those written later ("held_out") also count alone."""
    found: dict[str, Row] = {}
    every = list(zip(prompts, rows, strict=True))
    later = [(p, r) for p, r in every if p.get("held_out")]
    for group, pairs in (("own prompts", every), ("prompts written later", later)):
        wrong = [reply_checks.check(p, r["text"], r["finished"]) for p, r in pairs]
        for check in reply_checks.CHECKS:
            found[f"{group}: {check.replace('_', ' ')}"] = _mean(check in w for w in wrong)
        asked = [("invents" in w, p, r) for w, (p, r) in zip(wrong, pairs, strict=True) if "known" in p]
        never = [w for w, p, _ in asked if not p["known"]]
        told = [reply_checks.answered(p, r["text"]) for _, p, r in asked if p["known"]]
        about = [
            "contradicts" in w for w, (p, _) in zip(wrong, pairs, strict=True) if p["kind"] in ("persona", "human")
        ]
        found[f"{group}: invents, when asked what was never told"] = _mean(never)
        found[f"{group}: right, when asked what was told"] = _mean(told)
        found[f"{group}: contradicts, when asked about itself"] = _mean(about)
    return found


def table(report: Mapping[str, Any]) -> str:
    """The scores side by side, with 95 % intervals and how many."""
    lines = [f"{'':<66}" + "".join(f"{column:>26}" for column in COLUMNS)]
    for what, columns in report["scores"].items():
        line = f"{what:<66}"
        for column in COLUMNS:
            score = columns.get(column)
            if score is None:
                line += f"{'':>26}"
                continue
            low, high = score.get("interval", (None, None))
            spread = "" if low is None else f" [{low:.3g}, {high:.3g}]"
            line += f"{score['value']:>9.3f}{spread + ' ' + str(score['of']):>17}"
        lines.append(line)
    return "\n".join(lines)
