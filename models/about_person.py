"""Questions about the person, answered from the facts they told, or with an honest "you haven't told me".

"What's my name?", "where do i live", "what's my dog called", "how old is my sister", "what do you know about me". Whose
fact is asked for decides: "my sister's name" is never answered with the person's own. What no pattern here knows is
answered with the person's own recalled words or not at all; nothing is guessed. It does not know what used to be true.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from models.chatspeak import load
from models.phrases import choose, name_of, shown
from models.prompt import ago
from pipelines.turn import Fact, Turn

_ASK = (
    r"^(?:(?:do|did|can|could|would) you (?:still |even |ever |actually )?(?:know|remember|recall|forget|tell me|say) |tell me |so |and |but |ok |hey |"
    r"wait |guess |say |please |hi |oh |well |now |if you know )*"
)
_IS = r"(?:is|was|are|were)"
_WHO = r"(?P<who>[a-z]+(?: [a-z]+){0,2}?)"
_KIN = (
    ("mom", "mother", "mum", "mama", "mommy", "mummy"),
    ("dad", "father", "papa", "daddy"),
    ("grandma", "grandmother", "granny", "nana"),
    ("grandpa", "grandfather", "grandad", "granddad"),
    ("dog", "puppy", "pup", "doggo"),
    ("cat", "kitten", "kitty"),
    ("friend", "best friend", "bestie"),
    ("rabbit", "bunny"),
)
_PARTNERS = ("partner", "boyfriend", "girlfriend", "husband", "wife", "fiance", "fiancee", "spouse")
_PETS = ("pet", "pets", "animal", "animals")
_SIBLINGS = ("sibling", "siblings")

_OWN: tuple[tuple[str, str], ...] = (
    # pattern after _ASK -> slot of the person's own fact
    (
        rf"(?:what {_IS} )?my (?:first |full |real )?name(?: {_IS}| again)*$|(?:what|who) (?:am i called|i am called|do you call me)$",
        "name",
    ),
    (r"who (?:am i|i am)$|^do you know me$|^do you know who i am$", "name"),
    (r"where (?:do |am |did )?i (?:live|living|am living|reside|stay)(?: now| currently| again| these days)*$", "home"),
    (r"(?:what|which) (?:city|town|country|place) (?:do |am )?i (?:live |living )?(?:in|live)(?: now)?$", "home"),
    (rf"(?:what|where) {_IS} my (?:home|city|address|town|country)$|where my home is$", "home"),
    (
        r"where (?:am |do |did )?i (?:am |come |grow |grew )?(?:from|up)(?: originally)?$|where (?:was )?i (?:was )?born$",
        "home_town",
    ),
    (rf"(?:what|where) {_IS} my home ?town$", "home_town"),
    (r"how old (?:am i|i am)(?: now)?$|what (?:is )?my age(?: is)?$|my age$", "age"),
    (
        r"when (?:is |was )?my (?:next )?birthday(?: is| was| again)*$|when (?:was )?i (?:was )?born$|my birthday$",
        "birthday",
    ),
    (
        r"where (?:do )?i work(?: now| at)*$|who (?:do )?i work for$|what (?:is )?my (?:job|work|profession|occupation)(?: is)?$",
        "work",
    ),
    (r"what (?:do )?i do (?:for (?:a living|work)|as a job|at work|professionally)$", "work"),
    (
        r"(?:where|what) (?:do |am )?i (?:study|studying|go to school)(?: at| again)*$|(?:what|which) (?:is my )?(?:school|university|college)(?: do i go to)?$",
        "school",
    ),
    (
        r"(?:what|which) (?:food|music|things|stuff|kind of music|kind of food)? ?(?:do )?i (?:like|love|enjoy)(?: to do| doing| most)?$|what (?:are )?my (?:hobbies|interests|likes)$",
        "like",
    ),
    (r"what (?:do )?i (?:hate|dislike|not like)$|what do i not like$|what (?:are )?my dislikes$", "dislike"),
    (
        r"(?:what|which) (?:are |is )?my plans?(?: for .{2,20})?$|what (?:do |am )?i (?:have |got )?(?:planned|planning|plan)(?: .{2,20})?$",
        "plan",
    ),
)
_THEIRS: tuple[tuple[str, str], ...] = (
    # patterns with whose -> slot
    (rf"my {_WHO}$", "known"),
    (
        rf"(?:what {_IS} )?my {_WHO} names?(?: {_IS}| again)*$|what {_IS} the names? of my {_WHO.replace('who', 'who2')}$",
        "name",
    ),
    (rf"what {_IS} my {_WHO} (?:called|named)(?: again)?$|what my {_WHO.replace('who', 'who2')} {_IS} called$", "name"),
    (
        rf"what do i call my {_WHO}$|who {_IS} my {_WHO.replace('who', 'who2')}(?: again)?$|who my {_WHO.replace('who', 'who3')} {_IS}$",
        "name",
    ),
    (
        rf"where (?:does|do|did) my {_WHO} (?:live|stay)(?: now)?$|where my {_WHO.replace('who', 'who2')} lives?$",
        "home",
    ),
    (rf"how old {_IS} my {_WHO}$|how old my {_WHO.replace('who', 'who2')} {_IS}$", "age"),
    (rf"(?:what|where) (?:does|do|did) my {_WHO} (?:do|work)(?: for a living| at)?$", "work"),
    (rf"when {_IS} my {_WHO} birthday$", "birthday"),
)
_RHETORICAL = re.compile(
    r"\b(?:problem|point|purpose|life|options|chances|fault|mistake|wrong|doing|supposed|kidding|mind|deal|future|first step|next step|"
    r"best option|face when|reaction|question|answer|message|reply|turn|luck)\b"
)
_PERSONAL = re.compile(
    rf"{_ASK}(?:what|when|where|who|which|how many|how old|what kind of|what color|what type of) (?:\w+ ){{0,2}}?(?:{_IS} my |did i |do i have|have i )"
)
_REMEMBER = re.compile(
    r"^(?:so |and |but |hey |ok )*(?:do|did|can) you (?:still |even )?(?:remember|recall|know) (?:what|when|that|my|the|where|who|about|our)\b"
)
_ALL = re.compile(
    r"(?:what|all|everything|anything|something|how much|how well|things) (?:else )?(?:do |have |can |that )?(?:you )?(?:know|remember|learned|recall|learn|stored|saved|got)"
    r"(?: so far| now| already)? (?:about|of|on) me\b|what (?:have i|did i) (?:told|tell|say|said) (?:to )?you(?: about me| about myself| so far)*$|"
    r"tell me (?:something |everything |what you know )?about (?:me|myself)$|^(?:do you )?remember me$|^what do you (?:know|remember)$|"
    r"^(?:show|list) (?:me )?(?:my|your) (?:memory|memories|facts)(?: of me| about me)?$|do you (?:know|remember) (?:anything|something|stuff|things) about me"
)
_STOP = frozenset(
    [
        "what",
        "when",
        "where",
        "who",
        "which",
        "how",
        "do",
        "does",
        "did",
        "you",
        "i",
        "my",
        "me",
        "is",
        "are",
        "was",
        "were",
        "the",
        "a",
        "an",
        "about",
        "remember",
        "know",
        "tell",
        "told",
        "say",
        "said",
        "still",
        "and",
        "or",
        "of",
        "to",
        "in",
        "on",
        "at",
        "for",
        "have",
        "has",
        "had",
        "with",
        "it",
        "that",
        "this",
        "we",
        "our",
        "your",
        "again",
        "last",
        "time",
        "name",
        "called",
        "anything",
        "something",
        "ever",
    ]
)


def answer(turn: Turn, clause: str) -> str | None:
    """The reply to a clause in plain words (without "?") that asks about the person; None when it does not."""
    mended = mend(clause)
    return (_answer(turn, mended) if mended != clause else None) or _answer(turn, clause)


def listed(turn: Turn) -> str:
    """What is known of the person, in one friendly breath."""
    facts = sentences(turn)
    if not facts:
        return choose(turn, load("skills")["unknown"]["all"])
    more = "; and a bit more" if len(facts) > 12 else ""
    start = choose(turn, load("skills")["known"]["start"], facts="; ".join(facts[:12]) + more)
    return f"{start} {choose(turn, load('skills')['known']['end'])}"


def _answer(turn: Turn, clause: str) -> str | None:
    if _ALL.search(clause):
        return listed(turn)
    for pattern, slot in _own():
        if pattern.search(clause):
            return _own_fact(turn, slot)
    if match := re.search(rf"{_ASK}(?:what|which|who) (?:{_IS} )?my favou?rite ([a-z]+(?: [a-z]+)?)(?: is)?$", clause):
        return _favorite(turn, match[1])
    if match := re.search(rf"{_ASK}(?:do|have) i (?:have|got|own) (?:a |an |any )?([a-z]+(?: [a-z]+)?)$", clause):
        return _whether_has(turn, match[1])
    if match := re.search(
        r"^(?:do you know if |so |and )*do i (?:like|love|hate|enjoy) ([a-z]+(?: [a-z]+){0,2})$", clause
    ):
        return _whether_likes(turn, match[1])
    if re.search(r"^(?:so |and )?am i (?:single|married|taken|in a relationship|dating)", clause):
        return _partner(turn, "partner")
    for pattern, slot in _theirs():
        if slot == "known" and not _REMEMBER.search(clause):
            continue
        if match := pattern.search(clause):
            return _their_fact(turn, slot, next(who for who in match.groupdict().values() if who))
    if match := re.search(rf"{_ASK}who (?:is )?([a-z]+)(?: is| again)*$", clause):
        return _who_is(turn, match[1])
    if (_PERSONAL.search(clause) or _REMEMBER.search(clause)) and not _RHETORICAL.search(clause):
        return _said(turn, clause)
    return None


@cache
def _own() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(f"{_ASK}(?:{pattern})"), slot) for pattern, slot in _OWN]


@cache
def _theirs() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(f"{_ASK}(?:{pattern})"), slot) for pattern, slot in _THEIRS]


# -- the person's own facts


def _own_fact(turn: Turn, slot: str) -> str:
    texts = load("skills")
    values = [spoken(f.value, turn.at) for f in turn.known() if f.slot == slot and not f.about]
    if slot == "name":
        name = name_of(turn)
        return choose(turn, texts["about"]["name"], value=name) if name else choose(turn, texts["unknown"]["name"])
    if not values:
        return choose(turn, texts["unknown"]["thing"])
    if slot in ("work", "school"):
        fact = [f for f in turn.known() if f.slot == slot and not f.about][-1]
        return choose(turn, texts["about"][slot], value=_sentence(fact, [], turn.at) or "")
    value = _and(values[-6:]) if slot in ("like", "dislike", "plan", "pet", "family") else values[-1]
    return choose(turn, texts["about"][slot], value=value)


def _favorite(turn: Turn, thing: str) -> str:
    thing = thing.replace("colour", "color")
    for fact in reversed(turn.known()):
        if not fact.about and fact.slot.replace("favourite", "favorite") == f"favorite {thing}":
            return choose(turn, load("skills")["about"]["favorite"], thing=thing, value=spoken(fact.value, turn.at))
    return choose(turn, load("skills")["unknown"]["thing"])


def _whether_has(turn: Turn, thing: str) -> str | None:
    one = _singular(thing)
    facts = turn.known()
    if one in _PARTNERS:
        return _partner(turn, one)
    if one in ("pet", "animal"):
        owned = [f.value for f in facts if f.slot == "pet" and not f.about]
        return f"Yes, you told me about your {_and(owned)}." if owned else _unknown(turn)
    people = load("entities")
    if one not in people["pets"] and one not in people["relations"] and thing not in ("siblings", "kids", "children"):
        return None
    kin = _same(one)
    names = [shown(f.value, name=True) for f in facts if f.slot == "name" and f.about in kin]
    if any(names):
        return f"Yes: {_and([n for n in names if n])}."
    has = [
        f.value
        for f in facts
        if not f.about and f.slot in ("pet", "family") and any(k in f.value for k in (*kin, thing))
    ]
    has += [f.about for f in facts if f.about in kin]
    if has:
        return f"Yes, you told me about your {one}."
    return _unknown(turn)


def _whether_likes(turn: Turn, thing: str) -> str:
    for fact in turn.known():
        if (
            fact.slot in ("like", "dislike")
            and not fact.about
            and (thing in fact.value.lower() or fact.value.lower() in thing)
        ):
            yes = "Yes, you told me you like" if fact.slot == "like" else "No, you told me you don't like"
            return f"{yes} {spoken(fact.value, turn.at)}."
    return _unknown(turn)


def _unknown(turn: Turn) -> str:
    return choose(turn, load("skills")["unknown"]["thing"])


# -- facts about others


def _their_fact(turn: Turn, slot: str, who: str) -> str | None:
    who = who.removesuffix(" s")
    one = _singular(who)
    if one in ("favorite", "own", "first", "last", "middle", "full", "nick") or (slot != "name" and one in ("life",)):
        return choose(turn, load("skills")["unknown"]["thing"]) if one != "nick" else _own_fact(turn, "name")
    words = load("entities")
    kin = one in words["relations"] or one in words["pets"] or one in (*_PARTNERS, "pet", "sibling", "friend")
    facts = turn.known()
    if slot == "known" and not kin:
        return None
    slot = "name" if slot == "known" else slot
    if one in _PARTNERS and slot == "name":
        return _partner(turn, one)
    owners = _owners(facts, one)
    if not kin and not owners:
        # "what is my problem", "who is my enemy": no one the person told of.
        return _said(turn, f"what is my {who}") if slot == "name" and not _RHETORICAL.search(who) else None
    texts = load("skills")
    values = [f.value for f in facts if f.slot == slot and f.about in owners]
    if slot == "name":
        values = [name for v in values if (name := shown(v, name=True))]
        if not values:
            return choose(turn, texts["unknown"]["their_name"], who=one)
        key = "their_name" if len(values) == 1 else "their_names"
        return choose(turn, texts["about"][key], who=one if len(values) == 1 else who, value=_and(values))
    if not values:
        return choose(turn, texts["unknown"]["their"], who=one)
    key = f"their_{slot}" if f"their_{slot}" in texts["about"] else "their_name"
    return choose(turn, texts["about"][key], who=one, value=spoken(values[-1], turn.at))


def _partner(turn: Turn, kind: str) -> str:
    texts = load("skills")
    facts = turn.known()
    names = [f for f in facts if f.slot == "name" and f.about in _PARTNERS]
    if kind != "partner" and any(f.about != kind for f in names) and not any(f.about == kind for f in names):
        return choose(turn, texts["unknown"]["their_name"], who=kind)
    own = [f.value for f in facts if f.slot == "partner" and not f.about]
    for value in [*(f.value for f in names if kind in ("partner", f.about)), *own]:
        if value.lower() not in _PARTNERS and (name := shown(value, name=True)):
            return choose(turn, texts["about"]["partner"], value=name)
    if own:
        return f"You told me you have a {shown(own[-1])}, but not the name yet."
    return choose(turn, texts["unknown"]["thing"])


def _who_is(turn: Turn, word: str) -> str | None:
    for fact in reversed(turn.known()):
        if fact.value.lower() == word and (fact.slot in ("name", "partner")) and fact.about != "companion":
            who = fact.about or ("partner" if fact.slot == "partner" else "")
            if not who:
                return f"That's you, {shown(fact.value, name=True)}!"
            return choose(turn, load("skills")["about"]["who_is"], who=who, value=shown(fact.value, name=True))
    return None


def _owners(facts: Sequence[Fact], one: str) -> set[str]:
    """The values of `about` that are meant by a word such as "sister" or "pet"."""
    told = {f.about for f in facts if f.about and f.about != "companion"}
    if one in ("pet", "animal"):
        return told & set(load("entities")["pets"])
    if one == "sibling":
        return {about for about in told if about.split()[-1] in ("sister", "brother")}
    kin = _same(one)
    exact = told & set(kin)
    return exact or {about for about in told if about.split()[-1] in kin}


def _same(one: str) -> tuple[str, ...]:
    return next((group for group in _KIN if one in group), (one,))


def _singular(who: str) -> str:
    """ "sisters" (which may be "sister's") to "sister", "little sister" as it is."""
    words = load("entities")
    for known in (*words["relations"], *words["pets"], *_PARTNERS, "pet", "sibling", "kid"):
        if who in (known, known + "s"):
            return str(known)
    return who.removesuffix("s") if len(who) > 3 and not who.endswith("ss") else who


# -- what was said, in the person's own words


def _said(turn: Turn, clause: str) -> str:
    """A recalled moment that shares a telling word with the question, quoted; else an honest no."""
    texts = load("skills")
    asked = {_stem(w) for w in clause.split() if w not in _STOP}
    if fact := _fact_about(turn, asked):
        return fact
    for memory in turn.memories or ():
        moment = memory.moment
        words = {_stem(w) for w in re.findall(r"\w+", moment.text.lower()[:1000]) if w not in _STOP}
        if moment.role == "person" and asked & words and not moment.text.rstrip().endswith("?"):
            when = ago(moment.at, turn.at).replace("today", "earlier today")
            return choose(turn, texts["known"]["quote"], when=when, When=when.capitalize(), text=shown(moment.text))
    return choose(turn, texts["unknown"]["said"] if _REMEMBER.search(clause) else texts["unknown"]["thing"])


def _fact_about(turn: Turn, asked: set[str]) -> str | None:
    """A plan, note or other fact whose words are those asked for: "when is my exam" to the plan with the exam."""
    for fact in reversed(turn.known()):
        if fact.about != "companion" and fact.slot in ("plan", "note"):
            words = {_stem(w) for w in re.findall(r"\w+", fact.value.lower()) if w not in _STOP}
            if asked & words:
                return choose(turn, load("skills")["about"]["plan"], value=spoken(fact.value, turn.at))
    return None


def _stem(word: str) -> str:
    return word[:-3] if word.endswith("ing") and len(word) > 6 else word.rstrip("s") if len(word) > 3 else word


# -- putting facts into words


def sentences(turn: Turn) -> list[str]:
    """Each known fact as the rest of "I know that ...", the likes in one; never the facts about the companion."""
    known = [f for f in turn.known() if f.about != "companion"]
    told = [text for f in known if not f.about and (text := _sentence(f, known, turn.at))]
    for slot, verb in (("like", "you like"), ("dislike", "you don't like")):
        values = [spoken(f.value, turn.at) for f in known if f.slot == slot and not f.about]
        if values:
            told.append(f"{verb} {_and(values[-5:])}")
    told += [text for f in known if f.about and (text := _sentence(f, known, turn.at))]
    return list(dict.fromkeys(told))


def _sentence(fact: Fact, known: Sequence[Fact], at: datetime) -> str | None:
    value = shown(fact.value, name=True) if fact.slot in ("name", "nickname") else spoken(fact.value, at)
    if not value:
        return None
    if fact.about:
        if (
            fact.slot == "name"
            and fact.about in _PARTNERS
            and any(f.slot == "partner" and f.value == fact.value for f in known)
        ):
            return None
        verbs = {"name": "is called", "home": "lives in", "home_town": "comes from", "age": "is", "work": "works:"}
        verbs |= {"like": "likes", "dislike": "doesn't like", "birthday": "has their birthday on", "school": "studies:"}
        return f"your {shown(fact.about)} {verbs[fact.slot]} {value}" if fact.slot in verbs else None
    if fact.slot == "pet":
        named = any(f.about == fact.value and f.slot == "name" for f in known)
        return None if named else f"you have a {value}" if not value.endswith("s") else f"you have {value}"
    if fact.slot == "partner":
        return f"you have a {value}" if value.lower() in _PARTNERS else f"your partner is {value}"
    if fact.slot == "work":
        return f"you work as {_article(value)} {value}" if value[0].islower() else f"you work at {value}"
    if fact.slot == "school":
        return f"you study {value}" if value[0].islower() else f"you go to {value}"
    forms = {"name": "your name is {}", "nickname": "I may call you {}", "home": "you live in {}", "age": "you're {}"}
    forms |= {"home_town": "you come from {}", "birthday": "your birthday is {}", "family": "you have {}"}
    forms |= {
        "language": "you speak {}",
        "plan": "you have this coming up: {}",
        "note": "you asked me to keep in mind: {}",
    }
    if fact.slot.startswith("favorite "):
        return f"your {fact.slot} is {value}"
    return forms[fact.slot].format(value) if fact.slot in forms else None


def spoken(value: str, at: datetime) -> str:
    """A value with its ISO dates as people say them: "exam on 2026-11-27" to "exam on Friday 27 November"."""

    def day(match: re.Match[str]) -> str:
        try:
            date = datetime.fromisoformat(match[0])
        except ValueError:
            return match[0]
        near = {0: "today", 1: "tomorrow"}.get((date.date() - at.date()).days)
        return near or f"{date:%A} {date.day} {date:%B}" + ("" if abs(date.year - at.year) < 1 else f" {date.year}")

    def week(match: re.Match[str]) -> str:
        try:
            monday = datetime.fromisocalendar(int(match[1]), int(match[2]), 1)
        except ValueError:
            return match[0]
        this = (at - timedelta(days=at.weekday())).date()
        weeks = (monday.date() - this).days // 7
        return {0: "this week", 1: "next week"}.get(weeks) or f"the week of {monday.day} {monday:%B}"

    value = re.sub(r"\b(\d{4})-W(\d\d)\b", week, shown(value))
    value = re.sub(r"\b\d{4}-\d\d-\d\d\b(?:T\d\d:\d\d)?", day, value)
    return re.sub(r"\b(?:on|in) (today|tomorrow|this week|next week)\b", r"\1", value)


def _article(value: str) -> str:
    return "an" if value[0] in "aeiou" else "a"


def _and(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"{', '.join(values[:-1])} and {values[-1]}"


# -- typos


_KEYS = (
    "name",
    "live",
    "remember",
    "birthday",
    "sister",
    "brother",
    "mother",
    "father",
    "called",
    "favorite",
    "where",
    "about",
)
_CONFUSABLE = frozenset(
    [
        "love",
        "like",
        "life",
        "line",
        "game",
        "same",
        "came",
        "none",
        "lives",
        "loves",
        "lied",
        "wore",
        "there",
        "were",
        "here",
        "night",
        "best",
    ]
)


def mend(clause: str) -> str:
    """The clause with the mistyped key words of a question put right: "what is my nmae"."""
    words = clause.split()
    if len(words) > 12:
        return clause
    for i, word in enumerate(words):
        if len(word) > 2 and word not in _KEYS and word not in _CONFUSABLE and word not in _STOP:
            near = [k for k in difflib.get_close_matches(word, _KEYS, n=1, cutoff=0.75) if k[0] == word[0]]
            if near and abs(len(near[0]) - len(word)) <= 1:
                words[i] = near[0]
    return " ".join(words)
