"""Whether a message asks for a fact of the person in words that no pattern of `data/questions.toml` has.

"What street do I live on", "is my dog a boy or a girl", "spell my name for me": a question or a request that names the
person's name, home, pets or family. It tells which of them, and not what exactly is asked, so that the answer can only
be what is known of it, or an honest no. Questions for advice, opinions and feelings ("does my crush like me", "what
should I get my mum") are left alone. English only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from models.entity_rules import lists
from models.questions import bare, words

_LEAD = (
    "^(?:(?:so|and|but|ok|okay|hey|hi|hello|wait|sorry|well|now|please|quick test|come on|oh|hm|then|also|lol|"
    "actually|btw) )*"
)
_BE = "(?:is|are|was|were|do|does|did|am|has|have)"
_WH = "(?:what|where|who|which|whose|how|if|whether|when)"
_ASKS = re.compile(
    rf"{_LEAD}(?:"
    rf"(?:where|who|when|how(?: old| many| far| big| long| much)?)(?: exactly| ?abouts)? {_BE}\b"
    rf"|how (?:old|many|far|big|long)\b|(?:what|which|whose)(?! an? )(?: \w+){{0,4}}? {_BE}\b"
    rf"|what (?:animals?|pets?|name)\b"
    rf"|who is\b|what is\b|(?:name|spell|say|guess)(?: me)? my\b|guess (?:where i|who i|how old i)\b|name of my\b"
    rf"|(?:tell|remind) me (?:about my|of my|the (?:names?|age) of my|again|my|{_WH})\b"
    rf"|(?:remember|recall) (?:my|what my|where i|who i)\b"
    rf"|(?:any|some) (?:idea|clue) {_WH}\b|(?:can|could) you (?:even |please )?(?:name|say|spell) my\b"
    rf"|(?:i )?bet you (?:can not|could not|do not|forgot|never)\b"
    rf"|(?:do|did|can|will) you (?:\w+ )?(?:have|keep|save) my\b"
    r"|(?:say|call|address)(?: \w+){0,2} me by\b|(?:is|was) it\b.*\b(?:i|me|my)\b|is my (?:\w+ )?name\b"
    r"|(?:do you know|have you got) (?:any of )?my (?:name|pets?|animals)\b|did i (?:ever )?(?:give|tell) you my\b"
    rf"|(?:do |did )?you (?:still |even )?remember my \w+$"
    rf"|(?:(?:do|did|can|could|would|have) )?you (?:\w+ ){{0,3}}(?:know|remember|recall|guess|tell me|forget|forgot|"
    rf"forgotten) (?:{_WH}|my (?:\w+ ){{0,3}}(?:names?|birthday|age|address|hometown|city|town|street))\b)"
)
_KIND = (
    "(?:older|younger|boy|girl|male|female|alive|married|single|working|retired|at school|in school|named|called|big|"
    "small|tall|twins?|(?:at|in|with) \\w+)"
)
_YES_NO = (
    rf"{_LEAD}(?:"
    rf"(?:is|are|was|were) my (?:\w+ )?<kin>s? (?:still |really |even |a |an |the )*{_KIND}\b"
    r"|(?:does|do|did) my (?:\w+ )?<kin>s? (?:still |even )?(?:have|live|work|own|go to school|study|speak|smoke)\b"
    rf"|is my (?:home|house|flat|place|town|city|street)\b"
    rf"|(?:is|are) my (?:\w+ )?<kin>s? (?:a |an )?\w+ or (?:a |an )?\w+$"
    rf"|am i (?:still |really |even )?(?:living|divorced|from|an only child|the (?:oldest|youngest)|{_KIND})\b"
    r"|(?:do|did) i (?:still |even |really )?(?:have|own|got) (?:a |an |any |some )?(?:\w+ )?<kin>s?"
    r"(?: or (?:a |an )?\w+)?$"
    r"|do i (?:even )?have a (?:middle |nick)?name\b"
    r"|(?:do|did) i (?:still |even )?live\b"
    r"|(?:have|did) i (?:ever |already |even )?(?:told|tell|mention|mentioned|say|said) (?:you |to you )?(?:about )?"
    r"(?:my|where i|what my|i have|that i have)\b|(?:have|did) i (?:ever |already )?introduced? myself\b)"
)
_HOME = re.compile(
    r"\bi (?:\w+ )?(?:live|living|reside|grew up|grow up|come from|came from|am from)\b|\bhome for me\b"
    r"|\b(?:am|do|did) i (?:\w+ )?(?:from|live|living|come from|grow up)\b"
    r"|\bmy (?:home|house|flat|apartment|place|city|town|hometown|village|street|address|country)\b"
    r"|\b(?:city|town|country|village|place) (?:i am|am i)\b|\bwhere ?abouts\b|\bin the world am i\b"
)
_ORIGIN = re.compile(r"\b(?:from|born|grow|grew|hometown|originally)\b")
_NAME = re.compile(
    r"\b(?:my (?:full |real |first |last |own )?names?|(?:am i|i am|i was|i) called|call me|who (?:am i|i am)|"
    r"introduced? myself|who (?:are you|you are) (?:talking|speaking|chatting|writing) to|who do you think i am|"
    r"by (?:my )?name|name i gave|name do i go by|my nickname|(?:middle |nick)name|my name (?:\w+ )?or \w+|"
    r"i called again|i am called again)$"
    r"|\bname i gave you\b|\b(?:is|you|got|have) my (?:\w+ )?name\b"
    r"|\bmy names?(?: again| yet| please| for me| now| to you| saved| stored| somewhere| is)+$"
)
_OTHER = re.compile(
    r"\b(?:should|could|why|can i|how do|how can|think of|think about|feel|like me|loves? me|likes? me|hates?|miss|mad|"
    r"angry|upset|wrong|problem|matter|happen(?:ed|s|ing)|doing|do i (?:do|say|tell|need|want|look|sound|go|get)|want|"
    r"going to|will|would|deserve|fault|kidding|supposed|fine|okay|believe|told me|says|said|with my|to my|for my|"
    r"get)\b"
)


@dataclass(frozen=True)
class Asked:
    """about: "name", "home", "home_town", "other", or whose it is ("sister", "dog"); named: whether a name is asked."""

    about: str
    named: bool = False


def asked_in(clauses: Sequence[str]) -> Asked | None:
    """What one of the clauses of a message asks, or all of them read as one: "my city, do you know it"."""
    return next((found for text in (*clauses, " ".join(clauses)) if (found := asked(text))), None)


def asked(clause: str) -> Asked | None:
    """What a clause in plain words (without "?") asks of the person's name, home, pets or family; None when nothing."""
    clause = bare(clause)
    sure = _yes_no().search(clause) or _FIRST.search(clause)
    if len(clause.split()) > 14 or not (sure or _ASKS.search(clause)):
        return None
    if _OTHER.search(clause) and not sure:
        return None
    if _NAME.search(clause):
        return Asked("name", True)
    if kin := _kin().search(clause):
        named = bool(re.search(r"\b(?:names?|called|named)\b", clause))
        return Asked(next((group for group in kin.groups() if group), "pet"), named)
    if _HOME.search(clause) or re.search(r"\bi (?:was )?born\b", clause):
        return Asked("home_town" if _ORIGIN.search(clause) else "home")
    if _PARTNER.search(clause):
        return Asked("partner")
    return Asked("other") if _REST.search(clause) else None


