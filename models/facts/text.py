"""A message cut into clauses of plain words, each knowing where in the message it stands, for models/facts.py.

Spelling is made plain word by word ("im" is "i am", "bf" is "boyfriend"), so that a rule is written once, and every
plain word still knows the word it came from, so that a value can be given as it was typed. What is not the person
speaking for themself (quotations, song lines, reported speech, jokes, roleplay) is left out. It cannot tell a
quotation without marks from the person's own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.chatspeak import load, squeeze
from models.facts.words import listed

FILLER = (
    "hi|hey|hello|heya|hiya|yo|so|well|ok|and|but|also|oh|ah|aw|yeah|yes|yep|no|nope|lol|haha|btw|by the way|"
    "anyway|anyways|fyi|"
    "because|since|plus|though|although|actually|honestly|just so you know|for the record|to be honest|not going "
    "to lie|wait|"
    "sorry|good morning|good evening|good afternoon|there|guys|everyone|everybody|um|uh|hmm|fun fact|update|news|"
    "guess what|"
    "please|remember that|remember|basically|while|then|oops|thanks|thank you|nice to meet you|ooh|omg|oh my god|"
    "wow|anyhow|now|"
    "currently|correction|alright|right|do not forget that|do not forget|you should know that|you should know|i "
    "meant|i mean|"
    "i said that|i said|i told you that|i told you|as i said|nah|too|first|second|today|last year|last week|last month|"
    "recently|yesterday|as of today|finally|luckily|sadly|unfortunately|apparently|this year|at the moment|right "
    "now|nice|"
    "that is wrong|wrong|not true"
)
"""What may stand before a subject without changing what is said, as a regular expression over plain words."""

LIMIT = 2000
"""Characters that are read."""

_TOKEN = re.compile(
    r"(?:[A-Za-z]\.){2,5}|(?i:st|mt|mr|mrs|ms|dr|ft)\.(?= )|\d{1,4}(?:[./:-]\d{1,4}){1,2}|"
    r"\d{1,2}['’′](?![a-zA-Z])|[^\W_]+(?:['’`&-][^\W_]+)*|[.,!?;:()\n\"“”«»♪♫🎵🎶*>/…]|[^\w\s]"
)
_QUOTED = re.compile(
    r"\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|«[^»\n]{1,400}»|[♪♫🎵🎶][^♪♫🎵🎶\n]{1,400}[♪♫🎵🎶]?|(?:^|\n)>[^\n]*"
)
_SAYS = (
    r"(?:says?|said|saying|goes|told me|tells me|thinks?|thought|believes?|claims?|claimed|asked|asks|wrote|"
    r"texted|yelled|screamed|joked|pretends?|imagines?|assumes?|assumed|insists?|heard|wishes|hopes|dreamed|"
    r"dreamt)"
)
_LAUGH = re.compile(r"(?:[ah]{3,}|(?:he){2,}h?|lo{1,9}l(?:ol)*|lm+f?ao+|rofl|x+d+)")
_MARKS = {",": ",", ":": ",", "(": ",", ")": ",", "?": "?", "%": "percent", "/": "/"} | dict.fromkeys("♪♫🎵🎶", "♪")
"""Marks as plain words; all others end a sentence."""
_REPORTED = re.compile(
    rf"(?:^|(?<= ))(?:(?!i )[^ ]+ {_SAYS}(?: that| me| to me| like| to everyone| i was like)?|(?:he|she|they|it) "
    rf"(?:is|was|were|are) like|"
    rf"i (?:dreamed|dreamt|pretended|lied|joked|imagined|fantasi[sz]ed|heard|read|(?:told|tell)(?! you)|said to|"
    rf"say to)|quote|"
    rf"(?:lyrics?|song|line) (?:is|goes|says|said)) "
)
_JOKE = re.compile(
    r"(?:^| )(?:jk|j k|just kidding|(?:i am |am )?kidding|just joking|only joking|(?:i am )?joking|as a joke|lol "
    r"not|not really|psych|sike|/ s|sarcasm|april fools)(?: |$)"
)
_SONG = re.compile(
    r"(?:^| )(?:lyrics?|sings|singing|as the song|like the song|the song goes|song stuck|humming|♪|that song)(?: |$)"
)
_PRETEND = re.compile(
    r"(?:^| )(?:imagine|pretend|pretending|let us say|suppose|supposing|what if|hypothetically|roleplay|role play|"
    r"in another life|in (?:my|a|the) (?:dream|game|story|book|movie|film|novel|show)|my character|in minecraft|"
    r"in the sims|"
    r"for example|for instance|e g)(?: |$)"
)
_IF = re.compile(
    r"^(?:(?:and|but|so|well|ok|because|even|only) )*(?:if|unless|whenever|once|as if|as though|in case|had i|"
    r"were i)(?: |$)"
)
_QUESTION = re.compile(
    # "Can not stand" asks nothing; "can not you" does.
    r"^(?:(?:and|but|so|well|ok|hey|hi|also|wait|sorry|lol|juno) )*(?!(?:can|do) not (?!you|we|i|they|he|she)[^ ])"
    r"(?:what|where|who|whose|when|why|how|which|do|"
    r"does|did|is|are|am|was|were|can|could|should|would|will|have|has|may|shall|is not|are not|do not you|"
    r"does not|did not|wanna|want to|guess|remember when)(?: |$)"
)
_CLAUSE_SUBJECT = r"(?:i|my|he|she|we|they|his|her|its|it|our|you|u|your|there|the|this|that|everyone|everybody|people)"
_INVERTED = ("do", "did", "does", "am", "is", "are", "was", "have", "can", "could", "should", "got")
"""Before these words and a subject there is a question, "do i have a dog", and no new clause."""
_RUN_ON = re.compile(
    r" (?:i (?:am|live|work|have|love|like|hate|moved|study|also|just)|my name|(?:what|how|where|who|when) (?:is|"
    r"are|about|do|did)|do you|can you|are you) "
)
"""After these words a clause belongs to what stands before it ("i wish i lived")."""
_JOINT = re.compile(
    rf" (?=(?:and|but|so|because|though|although|also|then|plus|while|or|cause|however) (?:then |also |now |so "
    rf")?{_CLAUSE_SUBJECT} )"
)


@dataclass(frozen=True)
class Word:
    """A plain word and the token that it came from."""

    plain: str
    raw: str
    token: int


@dataclass(frozen=True)
class Clause:
    """Plain words that stand together. plain: them, joined by single spaces; sentence: its number in the message;
    asks: it is a question; unreal: it is not said as true (if, pretend, a joke, somebody else's words)."""

    words: tuple[Word, ...]
    plain: str
    sentence: int
    asks: bool
    unreal: bool

    def raw(self, start: int, end: int) -> str:
        """As it was typed, what stands at plain[start:end]."""
        position, tokens, parts = 0, set[int](), []
        for word in self.words:
            inside = start <= position and position + len(word.plain) <= end
            if inside and word.token not in tokens:
                tokens.add(word.token)
                parts.append(word.raw)
            position += len(word.plain) + 1
        return " ".join(parts)


def clauses(text: str) -> list[Clause]:
    """The clauses of the message, in order, without what is quoted."""
    text = _QUOTED.sub(_unquoted, text[:LIMIT].replace("\0", " "))
    words = _words(text)
    whole = " ".join(w.plain for w in words)
    nothing_meant = bool(_JOKE.search(whole) or _SONG.search(whole))
    found: list[Clause] = []
    for number, (sentence, asks) in enumerate(_sentences(words)):
        pretend = bool(_PRETEND.search(" ".join(w.plain for w in sentence)))
        conditional = False
        pieces = _split(sentence)
        for i, piece in enumerate(pieces):
            plain = " ".join(w.plain for w in piece)
            is_if = bool(_IF.match(plain))
            last = i == len(pieces) - 1
            question = bool(_QUESTION.match(plain)) or (asks and last)
            unreal = nothing_meant or pretend or is_if or conditional
            # "If I get the job, I move to Rome": what follows the condition is no truer than it.
            conditional = is_if
            found.append(Clause(tuple(piece), plain, number, question, unreal))
    return [_own_part(c) for c in found if c.plain]


def _unquoted(match: re.Match[str]) -> str:
    """A name in quotes is a name; anything longer is somebody's words."""
    inner = match[0].strip('"“”«»')
    return inner if len(inner.split()) <= 2 and "♪" not in inner and not match[0].lstrip().startswith(">") else " … "


def _words(text: str) -> list[Word]:
    means, own = load("chatspeak")["means"], load("facts")["means"]
    words: list[Word] = []
    for number, raw in enumerate(_TOKEN.findall(text)):
        lower = re.sub(r"[’`]", "'", raw.lower())
        base, _, ending = lower.rpartition("'")
        if raw[-1] in "'’′" and raw[0].isdigit():
            plain = "feet"
        elif not raw[0].isalnum():
            plain = _MARKS.get(raw, ".")
        elif ending == "s" and base and base not in listed("contracted"):
            plain = f"{own.get(base) or means.get(base, base)} s"
        else:
            spoken = own.get(lower)
            lower = squeeze(re.sub(r"'|\.(?!\d)", "", lower))
            plain = spoken or own.get(lower) or means.get(lower, lower)
        plain = "haha" if _LAUGH.fullmatch(plain) else plain
        if words and words[-1].plain == plain and len(plain) > 2:
            continue  # "hate hate hate"
        words.extend(Word(part, raw, number) for part in plain.split(" "))
    return words


def _sentences(words: list[Word]) -> list[tuple[list[Word], bool]]:
    found: list[tuple[list[Word], bool]] = []
    current: list[Word] = []
    for word in [*words, Word(".", ".", -1)]:
        if word.plain in (".", "?"):
            if current:
                found.append((current, word.plain == "?"))
            current = []
        else:
            current.append(word)
    return found


def _split(sentence: list[Word]) -> list[list[Word]]:
    """A sentence at its commas and where a conjunction starts a new subject."""
    pieces: list[list[Word]] = [[]]
    for i, word in enumerate(sentence):
        if word.plain == ",":
            pieces.append([])
            continue
        rest = " " + " ".join(w.plain for w in sentence[i : i + 4]) + " "
        so_far = {w.plain for w in pieces[-1]}
        runs_on = (
            _RUN_ON.match(rest)
            and sentence[i - 1].plain not in (*listed("subordinate"), *_INVERTED)
            and not so_far & listed("reports")
        )
        both = pieces[-1] and pieces[-1][-1].plain in ("me", "i")  # "me and my wife"
        if pieces[-1] and not both and (runs_on or _JOINT.match(rest)):
            pieces.append([])
        pieces[-1].append(word)
    return [piece for piece in pieces if piece]


def _own_part(clause: Clause) -> Clause:
    """The clause up to where it starts to report what somebody says, thinks or dreams."""
    match = _REPORTED.search(clause.plain + " ")
    if not match:
        return clause
    kept = clause.plain[: match.start()].count(" ")
    words = clause.words[:kept]
    return Clause(words, " ".join(w.plain for w in words), clause.sentence, clause.asks, clause.unreal)
