"""A small HTTP server: /healthz and /metrics for the operator, and the webhook that Telegram calls."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import h11

log = logging.getLogger(__name__)

MAX_BODY = 1_000_000
"""Bytes; Telegram's updates are far smaller."""

Answer = tuple[int, str, bytes]
"""Status, content type, body."""

Handler = Callable[[str, str, dict[str, str], bytes], Awaitable[Answer]]
"""method, path, headers (names in lower case), body -> the answer."""


async def serve(host: str, port: int, handler: Handler) -> asyncio.Server:
    """Listen; a request that is no HTTP, or too long, ends its connection and nothing else."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(30):
                await _one(reader, writer, handler)
        except (TimeoutError, OSError, h11.RemoteProtocolError):
            pass
        except Exception as error:
            log.error("event=http_failed error=%s", type(error).__name__)
        finally:
            writer.close()

    return await asyncio.start_server(connected, host, port)


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    connection = h11.Connection(h11.SERVER)
    request, body = None, bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY:
                return
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            break
        else:
            return
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers}
    path = request.target.decode("latin-1").partition("?")[0]
    status, kind, data = await handler(request.method.decode(), path, headers, bytes(body))
    answer = [("content-type", kind), ("content-length", str(len(data))), ("connection", "close")]
    writer.write(connection.send(h11.Response(status_code=status, headers=answer)) or b"")
    writer.write((connection.send(h11.Data(data=data)) or b"") + (connection.send(h11.EndOfMessage()) or b""))
    await writer.drain()


def health(lines: Callable[[], list[str]], healthy: Callable[[], dict[str, Any]]) -> Handler:
    """healthy: what /healthz shows; with "ok" false the status is 503. lines: what /metrics shows."""

    async def handler(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if path == "/healthz":
            state = healthy()
            return (200 if state["ok"] else 503), "application/json", json.dumps(state).encode()
        if path == "/metrics":
            return 200, "text/plain; version=0.0.4; charset=utf-8", ("\n".join(lines()) + "\n").encode()
        return 404, "text/plain", b"there is /healthz and /metrics\n"

    return handler


def webhook(secret: str, take: Callable[[list[dict[str, Any]]], None]) -> Handler:
    """Updates from Telegram, known by the secret; 200 only after they were written down."""

    async def handler(method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        given = headers.get("x-telegram-bot-api-secret-token", "")
        if method != "POST" or not hmac.compare_digest(given.encode(), secret.encode()):
            return 403, "text/plain", b"no\n"
        try:
            update = json.loads(body)
        except ValueError:
            return 400, "text/plain", b"this is not JSON\n"
        if isinstance(update, dict):
            take([update])
        return 200, "text/plain", b"ok\n"

    return handler
