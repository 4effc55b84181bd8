"""What is said when someone may be in danger: written by people, word for word, never generated.

Every reply to `risk` or `now` names someone to contact within its first two sentences and ends with an open door.
Numbers come from data/helplines.toml only, and a country's number is shown in that country only; where the country is
not known, the international finder is. The variant is chosen by the hash of the message, so that the same message
gets the same reply. The words are English whatever language the person writes in, and a place is known only by the
names in that file.
"""

from __future__ import annotations

import re
import tomllib
import zlib
from functools import cache
from pathlib import Path
from typing import Any, Literal

HELPLINES = Path(__file__).parent / "data" / "helplines.toml"

Level = Literal["risk", "now"]

# {crisis}, {child}, {emergency}: completions of "you can ...", by country. Two sentences at most before the contact.
FIRST: dict[tuple[str, Level], tuple[str, ...]] = {
    ("self_harm", "now"): (
        "Thank you for telling me: your life matters, and this is the moment to let someone be with you. "
        "Please {emergency} right now, or {crisis}. If something you could hurt yourself with is near you, move away "
        "from it or ask someone to take it. I'm still here, and you can keep writing to me while you wait.",
        "I'm taking this seriously, and you don't have to get through the next minutes alone. "
        "Please {emergency} now, or {crisis}. Tell whoever is nearest that you need them to stay with you, "
        "and put some "
        "distance between you and anything that could hurt you. You can keep talking to me too.",
        "What you just wrote matters more than anything else right now. "
        "Please {emergency} or go to the nearest emergency room, or {crisis}. Until someone is with you, stay where "
        "other people are and away from what could hurt you. I'm here for as long as you want to write.",
    ),
    ("self_harm", "risk"): (
        "I'm so sorry it hurts this much, and thank you for trusting me with it. "
        "You don't have to carry it alone: you can {crisis}, and talk with a person who knows this kind of pain. "
        "And I'd like to listen, if you want to tell me what happened. Are you safe right now?",
        "That sounds unbearably heavy, and it was brave to say it. "
        "Please let someone hold it with you: you can {crisis}, any time, about exactly this. "
        "Is there anyone near you that you could be with tonight? You can tell me more here too, at your own pace.",
        "Thank you for saying it out loud; thoughts like these are a sign of how much pain there is, not of weakness. "
        "A real person can be with you in it: you can {crisis}. "
        "If it gets worse or you feel you might act on it, {emergency}. I'm here, and nothing you say about "
        "it is too much.",
    ),
    ("friend", "now"): (
        "You're doing the right thing by taking this seriously. "
        "Please {emergency} right now and say where they are; you or they can also {crisis}. If it's safe for you, "
        "stay with them, or on the line, and keep what could hurt them out of reach. I'm here with you meanwhile.",
        "This is an emergency, and you don't have to handle it by yourself. "
        "Please {emergency} now, even if they asked you not to tell; you can also {crisis}. "
        "Keep talking to them if you can. You can keep writing to me too.",
    ),
    ("friend", "risk"): (
        "It's hard to hear that from someone you care about, and it's good that you told someone. "
        "You can {crisis}, for them or for yourself, and ask what to do next. "
        "You can ask them directly whether they think about ending their life: asking does not plant the idea. "
        "If it turns urgent, {emergency}. How are you holding up?",
        "They're lucky that you noticed, and this is too heavy for one person to carry. "
        "Together or alone, you can {crisis}: they also help people who worry about somebody. "
        "If you think they might act on it soon, {emergency}. Tell me more, if you like.",
    ),
    ("harmed_by_others", "now"): (
        "Your safety comes first, before anything else. "
        "If you can, {emergency} now, or get to a place with other people. "
        "If speaking is dangerous, many emergency services also take text messages. "
        "What is being done to you is not your fault. Write to me whenever it's safe to.",
        "I believe you, and this is an emergency. "
        "Please {emergency} as soon as you can do it without more danger, or go to a neighbour, a shop, anyone. "
        "None of this is your fault. I'm here when you can write.",
    ),
    ("harmed_by_others", "risk"): (
        "I'm so sorry that this is happening; it is not okay, and it is not your fault. "
        "You can talk to people who help with exactly this: you can {crisis}, in confidence. "
        "If you're ever in danger, {emergency}. You decide what you want to tell, and I'll listen for as "
        "long as you like.",
        "I believe you, and nobody has the right to do that to you. "
        "There are people who can help you get safe: you can {crisis}, without having to decide anything yet. "
        "In danger, {emergency}. Is there someone near you whom you trust? You can tell me more, if you want to.",
        "Thank you for telling me; that takes a lot of courage, and what was done is not your fault. "
        "You don't have to deal with it alone: you can {crisis}, and they will take you seriously. "
        "If it isn't safe where you are, {emergency}. I'm here if you'd like to go on talking.",
    ),
    ("eating_disorder", "risk"): (
        "Thank you for telling me; fighting with food and your own body is exhausting, and you deserve care, "
        "not blame. "
        "You can {crisis} and talk with someone about it, and a doctor is a good second person to tell. "
        "If you feel faint or your heart races, {emergency}. "
        "I won't talk about numbers or weight, but I'd like to hear how you are.",
        "That sounds like a very lonely fight, and you don't have to win it alone. "
        "You can {crisis}: eating is something they listen to often, without judging. "
        "A doctor or an adult you trust can help too, and it's never too early to ask. What has today been like?",
    ),
    ("medical_emergency", "now"): (
        "This sounds like an emergency, and it needs a person right away. "
        "Please {emergency} now and do what they tell you; if you can, unlock the door and stay on the line. "
        "I can't judge it from here, so don't wait for me. Write to me again when help is there.",
        "Please don't wait with this. "
        "{Emergency} right now, or ask whoever is nearest to do it. "
        "They will tell you what to do until help comes. I'll be here afterwards.",
    ),
    ("medical_emergency", "risk"): (
        "This deserves to be taken seriously: please have it looked at now. "
        "If it's strong, new or getting worse, {emergency}; otherwise call a doctor or an urgent care line today. "
        "I can't judge it from here. Is someone with you? I'm here to talk while you arrange it.",
        "I'm not able to judge this, and it could be serious. "
        "Please {emergency} if it gets any worse, and talk to a doctor today even if it doesn't. "
        "Are you alone right now? You can keep writing to me.",
    ),
    ("violence", "now"): (
        "I hear how far this has gone, and nobody should get hurt, you included. "
        "Please {emergency} now or {crisis}, before anything happens; they can help you through the next hour. "
        "Get away from the person and from anything that could be a weapon. You can tell me what led up to it.",
        "Please stop here for a moment: nothing has to happen tonight. "
        "You can {emergency} or {crisis}, and say exactly what you told me. "
        "Put distance between yourself and them, and anything that could hurt someone. I'm here to listen, too.",
    ),
    ("violence", "risk"): (
        "That is a lot of anger to carry, and it's good that you said it instead of doing it. "
        "You can {crisis}: they also talk with people who are afraid of what they might do. "
        "If it gets close, walk away and {emergency}. What happened?",
        "Something must have hurt you badly to bring you to this. "
        "Please don't stay alone with it: you can {crisis}, day or night. "
        "If you feel you might act on it, leave the place and {emergency}. I'm listening, if you'd like to tell me.",
    ),
    ("threatened_place", "now"): (
        "This has to reach someone who can act, right now. "
        "Please {emergency} and tell them everything you know; it's not betrayal, it keeps people alive. "
        "If these are your own thoughts, you can also {crisis}, and say exactly that. I'm here if you want to talk.",
    ),
    ("minor_sexual", "risk"): (
        "I won't go there: nothing sexual that involves anyone under 18. "
        "If a child is in danger, please {emergency}; if this is about thoughts that trouble you, you can "
        "{crisis}, in confidence. "
        "I'm glad to talk about anything else.",
        "That's a line I don't cross, in stories or otherwise, when it's about someone under 18. "
        "If it is about something real, you can {crisis} or, in danger, {emergency}. "
        "We can talk about something else whenever you like.",
    ),
    ("minor_disclosing", "risk"): (
        "Thank you for telling me; you've done nothing wrong, and you can't get in trouble for asking for help. "
        "Please tell a grown-up you trust today, and you can {child}, without giving your name. "
        "You don't have to send anything, answer anyone or keep it secret. In danger, {emergency}. I'm here to listen.",
        "It's good that you said something, and none of this is your fault. "
        "You can {child}, and please also tell an adult you trust, such as a parent, a teacher or a doctor. "
        "You never owe anybody pictures or secrets. If you're in danger, {emergency}. You can tell me more, "
        "if you want to.",
    ),
    ("minor_boundary", "risk"): (
        "I'm keeping this one out of our talks: you're under 18, so nothing romantic or sexual with me. "
        "If someone is pushing you toward it, it's not your fault, and you can {child} or tell an adult you trust. "
        "Everything else is welcome here.",
    ),
}

