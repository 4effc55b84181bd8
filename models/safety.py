"""The `safety` slot: does this message, read with the last ones, call for help, and what is said then.

`Rules` matches patterns (data/crisis.toml) against the folded text (models/folding.py). What is certainly harmless
(idioms, titles, games) is blanked first; a negation right before a match, a recovery told as past, or a joke about a
small thing lower the level; a question about means after low words raises it. A request for means that no pattern
knows is heard by its words in any order (models/means.py). The reply at `risk` and `now` is written by people
(models/safety_replies.py).

It knows words, not people: it cannot see irony without a sign of it, pain that is only between the lines, or a
language beyond the commonest phrases of those listed in the data file. It prefers a false alarm to a missed one.
Needs no weights and keeps nothing of a person.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from models import means, safety_replies
from models.folding import fold
from models.patterns import Pattern
from pipelines.turn import Risk, Turn, Utterance

DATA = Path(__file__).parent / "data"

Level = Literal["none", "low", "risk", "now"]
ORDER: tuple[Level, ...] = ("none", "low", "risk", "now")

_SAYS_AGE = re.compile(r"\d|grade|school|minor|underage|turned", re.IGNORECASE)
"""Without one of these no text says an age, and need not be folded."""

REPEAT = timedelta(hours=2)
"""After this time whom to contact is said again in full, as to somebody who comes back."""

LISTS: dict[str, Level] = {
    "now": "now", "now_unless_jest": "now", "risk": "risk", "risk_unless_jest": "risk", "low": "low", "hint": "none"
}  # fmt: skip
"""The lists of a kind in crisis.toml, in the order in which they are tried, with their level."""

ABOUT = {
    "friend": "self_harm", "threatened_place": "violence",
    "minor_disclosing": "minor_sexual", "minor_boundary": "minor_sexual",
}  # fmt: skip
"""The kind to which each narrower situation belongs."""

KINDS = ("minor_sexual", "self_harm", "medical_emergency", "violence", "harmed_by_others", "eating_disorder")
"""Which kind names the reply when several are found at the same level: the one where waiting costs most."""


@dataclass(frozen=True)
class Finding:
    """What one text says by itself. about: the narrower situation that picks the reply's words ("friend", ...);
    hint: something that means more after low words; match: the words that were found."""

    level: Level = "none"
    kind: str | None = None
    about: str = ""
    hint: bool = False
    match: str = ""


@dataclass(frozen=True)
class _Rule:
    kind: str
    level: Level
    list: str
    pattern: Pattern


@dataclass(frozen=True)
class _Data:
    """rules: most urgent first; harmless: spans that are blanked; signs: single patterns by name."""

    rules: list[_Rule]
    harmless: list[Pattern]
    signs: dict[str, Pattern]


@cache
def _data() -> _Data:
    data = tomllib.loads((DATA / "crisis.toml").read_text(encoding="utf-8"))
    words: dict[str, str] = {}
    for name, pattern in data["words"].items():
        words[name] = _filled(pattern, words)

    rules = [
        _Rule(kind, level, name, Pattern(_filled(pattern, words)))
        for name, level in LISTS.items()
        for kind in KINDS
        for pattern, _why in data[kind].get(name, ())
    ]
    return _Data(
        rules=rules,
        harmless=[Pattern(_filled(pattern, words)) for pattern, _why in data["harmless"]["spans"]],
        signs={name: Pattern(_filled(pattern, words)) for name, (pattern, _why) in data["signs"].items()},
    )


def _filled(pattern: str, words: dict[str, str]) -> str:
    for name, word in words.items():
        pattern = pattern.replace(f"{{{name}}}", word)
    # Folding took the accents from the text, so it must take them from the pattern as well.
    return pattern if pattern.isascii() else "".join(c if c.isascii() else fold(c).strip() for c in pattern)


def read(text: str) -> Finding:
    """What the text says by itself, without history. Never raises."""
    return _read(fold(text))


def _read(plain: str) -> Finding:
    data = _data()
    rules = [rule for rule in data.rules if rule.pattern.search(plain)]
    masked = plain
    for pattern in data.harmless:
        masked = pattern.sub(" _ ", masked)
    asked = means.asked(masked)
    if not (rules or asked):
        return Finding()
    signs = data.signs
    jest = bool(signs["jest"].search(plain) and signs["small"].search(plain)) or bool(signs["small_if"].search(plain))
    if signs["accident"].search(plain) and any(rule.kind == "medical_emergency" for rule in rules):
        rules = [rule for rule in rules if (rule.kind, rule.level) != ("self_harm", "now")]
    past = bool(signs["past"].search(plain))
    over = bool(past and signs["recovered"].search(plain) and not signs["again"].search(plain))
    best = Finding()
    denied = None
    for rule in rules:
        if ORDER.index(rule.level) <= ORDER.index(best.level):
            continue
        for match in rule.pattern.finditer(masked):
            before = masked[max(0, match.start() - 60) : match.start()]
            level = rule.level
            if signs["negation"].search(before) and not signs["but_still"].search(masked[match.end() :]):
                denied = denied or rule.kind
                continue
            if level in ("risk", "now"):
                # "Write a poem in praise of it": a work that belongs to what is asked for is no excuse.
                fiction = signs["fiction"].search(plain.replace(match[0], " _ ", 1))
                outside = fiction and not signs["first"].search(before[-20:] + match[0])
                told = rule.kind == "medical_emergency" and past and not signs["again"].search(plain)
                if over or told or outside or (jest and rule.list.endswith("_unless_jest")):
                    level = "low"
            if ORDER.index(level) > ORDER.index(best.level):
                third = rule.kind == "self_harm" and of_another(before[-40:], match[0])
                best = Finding(level, rule.kind, "friend" if third else "", match=match[0])
    if best.level == "none" and denied:
        best = Finding("low", denied)
    if asked and best.level in ("none", "low") and not (over or jest or asked[0] == denied):
        kind, piece = asked
        return Finding("risk", kind, "friend" if kind == "self_harm" and _for_another(piece) else "", match=piece)
    hint = best.level in ("none", "low") and any(r.list == "hint" and r.pattern.search(masked) for r in rules)
    return replace(best, hint=True) if hint else best


def of_another(before: str, match: str) -> bool:
    """Whether it is somebody else who is in danger, from the folded words that say it and those before them."""
    signs = _data().signs
    own = signs["first"].search(match)
    return bool(signs["third"].search(match) or signs["third"].search(before)) and not own


def _for_another(asked: str) -> bool:
    """Whether a request speaks of somebody else and not of the one who asks: "my friend needs" is of the friend."""
    return of_another(asked, "") and not _data().signs["first"].search(f" {asked}".replace(" my ", " "))


class Rules:
    """`safety.rules`. history: how many of the person's last messages are read along with this one."""

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, history: Annotated[int, Field(ge=0, le=20)] = 6) -> None:
        self.history = history
        _data(), means.topics()  # a broken data file must fail at the start, not at the first message

    def __call__(self, turns: Sequence[Turn]) -> list[Risk]:
        """One Risk per turn; `reply` is set at "risk" and "now"."""
        return [judged(turn, self.history) for turn in turns]


