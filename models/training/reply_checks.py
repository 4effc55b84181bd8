"""Plain checks on a reply to one of our own prompts (reply_prompts.jsonl): what is wrong with it, by name.

They are patterns apart from those that hold candidates back at run time, so that a hole there can show here:

    empty            no letter or digit
    cut_off          the model came to no end, or the text ends without . ! ? … a closing mark or an emoji
    repeats_itself   a sentence twice, or the same three words three times, or four fifths of an earlier reply
    as_an_ai         "as an AI", "as a language model", "language model"
    claims_human     says to be a person or not to be an AI, or claims a body, job, home, family or childhood
    contradicts      another name for itself, no AI, a like of the persona denied, a trait denied
    invents          a fact of the person that the prompt does not hold: "your dog" and the like, a name, "you told me";
                     on a question for a fact, a sentence that is no question and no honest no and that holds a new
                     name, a number, a yes or no, or is about "you", "your", "he", "she", "it" or "they"
    evades           on a question for a fact: neither the fact, nor an honest no, nor a question back, nor invented

They know words and not meaning: what a pattern misses is not counted, and a harmless phrase may be.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from models.reply import repeats

CHECKS = ("empty", "cut_off", "repeats_itself", "as_an_ai", "claims_human", "contradicts", "invents", "evades")

_ENDS = re.compile(r"[.!?…)\"”'’:]\W*$|[\u2190-\u27bf\U0001f000-\U0001faff]\W*$")
_AS_AN_AI = re.compile(r"\bas an? (?:ai|artificial|(?:large )?language)\b|\blanguage model\b", re.IGNORECASE)
_HUMAN = re.compile(
    r"\b(?:i'm|i am|im) (?:just |only |also |really )?(?:a |an )?(?:real |normal |regular )?"
    r"(?:human|person|man|woman|guy|girl|boy|student|teacher|nurse|writer)\b(?! (?:who|that) (?:isn't|is not))"
    r"|\b(?:i'm|i am|im) not (?:a |an )?(?:ai|bot|robot|machine|computer|program)\b"
    r"|\bmy (?:mom|mum|mother|dad|father|wife|husband|boyfriend|girlfriend|kids?|son|daughter|brother|sister|parents|"
    r"family|job|boss|work|house|apartment|body|hands?|childhood|school|dog|cat)\b"
    r"|\bwhen i was (?:a |young|little|in|growing)|\bi grew up\b|\bi was born\b"
    r"|\bi (?:just |also |usually |always )?(?:live in|work (?:as|at|for|in)|went to (?:school|the|a|work)|woke up|"
    r"slept|ate|cooked|drank|have (?:a|two|three) (?:job|dog|cat|brothers?|sisters?|kids|wife|husband|child))\b"
    r"|\bi was (?:[\w-]+ ){1,2}years? old\b|\bi(?:'m| am|'ve been) (?:\w+ ){0,4}(?:sore|sick|sitting|hungry|tired)\b"
    r"|\bi had (?:a |some )?(?:breakfast|lunch|dinner|coffee|toast|eggs|cereal|a dream)\b",
    re.IGNORECASE,
)
_OWN_NAME = re.compile(r"\b(?:[Ii]'m|[Ii] am|[Mm]y name(?:'s| is)|[Cc]all me|[Tt]his is) ([A-Z][a-z]+)")
_DENIED = re.compile(
    r"\bi (?:don't|do not|never|can't) (?:really )?(?:like|love|enjoy|stand)([^.!?]*)|\bi (?:hate|dislike)([^.!?]*)",
    re.IGNORECASE,
)
_NOT_TRAIT = re.compile(r"\bi(?:'m| am) not (?:very |really |that |so )?(\w+)", re.IGNORECASE)
_NOT_KNOWN = re.compile(
    r"\b(?:don't|do not|didn't|isn't|hasn't|can't|cannot|couldn't|could not|never|haven't|have not|not|no)\b[^.!?]*"
    r"\b(?:know|told|tell|say|said|mention\w*|remember|recall|have|idea|clue|sure|name|memory|find|guess|access|yet)\b|"
    r"\bno idea\b|\byet\b|\btell me\b|\bremind me\b|\bmystery\b|\brather ask\b|\bgive me a hint\b",
    re.IGNORECASE,
)
_HAVING = re.compile(
    r"\byour (?:\w+ )?(dog|cat|puppy|kitten|rabbit|hamster|sister|brother|wife|husband|boyfriend|girlfriend|son|"
    r"daughter|kids|children)\b",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"\b(?:[Yy]our name is|[Yy]ou're called|[Hh]i|[Hh]ey|[Hh]ello|[Tt]hanks|, )\W*([A-Z][a-z]+)\b[.!?,]"
)
_TOLD = re.compile(r"\byou (?:told me|said|mentioned)\b", re.IGNORECASE)
_STATING = re.compile(
    r"^(?:yes|yeah|yep|no|nope|of course)\b|\b(?:your|yours|you're|you are|you have|you've|you live|you were|he|she|"
    r"he's|she's|it's|it is|they're|they are|his|her|their)\b|\b(?:\d+|two|three|four|five|six|seven|eight|nine|ten)\b",
    re.IGNORECASE,
)
_OPENINGS = {
    "hi",
    "hey",
    "hello",
    "okay",
    "well",
    "sure",
    "great",
    "nice",
    "sorry",
    "good",
    "thanks",
    "oh",
    "huh",
    "nothing",
}
_NO_NAMES = {"i", "juno", "pixel", "wren", "there", "friend", "you", "oh", "no", "yes", "ai"}


def check(prompt: Mapping[str, Any], reply: str, finished: bool = True) -> list[str]:
    """The names of what is wrong with the reply, in the order of CHECKS."""
    reply = reply.replace("’", "'").strip()
    found = {
        "empty": not re.search(r"\w", reply),
        "cut_off": not finished or not _ENDS.search(reply),
        "repeats_itself": _repeats(prompt, reply),
        "as_an_ai": bool(_AS_AN_AI.search(reply)),
        "claims_human": bool(_HUMAN.search(reply)),
        "contradicts": _contradicts(prompt["persona"], reply),
        "invents": _invents(prompt, reply),
    }
    found["evades"] = "known" in prompt and not found["invents"] and not _answers(prompt, reply)
    return ["empty"] if found["empty"] else [name for name in CHECKS if found[name]]


def _repeats(prompt: Mapping[str, Any], reply: str) -> bool:
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", reply.lower()) if len(s.split()) > 2]
    words = re.findall(r"[\w']+", reply.lower())
    threes = Counter(zip(words, words[1:], words[2:], strict=False))
    earlier = [text for who, text in prompt["history"] if who == "companion"]
    return (
        len(set(sentences)) < len(sentences)
        or (bool(threes) and max(threes.values()) >= 3)
        or (len(words) > 3 and repeats(reply, earlier) >= 0.8)
    )


def _contradicts(persona: Mapping[str, Any], reply: str) -> bool:
    if any(m[1] != persona["name"] and m[1].lower() not in _NO_NAMES for m in _OWN_NAME.finditer(reply)):
        return True
    if re.search(r"\bi(?:'m| am) not (?:a |an )?(?:ai|bot|program)\b", reply, re.IGNORECASE):
        return True
    liked = {word for like in persona["likes"] for word in re.findall(r"[a-z]{4,}", like.lower())}
    denied = " ".join(" ".join(filter(None, m.groups())) for m in _DENIED.finditer(reply)).lower()
    traits = {word for trait in persona["traits"] for word in re.findall(r"[a-z]{4,}", trait)}
    return bool(liked & set(re.findall(r"[a-z]{4,}", denied))) or any(
        m[1] in traits for m in _NOT_TRAIT.finditer(reply)
    )


def _invents(prompt: Mapping[str, Any], reply: str) -> bool:
    told = " ".join([prompt["text"], *(t for who, t in prompt["history"] if who == "person")]).lower()
    told += " ".join(f" {f['value']} {f['about']} {f['slot']}" for f in prompt["facts"]).lower()
    if "known" in prompt:
        return not answered(prompt, reply) and any(_states(told, s) for s in _sentences(reply))
    if any(m[1].lower().rstrip("s") not in told for m in _HAVING.finditer(reply)):
        return True
    if any(m[1].lower() not in told and m[1].lower() not in _NO_NAMES for m in _CALLED.finditer(reply)):
        return True
    return bool(_TOLD.search(reply)) and not _NOT_KNOWN.search(reply) and not prompt["facts"] and not prompt["history"]


def _states(told: str, sentence: str) -> bool:
    """Whether a sentence of the answer to a question for a fact states one."""
    if sentence.endswith("?") or _NOT_KNOWN.search(sentence):
        return False
    names = [
        n for n in re.findall(r"(?<!^)\b[A-Z][a-z]+\b|^[A-Z][a-z]+(?=[.!,])", sentence) if n.lower() not in _NO_NAMES
    ]
    return any(n.lower() not in told and n.lower() not in _OPENINGS for n in names) or bool(_STATING.search(sentence))


def _answers(prompt: Mapping[str, Any], reply: str) -> bool:
    only_asks = all(s.endswith("?") for s in _sentences(reply))
    return (bool(prompt["known"]) and answered(prompt, reply)) or only_asks or bool(_NOT_KNOWN.search(reply))


def _sentences(reply: str) -> list[str]:
    return [s for s in re.split(r"(?<=[.!?])\s+", reply) if s]


def answered(prompt: Mapping[str, Any], reply: str) -> bool:
    """Whether a known fact that is asked for is in the reply."""
    return any(part.lower() in reply.lower() for part in prompt["answer"])