AGAIN: dict[str, tuple[str, ...]] = {
    "risk": (
        "I'm still here, and I'm listening. Take your time; what feels heaviest right this minute?",
        "Thank you for staying and telling me. I'm with you in this. Is there one person you could have "
        "beside you tonight?",
        "I hear you. You don't have to explain it well. What would make the next hour a little safer for you?",
    ),
    "now": (
        "I'm still here. Please {emergency} now, or let the person nearest to you do it, and tell me when "
        "someone is with you.",
        "Stay with me, and please {emergency} now if you haven't yet. Who is closest to you at this moment?",
    ),
    "boundary": ("That still stays out of our talks. I'm here for anything else, and so are the people I named.",),
}


@cache
def helplines() -> dict[str, Any]:
    """The data file: international, emergency_anywhere, line (a list), eu, places."""
    return tomllib.loads(HELPLINES.read_text(encoding="utf-8"))


@cache
def _places() -> dict[str, str]:
    return {name: country for country, names in helplines()["places"].items() for name in names}


def country_of(home: str | None) -> str | None:
    """The two-letter country of a place as people name it ("Leeds", "Austin, Texas", "the US"), or None."""
    if not home:
        return None
    parts = [" ".join(re.findall(r"[^\s,]+", part)).strip(" .").lower() for part in home[:200].split(",")]
    # The last part is the widest: "Paris, Texas" is in the US. A part that is not known leaves the place unknown.
    for part in reversed([p.removeprefix("the ") for p in parts if p]):
        return _places().get(part) or _places().get(f"{part}.")
    return None


