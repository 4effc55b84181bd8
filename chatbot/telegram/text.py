"""Text as Telegram wants it: plain, with entities beside it, cut where a reader would pause.

Lengths are in UTF-16 units, as in https://core.telegram.org/bots/api#messageentity. Entities instead of a parse mode:
then "can't parse entities" cannot happen. Of Markdown only what stands within a line is understood, and code fences.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from chatbot.telegram.inbox import Out

MAX_UNITS = 4096
MAX_ENTITIES = 100

_MARKS = {"strong": "bold", "em": "italic", "s": "strikethrough", "link": "text_link"}
_FENCE = re.compile(r"^```[^\n`]{0,40}\n(.*?)\n?^```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Span:
    """A stretch of text[start:end] (code points) with a look; url for a text_link."""

    start: int
    end: int
    type: str
    url: str = ""


def units(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text) + sum(ord(char) > 0xFFFF for char in text)


def plain(*parts: str | tuple[str, str]) -> tuple[str, list[Span]]:
    """Text with spans from its parts: a string, or (text, look), such as ("Hello", "bold")."""
    text, spans = "", []
    for part in parts:
        words, look = (part, "") if isinstance(part, str) else part
        if look:
            spans.append(Span(len(text), len(text) + len(words), look))
        text += words
    return text, spans


def moved(spans: Sequence[Span], by: int) -> list[Span]:
    """The spans when something of that length was put before their text."""
    return [replace(span, start=span.start + by, end=span.end + by) for span in spans]


def markdown(source: str) -> tuple[str, list[Span]]:
    """Text and spans of a reply in which a model may have used Markdown; what is none stays as it is."""
    text, at = "", 0
    spans: list[Span] = []
    for fence in _FENCE.finditer(source):
        text = _inline(source[at : fence.start()], text, spans)
        if fence[1].strip():
            spans.append(Span(len(text), len(text) + len(fence[1]), "pre"))
            text += fence[1]
        at = fence.end()
    return _inline(source[at:], text, spans), spans


def _inline(source: str, text: str, spans: list[Span]) -> str:
    """The text with this piece added to it, and its spans to the spans."""
    if not re.search(r"[*_`~\[]", source):
        return text + source
    opened: list[tuple[int, str]] = []
    for token in _parser().parseInline(source)[0].children or []:
        if token.nesting == 1:
            opened.append((len(text), str(token.attrGet("href") or "")))
        elif token.nesting == -1 and opened:
            start, url = opened.pop()
            look = _MARKS[token.type.removesuffix("_close")]
            if start < len(text) and (look != "text_link" or url.startswith(("http://", "https://"))):
                spans.append(Span(start, len(text), look, url if look == "text_link" else ""))
        elif token.type == "code_inline":
            spans.append(Span(len(text), len(text) + len(token.content), "code"))
            text += token.content
        else:
            text += token.content or ("\n" if token.type in ("softbreak", "hardbreak") else "")
    return text


@cache
def _parser() -> Any:
    from markdown_it import MarkdownIt

    return MarkdownIt("zero").enable(["emphasis", "strikethrough", "backticks", "link"])


def outs(text: str, spans: Sequence[Span] = (), **also: Any) -> list[Out]:
    """The messages that a text becomes; `also` goes to each (buttons to the last one alone, edit to the first)."""
    buttons, edit = also.pop("buttons", []), also.pop("edit", None)
    made = [Out(part, _json(part, own), **also) for part, own in split(text, spans)]
    if made:
        made[0] = replace(made[0], edit=edit)
        made[-1] = replace(made[-1], buttons=buttons)
    return made


def split(text: str, spans: Sequence[Span] = ()) -> Iterator[tuple[str, list[Span]]]:
    """Pieces that Telegram takes, none empty: at most 4,096 units and 100 entities, cut between words if there are
    any. A span across a cut goes on in the next piece."""
    text = text.encode("utf-16", "replace").decode("utf-16").replace("\0", "")
    start, left = 0, sorted((s for s in spans if s.end > s.start), key=lambda s: (s.start, -s.end))
    while start < len(text):
        end = _end(text, start, left)
        piece = text[start:end]
        lead, kept = len(piece) - len(piece.lstrip()), piece.strip()
        if _visible(kept):
            yield kept, list(_within(left, start + lead, start + lead + len(kept)))
        left = [s for s in left if s.end > end]
        start = end


def _end(text: str, start: int, spans: Sequence[Span]) -> int:
    """Where the piece that begins at start ends."""
    end, room = start, MAX_UNITS
    while end < len(text) and (room := room - (1 + (ord(text[end]) > 0xFFFF))) >= 0:
        end += 1
    if len(spans) > MAX_ENTITIES and spans[MAX_ENTITIES].start > start:
        end = min(end, spans[MAX_ENTITIES].start)
    if end >= len(text):
        return len(text)
    for mark in ("\n\n", "\n", ". ", "! ", "? ", " "):
        cut = text.rfind(mark, start + 1, end)
        # A paragraph's end is a better place than a word's, but not if it leaves the piece half empty.
        if cut > start + (0 if mark == " " else (end - start) // 2):
            return cut + len(mark)
    if space := re.search(r".*\s", text[start + 1 : end], re.DOTALL):
        return start + 1 + space.end()  # any place between two words, rather than within one
    cut = end
    while cut > start + 1 and (unicodedata.combining(text[cut]) or text[cut] in _JOINERS or text[cut - 1] == "\u200d"):
        cut -= 1
    return cut if cut > start + 1 else end


_JOINERS = frozenset("\u200d\ufe0f\ufe0e" + "".join(map(chr, range(0x1F3FB, 0x1F400))))


def _within(spans: Sequence[Span], start: int, end: int) -> Iterator[Span]:
    for span in spans[:MAX_ENTITIES]:
        first, last = max(span.start, start), min(span.end, end)
        if first < last:
            yield replace(span, start=first - start, end=last - start)


def _json(text: str, spans: Sequence[Span]) -> list[dict[str, Any]]:
    made = []
    for span in spans:
        entity: dict[str, Any] = {"type": span.type, "offset": units(text[: span.start])}
        entity["length"] = units(text[span.start : span.end])
        made.append(entity | ({"url": span.url} if span.url else {}))
    return made


def _visible(text: str) -> bool:
    return any(not char.isspace() and unicodedata.category(char) not in ("Cf", "Cc") for char in text)
