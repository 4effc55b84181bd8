"""One person's memory: what was said, what is known of them and since when, in one SQLite file.

People are kept apart by construction: a Memory knows its own file and no other. What is forgotten leaves the disk:
plain tables, `secure_delete`, a truncating checkpoint. Does not know what a sentence means: the facts are given to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from chatbot import changes, memory_export, memory_file, summaries
from chatbot.changes import Forgotten
from chatbot.memory_store import Store
from pipelines.turn import Fact, Moment, Utterance, Vector

PASSING = 40
"""How many utterances are kept in mind, and only there, while memory is paused."""


class Memory:
    """One person's memory. Safe to share between threads; any number of processes may open the same person.

    Every method may raise DiskFull, MemoryDamaged or MemoryFileError. Times that are naive are taken as local.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.store = Store(path)
        self._passing: list[Moment] = []
        self._passed = 0
        self._passed_after: dict[int, int] = {}  # the id of what was last written down before it
        with self.store.lock:
            self.store.connected()

    @classmethod
    def open(cls, folder: Path, person: str) -> Memory:
        """The memory of this person in this folder; both are made if need be."""
        return cls(memory_file.locate(folder, person))

    # -- a turn

    def hear(self, text: str, at: datetime, write: bool = True) -> int:
        """Write down what the person said, before anything else is done with it; gives the moment's id.

        While memory is paused, or without `write`, nothing is written: the id is negative, and lasts as long as this
        object.
        """
        if self.paused or not write:
            return self._pass("person", text, at)
        with self.store.writing() as db:
            summaries.finish_talk(db, at)
            return changes.insert(db, "person", text, at, answers=None)

    def learn(
        self, id: int, facts: Sequence[Fact], vector: Vector | None = None, encoder: str = "", hide: bool = False
    ) -> None:
        """Apply the facts said in moment `id` and keep its vector, all or nothing; the moment counts as read. With
        `hide` it is never brought up again: not recalled, and in no summary.

        A moment that was forgotten in the meantime teaches nothing.
        """
        if id < 0:
            return
        with self.store.writing() as db:
            row = db.execute("select at from turn where id = ?", [id]).fetchone()
            if row is None:
                return
            # What an earlier correction found wrong was kept for undo alone, which reaches back one exchange.
            db.execute("delete from fact where wrong_by < ?", [id])
            for fact in facts:
                changes.apply(db, fact, id, row[0])
            changes.keep_vector(db, id, vector, encoder)
            if hide:
                changes.hide(db, id, by=id)
            db.execute("update turn set read = 1 where id = ?", [id])

    def answer(self, text: str, at: datetime, to: int, vector: Vector | None = None, encoder: str = "") -> int:
        """Write down the companion's reply to moment `to`; gives its id."""
        if to < 0:
            return self._pass("companion", text, at)
        with self.store.writing() as db:
            db.execute("update turn set read = 1 where id = ?", [to])
            id = changes.insert(db, "companion", text, at, answers=to)
            changes.keep_vector(db, id, vector, encoder)
            return id

    def unread(self) -> list[Moment]:
        """What was heard and neither learned from nor answered, oldest first: a crash lies between."""
        return self._moments("read = 0 order by id")

    def recent(self, n: int) -> list[Utterance]:
        """The last n utterances, oldest first."""
        latest = sorted(self._moments("1 order by id desc limit ?", n) + self._passing, key=self._place)
        return [Utterance(m.role, m.text, m.at) for m in latest[-n:]] if n > 0 else []

    def talk(self, n: int) -> list[Utterance]:
        """The latest utterances, at most n, oldest first, from a beginning that stays for several turns.

        When n are there, about half of them are left out at once, so that most prompts begin as the one before and
        what was read of it can be kept. Where it begins depends on how many utterances there are, and on nothing else.
        """
        if n < 4:
            return self.recent(n)
        with self.store.reading() as db:
            there = int(db.execute("select count(*) from turn").fetchone()[0]) + self._passed
        jump = n // 4 * 2  # an even number: what was said and its answer leave together
        left_out = max(0, -(-(there - n) // jump) * jump)
        return self.recent(there - left_out)

    # -- facts

    def facts(self, at: datetime | None = None) -> list[Fact]:
        """The facts that hold now, or held at that time, oldest first."""
        if at is None:
            return self._facts(changes.OPEN)
        held = [f for f in self._facts("wrong_by is null and since is not null") if f.since]
        when = changes.aware(at)
        return [f for f in held if f.since and f.since <= when and (f.until is None or when < f.until)]

    def past_facts(self) -> list[Fact]:
        """The facts that held once and do no longer, oldest first. since is None where only the end was told."""
        return self._facts("wrong_by is null and until is not null")

    # -- the past, searchable (pipelines.turn.Past)

    def words(self, query: str, k: int) -> list[tuple[int, float]]:
        """The k moments that share the query's words, each read with the moment before it: id, BM25, best first."""
        with self.store.lock:
            return self.store.index().words(query, k)

    def nearest(self, vector: Vector, k: int, encoder: str = "") -> list[tuple[int, float]]:
        """The k moments that this encoder finds nearest: id, cosine, best first."""
        with self.store.lock:
            return self.store.index().nearest(vector, k, encoder)

    def moment(self, id: int) -> Moment:
        """The moment of that id. Raises KeyError when it was forgotten or never was."""
        found = self._moments("id = ?", id) or [m for m in self._passing if m.id == id]
        if not found:
            raise KeyError(id)
        return found[0]

    def between(self, start: datetime, end: datetime, k: int) -> list[int]:
        """The k moments of the person that tell most of the time from `start` until `end`, best first."""
        with self.store.reading() as db:
            return [moment.id for moment in summaries.between(db, changes.aware(start), changes.aware(end), k)]

    def last_talk(self, before: datetime, k: int) -> list[int]:
        """The k moments of the person that tell most of the last talk but the one that goes on at that time."""
        with self.store.reading() as db:
            return [moment.id for moment in summaries.last_talk(db, changes.aware(before), k)]

    def summaries(self) -> list[list[Moment]]:
        """The summary of every finished talk, oldest first: utterances of the person, in order. Never an empty one."""
        with self.store.reading() as db:
            return summaries.kept(db)

    # -- taking back

    def undo(self) -> list[Moment]:
        """Take back the last thing the person said, all that followed, and what was learned from it. Gives what went,
        oldest first; nothing when there is nothing left to take back."""
        if self._passing and self._place(self._passing[-1]) > (self._last_written(), 0):
            first = max((i for i, m in enumerate(self._passing) if m.role == "person"), default=0)
            gone, self._passing = self._passing[first:], self._passing[:first]
            return gone
        with self.store.forgetting() as db:
            last = db.execute("select max(id) from turn where role = 'person'").fetchone()[0]
            if last is None:
                return []
            return list(changes.forget_turns(db, self._moments("id >= ? order by id", last)).moments)

    def forget(
        self, fact_id: int | None = None, *, text: str | None = None, since: datetime | None = None
    ) -> Forgotten:
        """Forget, on the disk too, one of: a fact with the words it came from, all that mentions a text (whole words,
        any case), or all since a time. Replies to forgotten words go with them, and so do other moments that name the
        fact's value, when it is a name. Forgetting a time reopens what was closed in it."""
        if fact_id is not None:
            with self.store.forgetting() as db:
                return changes.forget_fact(db, fact_id)
        if text is not None and text.strip():
            self._passing = [m for m in self._passing if not changes.whole_words(text).search(m.text)]
            with self.store.forgetting() as db:
                return changes.forget_text(db, text)
        if since is not None:
            start = changes.aware(since)
            self._passing = [m for m in self._passing if m.at < start]
            with self.store.forgetting() as db:
                return changes.forget_turns(db, [m for m in self._moments() if m.at >= start])
        raise ValueError("forget what? Give fact_id, text or since")

    def prune(self, before: datetime, summaries_stay: bool = True) -> int:
        """Forget the words of the talks that were over before that time, but for their summaries if these are to stay.
        The facts stay. Gives how many moments went."""
        end = changes.aware(before)
        with self.store.reading() as db:
            if not summaries.has_old(db, end, summaries_stay):
                return 0
        with self.store.forgetting() as db:
            return summaries.let_go(db, end, summaries_stay)

    def erase(self) -> None:
        """Forget everything and delete the file with all that belongs to it. Used again, the memory starts anew."""
        with self.store.lock:
            with self.store.forgetting() as db:
                for table in memory_file.TABLES:
                    db.table(table).delete_where()
            self._passing.clear()
            self.close()
            memory_file.remove(self.path)

    # -- settings

    @property
    def paused(self) -> bool:
        """While paused nothing is written down; what is said is kept in mind as long as the process lasts."""
        return self.get("paused") == "1"

    def pause(self) -> None:
        self.set("paused", "1")

    def resume(self) -> None:
        """Remember again, from here on; what was said in the pause stays unwritten, and leaves the mind too."""
        self.set("paused", None)
        self._passing.clear()

    def get(self, key: str, default: str | None = None) -> str | None:
        with self.store.reading() as db:
            row = db.execute("select value from setting where key = ?", [key]).fetchone()
        return row[0] if row else default

    def set(self, key: str, value: str | None) -> None:
        """Keep a small setting; None removes it. The key "forgotten" is taken."""
        with self.store.writing() as db:
            db.execute("delete from setting where key = ?", [key])
            if value is not None:
                db.execute("insert into setting values (?, ?)", [key, changes.clean(value)])

    # -- moving house

    def export(self) -> dict[str, Any]:
        """All that is kept, as plain values for JSON; vectors are left out, since they can be made again."""
        with self.store.reading() as db:
            return memory_export.dump(db)

    def import_(self, data: object, replace: bool = False) -> None:
        """Take in what `export` gave, all or nothing. Raises UsageError when it is not that, or when this memory is
        not empty; with `replace` what is there is forgotten first."""
        saved = memory_export.read(data)
        with self.store.forgetting() if replace else self.store.writing() as db:
            if replace:
                for table in memory_file.TABLES:
                    db.table(table).delete_where()
            memory_export.load(db, saved)

    def close(self) -> None:
        """Let go of the file; it is opened again when the memory is used again."""
        self.store.close()

    # -- reading

    def _moments(self, where: str = "1 order by id", *values: Any) -> list[Moment]:
        with self.store.reading() as db:
            return changes.moments_where(db, where, *values)

    def _facts(self, where: str = "1", *values: Any) -> list[Fact]:
        with self.store.reading() as db:
            return changes.facts_where(db, where, *values)

    def _pass(self, role: Literal["person", "companion"], text: str, at: datetime) -> int:
        self._passed += 1
        self._passed_after[-self._passed] = self._last_written()
        self._passing = [*self._passing, Moment(-self._passed, role, text, changes.aware(at))][-PASSING:]
        return -self._passed

    def _place(self, moment: Moment) -> tuple[int, int]:
        """Where a moment stands among those that were written down and those that were not."""
        return (moment.id, 0) if moment.id > 0 else (self._passed_after[moment.id], -moment.id)

    def _last_written(self) -> int:
        with self.store.reading() as db:
            return int(db.execute("select coalesce(max(id), 0) from turn").fetchone()[0])
