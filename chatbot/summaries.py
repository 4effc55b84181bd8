"""The summary of a talk: its most telling utterances, word for word. Nothing is written that was not said.

Extractive, by greedy coverage of weighted words (Nenkova and Vanderwende 2005, SumBasic; Gillick and Favre 2009): a
word weighs as much as the utterances of the talk that have it, less once the summary has it, and long utterances pay
for their length. It understands nothing: of two ways to say the same thing it may keep both, and irony stays as it
was said.
"""

# ruff: noqa: S608  (what is put into SQL here are our own constants; values always go as parameters)

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from sqlite_utils import Database

from chatbot.changes import aware, forget_turns, moments_where
from chatbot.past import STOP_WORDS, WORD
from pipelines.turn import NEW_TALK, Moment

PER_TALK = 3
"""Utterances in the summary of a talk."""
MOST = 2000
"""Utterances that a question about a time looks through: the latest of it."""
LONGEST = 300
"""Characters of one utterance that a summary keeps."""
LEAST_WORDS = 2
"""Fewer telling words than these are small talk."""
SAID_ALREADY, TAUGHT, ASKED = 0.3, 1.5, 0.3
"""What a word still weighs that the summary has, and what an utterance does that taught a fact or that asks."""


def telling_words(text: str) -> list[str]:
    """The words that tell one utterance from another, in order."""
    return [word for word in WORD.findall(text.lower()[:2000]) if word not in STOP_WORDS]


def summarise(said: Sequence[Moment], k: int, taught: Collection[int] = ()) -> list[Moment]:
    """The at most k utterances of a talk that tell most of it, best first. said: what the person said in it; taught:
    the ids of those that facts came from. Small talk, and what was said twice, is left out."""
    words = {moment.id: set(telling_words(moment.text)) for moment in said}
    weight = Counter(word for own in words.values() for word in own)
    left = [m for m in said if len(words[m.id]) >= LEAST_WORDS]
    chosen: list[Moment] = []
    covered: set[str] = set()

    def gain(moment: Moment) -> float:
        told = sum(weight[word] * (SAID_ALREADY if word in covered else 1) for word in words[moment.id])
        kind = TAUGHT if moment.id in taught else ASKED if moment.text.rstrip().endswith("?") else 1
        return float(told * kind / max(4, len(WORD.findall(moment.text))) ** 0.5)

    while len(chosen) < k and (left := [m for m in left if words[m.id] - covered]):
        chosen.append(max(left, key=gain))
        covered |= words[chosen[-1].id]
    return chosen


def talks(moments: Sequence[Moment]) -> Iterator[list[Moment]]:
    """The moments, oldest first, talk by talk: a long pause lies between two."""
    talk: list[Moment] = []
    for moment in moments:
        if talk and moment.at - talk[-1].at >= NEW_TALK:
            yield talk
            talk = []
        talk.append(moment)
    if talk:
        yield talk


