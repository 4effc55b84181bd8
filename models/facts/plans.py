"""What is to happen on a day that was named: "exam on 2026-03-06". Used by models/facts.py.

A move needs no day; anything else without one is no plan, and of what happens today only what is an appointment.
"""

from __future__ import annotations

import re

from models.facts import dates as fact_dates
from models.facts import people
from models.facts import values as fact_values
from models.facts.reading import Reading, index_at
from models.facts.text import Clause

_EVENTS = (
    "exam|exams|test|interview|job interview|appointment|meeting|date|party|wedding|presentation|concert|flight|"
    "operation|"
    "surgery|trip|game|match|race|marathon|show|gig|performance|recital|deadline|audition|competition|tournament|class|"
    "lesson|finals|graduation|funeral|checkup|call|dinner|holiday|vacation|hearing|trial|reunion|shift|final|"
    "quiz|essay due|"
    "paper due"
)
_PLANS = re.compile(
    rf"(?: s)? (?:(?:have got|has got|have|has|got|am having|is having) (?:a |an |my |the |our |this |her |his )?"
    rf"(?P<what>(?!to |in |on |at |been |not |no |had )(?:[^ ]+ ){{0,3}}?(?:{_EVENTS}))(?= |$)"
    r"|(?:am|is|are) (?:(?:going|planning|supposed) to )?"
    r"(?P<moving>(?:moving|relocating|flying|travell?ing|going|driving|heading) (?:back )?to )"
    r"(?!(?:a|an|my|our|this|see|meet|visit|watch|play|celebrate|perform|present|start|take) )(?=[^ ])"
    r"|(?:am|is|are) (?P<doing>going to (?:a|an|my|our|this|see|meet|visit|watch|play|celebrate|perform|present|"
    r"start|take)|seeing|meeting|visiting|starting|leaving|taking|having|hosting|celebrating|"
    r"graduating|playing|"
    r"performing|turning|teaching|presenting|running|attending|throwing|picking up|adopting|getting married|"
    r"marrying|dropping off|"
    r"returning|competing|auditioning|interviewing|defending) (?=[^ ])"
    rf"|(?P<of>(?:[^ ]+ ){{0,3}}?(?:{_EVENTS})) (?:is|s|are|will be|got moved to) (?=[^ ]))"
)


_BARE = re.compile(
    r"(?:(?:also|just|ugh|still) )*(?:(?:got|have|having|there is) )?(?:(?:a|an|my|another|this) )?"
    rf"(?P<what>(?!no |not |the |his |her |their |some |any )(?:[^ ]+ ){{0,3}}?(?:{_EVENTS}))(?= |$)"
)
_SOMEBODY = re.compile(
    rf"(?:^|[^a-z])(?:he|she|they|his|her|their|hes|shes|theyre|(?:my|your) (?:{people.forms()}))(?![a-z])"
)


def read_bare(reading: Reading, clause: Clause, start: int) -> None:
    """A plan without a subject, "exam on friday" or "got a driving test tomorrow": the person's, unless somebody else
    was just spoken of."""
    when = fact_dates.find(clause.plain, reading.turn.at)
    match = _BARE.match(clause.plain, start)
    if when is None or match is None or when.start < match.end() or reading.subject:
        return
    appointed = re.match(r"(?:got|have|having|there is|an?|my) ", match[0])
    if when.iso == reading.turn.at.date().isoformat() and not appointed:
        return  # "concert tonight!!" may be anybody's news
    before = [said.text.lower() for said in reading.turn.history[-2:]]
    over = re.search(
        r"(?:^| )(?:is|was|were|are|got|went|has|had|will|moved|or|for (?:my|his|her|the))(?: |$)",
        clause.plain[match.end() :],
    )
    vague = re.search(r"(?:^| )(?:i|you|he|she|it|we|they|if|when|no|not|is|was|did|do|\d+)(?: |$)", match["what"])
    no = re.search(r"(?:^| )(?:no|not) $", clause.plain[:start])
    if no or over or vague or any(_SOMEBODY.search(text.replace("'", "").replace("’", "")) for text in before):
        return
    what = clause.raw(match.start("what"), when.start).strip(" ,")
    reading.add("plan", f"{what} {when.phrase}")


def read(reading: Reading, clause: Clause, about: str, end: int) -> None:
    """A plan of `about`, if plain[end:] tells one."""
    when = fact_dates.find(clause.plain, reading.turn.at)
    match = _PLANS.match(clause.plain, end)
    if match is None or (match["of"] and not about and not re.search(r"(?:^| )(?:my|our)$", clause.plain[:end])):
        return
    today = when is not None and when.iso == reading.turn.at.date().isoformat()
    if match["moving"]:
        index = index_at(clause.plain, match.end())
        going = match["moving"].startswith("going")
        found = (fact_values.somewhere if going else fact_values.place)(clause.words, index)
        settled = match["moving"].startswith(("moving", "relocating"))
        if found and (when is None or when.start > match.end()) and (when or settled):
            what = f"{match['moving'].strip()} {found[0]}"
            reading.add("plan", f"{what} {when.phrase}" if when else what, about)
        return
    if when is None or (today and not (match["what"] or match["of"])):
        return
    start = match.start(next(group for group in ("what", "doing", "of") if match[group]))
    stop = match.end("of") if match["of"] else when.start
    if match["of"] and match[0].startswith(" s "):
        # "My cousin's wedding" is in the person's own calendar.
        start, about = clause.plain.rfind("my ", 0, end) + len("my "), ""
    what = clause.raw(start, stop).strip(" ,")
    vague = re.search(r"(?i)\b(?:it|this|that|you|him|her|them|not|i)\b", what)
    if what and not vague and when.start >= match.end() - 1:
        reading.add("plan", f"{what} {when.phrase}", about)
