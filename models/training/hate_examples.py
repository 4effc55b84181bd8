"""Sentences that degrade a group, and their harmless neighbours, made from this project's own templates.

The kinds follow the list of functional tests in Röttger et al. 2021 ("HateCheck"): contempt, dehumanising, threats,
rights denied, slurs, profanity, pronouns, questions and opinions, each in plain and disguised spelling; against them
denied hate, counter-speech, neutral and kind words about groups, and abuse of things, persons and groups that are not
protected. None of that data set's sentences was used, and nobody should read these for pleasure: they teach a head
what a reply must never say. Slurs are left to the rules (models/data/hate.toml).
"""

from __future__ import annotations

import random
from typing import NamedTuple

from models.training import noise


class Sentence(NamedTuple):
    text: str
    hateful: bool
    template: str


GROUPS = (
    "women", "trans people", "gay people", "black people", "disabled people", "Muslims", "immigrants", "Jews",
    "Asians", "lesbians", "refugees", "foreigners", "Arabs", "Mexicans", "Africans", "Hindus", "bisexuals",
    "queer people", "migrants", "people in wheelchairs", "autistic people", "Roma", "Chinese people", "Indians",
    "old women", "feminists", "single mothers", "Latinos", "transgender folks", "homosexuals", "deaf people",
    "the disabled", "girls", "Turks",
)  # fmt: skip
ONE = (
    "woman", "trans person", "gay man", "black person", "disabled person", "Muslim", "immigrant", "Jew", "lesbian",
    "refugee", "foreigner", "Arab", "Mexican", "trans woman", "queer", "black guy", "migrant", "girl", "cripple",
)  # fmt: skip
BAD = (
    "disgusting", "filthy", "worthless", "stupid", "lazy", "dangerous", "inferior", "evil", "a disgrace", "parasites",
    "vermin", "a disease", "criminals", "liars", "thieves", "animals", "pigs", "rats", "garbage", "a plague", "sick",
    "mentally ill", "perverts", "dirty", "dumb as rocks", "uncivilised", "savages", "monkeys",
    "a burden on all of us", "ruining everything", "the scum of the earth", "not even human", "subhuman",
    "a waste of air", "freaks", "ugly", "weak", "cowards", "unnatural", "an insult to nature", "taking over",
    "leeches", "cockroaches", "less than us", "only good for cleaning", "too emotional to lead",
    "all the same kind of trash", "repulsive", "pathetic", "toxic",
)  # fmt: skip
FEEL = (
    "hate", "despise", "loathe", "can't stand", "detest", "am sick of", "am fed up with",
    "have nothing but contempt for", "wish I never had to see", "am disgusted by", "feel like puking when I see",
    "get angry whenever I meet",
)  # fmt: skip
HARM = (
    "shot", "hanged", "burned", "wiped out", "locked up", "deported", "beaten up", "killed", "gassed", "thrown out",
    "drowned", "put down", "sterilised", "exterminated", "removed from this country", "banned from public places",
    "whipped", "put in camps", "kicked until they stop moving", "stripped of every right", "sent back",
)  # fmt: skip
DO = (
    "shoot", "kill", "beat up", "hurt", "attack", "run over", "get rid of", "burn down the homes of", "hunt down",
    "stab", "punch", "hang", "wipe out", "make life hell for", "smash the faces of", "spit on", "strangle",
)  # fmt: skip
RIGHTS = (
    "vote", "have children", "marry", "work here", "live among us", "own a house", "be heard", "go to our schools",
    "be near kids", "drive", "hold office", "adopt", "use our hospitals", "make decisions", "be treated like people",
)  # fmt: skip
GOOD = (
    "wonderful", "kind", "brave", "smart", "welcome here", "great neighbours", "strong", "part of us", "talented",
    "funny", "hard-working", "beautiful", "our friends", "equal to everyone else", "fantastic", "amazing parents",
)  # fmt: skip
NEUTRAL = (
    "live in many countries", "often meet at the library", "were in the news today", "run the shop on the corner",
    "have their own choir", "come in all shapes", "pay taxes like everyone", "celebrate this weekend",
    "cook for the fair", "work in this hospital", "play in my football team", "voted last Sunday", "wrote that book",
    "study at my school",
)  # fmt: skip
THINGS = (
    "mosquitoes", "Mondays", "this phone", "traffic jams", "wet socks", "spreadsheets", "this film", "cold soup",
    "wasps", "weeds in the garden", "that old printer", "pop-up ads", "cheap wine", "bananas", "my alarm clock",
    "leaf blowers",
)  # fmt: skip
OTHERS = (
    "vegans", "bankers", "landlords", "hipsters", "gamers", "capitalists", "communists", "artists", "lawyers",
    "smokers", "football fans", "politicians", "influencers", "cat owners", "accountants", "meat eaters",
    "Twitter users",
)  # fmt: skip

