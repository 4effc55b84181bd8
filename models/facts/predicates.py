"""What can be said of anybody, verb by verb: patterns that stand right after a subject, and who reads what follows.

They are anchored there, so that "i would live in", "i never lived in" and "i wish i lived in" say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from models.facts import ends as fact_ends
from models.facts import having as fact_having
from models.facts import states as fact_states
from models.facts.reading import Reading, after
from models.facts.text import Clause
from models.facts.words import listed

Read = Callable[[Reading, Clause, str, int, re.Match[str]], bool]

_ADVERBS = "|".join(sorted([*listed("adverbs") - {"kind", "of", "sort"}, "kind of", "sort of"], key=len, reverse=True))
_PERFECT = r"(?:have|has) (?=moved|started|adopted|got |turned|become|switched|changed|relocated)"
_SKIP = re.compile(rf"(?: s(?= ))?(?: (?:{_ADVERBS}|{_PERFECT}))* ?")

_AM = r"(?:am|is|are)"
_NUMBER = fact_states.NUMBER
_MODAL = re.compile(
    r"(?: )(?:would|could|might|may|should|will|can|want|wish|hope|plan|going to|used to|try|tried|to|never|not)(?= )"
)
_TABLE: tuple[tuple[str, Read], ...] = (
    # -- names and ages
    (rf"{_AM} (?:not|no longer) (?:called|named) ", fact_ends.not_name),
    (r"names? (?:is|s) not ", fact_ends.not_name),
    (rf"(?:{_AM} )?(?:called|named) ", fact_states.name),
    (r"(?:full |real |first )?names? (?:is |s |are )", fact_states.name),
    (r"(?:go|goes) by (?:the name (?:of )?)?", fact_states.name),
    (
        rf"(?:{_AM}|turned|just turned) (?:only |just |already |now )?(\d{{1,3}})"
        r"(?= years? (?:old|young)| yo(?: |$)| y o(?: |$)| now| today| yesterday| lol| and | but | this | last | on |"
        r" i |$)",
        fact_states.age,
    ),
    (
        rf"(?:{_AM}|turned|just turned) (?:only |just |already )?((?:{_NUMBER})(?:[ -](?:{_NUMBER}))?)(?= years? "
        rf"old| yo(?: |$))",
        fact_states.age,
    ),
    (rf"{_AM} (?:a|an) (\d{{1,3}}) ?-?years? ?-?old ", fact_states.age),
    # -- where
    (r"used to (?P<verb>live|work|like|love|enjoy|be) (?:in |at |for |as |an? )*", fact_ends.used_to),
    (r"was (?:a |an )", fact_ends.was),
    (
        r"(?:do not|does not|no longer) (?:really |even |actually )?(?P<verb>live|work|study|have|speak)s?(?= |$)",
        fact_ends.no_longer,
    ),
    (
        rf"(?:(?:{_AM} |have been |has been |been )?(?:living|based|settled)|live|lives|reside|resides|stay|stays)"
        r" (?:right |just |over )?in ",
        fact_states.home,
    ),
    (r"(?:live|lives) in (?:a|an|the|my|our) (?:[^ ]+ ){1,4}?(?:in|of|outside|called|named) ", fact_states.home),
    (
        r"(?:live|lives|living) (?:alone|by myself|together|(?:together )?with (?:[^ ]+ ){1,4}?)in ",
        fact_states.home,
    ),
    (
        r"(?:moved|relocated|emigrated|immigrated) (?:back |out |over |away |here )?from ",
        fact_states.home,
    ),
    (
        r"(?:moved|relocated|emigrated|immigrated)"
        r" (?:back |out |over |all the way |in with (?:[^ ]+ ){1,3}?)?(?:to |in )",
        fact_states.home,
    ),
    (
        rf"(?:{_AM}|come|comes|came) (?:originally )?from (?:a |an )(?:[^ ]+ ){{0,2}}?(?:place|town|village|city|"
        rf"island|suburb) "
        r"(?:called |named |in )",
        fact_states.home_town,
    ),
    (rf"(?:{_AM} |(?<= s ))(?:originally |actually |both )?from ", fact_states.home_town),
    (r"home ?town (?:is|was) ", fact_states.home_town),
    (r"(?:come|comes|came) (?:originally )?from ", fact_states.home_town),
    (r"(?:grew up|(?:was |were )?(?:born|raised|born and raised)|grew up and lived) in ", fact_states.home_town),
    # -- work and school
    (
        rf"(?:work|works|(?:{_AM} )?working|(?:started|got|have|has|found) (?:working|a (?:new )?job)|am employed)"
        r" (?:from home |full[ -]time |part[ -]time |remotely |mainly |mostly |now |currently |freelance |"
        r"(?:the )?(?:night|day|late|early) shifts? |night shifts )?(?:at |for |as |in )",
        fact_states.works,
    ),
    (r"(?:am|is|became|become|are both|am training to be) (?:a |an |the )", fact_states.is_work),
    (r"job is (?:being )?(?:a |an )", fact_states.is_work),
    (r"(?:work|works) (?=[^ ])", fact_states.works_field),
    (r"(?:major|degree) is (?:in )?", fact_states.studies),
    (
        rf"(?:{_AM} )?(?:also )?(?:studying|majoring in|doing (?:a|my|her|his) (?:phd|masters?|bachelors?|degree) in) ",
        fact_states.studies,
    ),
    (r"(?:study|studies|major in|majors in) ", fact_states.studies),
    (
        r"(?:(?:go|goes|am going|is going) to|(?P<student>(?:am|is) (?:a |an )?"
        r"(?:student|freshman|sophomore|junior|senior|undergrad|pupil|phd student) (?:at|of))|attend|attends|"
        r"(?:am|is) at)"
        r" (?:the )?(?=[^ ])",
        fact_states.school,
    ),
    (
        r"(?:am|is) in (?:the )?((?:\d{1,2}(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|"
        r"tenth|eleventh|twelfth) grade|year \d{1,2}|grade \d{1,2})(?= |$)",
        fact_states.grade,
    ),
    # -- whom
    (r"(?:have(?: got)?|has(?: got)?|got|own|owns|adopted|bought|rescued) ", fact_having.has),
    (rf"(?:{_AM} )?(?:now )?(?:happily )?(?:married|engaged) to ", fact_states.partner),
    (r"(?:am|are|started) (?:now )?(?:dating|seeing) ", fact_states.partner),
    # -- the rest
    (r"(?:speak|speaks) ", fact_states.speaks),
    (r"(?:(?:native |first )language|mother tongue) is ", fact_states.speaks),
    (r"(?:birthday|bday)s? (?:is |s )?(?:on )?(?=[^ ])", fact_states.birthday),
    (r"(?:was |were )?born (?:on )?(?=[^ ])", fact_states.birthday),
    (
        r"(?:(?:absolutely |really |so )?(?:love|loves|like|likes|adore|adores|enjoy|enjoys)|"
        r"(?:am|is) (?:really |so |very |super |totally |big )?"
        r"(?:into|a (?:big |huge |massive )?fan of|obsessed with|fond of|crazy about|addicted to)) (?=[^ ])",
        fact_states.likes,
    ),
    (
        r"(?:hate|hates|dislike|dislikes|despise|despises|detest|detests|loathe|loathes|can not stand|never liked|"
        r"(?:do|does) not (?:really |even )?(?:like|enjoy)|(?:am |is )?not (?:really )?(?:into|a (?:big )?fan "
        r"of)) (?=[^ ])",
        fact_ends.dislikes,
    ),
    (
        r"favou?rite (?P<thing>(?!one |thing |part |person )[^ ]+(?: [^ ]+)?) (?:is|are|s|has to be|would be|of "
        r"all time is) (?:called |named )?",
        fact_states.favorite,
    ),
    # -- ends
    (
        r"(?:just )?(?:(?P<job>(?:quit|left|lost|resigned from|got fired from) (?:my|her|his|their|the) job|"
        r"got (?:fired|laid off|sacked|made redundant)(?! up)|(?:am )?retired|quit work|"
        r"handed in my (?:resignation|notice)|(?:was|got) let go|am unemployed)|"
        r"(?P<school>(?:finished|graduated from|dropped out of|left|am done with|completed) (?:high |my )?"
        r"(?:school|uni|university|college|studies|degree)|graduated)|"
        r"(?:am|got) (?:single|divorced|separated)(?: now| again| since)?)(?= |$)",
        fact_ends.ended,
    ),
    (
        r"(?:(?:just |recently )?(?:broke|split|have broken|have split) up|got dumped|(?:am|are) no longer together|"
        r"(?P<apart>(?:am|are) not together)(?= any ?more| now|$)|"
        r"(?:left|dumped|divorced) (?=my ))(?= |$)",
        fact_ends.broke_up,
    ),
    (r"(?:broke up with me|dumped me|left me)(?= |$)", fact_ends.left),
    (
        r"(?:has |just |sadly )*(?:died|passed away|passed on|is dead|was put (?:down|to sleep)|"
        r"crossed the rainbow bridge)(?= |$)",
        fact_ends.died,
    ),
    (r"(?:had to |have to )?put (?=(?:my|our) )", fact_ends.put_down),
    (r"is ", fact_states.is_name),
)
_PREDICATES = tuple((re.compile(pattern), read) for pattern, read in _TABLE)


def read(reading: Reading, clause: Clause, about: str, end: int) -> bool:
    """What is said of `about` from plain[end:] on, and in what is joined to it by "and"; whether anything was."""
    joints = [m.end() for m in re.finditer(r" (?:and|but|then|now)(?= )", clause.plain) if m.start() >= end]
    if _MODAL.search(clause.plain[end:]):
        # "I would go and live in Rome": what is joined is no truer than what it is joined to.
        joints = []
    found = False
    for start in [end, *joints]:
        begin = after(_SKIP, clause.plain, start)
        for pattern, take in _PREDICATES:
            match = pattern.match(clause.plain, begin)
            if match and take(reading, clause, about, clause.plain[: match.end()].count(" "), match):
                found = True
                break
    return found
