"""Measures the replies: `chatbot evaluate reply`. The base model, the adapter as it writes, and the adapter ranked.

On ConvAI2's dialogues 501 to 1,000 (never trained or tuned on): perplexity per word, Hits@1 among 20, word F1 and
distinct-2. On the held-out tenth of our own dialogues: perplexity, Hits@1. On our own prompts (reply_prompts.jsonl):
what is wrong with the replies (models/training/reply_checks.py), where "ranked" is the whole default chain with its
skills and checks. On ConvAI2, whose personas are humans, "ranked" is the adapter's samples, or the 20 candidates, put
in order by a chooser (models/training/chooser.py), without the check that holds back claims to be human.

Everything that is measured is written to a folder as soon as it is there; the same command goes on from it. It judges
no reply as a reader would: that is what the transcripts (models/training/transcripts.py) are for.
"""

from __future__ import annotations

import json
import random
import threading
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from models.generation import Generator, Sampling
from models.hub import fetch, sha256
from models.prompt import chatml, fact_line, messages
from models.training import choosing, convai2
from models.training.choosing import Choice
from models.training.likelihood import Likelihood, Score
from models.training.preferences import turn_of
from models.training.reply import DIALOGUES, held_out, read_talks
from models.training.reply import messages as talk_messages
from models.training.reply_scores import Chooser, Row, scores
from pipelines.errors import UsageError
from pipelines.pipeline import Pipeline
from pipelines.turn import Fact, Turn

PROMPTS = Path(__file__).with_name("reply_prompts.jsonl")
BASE = "smollm2-135m-instruct"
PARTS = ("convai2", "own", "prompts")
SAMPLES = 8
SAMPLING = Sampling(max_tokens=48, temperature=0.7, top_p=0.92)


@dataclass(frozen=True)
class Sizes:
    """How many dialogues of ConvAI2 (perplexity), replies to choose (Hits@1), replies to write (F1) and own prompts are
    measured; seed: of what is drawn."""

    dialogues: int = 500
    choices: int = 500
    written: int = 300
    prompts: int = 1000
    seed: int = 1


def run(
    data: Path | None,
    adapter: str,
    sizes: Sizes,
    folder: Path,
    pipeline: Callable[[], Pipeline],
    only: Sequence[str] = PARTS,
    chooser: Chooser | None = None,
) -> dict[str, Any]:
    """All scores, {measure: {column: score}} under "scores", with the sizes; what was measured is kept in `folder`.

    data: where convai2_valid lies; adapter: a card or a folder; pipeline: builds the whole chain with that adapter;
    folder: one per adapter; only: which of PARTS; chooser: of models/training/chooser.py, for Hits@1. Raises
    UsageError when the folder holds another adapter's numbers.
    """
    about = {"adapter": adapter, "sha256": sha256(fetch(adapter) / "adapter_model.safetensors"), **asdict(sizes)}
    _claim(folder, about["sha256"])
    second = convai2.half(data) if data and "convai2" in only else []
    picked = convai2.choices(second, sizes.choices, sizes.seed)
    talks = [t for t in read_talks(sorted(DIALOGUES.glob("*.jsonl"))) if held_out(t)] if "own" in only else []
    own = own_choices(talks, sizes.choices, sizes.seed)
    prompts = read_prompts()[: sizes.prompts] if "prompts" in only else []
    parts: dict[str, list[Row]] = {}
    if prompts:
        parts["ranked-prompts"] = resumed(folder / "ranked-prompts.jsonl", prompts, through(pipeline))
    for column, name in (("base", ""), ("adapter", adapter)):
        generator = Generator(fetch(BASE), fetch(name) if name else None)
        model = Likelihood(generator)
        alone = Alone(model, folder / f"{column}-alone.jsonl")
        todo: list[tuple[str, Sequence[Any], Callable[[Any], Row]]] = [
            ("prompts", prompts, partial(answer, generator)),
            ("written", picked[: sizes.written], partial(written, generator, SAMPLES if name else 1)),
            ("convai2", [convai2.messages(d) for d in second[: sizes.dialogues]], partial(nats, model)),
            ("own", [talk_messages(t, None) for t in talks], partial(nats, model)),
            ("convai2-chosen", picked, partial(chosen, model, alone)),
            ("own-chosen", own, partial(chosen, model, alone)),
        ]
        for what, items, make in todo:
            if items:
                parts[f"{column}-{what}"] = resumed(folder / f"{column}-{what}.jsonl", items, make)
    return {"sizes": about, "scores": scores(parts, {"convai2": picked, "own": own}, prompts, chooser)}


def read_prompts() -> list[Row]:
    """Our own prompts, with all fields that `preferences.turn_of` reads."""
    return [{"recalled": [], **prompt} for prompt in read_talks([PROMPTS])]


def _claim(folder: Path, adapter: str) -> None:
    mark = folder / "adapter.json"
    folder.mkdir(parents=True, exist_ok=True)
    if mark.is_file() and json.loads(mark.read_text(encoding="utf-8")) != adapter:
        raise UsageError(f"{folder} holds what was measured of another adapter: choose another folder")
    mark.write_text(json.dumps(adapter), encoding="utf-8")


