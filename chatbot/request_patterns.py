"""The wordings in which a person asks something of their memory: forget that, why do you think so, off the record.

Only whole messages that can mean nothing else are taken ("forget it" is a figure of speech, "forget that exam" a
comfort); everything else goes its usual way. Knows English only, and does nothing: chatbot/requests.py does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SLOTS = {
    "name": r"(?:my |the )?name|what im called",
    "nickname": r"my nickname",
    "age": r"my age|how old i am",
    "birthday": r"my (?:birthday|bday)|when i was born",
    "home": r"where i live|my (?:home|address|city|town)",
    "home_town": r"where i(?:m| am| come) from|my home ?town",
    "work": r"where i work|what i do|my (?:job|work)",
    "school": r"what i study|where i study|my (?:school|uni|studies)",
    "partner": r"my (?:boyfriend|girlfriend|partner|husband|wife|bf|gf)",
    "pet": r"my (?:pet|dog|cat)s?",
}
_SLOT = "|".join(f"(?P<{slot}>{words})" for slot, words in SLOTS.items())
_PLEASE = r"(?:(?:please|pls|plz|ok|okay|no|hey|juno|now|can you|could you|would you|i want you to|just) )*"
LENGTHS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
NUMBERS = {"": 1, "a": 1, "an": 1, "one": 1, "two": 2, "couple of": 2, "few": 3, "three": 3, "four": 4, "five": 5}
NUMBERS |= {"six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "fifteen": 15, "twenty": 20, "thirty": 30}
_NUMBER = r"\d{1,3}|" + "|".join(sorted((n for n in NUMBERS if n), key=len, reverse=True))

_PATTERNS = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (
            "last",
            rf"{_PLEASE}(?:(?:forget|delete|erase|unremember) (?:that|this|what i (?:just )?(?:said|told you|wrote)|"
            r"(?:that|my|the) last (?:message|thing|one|bit)(?: i said)?|that i (?:just )?(?:said|told you) "
            r"(?:that|this))|"
            r"(?:dont|do not) remember (?:that|this)|take that back)(?: please| again| thanks)?",
        ),
        (
            "since",
            rf"{_PLEASE}(?:forget|delete|erase) (?:(?:everything|all|what i said|the messages) )?(?:from |in |of "
            rf")?the last "
            rf"(?:(?P<number>{_NUMBER}) )?(?P<unit>{'|'.join(LENGTHS)})s?(?: please)?",
        ),
        (
            "erase",
            rf"{_PLEASE}(?:(?:erase|forget|delete|wipe) (?:me|everything|it all|all of it|all|my data|all my data|"
            rf"your memory|"
            r"my memory|everything (?:about me|you know(?: about me)?|i (?:said|told you)(?: you)?|you have on me))"
            r"(?: about me| completely)?)(?: please| now)?",
        ),
        (
            "yes",
            r"(?:yes|yep|yeah|yes please|im sure|yes im sure|do it|yes do it|(?:yes )?erase (?:it all|everything|me))",
        ),
        ("slot", rf"{_PLEASE}(?:forget|delete|erase|dont remember) (?:about )?(?:{_SLOT})(?: please)?"),
        (
            "text",
            rf"{_PLEASE}(?:forget|delete|erase) (?P<about>(?:everything|all) (?:about|on|you know about|i said "
            rf"about) |about )?"
            r"(?P<what>(?!(?:it|that|this|me|him|her|them|you|us|to|how|if|about|what|my|the)(?: |"
            r"$))[^ ]{2,30}(?: [^ ]{1,30}){0,2}?)"
            r"(?: please)?",
        ),
        (
            "wrong",
            r"(?:no |nope |hey )?(?:(?:that|this|it) ?i?s (?:not (?:true|right|correct)|wrong|false|incorrect|"
            r"nonsense)|"
            r"thats (?:not (?:true|right|correct)|wrong|false|incorrect)|that isnt (?:true|right|correct)|not true|"
            r"you got that wrong)(?: at all| anymore)?",
        ),
        (
            "why",
            rf"(?:and |but |hm )?(?:why do you (?:think|say|believe|know) (?:that|so|this)|how do you know(?: that|"
            rf" this|"
            rf" (?:{_SLOT})| all that)?|where do you (?:know|have|get) that from|where did you get that(?: from)?|"
            r"when did i (?:say|tell you) (?:that|this|so)|who told you(?: that)?|says who|did i (?:say|tell you) "
            r"that)",
        ),
        (
            "before",
            r"(?:so |and |hey |do you (?:know|remember) )*(?:(?:where did i (?P<live>(?:use to )?live)|"
            r"where did i (?P<job>(?:use to )?work)|what did i (?P<study>study)|"
            r"what was my (?P<was>job|name|school|home|city|town|work)) "
            r"(?:before(?: (?P<than>[a-z ]{1,30}))?|earlier|in the past|previously|back then)|"
            r"what was my (?:old|last|previous|former) (?P<thing>job|name|school|home|city|town|work)|"
            r"who was my (?P<ex>ex|(?:old|last|previous|former) (?:boyfriend|girlfriend|partner|husband|"
            r"wife)))(?: called)?",
        ),
        (
            "pause",
            rf"{_PLEASE}(?:(?:pause|stop|quit) (?:your memory|remembering|recording|saving|writing (?:this|it|"
            rf"things) down)"
            r"(?: (?:me|this|things|everything|anything))?|(?:this is|lets go|go) off the record|off the record|"
            r"(?:dont|do not) (?:remember|save|record|write down) (?:anything|what i say|the next (?:bit|part|thing))"
            r"(?: now| from now on)?)(?: please| for now| for a (?:bit|while))?",
        ),
        (
            "resume",
            rf"{_PLEASE}(?:resume(?: your memory| remembering)?|(?:start|you (?:can|may)) (?:remember|remembering)"
            r"(?: things| me| this| everything)?(?: again| now)?|back on the record|on the record(?: again)?|"
            r"remember (?:things )?again)(?: please)?",
        ),
    )
)


@dataclass(frozen=True)
class Request:
    """kind: which of the patterns; what: its groups."""

    kind: str
    what: dict[str, str | None]


_UNWRITTEN = re.compile(
    r"\s*(?:(?:please|pls|ok|hey|this is|just|between us)[ ,]+)*(?:(?:don['’]?t|do not|dont|never) "
    r"(?:remember|save|store|record|write down|keep) (?:this|that|it)(?: down)?(?: please| pls)?(?:,? but)?|"
    r"off the record)\s*[:,;\-–—.]\s*(?=\w)",
    re.IGNORECASE,
)


def unwritten(text: str) -> str | None:
    """What follows "don't remember this:" or "off the record:"; None when the message does not begin so."""
    match = _UNWRITTEN.match(text[:200])
    return text[match.end() :] if match else None


def read(text: str) -> Request | None:
    """The request that the whole message is, or None."""
    if len(text) > 120:
        return None
    plain = re.sub(r"['’`]", "", text.lower())
    plain = re.sub(r"[^\w\s]+", " ", plain)
    plain = " ".join(plain.split())
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(plain)
        if match:
            return Request(kind, match.groupdict())
    return None