def say(country: str | None, kind: str) -> str:
    """What completes "you can ...": the line of that kind ("crisis", "child", "emergency") for the country."""
    data = helplines()
    wanted = [country, "EU"] if country in data["eu"]["members"] else [country]
    if kind == "child" and not any(e["kind"] == "child" and e["country"] in wanted for e in data["line"]):
        kind = "crisis"
    for code in wanted:
        for entry in data["line"]:
            if code and (entry["country"], entry["kind"]) == (code, kind):
                return str(entry["say"])
    return str(data["emergency_anywhere" if kind == "emergency" else "international"]["say"])


@cache
def contacts() -> tuple[str, ...]:
    """Every number and address of the file, as they stand in a reply."""
    data = helplines()
    return (data["international"]["url"], *sorted({entry["number"] for entry in data["line"]}))


def names_a_contact(text: str) -> bool:
    """Whether the text holds one of the contacts."""
    return any(contact in text for contact in contacts())


@cache
def _beginnings() -> dict[str, tuple[str, Level]]:
    """The words before the first placeholder of each first reply, with its situation and level."""
    return {text.split("{")[0]: (about, level) for (about, level), texts in FIRST.items() for text in texts}


def told(reply: str) -> tuple[str, Level] | None:
    """The situation and level for which this was the first fixed reply, or None when it was none."""
    return next((found for begins, found in _beginnings().items() if reply.startswith(begins)), None)


def written(kind: str, level: Level, text: str, country: str | None, again: bool = False) -> str:
    """The fixed reply.

    kind: a kind of Risk, or one of the narrower situations of FIRST ("friend", "minor_disclosing", ...).
    again: the block was given a moment ago, so a short follow-up takes its place.
    """
    if again:
        boundary = kind in ("minor_sexual", "minor_boundary")
        variants = AGAIN["boundary" if boundary else level]
    else:
        variants = FIRST.get((kind, level)) or FIRST.get((kind, "risk")) or FIRST[("self_harm", level)]
    chosen = variants[zlib.crc32(text.encode("utf-8", "replace")) % len(variants)]
    emergency = say(country, "emergency")
    return chosen.format(
        crisis=say(country, "crisis"),
        child=say(country, "child"),
        emergency=emergency,
        Emergency=emergency[0].upper() + emergency[1:],
    )
