"""A stand-in for Telegram's Bot API: real HTTP on loopback, strict about the limits that Telegram documents.

What it enforces: 1 to 4,096 UTF-16 units and at most 100 entities in a message, entities within the text, callback
data of at most 64 bytes, only the emoji that Telegram allows as reactions, one message a second per chat (429
otherwise), 20 a minute per group, 30 a second over all, one getUpdates at a time (409), forms and never JSON. Message
ids are one sequence for all private chats, as with Telegram. Faults are asked for with `fault`. It knows nothing of the
bot's code.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, deque
from typing import Any
from urllib.parse import parse_qsl

import h11

TOKEN = "123456789:AAStandInTokenStandInTokenStandIn00"
BOT = {"id": 123456789, "is_bot": True, "first_name": "Juno", "username": "juno_test_bot"}
EMOJI = set("👍👎❤🔥🥰👏😁🤔🤯😱🤬😢🎉🤩🤮💩🙏👌🕊🤡🥱🥴😍🐳🌚🌭💯🤣⚡🍌🏆💔🤨😐🍓🍾💋😈😴😭🤓👻👀🎃🙈😇😨🤝✍")
EMOJI |= set("🤗🫡🎅🎄☃💅🤪🗿🆒💘🙉🦄😘💊🙊😎👾😡")


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, description: str, retry_after: int = 0) -> None:
        super().__init__(description)
        self.code, self.description, self.retry_after = code, description, retry_after


class Standin:
    """The server.

    `sent`: every message that the bot sent, in order; `calls`: how often each method was called; `refused`: what was
    answered with an error; `chances`: faults by chance; `struck`: those that came. per_chat: seconds that must lie
    between two messages to a chat."""

    def __init__(self, per_chat: float = 1.0) -> None:
        self.per_chat = per_chat
        self.sent: list[dict[str, Any]] = []
        self.chats: dict[int, dict[int, dict[str, Any]]] = {}
        self.calls: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.actions: list[tuple[float, int]] = []
        self.reactions: dict[tuple[int, int], str] = {}
        self.menu: dict[str, list[dict[str, str]]] = {}
        self.answered_buttons: dict[str, str] = {}
        self.files: list[tuple[int, str, bytes]] = []
        self.admins: set[tuple[int, int]] = set()
        self.blocked: set[int] = set()
        self.muted: set[int] = set()
        self.webhook: dict[str, Any] = {}
        self.changed = asyncio.Event()
        self._updates: deque[dict[str, Any]] = deque()
        self._update_id = 1000
        self._ids: Counter[int] = Counter()
        self._last: dict[int, float] = {}
        self._group: dict[int, deque[float]] = {}
        self._overall: deque[float] = deque()
        self._poll: asyncio.Event | None = None
        self._faults: dict[str, deque[str]] = {}
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.down = False
        self.dice = random.Random(1)
        self.chances: dict[str, tuple[float, list[str]]] = {}
        self.struck: Counter[str] = Counter()

    async def __aenter__(self) -> Standin:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.close()
        await asyncio.sleep(0)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # -- what a test asks for

    def fault(self, method: str, *kinds: str) -> None:
        """What happens to the next calls of a method: "429", "502", "cut" (nothing is done and the line is cut),
        "done-cut" (it is done, and the line is cut before the answer), "slow", "html" (a 502 that is no JSON),
        "hang" (nothing is done, and no answer comes), "done-hang" (it is done, and no answer comes)."""
        self._faults.setdefault(method.lower(), deque()).extend(kinds)

    def update(self, **content: Any) -> dict[str, Any]:
        """Put an update into the queue of getUpdates."""
        self._update_id += 1
        return self.raw({"update_id": self._update_id, **content})

    def raw(self, update: dict[str, Any]) -> dict[str, Any]:
        """Put an update into the queue as it is."""
        self._updates.append(update)
        self._wake()
        return update

    def keep(self, message: dict[str, Any]) -> dict[str, Any]:
        """Give a message its id and its place in its chat."""
        chat = message["chat"]["id"]
        space = chat if chat < -1_000_000_000_000 else 0
        self._ids[space] += 1
        message |= {"message_id": self._ids[space], "date": int(time.time())}
        self.chats.setdefault(chat, {})[message["message_id"]] = message
        return message

    async def until(self, true: Any, seconds: float = 15.0) -> None:
        """Wait until something holds. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            while not true():
                self.changed.clear()
                try:
                    await asyncio.wait_for(self.changed.wait(), 0.2)
                except TimeoutError:
                    continue

    @property
    def waiting(self) -> int:
        """Updates that were not acknowledged."""
        return len(self._updates)

    # -- HTTP

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        connection = h11.Connection(h11.SERVER)
        try:
            while not self.down and await self._one(connection, reader, writer):
                connection.start_next_cycle()
        except (h11.ProtocolError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; whether the line stays open."""
        request, body = None, bytearray()
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                return False
        assert request is not None
        _, bot, method = request.target.decode().split("/", 2)
        method = method.lower()
        self.calls[method] += 1
        fault = self._faults[method].popleft() if self._faults.get(method) else ""
        chance, kinds = self.chances.get(method, (0.0, []))
        if not fault and self.dice.random() < chance:
            fault = self.dice.choice(kinds)
        if fault:
            self.struck[f"{method} {fault}"] += 1
        if fault == "cut" or self.down:
            return False
        if fault == "hang":
            await reader.read()  # until the other side gives up
            return False
        if fault == "slow":
            await asyncio.sleep(1.5)
        kind = "application/json"
        try:
            if bot != f"bot{TOKEN}":
                raise Refused(401, "Unauthorized")
            if fault == "429":
                raise Refused(429, "Too Many Requests: retry after 1", 1)
            if fault in ("502", "html"):
                raise Refused(502, "Bad Gateway")
            headers = {k.decode(): v.decode() for k, v in request.headers}
            fields = _form(headers.get("content-type", ""), bytes(body))
            handler = getattr(self, f"do_{method}", None)
            if handler is None:
                raise Refused(404, "Not Found: method not found")
            result = handler(fields)
            status, answer = 200, {"ok": True, "result": await result if asyncio.iscoroutine(result) else result}
        except Refused as error:
            self.refused[f"{method} {error.code} {error.description.split(':')[0]}"] += 1
            status, answer = error.code, {"ok": False, "error_code": error.code, "description": error.description}
            if error.retry_after:
                answer["parameters"] = {"retry_after": error.retry_after}
        self.changed.set()
        if fault == "done-hang":
            await reader.read()
        if fault in ("done-cut", "done-hang"):
            return False
        data = b"<html>bad gateway</html>" if fault == "html" else json.dumps(answer).encode()
        kind = "text/html" if fault == "html" else kind
        head = [("content-type", kind), ("content-length", str(len(data)))]
        out = connection.send(h11.Response(status_code=status, headers=head)) or b""
        writer.write(out + (connection.send(h11.Data(data=data)) or b"") + (connection.send(h11.EndOfMessage()) or b""))
        await writer.drain()
        return True

    # -- methods

    def do_getme(self, fields: dict[str, Any]) -> dict[str, Any]:
        return BOT | {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}

    async def do_getupdates(self, fields: dict[str, Any]) -> list[dict[str, Any]]:
        if self.webhook:
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active")
        if self._poll is not None:
            other, self._poll = self._poll, None
            other.set()
        mine = self._poll = asyncio.Event()
        offset, ends = int(fields.get("offset", 0)), time.monotonic() + float(fields.get("timeout", 0))
        while self._updates and offset and self._updates[0]["update_id"] < offset:
            self._updates.popleft()
        self.changed.set()
        while not self._updates and time.monotonic() < ends and not mine.is_set() and not self.down:
            try:
                await asyncio.wait_for(mine.wait(), min(0.5, ends - time.monotonic()))
            except TimeoutError:
                continue
            if self._poll is mine:
                mine.clear()
        if self._poll is not mine:
            raise Refused(409, "Conflict: terminated by other getUpdates request")
        self._poll = None
        return list(self._updates)[: int(fields.get("limit", 100))]

    def do_sendmessage(self, fields: dict[str, Any]) -> dict[str, Any]:
        chat = self._reachable(fields)
        text, entities = _checked(fields)
        self._flood(chat)
        message = {"chat": self._chat(chat), "from": BOT, "text": text}
        if entities:
            message["entities"] = entities
        if markup := _markup(fields):
            message["reply_markup"] = markup
        if reply := fields.get("reply_parameters"):
            message["reply_to_id"] = json.loads(reply)["message_id"]
        return self._send(message)

    def do_editmessagetext(self, fields: dict[str, Any]) -> dict[str, Any]:
        message = self._own(fields)
        text, entities = _checked(fields)
        new = {k: v for k, v in message.items() if k not in ("text", "entities", "reply_markup")} | {"text": text}
        new |= ({"entities": entities} if entities else {}) | ({"reply_markup": m} if (m := _markup(fields)) else {})
        if new == message:
            raise Refused(400, "Bad Request: message is not modified: specified new message content is the same")
        self._flood(new["chat"]["id"])
        message.clear()
        message.update(new)
        message["edit_date"] = int(time.time())
        return message

    def do_editmessagereplymarkup(self, fields: dict[str, Any]) -> dict[str, Any]:
        message = self._own(fields)
        markup = _markup(fields)
        if message.get("reply_markup") == markup:
            raise Refused(400, "Bad Request: message is not modified: specified new message content is the same")
        message["reply_markup"] = markup
        return message

    def do_deletemessage(self, fields: dict[str, Any]) -> bool:
        message = self._own(fields)
        del self.chats[message["chat"]["id"]][message["message_id"]]
        message["deleted"] = True
        return True

    def do_sendchataction(self, fields: dict[str, Any]) -> bool:
        self.actions.append((time.monotonic(), int(fields["chat_id"])))
        return True

    def do_setmessagereaction(self, fields: dict[str, Any]) -> bool:
        chat, id = int(fields["chat_id"]), int(fields["message_id"])
        [reaction] = json.loads(fields["reaction"])
        if reaction["emoji"] not in EMOJI:
            raise Refused(400, "Bad Request: REACTION_INVALID")
        if id not in self.chats.get(chat, {}):
            raise Refused(400, "Bad Request: message to react not found")
        self.reactions[chat, id] = reaction["emoji"]
        return True

    def do_answercallbackquery(self, fields: dict[str, Any]) -> bool:
        self.answered_buttons[fields["callback_query_id"]] = fields.get("text", "")
        return True

    def do_setmycommands(self, fields: dict[str, Any]) -> bool:
        commands = json.loads(fields["commands"])
        for command in commands:
            if not (1 <= len(command["command"]) <= 32 and 1 <= len(command["description"]) <= 256):
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
        self.menu[fields.get("language_code", "")] = commands
        return True

    def do_setwebhook(self, fields: dict[str, Any]) -> bool:
        self.webhook = dict(fields)
        return True

    def do_deletewebhook(self, fields: dict[str, Any]) -> bool:
        self.webhook = {}
        return True

    def do_getwebhookinfo(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {"url": self.webhook.get("url", ""), "has_custom_certificate": False, "pending_update_count": 0}

    def do_getchatmember(self, fields: dict[str, Any]) -> dict[str, Any]:
        chat, user = int(fields["chat_id"]), int(fields["user_id"])
        person = {"id": user, "is_bot": False, "first_name": "P"}
        if (chat, user) not in self.admins:
            return {"status": "member", "user": person}
        return {"status": "creator", "user": person, "is_anonymous": False}

    def do_senddocument(self, fields: dict[str, Any]) -> dict[str, Any]:
        return self._file(fields, "document")

    def do_sendphoto(self, fields: dict[str, Any]) -> dict[str, Any]:
        return self._file(fields, "photo")

    # -- rules

    def _file(self, fields: dict[str, Any], kind: str) -> dict[str, Any]:
        chat = self._reachable(fields)
        self._flood(chat)
        name, data = next(value for value in fields.values() if isinstance(value, tuple))
        self.files.append((chat, name, data))
        return self._send({"chat": self._chat(chat), "from": BOT, "caption": fields.get("caption", ""), "is": kind})

    def _send(self, message: dict[str, Any]) -> dict[str, Any]:
        message = self.keep(message)
        self.sent.append(message)
        return message

    def _chat(self, chat: int) -> dict[str, Any]:
        if chat > 0:
            return {"id": chat, "type": "private", "first_name": "P"}
        return {"id": chat, "type": "supergroup" if chat < -1_000_000_000_000 else "group", "title": "G"}

    def _reachable(self, fields: dict[str, Any]) -> int:
        chat = int(fields["chat_id"])
        if chat in self.blocked:
            raise Refused(403, "Forbidden: bot was blocked by the user")
        if chat in self.muted:
            raise Refused(400, "Bad Request: not enough rights to send text messages to the chat")
        if chat not in self.chats:
            raise Refused(400, "Bad Request: chat not found")
        return chat

    def _own(self, fields: dict[str, Any]) -> dict[str, Any]:
        message = self.chats.get(int(fields["chat_id"]), {}).get(int(fields["message_id"]))
        if message is None:
            raise Refused(400, "Bad Request: message to edit not found")
        if message["from"]["id"] != BOT["id"]:
            raise Refused(400, "Bad Request: message can't be edited")
        return message

    def _flood(self, chat: int) -> None:
        now = time.monotonic()
        while self._overall and self._overall[0] < now - 1:
            self._overall.popleft()
        group = self._group.setdefault(chat, deque())
        while group and group[0] < now - 60:
            group.popleft()
        late = now - self._last.get(chat, 0.0) >= self.per_chat
        if not late or len(self._overall) >= 30 or (chat < 0 and len(group) >= 20):
            raise Refused(429, "Too Many Requests: retry after 1", 1)
        self._last[chat] = now
        self._overall.append(now)
        group.append(now)

    def _wake(self) -> None:
        if self._poll is not None:
            self._poll.set()


def _form(kind: str, body: bytes) -> dict[str, Any]:
    """The fields of a form; a file is (name, bytes). JSON is refused, as the library never sends it."""
    if not body:
        return {}
    if kind.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    if not kind.startswith("multipart/form-data"):
        raise Refused(400, f"Bad Request: unexpected content type {kind}")
    fields: dict[str, Any] = {}
    boundary = kind.split("boundary=")[1].encode()
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, data = part.strip(b"\r\n").partition(b"\r\n\r\n")
        names = dict(piece.strip().split("=", 1) for piece in head.decode().splitlines()[0].split(";")[1:])
        name = names["name"].strip('"')
        fields[name] = (names["filename"].strip('"'), data) if "filename" in names else data.decode()
    return fields


def _checked(fields: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """Text and entities as Telegram takes them."""
    text = fields.get("text", "")
    entities = json.loads(fields.get("entities", "[]"))
    length = len(text.encode("utf-16-le")) // 2
    if not text.strip():
        raise Refused(400, "Bad Request: message text is empty")
    if length > 4096:
        raise Refused(400, "Bad Request: message is too long")
    if len(entities) > 100 or any(e["offset"] < 0 or e["offset"] + e["length"] > length for e in entities):
        raise Refused(400, "Bad Request: entities are wrong")
    if fields.get("parse_mode"):
        raise Refused(400, "Bad Request: can't parse entities")
    return text, entities


def _markup(fields: dict[str, Any]) -> dict[str, Any] | None:
    markup = json.loads(fields["reply_markup"]) if fields.get("reply_markup") else None
    for row in (markup or {}).get("inline_keyboard", []):
        for button in row:
            if not 1 <= len(button["callback_data"].encode()) <= 64 or not button["text"]:
                raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    return markup