def clipped(text: str, limit: int = LONGEST) -> str:
    """The text, or its beginning up to a sentence's or a word's end within the limit."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    sentence = max(head.rfind(mark) for mark in (". ", "! ", "? ", "\n"))
    end = sentence + 1 if sentence >= limit // 3 else max(head.rfind(" "), limit // 3)
    return head[:end].rstrip()


# -- in a memory file, inside a transaction of the caller


def finish_talk(db: Database, at: datetime) -> None:
    """When a new talk begins at that time: write down which utterances sum up the one before it."""
    last = db.execute("select at from turn order by id desc limit 1").fetchone()
    if last is None or aware(at) - datetime.fromisoformat(last[0]) < NEW_TALK:
        return
    talk = _talk_before(db, aware(at), of_now=False)
    if talk and not _marked(db, talk):
        _mark(db, _telling(db, talk, PER_TALK))


def kept(db: Database) -> list[list[Moment]]:
    """The summaries, oldest first, each in the order of its talk."""
    return list(talks(moments_where(db, "id in (select turn from summary) order by id")))


def between(db: Database, start: datetime, end: datetime, k: int) -> list[Moment]:
    """The k utterances of the person that tell most of that time, best first; of a finished talk its summary."""
    where = (
        "role = 'person' and julianday(at) >= julianday(?) and julianday(at) < julianday(?) order by id desc limit ?"
    )
    said = moments_where(db, where, start.isoformat(), end.isoformat(), MOST)[::-1]
    marked = _marked(db, said)
    best: list[Moment] = []
    for talk in talks(said):
        best += [m for m in talk if m.id in marked] or _telling(db, talk, PER_TALK)
    return _telling(db, best, k)


def last_talk(db: Database, before: datetime, k: int) -> list[Moment]:
    """The k utterances of the person that tell most of the last talk but the one that goes on at that time."""
    return _telling(db, _talk_before(db, before, of_now=True), k)


def let_go(db: Database, before: datetime, keep: bool) -> int:
    """Forget the talks that were over before that time, but for their summaries if these are to be kept. The facts
    stay. Gives how many moments went."""
    gone: list[Moment] = []
    for talk in _over_before(db, before):
        marked = _marked(db, talk)
        if keep and not marked:
            marked = _mark(db, _telling(db, talk, PER_TALK))
        for moment in talk:
            if not keep or moment.id not in marked:
                gone.append(moment)
            elif len(moment.text) > LONGEST:
                _clip(db, moment)
    return len(forget_turns(db, gone, keep_facts=True, quotes=False).moments) if gone else 0


def has_old(db: Database, before: datetime, keep: bool) -> bool:
    """Whether there may be something to let go of."""
    old = "select 1 from turn where julianday(at) < julianday(?)"
    unkept = " and id not in (select turn from summary)" if keep else ""
    return db.execute(f"{old}{unkept} limit 1", [before.isoformat()]).fetchone() is not None


def _over_before(db: Database, before: datetime) -> list[list[Moment]]:
    old = moments_where(db, "julianday(at) < julianday(?) order by id", before.isoformat())
    newer = moments_where(db, "julianday(at) >= julianday(?) order by id limit 1", before.isoformat())
    found = list(talks([*old, *newer]))
    return found[:-1] if newer else found  # the last one was not over then


def _talk_before(db: Database, at: datetime, of_now: bool) -> list[Moment]:
    """The last talk before that time, oldest first; with `of_now`, the one before the talk that goes on then."""
    rows = db.execute(
        "select id, role, text, at from turn where julianday(at) < julianday(?) order by id desc", [at.isoformat()]
    )
    talk: list[Moment] = []
    later, skipping = at, of_now
    for id, role, text, when in rows:
        moment = Moment(id, role, text, datetime.fromisoformat(when))
        if later - moment.at >= NEW_TALK:
            if talk:
                break
            skipping = False
        if not skipping:
            talk.insert(0, moment)
        later = moment.at
    return talk


def _telling(db: Database, moments: Sequence[Moment], k: int) -> list[Moment]:
    ids = json.dumps([m.id for m in moments])
    listed = "in (select value from json_each(?))"
    hidden = {id for (id,) in db.execute(f"select turn from hidden where turn {listed}", [ids])}
    taught = {id for (id,) in db.execute(f"select turn from fact where wrong_by is null and turn {listed}", [ids])}
    return summarise([m for m in moments if m.role == "person" and m.id not in hidden], k, taught)


def _marked(db: Database, moments: Sequence[Moment]) -> set[int]:
    ids = json.dumps([m.id for m in moments])
    rows = db.execute("select turn from summary where turn in (select value from json_each(?))", [ids])
    return {id for (id,) in rows}


def _mark(db: Database, moments: Sequence[Moment]) -> set[int]:
    for moment in moments:
        db.execute("insert or ignore into summary values (?)", [moment.id])
    return {moment.id for moment in moments}


def _clip(db: Database, moment: Moment) -> None:
    """Deleted and written anew, so that nothing of the longer row stays in its page."""
    row = db.execute("select answers, read from turn where id = ?", [moment.id]).fetchone()
    db.execute("delete from turn where id = ?", [moment.id])
    values = [moment.id, moment.at.isoformat(), moment.role, clipped(moment.text), *row]
    db.execute("insert into turn(id, at, role, text, answers, read) values (?, ?, ?, ?, ?, ?)", values)
