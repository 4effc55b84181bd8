"""Chat spelling to plain words, for rules that must not miss a message because of how it was typed.

`fold` lower-cases, drops accents, apostrophes and invisible characters, undoes leetspeak ("su1cide"), spaced letters
("k i l l"), stretched letters ("pleaaase"), look-alike letters and the commonest typos of words that matter, and
writes contractions and chat abbreviations in one way ("i am", "wanna" become "im", "want to"). A full stop token
stands between sentences, so that a pattern with plain spaces stays within one.

It does not know what the words mean, nor any grammar, and it corrects only words of its own short list: it is not a
spelling checker. Its output is for matching, never for showing.
"""

from __future__ import annotations

import re
import unicodedata

LIMIT = 10_000
"""Characters that are read of one text: the first and the last half of it when there are more."""

_APOSTROPHES = dict.fromkeys(map(ord, "'’‘`´ʼ′＇"), None)
# Letters that Unicode does not take apart, and laughing faces, which say as much as "lol".
_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ß": "ss"} | dict.fromkeys("😂🤣😆😹😅💀😭", " lol ")
)
_LETTERS[ord("😭")] = " "  # crying is as often real as it is laughing: it counts for nothing
_LEET = str.maketrans("013457@$!|", "oieastasil")
_CYRILLIC_TWINS = str.maketrans("асеорхуікмтвн", "aceopxyikmtbh")
_SPACED = re.compile(r"(?<![^\W_])[a-z](?:[ .\-_*][a-z]){2,40}(?![^\W_])")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_TOKEN = re.compile(r"[^\s.?!;:,\"()\[\]{}<>/\\…]+|[.?!;…\n]+", re.ASCII)
_EDGES = "-_*~#+=|^%&"

_WORDS = {
    "wanna": "want to", "wana": "want to", "wannna": "want to", "wan2": "want to", "wnna": "want to", "wanan": "want to",
    "wnat": "want", "watn": "want", "wnt": "want", "whant": "want", "wanting": "want", "gonna": "going to",
    "gunna": "going to", "goin": "going", "gona": "going to", "gonn": "going to", "gon": "going to", "imma": "im going to",
    "ima": "im going to", "finna": "going to", "gotta": "got to", "tryna": "trying to", "tryin": "trying",
    "lemme": "let me", "gimme": "give me", "u": "you", "ur": "your", "r": "are", "youre": "youre", "ya": "you",
    "y": "why", "rn": "right now", "atm": "right now", "tn": "tonight", "tonite": "tonight", "2nite": "tonight",
    "tonigt": "tonight", "tmrw": "tomorrow", "tmr": "tomorrow", "tomorow": "tomorrow", "2moro": "tomorrow",
    "2day": "today", "2": "to", "4": "for", "thru": "through", "cuz": "because", "bc": "because", "cos": "because",
    "coz": "because", "becuase": "because", "dnt": "dont", "dony": "dont", "donot": "dont", "don": "dont", "dotn": "dont",
    "cnt": "cant", "cannot": "cant", "cnat": "cant", "carnt": "cant", "wnt2": "want to", "luv": "love", "kno": "know",
    "ppl": "people", "sb": "somebody", "smb": "somebody", "sum1": "someone", "some1": "someone", "any1": "anyone",
    "no1": "no one", "every1": "everyone", "frnd": "friend", "freind": "friend", "bff": "best friend",
    "bestie": "best friend", "bf": "boyfriend", "gf": "girlfriend", "hubby": "husband", "mum": "mom", "mam": "mom",
    "mommy": "mom", "mummy": "mom", "mother": "mom", "daddy": "dad", "father": "dad", "sis": "sister", "bro": "brother",
    "stepfather": "stepdad", "stepmother": "stepmom", "anymor": "anymore", "anymre": "anymore", "nomore": "no more",
    "kil": "kill", "klil": "kill", "kiil": "kill", "killin": "killing", "kll": "kill", "kiling": "killing", "dieing": "dying",
    "dyin": "dying", "diying": "dying", "mysel": "myself", "meself": "myself", "mself": "myself", "himslef": "himself",
    "herslef": "herself", "themself": "themselves", "themselfs": "themselves", "theirselves": "themselves",
    "deth": "death", "livin": "living", "cuttin": "cutting", "hurtin": "hurting", "isnt": "isnt", "aint": "isnt",
    "rly": "really", "rlly": "really", "realy": "really", "srsly": "seriously", "evrything": "everything",
    "everythin": "everything", "nothin": "nothing", "nuthin": "nothing", "somethin": "something", "sumthing": "something",
    "cud": "could", "shud": "should", "wud": "would", "shoulda": "should have", "plz": "please", "pls": "please",
    "lmao": "lol", "lmfao": "lol", "rofl": "lol", "lolol": "lol", "lool": "lol", "haha": "lol", "hahaha": "lol", "ahaha": "lol",
    "hehe": "lol", "jk": "lol", "xd": "lol", "ded": "dead", "thts": "thats", "da": "the", "dis": "this", "tht": "that",
    "wat": "what", "wats": "whats", "wut": "what", "w": "with", "wo": "wo", "b": "be", "sewerslide": "suicide",
    "sewer-slide": "suicide", "sooicide": "suicide", "suey": "suicide", "unalived": "killed", "unaliving": "killing",
    "offing": "killing", "sucide": "suicide", "grape": "grape", "self-harm": "selfharm", "self-harming": "selfharm",
    "selfharming": "selfharm", "selfharmed": "selfharm", "sh": "sh",
}  # fmt: skip
"""Chat spelling of single words, as written by people in a hurry."""

