"""Preferences: prompts of our own, the candidates that the model really wrote for them, and how readers judged
each one, blind to scores.

    python -m models.training.preferences write --out CANDIDATES.jsonl     sample eight candidates for every prompt
    python -m models.training.preferences sheets CANDIDATES.jsonl --out FOLDER     sheets to judge, in shuffled order
    python -m models.training.preferences gather CANDIDATES.jsonl --sheets FOLDER --out JUDGED.jsonl

The prompts are cut from the own dialogues at a message of the person, and single messages (`messages.jsonl`). Writing
goes on where it was interrupted. Judges see no score and not the order of sampling. Knows no ranker.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from models.prompt import chatml, note, recalled_moment, system
from models.training.reply import DIALOGUES, held_out, read_talks
from pipelines.turn import Emotion, Fact, Memory, Moment, Persona, Turn, Utterance

HERE = Path(__file__).parent
MESSAGES = HERE / "messages.jsonl"
JUDGED = tuple(HERE / "judged" / f"{name}.jsonl" for name in ("first", "second", "third", "fourth", "fifth", "sixth"))
"""Candidates of the adapter as it was on 2026-11-24; of one that had read the plain talks of 2026-11-25; and of that
one after a round of DPO. Fourth: four of the adapter of the companion, two templates and six replies of other talks;
fifth and sixth: replies of other talks alone."""
HELD_OUT = HERE / "judged" / "held_out.jsonl"
"""Of that one after two rounds, for prompts of held-out topics alone: for reports."""

HISTORY = 10
"""Utterances before the message: in the middle of the 8 to 12 that `memory.history` of config.toml lets through."""

COUNT, TEMPLATES, RETRIEVED = 8, 2, 6
"""Candidates for a prompt: by the model, from written sentences, and from other talks."""

REASONS = (
    *("off_topic", "cold", "contradicts", "invented", "repeats", "cut_off", "nonsense", "unsafe", "claims_human"),
    *("clinging", "wrong_tone", "dull", "unclear"),
)
"""Why a candidate is bad."""

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def prompts(learn: int = 1180, held: int = 200, seed: int = 7) -> list[dict[str, Any]]:
    """Prompts in random order, the same ones every time: one message of `learn` talks, `held` messages of held-out
    topics (several of a talk), and all single messages. What a fixed reply or a sure skill answers is left out."""
    from models.safety import Rules
    from models.skills import Skills

    chance = random.Random(seed)
    talks = read_talks(sorted(DIALOGUES.glob("*.jsonl")))
    learning = [chance.choice(list(cuts(talk))) for talk in talks if not held_out(talk)]
    apart = [cut for talk in talks if held_out(talk) for cut in cuts(talk)]
    singles = read_talks([MESSAGES])
    safety, skills = Rules(), Skills()

    def answered(prompt: Mapping[str, Any]) -> bool:
        turn = turn_of(prompt)
        [turn.safety] = safety([turn])
        return turn.safety.reply is not None or bool(skills([turn])[0])

    found: list[dict[str, Any]] = []
    for group, size in ((learning, learn), (apart, held)):
        chance.shuffle(group)
        found += islice((prompt for prompt in group if not answered(prompt)), size)
    found += [{"id": _id(single), **single} for single in singles if not answered(single)]
    chance.shuffle(found)
    return found


def cuts(talk: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A prompt for every message of the person."""
    for i, said in enumerate(talk["turns"]):
        if said["who"] == "person":
            yield {
                "id": f"{talk['id']}-{i}",
                "topic": talk["topic"],
                "persona": talk["persona"],
                "facts": talk["facts"],
                "recalled": talk["recalled"],
                "history": [[t["who"], t["text"]] for t in talk["turns"][max(0, i - HISTORY) : i]],
                "text": said["text"],
                "emotion": said["emotion"],
            }


def _id(single: Mapping[str, Any]) -> str:
    return "m" + hashlib.sha256(json.dumps(single, sort_keys=True).encode()).hexdigest()[:9]


def turn_of(prompt: Mapping[str, Any]) -> Turn:
    """The turn of a prompt, with its feelings as labelled; recalled moments are as old as they say."""
    persona = Persona(prompt["persona"]["name"], tuple(prompt["persona"]["traits"]), tuple(prompt["persona"]["likes"]))
    recalled = [recalled_moment(text) for text in prompt["recalled"]]
    return Turn(
        prompt["text"],
        at=NOON,
        persona=persona,
        history=[Utterance(who, text, NOON) for who, text in prompt["history"]],
        profile=[Fact(f["slot"], f["value"], f["about"]) for f in prompt["facts"]],
        emotion=emotion_of(prompt["emotion"]),
        memories=[Memory(Moment(i, "person", text, NOON - timedelta(3)), 1.0) for i, (text, _) in enumerate(recalled)],
    )