def judged(turn: Turn, history: int, seen: Finding | None = None) -> Risk:
    """The verdict on a turn from the rules, with what a head has `seen` in it."""
    plain = fold(turn.text)
    said = [i for i, u in enumerate(turn.history) if u.role == "person"][-history:] if history else []
    before = [_before(turn.history, i) for i in said]
    found = _in_context(_graver(_read(plain), seen or Finding()), plain, before, turn.history)
    found = _of_a_minor(found, plain, turn, [turn.history[i] for i in said])
    if found.level not in ("risk", "now"):
        return Risk(found.level, found.kind)
    again = _given(turn, before) and (found.level == "risk" or any(b.level == "now" for b in before))
    country = safety_replies.country_of(turn.fact("country") or turn.fact("home"))
    reply = safety_replies.written(found.about or str(found.kind), found.level, turn.text, country, again)
    return Risk(found.level, found.kind, reply)


def _graver(rules: Finding, seen: Finding) -> Finding:
    """The graver level; where both raise an alarm, the rules know better what about."""
    if ORDER.index(seen.level) <= ORDER.index(rules.level):
        return rules
    return replace(rules if rules.level == "risk" else seen, level=seen.level, hint=rules.hint)


def _before(history: Sequence[Utterance], i: int) -> Finding:
    """What the i-th utterance said. Where a fixed reply was given to it, that tells what had been found, whoever
    found it."""
    finding = read(history[i].text)
    after = next((u for u in history[i + 1 :] if u.role == "companion"), None)
    told = safety_replies.told(after.text) if after else None
    if told is None or ORDER.index(told[1]) <= ORDER.index(finding.level):
        return finding
    about, level = told
    return Finding(level, ABOUT.get(about, about), about if about in ABOUT else "")