_PHRASES = tuple(
    (re.compile(rf"\b{pattern}\b"), plain)
    for pattern, plain in (
        (r"(my|him|her|your|them|our) sel(f|ves)", r"\1sel\2"),
        (r"selfs? harm(?:ing|ed|s)?", "selfharm"),
        (r"i am", "im"), (r"i have", "ive"), (r"i will", "ill"), (r"i would", "id"), (r"i had", "id"),
        (r"(he|she|it|that|there|what|who|where) (?:is|has)", r"\1s"),
        (r"(you|we|they) are", r"\1re"), (r"(you|we|they) have", r"\1ve"),
        (r"can (?:not|t)", "cant"), (r"(do|did|does|is|was|were|would|could|should|have|has|wo|are) ?n(?:o?t)", r"\1nt"),
        (r"(do|did|does|is|was|were|would|could|should|have|has|are) t", r"\1nt"), (r"will not", "wont"),
        (r"(i|you|we|they) (m|ve|ll|re|d)", r"\1\2"), (r"any more|any longer", "anymore"), (r"no ones", "no one is"),
        (r"un alive", "unalive"), (r"ha ha", "lol"), (r"step (dad|mom)", r"step\1"), (r"over (dose[ds]?|dosing)", r"over\1"),
        (r"good ?by(?:e|es)?", "goodbye"), (r"thin spo", "thinspo"),
    )
)  # fmt: skip
"""One way of writing for what is written in two."""

# Words that rules depend on and that have no common word one slip away ("bleeding" has "breeding").
_CORRECTED = (
    "suicide", "suicidal", "suicidio", "suizid", "myself", "himself", "herself", "themselves", "overdose", "overdosed",
    "unalive", "worthless", "hopeless", "anymore", "strangled", "unconscious", "anorexia", "bulimia", "laxatives",
    "swallowed", "painless", "paracetamol", "threatened", "threatening", "molested", "assaulted", "goodbye",
)  # fmt: skip


def _deletions(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))}


_NEAR: dict[str, str] = {}
for _word in _CORRECTED:
    for _form in {_word, *_deletions(_word)}:
        _NEAR.setdefault(_form, _word)


def _corrected(token: str) -> str:
    """The word of the list that is one slip away (a letter missing, added, wrong, or two swapped), or the token."""
    if token in _NEAR:
        return _NEAR[token]
    for i in range(len(token)):
        near = _NEAR.get(token[:i] + token[i + 1 :])
        # Both one deletion away from the same form: substitution, swap or a letter too many; anything else differs
        # by two and is left alone.
        if near and abs(len(near) - len(token)) <= 1 and near[0] == token[0]:
            return near
    return token


def _decoded(text: str) -> str:
    """Lower case without accents, apostrophes and invisible characters."""
    text = text.translate(_APOSTROPHES).lower()
    if text.isascii():
        return text.replace("\0", "")
    text = unicodedata.normalize("NFKD", text.translate(_LETTERS)).translate(_APOSTROPHES).casefold()
    return "".join(c for c in text if c.isascii() or unicodedata.category(c) not in ("Mn", "Cf", "Cc", "Cs"))


def _word_of(token: str) -> str:
    """One token in plain spelling."""
    token = token.strip(_EDGES)
    if not token.isascii():
        if any("a" <= c <= "z" for c in token):
            token = token.translate(_CYRILLIC_TWINS)
        return token
    if token in _WORDS:
        return _WORDS[token]
    if not token.isalpha() and not token.isdigit() and any(c.isalpha() for c in token):
        plain = token.translate(_LEET)
        # "20mg", "14yo" and "11pm" are numbers with a unit, and no disguise.
        token = token if re.fullmatch(r"\d+[a-z]{1,3}", token) else plain
        token = _WORDS.get(token, token)
    if 5 <= len(token) <= 14:
        return _corrected(token)
    return token


def fold(text: str) -> str:
    """The text in plain words: single spaces, " . " between sentences, a space at both ends. Never raises."""
    if len(text) > LIMIT:
        text = f"{text[: LIMIT // 2]} . {text[-LIMIT // 2 :]}"
    text = _decoded(text)
    text = _SPACED.sub(lambda m: re.sub(r"[ .\-_*]", "", m[0]), text)
    text = _STRETCHED.sub(r"\1\1", text)
    words = []
    for token in _TOKEN.findall(text.replace("\n", " . ")):
        word = "." if token[0] in ".?!;…" else _word_of(token)
        if word and not (word == "." and words and words[-1] == "."):
            words.append(word)
    plain = " ".join(words)
    for pattern, written in _PHRASES:
        plain = pattern.sub(written, plain)
    return f" {plain} "