HATEFUL = (
    "I {feel} {groups}.", "I really {feel} {groups}!", "God, I {feel} all {groups} so much.", "{groups} are {bad}.",
    "All {groups} are {bad}.", "{groups} are just {bad}, everyone knows it.", "Every {one} I know is {bad}.",
    "You're {bad}, like any {one}.", "Typical {one}, {bad} as always.", "{groups} should be {harm}.",
    "All {groups} deserve to be {harm}.", "Somebody should {do} {groups}.", "We will {do} {groups} one day.",
    "I'm going to {do} a {one} today.", "I want to {do} every {one} in this town.",
    "Watch your back, {one}, or we {do} you.", "{groups} should never {rights}.",
    "{groups} don't deserve to {rights}.", "No {one} should be allowed to {rights}.", "Don't let {groups} {rights}.",
    "Why do we let {groups} {rights}?", "Why are {groups} so {bad}?", "Isn't it true that {groups} are {bad}?",
    "Am I the only one who thinks {groups} are {bad}?", "In my opinion {groups} are {bad}.",
    "I think {groups} should be {harm}.", "Fuck {groups}.", "Fucking {groups} again.",
    "Those damn {groups} are {bad}.", "{groups} are fucking {bad}.", "{groups} are not people like us.",
    "{groups} will never be normal.", "{groups} aren't {good}.", "I will never respect {groups}.",
    "Nobody wants {groups}.", "{groups} moved in next door. They are {bad}.", "I met some {groups}. I {feel} them.",
    "My town is full of {groups}. They should be {harm}.", "{groups} again? They make me want to throw up.",
    "The world would be better without {groups}.", "This country was nice before the {groups} came.",
    "It's a shame we have to share a bus with {groups}.", "I'd rather lose an arm than live next to a {one}.",
    "A {one} is worth less than my dog.", "Being a {one} is {bad}.", "{groups} can't be trusted with anything.",
    "The only good {one} is one far away.", "{groups} belong in a cage.",
    "{groups} have smaller brains than the rest of us.", "You {groups} are {bad}.",
    "We need to stop {groups} before they multiply.", "Nothing is lower than a {one}.", "{groups} make me sick.",
    "I don't want a {one} in my house.", "Just looking at {groups} makes me angry.",
)  # fmt: skip
HARMLESS = (
    "I love {groups}.", "{groups} are {good}.", "I think {groups} are {good}.", "{groups} {neutral}.",
    "Some {groups} {neutral}.", "My neighbour is a {one} and she's {goodone}.", "I'm a {one} and proud of it.",
    "Being a {one} is nothing to hide.", "I don't {feel0} {groups}.", "{groups} are not {bad}.",
    "No {one} is {bad} just for being one.", "Nobody should ever be {harm} for who they are.",
    "{groups} should never be {harm}.", "We must not {do} {groups}.", "It's wrong to say that {groups} are {bad}.",
    "Saying '{groups} are {bad}' is disgusting.", 'Whoever writes "I {feel} {groups}" should be ashamed.',
    "He said {groups} should be {harm}. I reported him.", "Please stop posting that {groups} are {bad}.",
    "Claims like '{groups} should be {harm}' have no place here.", "How can anyone think {groups} are {bad}?",
    "People who want {groups} {harm} frighten me.", "I {feel} people who attack {groups}.",
    "I {feel} racists and sexists.", "Hating {groups} is what's {bad}.",
    "If you believe {groups} shouldn't {rights}, you're wrong.", "{groups} deserve to {rights}.",
    "Let {groups} {rights}.", "It is time that {groups} can {rights}.",
    "Yesterday a {one} helped me carry my shopping.", "{groups} {neutral}, I read.", "My best friend is a {one}.",
    "I {feel} {things}.", "{things} are {bad}.", "{things} should be {harm}.", "I want to {do} {things}.",
    "Fuck {things}.", "{things} are fucking {bad}.", "{others} are {bad}.", "I {feel} {others}.",
    "All {others} should be {harm}.", "Why are {others} so {bad}?", "You are {bad}.",
    "You're a {bad1} liar and I {feel} you.", "He is {bad} and I {feel} him.", "I'm fucking tired today.",
    "That was fucking great.", "Shit, I lost my keys.", "Damn, this cake is good.",
    "Are {groups} coming to the party?", "What do {groups} think of the new law?",
    "It's {bad} how {groups} are treated.", "{groups} are treated as if they were {bad}, and it hurts to watch.",
    "There are many {groups} in my street and we all get along.", "I was at a talk about {groups} and learned a lot.",
)  # fmt: skip


def sentences(count: int = 4000, seed: int = 7) -> list[Sentence]:
    """`count` sentences, half of them hateful, a third in some disguise of spelling."""
    rng = random.Random(seed)
    made: dict[str, Sentence] = {}
    while len(made) < count:
        hateful = len(made) % 2 == 0
        template = rng.choice(HATEFUL if hateful else HARMLESS)
        text = _disguised(_filled(template, rng), rng)
        made.setdefault(text, Sentence(text, hateful, template))
    return list(made.values())


def _filled(template: str, rng: random.Random) -> str:
    values = {
        "groups": GROUPS, "one": ONE, "bad": BAD, "bad1": ("filthy", "stupid", "dirty", "pathetic"), "feel": FEEL,
        "feel0": ("hate", "despise", "loathe", "mind"), "harm": HARM, "do": DO, "rights": RIGHTS, "good": GOOD,
        "goodone": ("lovely", "so funny", "a great cook", "the kindest"), "neutral": NEUTRAL, "things": THINGS,
        "others": OTHERS,
    }  # fmt: skip
    text = template.format_map({name: rng.choice(words) for name, words in values.items()})
    return text[0].upper() + text[1:]


def _disguised(text: str, rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.12:
        return noise.typos(text, rng)
    if kind < 0.2:
        return text.translate(str.maketrans("aeio", "43!0")) if rng.random() < 0.5 else text.replace("e", "3")
    if kind < 0.27:
        words = text.split()
        i = rng.randrange(len(words))
        words[i] = (
            " ".join(words[i]) if rng.random() < 0.5 else words[i] + (words.pop(i + 1) if i + 1 < len(words) else "")
        )
        return " ".join(words)
    return text.lower() if kind < 0.45 else text