def _in_context(found: Finding, plain: str, before: Sequence[Finding], history: Sequence[Utterance]) -> Finding:
    """The finding with what was said before: a hint after low words is a risk; after an alarm, words that confirm it
    are urgent and everything else stays gentle."""
    if found.level in ("risk", "now"):
        return found
    signs = _data().signs
    alarms = [b for b in before[-4:] if b.level in ("risk", "now")]
    if alarms and alarms[-1].kind == "self_harm":
        asked = next((u.text for u in reversed(history) if u.role == "companion"), "")
        if signs["confirms"].search(plain):
            return Finding("now", "self_harm", alarms[-1].about)
        if "safe" in asked.lower() and signs["unsafe_answer"].search(plain):
            return Finding("risk", "self_harm", alarms[-1].about)
    if found.hint and any(b.kind == "self_harm" and b.level != "none" for b in before):
        return Finding("risk", "self_harm")
    if found.hint and found.level == "low" and found.kind == "self_harm":
        return Finding("risk", "self_harm")
    if found.level == "none" and alarms:
        return Finding("low", alarms[-1].kind)
    return found


def _of_a_minor(found: Finding, plain: str, turn: Turn, said: Sequence[Utterance]) -> Finding:
    """Sexual talk with or about the person themself, when they are known or say to be under 18. Romance with somebody
    of their own age is no alarm; romance with the companion is "low", which a skill answers."""
    signs = _data().signs
    sexual, romantic = bool(signs["sexual"].search(plain)), bool(signs["romantic"].search(plain))
    if not (sexual or romantic) or signs["sexual_health"].search(plain) or found.level == "now":
        return found
    if not is_minor(turn, [*(u.text for u in said), turn.text]):
        return found
    another = bool(signs["by_another"].search(plain))
    if another and (sexual or signs["grown"].search(plain)):
        return Finding("risk", "minor_sexual", "minor_disclosing")
    if sexual:
        return Finding("risk", "minor_sexual", found.about or "minor_boundary")
    return found if another or found.level == "risk" else Finding("low", "minor_sexual")


def wants_romance_too_young(turn: Turn) -> bool:
    """Whether somebody under 18 asks the companion for romance, in a turn that is no alarm."""
    if turn.safety is None or (turn.safety.level, turn.safety.kind) != ("low", "minor_sexual"):
        return False
    return bool(_data().signs["romantic"].search(fold(turn.text)))


def is_minor(turn: Turn, said: Sequence[str]) -> bool:
    """Whether the person is known to be under 18, or says so in one of these texts."""
    age = turn.fact("age") or ""
    if age.isdecimal():
        return int(age) < 18
    return any(_SAYS_AGE.search(text) and says_minor(fold(text)) for text in said)


def _given(turn: Turn, before: Sequence[Finding]) -> bool:
    """Whether one of the companion's last replies, not long ago, already named whom to contact, after an alarm."""
    spoken = [u.text for u in turn.history if u.role == "companion" and turn.at - u.at < REPEAT][-4:]
    return any(b.level in ("risk", "now") for b in before) and any(map(safety_replies.names_a_contact, spoken))


def says_minor(plain: str) -> bool:
    """Whether the folded text says that its writer is under 18."""
    return bool(_data().signs["says_minor"].search(plain))
