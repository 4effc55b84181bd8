"""The bot's own words where they are more than a line, and the commands' descriptions in several languages.

The companion itself answers in English; the menu and the help are in the language of the person's app, if it is here.
"""

from __future__ import annotations

WHAT_I_KEEP = (
    "I remember what you tell me, in a file of your own on the computer that I run on. "
    "See it with /memory, take it along with /export, delete it with /erase. /pause makes me write nothing down."
)

PRIVACY_HEAD = "What happens to what you say"
PRIVACY = (
    "I'm a program. What you write reaches me through Telegram, which can read what bots are sent.\n\n"
    "I keep your messages and what I learned from them in one file that is yours alone, on the computer of the person "
    "who runs me. They can open that file; nobody else's conversation is mixed with it.\n\n"
    "/memory shows what I know and from which words. /forget takes something away, /pause stops the writing down, "
    "/export sends you everything, /erase deletes the file. What is forgotten is gone from the disk as well. "
    "My logs hold no words of yours."
)

ENGLISH = {
    "start": "who I am, and each other's names",
    "help": "what I can do",
    "memory": "what I know about you",
    "forget": "forget something: /forget Berlin",
    "pause": "write nothing down for now",
    "resume": "remember again",
    "export": "everything I keep, as a file",
    "erase": "delete everything about you",
    "persona": "who I am; /persona Ada to rename me",
    "mood": "your week as a picture",
    "remind": "/remind tomorrow 9:00 call mum",
    "settings": "reactions, check-ins, time zone",
    "cancel": "stop the answer being written",
    "retry": "answer the last message anew",
    "privacy": "what happens to what you say",
}

GERMAN = {
    "start": "wer ich bin, und wie wir uns nennen",
    "help": "was ich kann",
    "memory": "was ich über dich weiß",
    "forget": "etwas vergessen: /forget Berlin",
    "pause": "vorerst nichts aufschreiben",
    "resume": "wieder erinnern",
    "export": "alles, was ich aufbewahre, als Datei",
    "erase": "alles über dich löschen",
    "persona": "wer ich bin; /persona Ada gibt mir einen Namen",
    "mood": "deine Woche als Bild",
    "remind": "/remind tomorrow 9:00 call mum (auf Englisch)",
    "settings": "Reaktionen, Nachfragen, Zeitzone",
    "cancel": "die laufende Antwort anhalten",
    "retry": "die letzte Nachricht neu beantworten",
    "privacy": "was mit deinen Worten geschieht",
}

SPANISH = {
    "start": "quién soy y cómo nos llamamos",
    "help": "qué puedo hacer",
    "memory": "lo que sé de ti",
    "forget": "olvidar algo: /forget Berlin",
    "pause": "no anotar nada por ahora",
    "resume": "volver a recordar",
    "export": "todo lo que guardo, en un archivo",
    "erase": "borrar todo sobre ti",
    "persona": "quién soy; /persona Ada para cambiarme el nombre",
    "mood": "tu semana en una imagen",
    "remind": "/remind tomorrow 9:00 call mum (en inglés)",
    "settings": "reacciones, preguntas, zona horaria",
    "cancel": "detener la respuesta",
    "retry": "responder de nuevo al último mensaje",
    "privacy": "qué pasa con lo que dices",
}

FRENCH = {
    "start": "qui je suis, et nos noms",
    "help": "ce que je sais faire",
    "memory": "ce que je sais de toi",
    "forget": "oublier quelque chose : /forget Berlin",
    "pause": "ne rien noter pour l'instant",
    "resume": "recommencer à retenir",
    "export": "tout ce que je garde, dans un fichier",
    "erase": "effacer tout ce qui te concerne",
    "persona": "qui je suis ; /persona Ada pour me renommer",
    "mood": "ta semaine en image",
    "remind": "/remind tomorrow 9:00 call mum (en anglais)",
    "settings": "réactions, suivis, fuseau horaire",
    "cancel": "arrêter la réponse en cours",
    "retry": "répondre à nouveau au dernier message",
    "privacy": "ce que deviennent tes mots",
}

LANGUAGES = {"en": ENGLISH, "de": GERMAN, "es": SPANISH, "fr": FRENCH}

_HEADS = {
    "en": "Just write to me. And there is:",
    "de": "Schreib mir einfach. Und es gibt:",
    "es": "Escríbeme sin más. Y hay:",
    "fr": "Écris-moi, tout simplement. Et il y a :",
}


def commands(language: str) -> dict[str, str]:
    """The description of each command, in this language if it is known."""
    return LANGUAGES.get(language, ENGLISH)


def help_head(language: str) -> str:
    return _HEADS.get(language, _HEADS["en"])


def stranger(id: int) -> str:
    """The one line for somebody who is not on the list."""
    return f"Hello! This bot is private. If you know who runs it, give them this number to be let in: {id}"


def cannot_see(things: list[str]) -> str:
    """Honest about what was sent and cannot be seen or heard."""
    listed = " or ".join(dict.fromkeys(things))
    return f"I can't make out {listed} yet, only words. Tell me what it is?"


OVER_BUDGET = "That's as much as I may answer for today, so I'll be quiet until tomorrow. Nothing I know is lost."
TROUBLE = "Sorry, something in me tripped over that one. I'm still here. Could you try it once more?"
CANCELLED = "Okay, I stopped."
ADMINS_ONLY = "In a group only its admins can do that."
EXPORT_CUT_OFF = "I was interrupted while sending your file. If it isn't here, ask me again."
