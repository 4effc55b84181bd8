"""Whose fact it is: the subject of a clause, as the `about` of a fact, for models/facts.py.

"" is the person; "sister", "dog", "sister Mia" (when there are several), "sister's dog" are others. A pronoun means the
last one of that sex who was spoken of, in this message or in the person's last one. It does not know who somebody is
that was never introduced: "anna moved" says nothing unless Anna is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

from models.chatspeak import load
from models.facts import values as fact_values
from models.facts.text import Clause
from models.facts.words import listed
from pipelines.turn import Fact

ADJECTIVES = (
    r"(?:(?:dear|sweet|cute|lovely|beloved|amazing|wonderful|new|little|big|older|younger|elder|eldest|"
    r"oldest|youngest|late|other|second|first|crazy|dumb|stupid|poor|own|whole|baby) )"
)
EXCLUSIVE = frozenset({"boyfriend", "girlfriend", "husband", "wife", "fiance", "fiancee", "partner", "mum", "dad"})
"""Of these a person has one at a time: another name means another one."""


@cache
def kinds() -> dict[str, str]:
    """Every word for somebody, with the canonical one."""
    lists = load("facts")
    people = {form: kind for kind, (_, *forms) in lists["people"].items() for form in forms}
    return people | {form: kind for kind, forms in lists["pets"].items() for form in forms}


@cache
def pet_kinds() -> frozenset[str]:
    return frozenset(load("facts")["pets"])


@cache
def pronoun_of(kind: str) -> str:
    found = load("facts")["people"].get(kind)
    return str(found[0]) if found else "any"


@cache
def forms() -> str:
    """A regular expression for any of the words."""
    return "|".join(sorted((re.escape(form) for form in kinds()), key=len, reverse=True))


@cache
def subject_pattern() -> re.Pattern[str]:
    one = forms()
    return re.compile(
        rf"(?:my|our) (?P<adj>{ADJECTIVES}{{0,3}})(?P<kin>{one})(?P<poss>s? s|s)?(?: (?P<kin2>{one})(?P<poss2>s? s|"
        rf"s)?)?(?= |$)"
    )


_LEADS = re.compile(r"(?:with|for|about|by|to|from|called|named|met|meet)(?: (?:my|our))$")


@dataclass
class People:
    """Who is known, and who was spoken of last. known: the profile with what this message has added so far."""

    known: list[Fact]
    last: dict[str, str] = field(default_factory=dict)
    latest: str | None = None

    def names(self) -> dict[str, str]:
        """Lower-case name to `about`, of everybody but the person and the companion."""
        return {
            f.value.casefold(): f.about for f in self.known if f.slot == "name" and f.about not in ("", "companion")
        }

    def name_of(self, about: str) -> str | None:
        names = [f.value for f in self.known if f.slot == "name" and f.about == about]
        return names[-1] if names else None

    def resolve(self, kind: str, adjectives: str = "", name: str | None = None) -> str:
        """The `about` of somebody's kind, told apart by age or name when there are several."""
        aged = "older" if re.search(r"older|elder|oldest|eldest|big", adjectives) else ""
        aged = aged or ("younger" if re.search(r"younger|youngest|little|baby", adjectives) else "")
        aged = f"{aged} {kind}" if aged and kind in load("facts")["words"]["family"] else ""
        abouts = list(dict.fromkeys(f.about for f in self.known))
        same = [a for a in abouts if a == kind or a.startswith(f"{kind} ") or a in (f"older {kind}", f"younger {kind}")]
        if name:
            named = [a for a in same if (self.name_of(a) or "").casefold() == name.casefold()]
            if named:
                return named[-1]
        if aged:
            return aged
        base = kind
        if not name:
            return base if base in same or len(same) != 1 else same[0]
        if self.name_of(base) and kind not in EXCLUSIVE:
            return f"{kind} {name}"
        if base not in same and len(same) == 1 and not self.name_of(same[0]):
            return same[0]
        return base

    def mention(self, about: str) -> None:
        """Remember who a later "she" may be."""
        kind = about.split("'s ")[-1]
        kind = next((k for k in sorted(kinds().values(), key=len, reverse=True) if k in kind), kind)
        pronoun = pronoun_of(kind)
        for word in (
            ("he", "she", "it", "they")
            if pronoun == "any"
            else ("he", "she", "they")
            if pronoun == "they"
            else (pronoun, "they")
        ):
            self.last[word] = about
        self.latest = about

    def subject(self, clause: Clause, start: int) -> tuple[str, str | None, int] | None:
        """(about, a name said with it, where the rest begins) of what stands at plain[start:], when it is somebody."""
        plain = clause.plain
        match = re.compile(r"(?:(?:me and |both )?(?P<i>i|we)|(?P<he>he|she|it|they|his|her|its|their))(?= |$)").match(
            plain, start
        )
        if match and match["i"]:
            return "", None, match.end()
        if match:
            word = {"his": "he", "her": "she", "its": "it", "their": "they"}.get(match["he"], match["he"])
            about = self.last.get(word)
            if about is None:
                return None
            if word == match["he"]:
                return about, None, match.end()
            # "His name" is his; "his dog" is somebody else.
            other = re.compile(rf" (?:{forms()})(?= |$)").match(plain, match.end())
            if other:
                return f"{about}'s {kinds()[other[0].strip()]}", None, other.end()
            return (
                (about, None, match.end())
                if re.match(r" (?:full |real )?(?:names?|birthday|age|favorite)(?: |$)", plain[match.end() :])
                else None
            )
        match = subject_pattern().match(plain, start)
        if match:
            return self._somebody(clause, match)
        if plain.startswith(("my ", "our "), start):
            # "My birthday", "our wedding": the person's own, whatever it is.
            return "", None, plain.index(" ", start)
        name = re.compile(r"([^\W\d_]{2,20})(?: s)?(?= )").match(plain, start)
        about = self.names().get(name[1]) if name else None
        return (about, None, name.end()) if about and name else None

    def _somebody(self, clause: Clause, match: re.Match[str]) -> tuple[str, str | None, int]:
        kind = kinds()[match["kin"]]
        end = match.end("kin")
        if match["kin2"] and match["poss"]:
            owner = self.resolve(kind, match["adj"])
            return f"{owner}'s {kinds()[match['kin2']]}", *self._said_name(
                clause, match.end("kin2"), kinds()[match["kin2"]]
            )
        if match["poss"]:
            return self.resolve(kind, match["adj"]), None, end if match["poss"] == " s" else match.end("poss")
        name, end = self._said_name(clause, end, kind)
        return self.resolve(kind, match["adj"], name), name, end

    def _said_name(self, clause: Clause, end: int, kind: str) -> tuple[str | None, int]:
        """The name that stands right after "my sister", if one does."""
        index = clause.plain[:end].count(" ") + 1
        words = clause.words
        if kind in pet_kinds() and index < len(words) and words[index].plain in listed("pet_things"):
            return None, end
        # A pet may be called Biscuit, a sister hardly, unless what follows can only be her verb: "my sister rose is".
        verb = words[index + 1].plain if index + 1 < len(words) else ""
        found = fact_values.name(words, index, sure=kind in pet_kinds() or verb in listed("name_verbs"))
        if not found:
            return None, end
        name, after = found
        capital = words[index].raw[:1].isupper() and not words[index].raw.isupper()
        known = name.casefold() in self.names()
        # In lower case only the words around tell a name from a verb: "my sister anna moved", "with my dog rex".
        follows = after >= len(words) or words[after].plain in listed("after_name")
        with_me = [w.plain for w in words[after : after + 2]] in (["and", "i"], ["and", "me"])
        follows = with_me or follows or bool(re.search(r"[^e]ed$", words[after].plain))
        leads = bool(_LEADS.search(clause.plain[: clause.plain.rfind("my", 0, end) + 2]))
        if kind in pet_kinds() and not name.endswith("s"):
            follows = follows or words[after].plain in ("to", "for", "on", "at", "in", "out", "and")
            leads = True
        if capital or known or (follows and (after < len(words) or leads)):
            return name, sum(len(w.plain) + 1 for w in words[:after]) - 1
        return None, end


def apart(text: str, names: Iterable[str]) -> str:
    """The text with a comma before "and Joe lives", where Joe is known: a new subject, not one of two."""
    known = "|".join(re.escape(name) for name in names)
    says = r"(?:is|isn['’]?t|has|lives|works|loves|likes|hates|moved|studies|got|wants|plays|goes|speaks)"
    return re.sub(rf"(?i)(?<=\w) (and|but) (?=(?:{known}) {says}\b)", r", \1 ", text) if known else text


@cache
def _appositive() -> re.Pattern[str]:
    return re.compile(rf"(?i)\b((?:my|our) {ADJECTIVES}{{0,2}}(?:{forms()})), ([^\W\d_]{{2,20}}), ")


def without_appositives(text: str) -> str:
    """The text without the commas that hide a name: "my sister, Anna, moved"."""
    return _appositive().sub(r"\1 \2 ", text)