def names_theirs(text: str) -> bool:
    """Whether a plain text names the person's name, home, pets or family, and asks for no advice or feeling."""
    found = _NAME.search(text) or _HOME.search(text) or _kin().search(text) or _NEAR.search(text)
    return bool(found) and not _OTHER.search(text)


_NEAR = re.compile(
    r"\bmy (?:\w+ )?names?\b|\bwho (?:am i|i am)\b|\bcall(?:ed)? me\b|\bhome\b.*\bme\b|\bi (?:moved?|live)\b|"
    r"\btalking to you$"
)

_FIRST = re.compile(
    r"^(?:and |ok |so |hello |but )*my \w+ (?:name |birthday |age |breed |job )?(?:please$|is$|is (?:called )?what$|"
    r"remember\b|do you (?:know|remember)\b|what is |when is |where is |how old )"
    r"|^(?:and |ok |so |but )*my (?:name(?: is)?|\w+ (?:name|age|breed|birthday))$"
)
""" "My parrot's name please", "and my name is ...?": what is asked stands first."""

_REST = re.compile(r"\bonly child\b|\blives? with me\b|\bi live with\b")
_PARTNER = re.compile(r"\b(?:married|single|divorced)\b")


@cache
def _everyone() -> str:
    kin = {*lists()["relations"], *lists()["pets"], *words("partners"), *words("kinds")}
    return "(?:" + "|".join(sorted(kin, key=len, reverse=True)) + ")"


@cache
def _yes_no() -> re.Pattern[str]:
    return re.compile(_YES_NO.replace("<kin>", _everyone()))


@cache
def _kin() -> re.Pattern[str]:
    """Whose fact it is: "my (big) sister", "which pet waits for me", "how many dogs do i own"."""
    kin = _everyone()
    return re.compile(
        rf"\bmy (?:own |old |new |little |big |older |younger |twin )?({kin})s?\b"
        rf"|\b(?:a |an |any |many |which |what |of )({kin})s?\b.* (?:i|me)\b"
        rf"|\bi (?:have|own|got) (?:a |an |any )?({kin})s?\b"
        rf"|\bthe ({kin}) (?:called|named)\b|\b(?:which|what) ({kin})s?$|\banimals? lives? with me\b"
    )
