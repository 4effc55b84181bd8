"""What a value may be, and how it is written: names, places, employers, subjects, tastes, for models/facts.py.

Each function reads plain words from a place in a clause and gives (value, index of the next word), or None when what
stands there is no such thing. Names and places are known by where they stand and by what they are not (word lists in
models/data/facts.toml), since no list has them all; so a rare word after "im" may still pass for a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from models.facts.text import Word
from models.facts.words import listed

Found = tuple[str, int] | None

_TITLES = {"mr": "Mr", "mrs": "Mrs", "ms": "Ms", "miss": "Miss", "dr": "Dr", "prof": "Prof", "professor": "Professor"}
_NO_NAME = re.compile(
    r"(?:ing|ed|ly|ful|less|ous|able|ible|ish|ment|tion|sion|ness|ity|ism|ious|ward|wise|body|thing|time|some|est)$"
)
_LAUGH = re.compile(r"[hae]{3,}h?|(?:lo){2,}l|[hm]+|[aeiou]+h*|(?:je){2,}|x+d+")


def proper(raw: str, shouted: bool = False) -> str:
    """With capitals where a name has them: "new york" is "New York", "McDonald" stays."""

    def one(word: str, first: bool) -> str:
        lower = word.lower()
        if lower in listed("small") and not first:
            return lower
        if word != lower and not (shouted and word.isupper()):
            return word[:1].upper() + word[1:]
        if lower in listed("capitals"):
            return lower.upper()
        parts = [re.sub(r"^(?:o'|d'|l')?\w", lambda m: m[0].title(), part) for part in lower.split("-")]
        return "-".join(parts)

    return " ".join(one(word, i == 0) for i, word in enumerate(raw.split()))


def bare(raw: str) -> str:
    """Without the possessive ending."""
    return re.sub(r"['’`]s?$", "", raw)


def _capital(word: Word) -> bool:
    return word.raw[:1].isupper()


def _shouted(words: Sequence[Word]) -> bool:
    long = [w.raw for w in words if len(w.raw) > 3]
    return bool(long) and all(w.isupper() for w in long)


def _raw(words: Sequence[Word], start: int, end: int) -> str:
    tokens = {word.token: word.raw for word in words[start:end]}
    return re.sub(r" ?/ ?", "/", " ".join(tokens.values()))


def name(words: Sequence[Word], i: int, sure: bool = True) -> Found:
    """A name at words[i]. sure: the words before it can only introduce a name ("my name is")."""
    if i + 1 < len(words) and words[i].plain in _TITLES:
        titled = name(words, i + 1, sure)
        return (f"{_TITLES[words[i].plain]} {titled[0]}", titled[1]) if titled else None
    if i >= len(words) or not _may_be_name(words[i], sure):
        return None
    parts, end, shouted = [bare(words[i].raw)], i + 1, _shouted(words)
    # A second part only in capitals, as nothing else tells it from the next word.
    while end < len(words) and len(parts) < 3 and _capital(words[i]) and _capital(words[end]) and not shouted:
        if words[end].plain in listed("not_names") | listed("cut") or not words[end].plain.isalpha():
            break
        parts.append(bare(words[end].raw))
        end += 1
    return proper(" ".join(parts), shouted), end


def _may_be_name(word: Word, sure: bool) -> bool:
    plain = word.plain
    if not re.fullmatch(r"[^\W\d_]{2,20}(?:-[^\W\d_]{1,20}){0,2}", plain) or _LAUGH.fullmatch(plain):
        return False
    if plain in listed("also_names"):
        return sure
    if plain in listed("not_names") | listed("cut"):
        return False
    if _NO_NAME.search(plain) and len(plain) > 4:
        return sure and _capital(word)
    return True


_THE = re.compile(
    r"(?:us|usa|uk|uae|u s|states|netherlands|philippines|bahamas|united|czech|dominican|bronx|hague|gambia|"
    r"maldives|congo)$"
)


def place(words: Sequence[Word], i: int) -> Found:
    """A town, region or country at words[i]."""
    if i + 1 < len(words) and words[i].plain == "the":
        following = place(words, i + 1) if _THE.match(words[i + 1].plain) else None
        return (f"the {following[0]}", following[1]) if following else None
    if i + 1 < len(words) and words[i].plain in (
        "upstate",
        "downtown",
        "rural",
        "northern",
        "southern",
        "eastern",
        "western",
    ):
        return place(words, i + 1)
    if i >= len(words) or not _may_be_place(words, i):
        return None
    end = i + 1
    while end < len(words) and end - i < 4 and words[end].plain.replace("-", "").isalpha():
        plain = words[end].plain
        joins = plain in ("upon", "de", "del", "do", "da") and end + 1 < len(words)
        if joins and words[end + 1].plain not in listed("cut"):
            end += 2
            continue
        first = end == i + 1 and words[i].plain in listed("place_first")
        capitals = _capital(words[end]) and _capital(words[i])
        if plain in listed("cut") or not (first or capitals or plain in listed("place_last")):
            break
        end += 1
    return proper(_raw(words, i, end), _shouted(words)), end


def _may_be_place(words: Sequence[Word], i: int) -> bool:
    plain = words[i].plain
    if plain in listed("place_first") and i + 1 < len(words) and words[i + 1].plain not in listed("not_places"):
        return True
    # "The us" is a country, "us" is not.
    never = listed("not_places") | listed("cut") | listed("not_names") | listed("languages")
    if plain in never and not (plain == "us" and i and words[i - 1].plain == "the"):
        return False
    if not re.fullmatch(r"[^\W\d_]{2,30}(?:[-.][^\W\d_]{0,20}){0,3}", plain) or _LAUGH.fullmatch(plain):
        return False
    return _capital(words[i]) or not re.search(r"(?:ing|ly|ness|ment|tion)$", plain)


def somewhere(words: Sequence[Word], i: int) -> Found:
    """A place after "going to", where a verb may stand as well: in capitals, or no such verb."""
    found = place(words, i)
    if not found or (not _capital(words[i]) and words[i].plain in listed("doings")):
        return None
    after = found[1]
    return (
        found if after >= len(words) or words[after].plain not in ("a", "an", "the", "my", "some", "it", "up") else None
    )


def phrase(words: Sequence[Word], i: int, stops: frozenset[str], longest: int) -> Found:
    """Words up to the first that ends a phrase."""
    end = i
    while end < len(words) and end - i < longest and words[end].plain not in stops:
        end += 1
    return (_raw(words, i, end), end) if end > i else None


def employer(words: Sequence[Word], i: int) -> Found:
    """Who somebody works for: a company in capitals, or the kind of place in lower case."""
    article = i < len(words) and words[i].plain in ("a", "an", "the", "this", "some", "our", "my")
    start = i + article
    start += article and start < len(words) and words[start].plain == "local"
    if start >= len(words) or words[start].plain in listed("not_employers") | listed("cut"):
        return None
    if not words[start].plain.isalpha():
        return None
    found = phrase(words, start, listed("cut") - {"and"}, 4)
    if not found:
        return None
    value = re.sub(r" and$| [a-z]+ing\b.*$", "", found[0])
    kind = article and words[i].plain != "the" and words[start].raw.islower()
    kind = kind or value.split()[-1].lower() in listed("workplaces")
    return (value.lower() if kind and value.islower() else proper(value, _shouted(words))), found[1]


def occupation(words: Sequence[Word], i: int) -> Found:
    """What somebody is by trade, after "i am a"."""
    longest = None
    for end in range(i + 1, min(i + 5, len(words)) + 1):
        plain = [w.plain for w in words[i:end]]
        before = all(w in listed("occupation_adjectives") or w in listed("occupations") for w in plain[:-1])
        if before and (plain[-1] in listed("occupations") or " ".join(plain[-2:]) in listed("occupations")):
            longest = (_raw(words, i, end).lower(), end)
    return longest


_TAIL = re.compile(
    r"(?i) (?:a lot|so much|very much|that much|the most|as well|the best|these days|in general|at all|all|in|on|"
    r"for|with|by|of|to|and|"
    r"the|a|an|at|[a-z]+ly)$"
)


def taste(words: Sequence[Word], i: int, longest: int = 7) -> Found:
    """What somebody likes or not: a thing or a doing. What goes on for longer is a story, no taste."""
    while i < len(words) and words[i].plain in ("probably", "definitely", "obviously", "currently", "still"):
        i += 1
    if i >= len(words) or words[i].plain in listed("not_tastes"):
        return None
    if words[i].plain == "to" and (i + 1 >= len(words) or words[i + 1].plain in listed("not_doings")):
        return None
    found = phrase(words, i, listed("taste_ends"), longest + 1)
    if not found or found[1] - i > longest:
        return None
    # "People who litter" are not people.
    if found[1] < len(words) and words[found[1]].plain in ("who", "that", "which", "whose"):
        return None
    # "I just like blacked out" tells what happened.
    if i and words[i - 1].plain == "like" and re.search(r"[^er]ed$", words[i].plain):
        return None
    value = found[0]
    for _ in range(3):
        value = _TAIL.sub("", value)
    plain = [w.plain for w in words[i : found[1]]]
    if listed("not_in_tastes") & set(plain) or value.lower() in ("the", "a", "an", "", "to"):
        return None
    if plain[0] in ("the", "a", "an") and (len(plain) == 1 or plain[1] in listed("pointed_at")):
        return None
    return (value.lower() if value.isupper() and len(value) > 5 else value), found[1]