def emotion_of(labels: Sequence[str]) -> Emotion:
    """The emotion of a message whose feelings are labelled by hand."""
    from models.emotion import LABELS, valence

    probabilities = {label: (0.8 if label in labels else 0.0) for label in LABELS}
    return Emotion(probabilities, tuple(labels) or ("neutral",), valence(probabilities))


def chat(prompt: Mapping[str, Any]) -> str:
    """The prompt as the model reads it at run time."""
    turn = turn_of(prompt)
    talk = [{"role": "system", "content": system(turn.persona, turn.profile)}]
    talk += [{"role": "user" if u.role == "person" else "assistant", "content": u.text} for u in turn.history]
    feelings = [label for label in prompt["emotion"] if label != "neutral"][:2]
    if line := note([recalled_moment(text) for text in prompt["recalled"]], feelings):
        talk.append({"role": "system", "content": line})
    return chatml([*talk, {"role": "user", "content": prompt["text"]}])


def write(out: Path, adapter: str, minutes: float, batch: int) -> None:
    """Append each prompt with its candidates to `out`; the sampling is that of config.toml."""
    import tomllib

    from models.candidates import tidy
    from models.generation import Generator, Sampling
    from models.hub import fetch

    config = tomllib.loads((HERE.parents[1] / "config.toml").read_text(encoding="utf-8"))
    stage = next(s for s in config["stages"]["candidates"] if s["use"] == "transformers")
    sampling = Sampling(stage["max_tokens"], stage["temperature"], stage["top_p"])
    generator = Generator(fetch(stage["weights"]), fetch(adapter or stage["adapter"]))
    done = {line["id"] for line in read_talks([out])} if out.exists() else set()
    waiting = [prompt for prompt in prompts() if prompt["id"] not in done]
    print(f"{len(done)} prompts are written, {len(waiting)} to go", flush=True)
    started = time.time()
    for start in range(0, len(waiting), 8 * batch):
        chunk = sorted(((chat(p), p) for p in waiting[start : start + 8 * batch]), key=lambda pair: len(pair[0]))
        for i in range(0, len(chunk), batch):
            if time.time() - started > 60 * minutes:
                return
            group = chunk[i : i + batch]
            texts = [text for text, _ in group]
            stops = [threading.Event() for _ in group]
            samples = generator.sample(texts, COUNT, sampling, stops, int(_seed(texts), 16))
            generator.forget()
            with out.open("a", encoding="utf-8") as file:
                for (_, prompt), row, more in zip(group, samples, others([p for _, p in group]), strict=True):
                    tidied = [c for sample in row if (c := tidy(sample))]
                    said = [
                        [c.text, {"logprob": round(c.scores["logprob"], 3)}, int(c.finished), "model"] for c in tidied
                    ]
                    file.write(json.dumps({**prompt, "candidates": said + more}, ensure_ascii=False) + "\n")
        print(f"{min(start + 8 * batch, len(waiting))} in {time.time() - started:.0f} s", flush=True)


def _seed(texts: Sequence[str]) -> str:
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:8]


# -- judging


def others(asked: Sequence[Mapping[str, Any]]) -> list[list[list[Any]]]:
    """For each prompt what the template and the retrieval stage would offer beside the model, as rows of candidates.
    What was said in talks of the prompt's own topic is left out: a held-out topic has none either."""
    from models import emotion, intent
    from models.embedding import MiniLM
    from models.retrieval import Retrieval
    from models.templates import Template

    turns = [turn_of(prompt) for prompt in asked]
    for stage, slot in ((MiniLM(), "embedding"), (intent.Encoder(), "intent"), (emotion.Encoder(), "emotion")):
        for turn, found in zip(turns, stage(turns), strict=True):
            setattr(turn, slot, found)
    rows = []
    for prompt, written, retrieved in zip(
        asked, Template(TEMPLATES)(turns), Retrieval(count=RETRIEVED + 8)(turns), strict=True
    ):
        near = [c for c in retrieved if c.text not in _replies_by_topic().get(prompt["topic"], ())][:RETRIEVED]
        rows.append([[c.text, dict(c.scores), 1, c.source] for c in (*written, *near)])
    return rows


@cache
def _replies_by_topic() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for talk in read_talks(sorted(DIALOGUES.glob("*.jsonl"))):
        found.setdefault(talk["topic"], set()).update(t["text"] for t in talk["turns"] if t["who"] == "companion")
    return found


def order(id: str, count: int) -> list[int]:
    """The shuffled order in which a judge sees the candidates of a prompt."""
    places = list(range(count))
    random.Random(f"sheet {id}").shuffle(places)
    return places


