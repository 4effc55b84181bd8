"""What a value may be, and how it is written: names, places, employers, subjects, tastes, for models/facts.py.

Each function reads plain words from a place in a clause and gives (value, index of the next word), or None when what
stands there is no such thing. Names and places are known by where they stand and by what they are not (word lists in
models/data/facts.toml), since no list has them all; so a rare word after "im" may still pass for a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from models.chatspeak import load
from models.fact_text import Word

Found = tuple[str, int] | None

_NO_NAME_ENDING = re.compile(
    r"(?:ing|ed|ly|ful|less|ous|able|ible|ish|ment|tion|sion|ness|ity|ism|ious|ward|wise|body|thing|time|some|est)$"
)
_SMALL = frozenset(
    [
        "of",
        "the",
        "de",
        "la",
        "le",
        "les",
        "van",
        "von",
        "der",
        "den",
        "del",
        "da",
        "do",
        "dos",
        "das",
        "di",
        "am",
        "an",
        "and",
        "upon",
        "y",
        "e",
        "in",
        "sur",
    ]
)
_SHORT = frozenset(
    [
        "uk",
        "us",
        "usa",
        "uae",
        "nyc",
        "la",
        "dc",
        "tu",
        "mit",
        "ucla",
        "nhs",
        "ibm",
        "bbc",
        "nasa",
        "eth",
        "kfc",
        "ups",
        "usps",
        "fbi",
        "it",
        "hr",
        "pr",
        "tv",
        "ai",
        "ny",
        "nsw",
        "qa",
    ]
)


@cache
def listed(name: str) -> frozenset[str]:
    """A word list; a hyphen in it stands for a space."""
    words = load("facts")["words"][name]
    return frozenset(w.replace("-", " ") for w in (words if isinstance(words, list) else words.split()))


def proper(raw: str, shouted: bool = False) -> str:
    """With capitals where a name has them: "new york" is "New York", "McDonald" stays."""

    def one(word: str, first: bool) -> str:
        lower = word.lower()
        if lower in _SHORT and not first:
            return lower.upper()
        if lower in _SMALL and not first:
            return lower
        if word != lower and not (shouted and word.isupper()):
            return word[:1].upper() + word[1:]
        if lower in _SHORT:
            return lower.upper()
        return "-".join(
            re.sub(r"^(?:o'|d'|l')?\w", lambda m: m[0].upper(), part) if part else part for part in lower.split("-")
        )

    return " ".join(one(word, i == 0) for i, word in enumerate(raw.split()))


def bare(raw: str) -> str:
    """Without the possessive ending."""
    return re.sub(r"['’`]s?$", "", raw)


def _capital(word: Word) -> bool:
    return word.raw[:1].isupper()


def name(words: Sequence[Word], i: int, sure: bool = True) -> Found:
    """A name at words[i]. sure: the words before it can only introduce a name ("my name is")."""
    if i + 1 < len(words) and words[i].plain in _TITLES:
        titled = name(words, i + 1, sure)
        return (f"{_TITLES[words[i].plain]} {titled[0]}", titled[1]) if titled else None
    if i >= len(words) or not _may_be_name(words, i, sure):
        return None
    parts, shouted = [bare(words[i].raw)], all(w.raw.isupper() for w in words if len(w.raw) > 1)
    end = i + 1
    # A second part only in capitals, as nothing else tells it from the next word.
    while end < len(words) and len(parts) < 3 and _capital(words[i]) and _capital(words[end]) and not shouted:
        if words[end].plain in listed("not_names") | listed("cut") or not words[end].plain.isalpha():
            break
        parts.append(bare(words[end].raw))
        end += 1
    return proper(" ".join(parts), shouted), end


_TITLES = {"mr": "Mr", "mrs": "Mrs", "ms": "Ms", "miss": "Miss", "dr": "Dr", "prof": "Prof", "professor": "Professor"}


def _may_be_name(words: Sequence[Word], i: int, sure: bool) -> bool:
    word = words[i]
    plain = word.plain
    if not re.fullmatch(r"[^\W\d_]{2,20}(?:-[^\W\d_]{1,20}){0,2}", plain) or len(set(plain)) == 1:
        return False
    hard = plain in listed("cut") or plain in (
        "not",
        "the",
        "a",
        "an",
        "no",
        "nobody",
        "undefined",
        "none",
        "null",
        "nan",
    )
    if plain in listed("also_names"):
        return sure
    if plain in listed("not_names") or hard:
        return False
    if _NO_NAME_ENDING.search(plain) and len(plain) > 4:
        return sure and _capital(word)
    return True


def place(words: Sequence[Word], i: int) -> Found:
    """A town, region or country at words[i]."""
    if i < len(words) and words[i].plain == "the":
        following = place(words, i + 1)
        following = (f"the {following[0]}", following[1]) if following else None
        known = i + 1 < len(words) and re.match(
            r"(?:us|usa|uk|uae|states|netherlands|philippines|bahamas|united|czech|dominican|bronx|hague|gambia|maldives|congo|west|east|north|south)$",
            words[i + 1].plain,
        )
        return following if known and following else None
    several = (
        i + 1 < len(words)
        and words[i].plain in listed("place_first")
        and words[i + 1].plain not in listed("not_places")
    )
    if i >= len(words) or (words[i].plain in (listed("not_places") | listed("cut")) - {"us"} and not several):
        return None
    if not re.fullmatch(r"[^\W\d_]{2,30}(?:[-.][^\W\d_]{0,20}){0,3}", words[i].plain):
        return None
    if re.search(r"(?:ing|ly|ness|ment|tion)$", words[i].plain) and not _capital(words[i]):
        return None
    end = i + 1
    while end < len(words) and end - i < 4:
        plain = words[end].plain
        joined = words[end - 1].plain in listed("place_first") and end == i + 1
        if plain in listed("cut") or not plain.replace("-", "").isalpha():
            break
        capitals = _capital(words[end]) and _capital(words[i])
        if (
            plain in ("upon", "de", "del", "do", "da")
            and end + 1 < len(words)
            and words[end + 1].plain not in listed("cut")
        ):
            end += 2
            continue
        if not (joined or plain in listed("place_last") or capitals):
            break
        end += 1
    return proper(_raw(words, i, end), _shouted(words)), end


def _shouted(words: Sequence[Word]) -> bool:
    long = [w.raw for w in words if len(w.raw) > 3]
    return bool(long) and all(w.isupper() for w in long)


def _raw(words: Sequence[Word], start: int, end: int) -> str:
    seen, parts = set[int](), []
    for word in words[start:end]:
        if word.token not in seen:
            seen.add(word.token)
            parts.append(word.raw)
    return " ".join(parts)


def phrase(words: Sequence[Word], i: int, stops: frozenset[str], longest: int) -> Found:
    """Words up to the first that ends a phrase."""
    end = i
    while end < len(words) and end - i < longest and words[end].plain not in stops:
        end += 1
    return (_raw(words, i, end), end) if end > i else None


def employer(words: Sequence[Word], i: int) -> Found:
    """Who somebody works for: a company in capitals, or the kind of place in lower case."""
    article = i < len(words) and words[i].plain in ("a", "an", "the", "this", "some")
    start = i + article
    if start >= len(words) or words[start].plain in listed("not_employers") | (listed("cut") - {"at"}):
        return None
    found = phrase(words, start, listed("cut") - {"at", "and"} | {"and"}, 4)
    if not found:
        return None
    kind = article and words[i].plain != "the" and words[start].raw.islower()
    kind = kind or (article and found[0].split()[-1].lower() in _KINDS)
    return (found[0].lower() if kind else proper(found[0], _shouted(words))), found[1]


_KINDS = frozenset(
    [
        "hospital",
        "bank",
        "bakery",
        "store",
        "shop",
        "school",
        "university",
        "startup",
        "company",
        "cafe",
        "café",
        "restaurant",
        "bar",
        "pub",
        "library",
        "museum",
        "office",
        "factory",
        "firm",
        "supermarket",
        "hotel",
        "clinic",
        "kindergarten",
        "nursery",
        "gym",
        "zoo",
        "warehouse",
        "farm",
        "lab",
        "airport",
        "station",
        "salon",
        "pharmacy",
        "agency",
        "government",
        "police",
        "city",
        "council",
        "army",
        "navy",
    ]
)


def occupation(words: Sequence[Word], i: int) -> Found:
    """What somebody is by trade, after "i am a"."""
    longest = None
    for end in range(i + 1, min(i + 5, len(words)) + 1):
        plain = [w.plain for w in words[i:end]]
        before = all(w in listed("occupation_adjectives") or w in listed("occupations") for w in plain[:-1])
        if before and (plain[-1] in listed("occupations") or " ".join(plain[-2:]) in listed("occupations")):
            longest = (_raw(words, i, end).lower(), end)
    return longest


def taste(words: Sequence[Word], i: int) -> Found:
    """What somebody likes or not: a thing or a doing."""
    if i >= len(words) or words[i].plain in listed("not_tastes"):
        return None
    found = phrase(words, i, _TASTE_ENDS, 6)
    if not found:
        return None
    value = re.sub(
        r" (?:a lot|so much|very much|the most|as well|the best|sometimes|these days|in general|more than anything|and)$",
        "",
        found[0],
    )
    plain = [w.plain for w in words[i : found[1]]]
    if {"you", "your", "u", "me", "him", "her", "them", "it", "my", "us"} & set(plain) or value.lower() in (
        "the",
        "a",
        "an",
        "",
    ):
        return None
    if (
        plain[0] == "the"
        and len(plain) > 1
        and plain[1] in ("way", "idea", "fact", "name", "sound", "look", "feeling", "one", "ones", "new", "old", "same")
    ):
        return None
    return value if value != value.upper() or len(value) < 4 else value.lower(), found[1]


_TASTE_ENDS = frozenset(
    [
        "but",
        "because",
        "since",
        "so",
        "when",
        "while",
        "if",
        "that",
        "who",
        "which",
        "than",
        "then",
        "though",
        "although",
        "tho",
        "unless",
        "until",
        "too",
        "also",
        "lol",
        "haha",
        "lmao",
        "btw",
        "rn",
        "now",
        "really",
        "especially",
        "i",
        "he",
        "she",
        "we",
        "they",
        "what",
        "how",
        "where",
        "why",
        "is",
        "are",
        "was",
        "do",
        "does",
        "did",
        "can",
        "could",
        "will",
        "would",
        "have",
        "has",
        "anymore",
        "sometimes",
        "honestly",
        "yes",
        "no",
        "yeah",
        "ok",
        "please",
        "thanks",
        "more",
        "even",
        "only",
        "just",
        "still",
        "always",
        "never",
        "not",
        "ever",
        "as",
        "or",
        "and",
    ]
)
