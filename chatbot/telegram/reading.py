"""An update as Telegram gives it, read: who said what where, and what kind of thing it is.

Works on the parsed update of python-telegram-bot. Gives None for what deserves a deliberate silence: service messages,
channels, other bots, edits of anything but text, updates of kinds that we did not ask for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from telegram import ChatMember, ChatMemberRestricted, Message, Update

KINDS = ["message", "edited_message", "callback_query", "my_chat_member"]
"""What we ask Telegram for."""

UNREADABLE = {
    "photo": "pictures",
    "animation": "GIFs",
    "sticker": "stickers",
    "voice": "voice messages",
    "audio": "audio",
    "video": "videos",
    "video_note": "video messages",
    "document": "files",
    "location": "places on a map",
    "venue": "places on a map",
    "contact": "contact cards",
    "poll": "polls",
    "dice": "dice",
    "game": "games",
    "story": "stories",
    "checklist": "checklists",
    "invoice": "invoices",
    "paid_media": "paid media",
    "giveaway": "giveaways",
    "gift": "gifts",
    "unique_gift": "gifts",
}
"""What a person can send that we cannot see or hear, in the order in which it is looked for."""

_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@(\w{1,40}))?(?:\s+|$)")


@dataclass(frozen=True)
class Item:
    """Something to answer. kind: "said" (words, or a thing we cannot see), "edited", "command", "button", "moved" (a
    group got the new id `moved_to`) or "member" (we were let into a chat or, with `muted`, silenced). unseen: what was
    sent beside the words, such as "pictures"; album: the id that pictures sent together share; at: its time, made
    unique by the update's id."""

    update: int
    kind: Literal["said", "edited", "command", "button", "moved", "member"]
    chat: int
    sender: int
    at: datetime
    message: int = 0
    text: str = ""
    unseen: str = ""
    command: str = ""
    language: str = "en"
    group: bool = False
    button: str = ""
    callback: str = ""
    album: str = ""
    moved_to: int = 0
    reply_to_us: bool = False
    muted: bool = False

    @property
    def person(self) -> str:
        """The key of the memory that this belongs to: one's own, or the group's."""
        return f"telegram-group:{self.chat}" if self.group else f"telegram:{self.sender}"


def read(update: Update, bot_id: int, bot_name: str, unseen: str = "") -> Item | None:
    """The update read, or None for what is not to be answered. unseen: what is known to be in it beside the words."""
    if update.callback_query:
        return _button(update)
    if update.my_chat_member:
        return _member(update)
    message = update.message or update.edited_message
    if message is None or message.chat is None:
        return None
    group = message.chat.type in ("group", "supergroup")
    moved = message.migrate_to_chat_id
    if group and moved:
        return Item(update.update_id, "moved", message.chat.id, 0, _at(update, message), group=True, moved_to=moved)
    sender = message.from_user
    if message.chat.type not in ("private", "group", "supergroup") or (sender and sender.is_bot):
        return None
    if sender is None and group:
        return None
    if message.sender_chat or message.via_bot:
        return None
    text = message.text or message.caption or ""
    if message.forward_origin:
        # Somebody else's words: quoted, so that they teach nothing about this person.
        text = "\n".join(f"> {line}" for line in text.splitlines())
    unseen = unseen or next((name for key, name in UNREADABLE.items() if getattr(message, key, None)), "")
    if not text and not unseen:
        # A kind of content newer than this list gets an honest answer in private; service messages get none.
        if group or _service(message) or not _content(message):
            return None
        unseen = "that kind of message"
    replied = message.reply_to_message
    item = Item(
        update.update_id,
        "edited" if update.edited_message else "said",
        message.chat.id,
        sender.id if sender else message.chat.id,
        _at(update, message),
        message.message_id,
        text,
        unseen,
        language=((sender and sender.language_code) or "en")[:2].lower(),
        group=group,
        album=message.media_group_id or "",
        reply_to_us=bool(replied and replied.from_user and replied.from_user.id == bot_id),
    )
    if item.kind == "edited":
        return item if message.text else None
    match = _COMMAND.match(text)
    if match and message.text:
        if match[2] and match[2].lower() != bot_name.lower():
            return None
        return replace(item, kind="command", command=match[1].lower(), text=text[match.end() :].strip())
    return item


def salvaged(raw: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """What is left of an update that the library cannot parse: who, where and the words; and what else was in it.

    Raises KeyError or TypeError when not even that is there."""
    kind = "message" if "message" in raw else "edited_message"
    message = raw[kind]
    person = {
        key: message["from"][key] for key in ("id", "is_bot", "first_name", "language_code") if key in message["from"]
    }
    bare = {key: message[key] for key in ("message_id", "date", "edit_date", "text", "caption") if key in message}
    bare |= {"chat": {key: message["chat"][key] for key in ("id", "type")}, "from": {"is_bot": False} | person}
    return {"update_id": raw["update_id"], kind: bare}, next(
        (UNREADABLE[key] for key in UNREADABLE if key in message), ""
    )


def _button(update: Update) -> Item | None:
    query = update.callback_query
    if query is None or query.message is None or not query.data:
        return None
    chat = query.message.chat
    at = datetime.now().astimezone()
    group = chat.type in ("group", "supergroup")
    language = (query.from_user.language_code or "en")[:2].lower()
    return Item(
        update.update_id, "button", chat.id, query.from_user.id, at, query.message.message_id,
        language=language, group=group, button=query.data, callback=query.id,
    )  # fmt: skip


def _member(update: Update) -> Item | None:
    """What became of us in a chat."""
    changed = update.my_chat_member
    if changed is None:
        return None
    new = changed.new_chat_member
    muted = new.status in (ChatMember.LEFT, ChatMember.BANNED) or (
        isinstance(new, ChatMemberRestricted) and not new.can_send_messages
    )
    chat, group = changed.chat.id, changed.chat.type in ("group", "supergroup")
    return Item(update.update_id, "member", chat, changed.from_user.id, changed.date, group=group, muted=muted)


def _at(update: Update, message: Message) -> datetime:
    """When it was said, with the update's id as microseconds: so that its words can be found again in memory."""
    at = message.edit_date or message.date
    return at.replace(microsecond=0) + timedelta(microseconds=update.update_id % 1_000_000)


_ENVELOPE = frozenset(
    ["message_id", "date", "chat", "from", "message_thread_id", "has_protected_content", "is_from_offline",
     "reply_to_message", "link_preview_options", "edit_date", "media_group_id", "effect_id", "author_signature",
     "sender_boost_count", "sender_business_bot", "business_connection_id", "quote", "external_reply", "forward_origin"]
)  # fmt: skip


def _content(message: Message) -> bool:
    return bool(set(message.to_dict()) - _ENVELOPE)


def _service(message: Message) -> bool:
    from telegram.ext.filters import StatusUpdate

    return bool(StatusUpdate.ALL.filter(Update(0, message=message)))