def resumed(path: Path, items: Sequence[Any], make: Callable[[Any], Row]) -> list[Row]:
    """make(item) for each item, in order; each is written to the file at once, and taken from there the next time."""
    from tqdm import tqdm

    path.parent.mkdir(parents=True, exist_ok=True)
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    done = {row["key"]: row for row in map(json.loads, lines)}
    with path.open("a", encoding="utf-8") as file:
        for item in tqdm(items, desc=path.stem, mininterval=20, disable=None):
            if (key := _key(item)) not in done:
                done[key] = {"key": key, **make(item)}
                file.write(json.dumps(done[key], ensure_ascii=False) + "\n")
                file.flush()
    return [done[_key(item)] for item in items]


def _key(item: Any) -> str:
    text = json.dumps(asdict(item) if isinstance(item, Choice) else item, sort_keys=True, ensure_ascii=False)
    return f"{zlib.crc32(text.encode()):08x}-{len(text)}"


# -- what is measured of one item


def nats(model: Likelihood, talk: Sequence[Mapping[str, str]]) -> Row:
    """Of all replies of a talk, each given all before it: nats of their tokens, of their ends, tokens and words."""
    replies = [m["content"] for m in talk if m["role"] == "assistant"]
    found = [scores[0] for scores in model.talk(talk, [[text] for text in replies])]
    words = sum(len(convai2.words(text)) for text in replies)
    tokens = sum(s.tokens for s in found)
    nats, ends = -sum(s.words for s in found), -sum(s.end for s in found)
    return {"nats": nats, "ends": ends, "tokens": tokens, "words": words, "replies": len(replies)}


class Alone:
    """Scores of replies to nothing, each text read once and kept in a file."""

    def __init__(self, model: Likelihood, path: Path) -> None:
        self.model, self.path = model, path
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        self.known = {text: Score(*score) for text, score in map(json.loads, lines)}

    def __call__(self, texts: Sequence[str]) -> list[Score]:
        new = [text for text in texts if text not in self.known]
        with self.path.open("a", encoding="utf-8") as file:
            for text, score in zip(new, self.model.alone(new) if new else [], strict=True):
                self.known[text] = score
                file.write(json.dumps([text, [score.words, score.end, score.tokens]], ensure_ascii=False) + "\n")
        return [self.known[text] for text in texts]


def chosen(model: Likelihood, alone: Alone, choice: Choice) -> Row:
    """The scores of the candidates in the talk and without it."""
    pairs = (model.beside(choice.messages, choice.candidates), alone(choice.candidates))
    within, without = ([[s.words, s.end, s.tokens] for s in scores] for scores in pairs)
    return {"in": within, "alone": without}


def written(generator: Generator, count: int, choice: Choice) -> Row:
    """Samples of a reply, and the mean log-probability of each."""
    seed = zlib.crc32(_key(choice).encode())
    [found] = generator.sample([chatml(choice.messages)], count, SAMPLING, [threading.Event()], seed)
    return {"texts": [s.text for s in found], "likely": [s.logprob for s in found]}


def answer(generator: Generator, prompt: Row) -> Row:
    """One sample for one of our prompts, in the run-time prompt."""
    talk = chatml(messages(turn_of(prompt)))
    sample = generator.sample([talk], 1, SAMPLING, [threading.Event()], zlib.crc32(prompt["id"].encode()))[0][0]
    return {"text": sample.text, "finished": sample.finished, "source": "sample"}


def through(build: Callable[[], Pipeline]) -> Callable[[Row], Row]:
    """The reply of the whole chain to a prompt; the chain is built when it is first needed."""
    built: list[Pipeline] = []

    def reply(prompt: Row) -> Row:
        if not built:
            built.append(build())
        turn = turn_of(prompt)
        turn = Turn(turn.text, at=turn.at, persona=turn.persona, history=turn.history, profile=turn.profile)
        built[0]([turn])
        said = turn.reply
        assert said is not None
        return {"text": said.text, "finished": _finished(turn), "source": said.source, "why": said.why}

    return reply


def _finished(turn: Turn) -> bool:
    assert turn.reply is not None
    return all(c.finished for c in turn.reply.ranked if c.text == turn.reply.text)


def own_choices(talks: Sequence[Mapping[str, Any]], count: int, seed: int) -> list[Choice]:
    """Replies of our own talks to be found among replies of other topics' talks."""
    chance = random.Random(seed)
    replies = [[t["text"] for t in talk["turns"] if t["who"] == "companion"] for talk in talks]
    found = []
    for i, talk in enumerate(talks):
        whole = talk_messages(talk, None)
        about = tuple(fact_line(Fact(f["slot"], f["value"], f["about"])) for f in talk["facts"])
        said = [m for m in whole if m["role"] != "system"]
        for at, message in enumerate(whole):
            if message["role"] == "assistant":
                before = tuple(m["content"] for m in said[: said.index(message)])
                others = choosing.others(replies, i, message["content"], chance)
                found.append(Choice(tuple(whole[:at]), about, before, (message["content"], *others)))
    chance.shuffle(found)
    return found[:count]