def sheets(written: Path, out: Path, size: int = 100) -> None:
    """Sheets of `size` prompts for what is on no sheet yet; in shuffled order."""
    out.mkdir(parents=True, exist_ok=True)
    parts = sorted(out.glob("part_??.jsonl"))
    seen = {line["id"] for part in parts for line in read_talks([part])}
    new = [line for line in read_talks([written]) if line["id"] not in seen]
    for start in range(0, len(new) - size + 1 if len(new) % size and len(new) > size else len(new), size):
        part = new[start : start + size]
        lines = []
        for prompt in part:
            texts = [candidate[0] for candidate in prompt["candidates"]]
            sheet = {
                "id": prompt["id"],
                "companion": prompt["persona"]["name"],
                "facts": "; ".join(f"{f['about']} {f['slot']}={f['value']}".strip() for f in prompt["facts"]),
                "recalled": prompt["recalled"],
                "before": [f"{'P' if who == 'person' else 'C'}: {text}" for who, text in prompt["history"][-4:]],
                "emotion": ", ".join(prompt["emotion"]),
                "message": prompt["text"],
                "candidates": {str(n): texts[i] for n, i in enumerate(order(prompt["id"], len(texts)), 1)},
            }
            lines.append(json.dumps(sheet, ensure_ascii=False) + "\n")
        (out / f"part_{len(parts):02}.jsonl").write_text("".join(lines), encoding="utf-8")
        parts.append(out / f"part_{len(parts):02}.jsonl")


def problems(sheet: Path) -> list[str]:
    """What is wrong with the judgements of a sheet (`part_NN.out.jsonl` beside it); none when it is done."""
    asked = {line["id"]: line for line in read_talks([sheet])}
    judged = sheet.with_suffix(".out.jsonl")
    found = []
    answers = {}
    for number, text in enumerate(judged.read_text(encoding="utf-8").splitlines() if judged.exists() else (), 1):
        try:
            line = json.loads(text)
            answers[line["id"]] = line
            names = set(asked[line["id"]]["candidates"])
            best = line["best"]
            if best is not None and str(best) not in names:
                found.append(f"line {number}: best {best} is no candidate")
            if str(best) in line["bad"]:
                found.append(f"line {number}: {best} is best and bad")
            found += [f"line {number}: {n} is no candidate" for n in line["bad"] if n not in names]
            found += [f"line {number}: unknown reason {r}" for r in line["bad"].values() if r not in REASONS]
            if not isinstance(line.get("better", ""), str):
                found.append(f"line {number}: better is no text")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            found.append(f"line {number}: {type(error).__name__} {error}")
    return found + [f"not judged: {id}" for id in asked if id not in answers]


def gather(written: Path, folder: Path, out: Path) -> None:
    """All judged prompts in one file: candidates as [text, label, scores, finished, source] (in older files the
    log-probability alone in the place of the scores); "better" is the
    reply that the reader would have sent, where the best was not really good or none was fit."""
    by_id = {line["id"]: line for line in read_talks([written])}
    lines = []
    for sheet in sorted(folder.glob("part_??.jsonl")):
        if not sheet.with_suffix(".out.jsonl").exists():
            continue
        asked = {line["id"]: line for line in read_talks([sheet])}
        for answer in read_talks([sheet.with_suffix(".out.jsonl")]):
            prompt, shown = by_id[answer["id"]], asked[answer["id"]]["candidates"]
            places = order(prompt["id"], len(shown))
            result = []
            for i, (text, scores, finished, source) in enumerate(prompt["candidates"]):
                place = str(places.index(i) + 1)
                if shown[place] != text:
                    raise ValueError(f"{sheet.name}: {prompt['id']} shows other candidates than were written")
                label = "best" if str(answer["best"]) == place else answer["bad"].get(place, "ok")
                result.append([text, label, scores, finished, source])
            better = {"better": answer["better"]} if answer.get("better") else {}
            lines.append(json.dumps({**prompt, "candidates": result, **better}, ensure_ascii=False))
    out.write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    print(f"{len(lines)} judged prompts, {out.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write")
    writing.add_argument("--out", type=Path, required=True)
    writing.add_argument("--adapter", default="", help="the adapter to sample with; that of config.toml")
    writing.add_argument("--minutes", type=float, default=1e9)
    writing.add_argument("--batch", type=int, default=8, help="prompts in one batch")
    judging = commands.add_parser("sheets")
    judging.add_argument("written", type=Path)
    judging.add_argument("--out", type=Path, required=True)
    checking = commands.add_parser("check")
    checking.add_argument("sheet", type=Path, nargs="+")
    gathering = commands.add_parser("gather")
    gathering.add_argument("written", type=Path)
    gathering.add_argument("--sheets", type=Path, required=True)
    gathering.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "write":
        write(arguments.out, arguments.adapter, arguments.minutes, arguments.batch)
    elif arguments.command == "sheets":
        sheets(arguments.written, arguments.out)
    elif arguments.command == "check":
        for sheet in arguments.sheet:
            print(f"{sheet.name}: " + ("; ".join(problems(sheet)[:10]) or "complete"))
    else:
        gather(arguments.written, arguments.sheets, arguments.out)


if __name__ == "__main__":
    main()
