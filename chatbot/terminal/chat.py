"""The chat loop: the prompt is always there, and what was typed is worked off in order behind it.

The prompt appears before the models are loaded; messages and slash commands go through one queue, so that an /undo
waits for the answer before it. Ctrl-C sets the stop event of the answer under way, else clears the line; Ctrl-D leaves.
It is a key, not a signal: nothing here depends on the platform. A SIGINT or SIGTERM from outside does the same.
"""

from __future__ import annotations

import asyncio
import io
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import replace
from typing import Any

from prompt_toolkit.application import get_app, run_in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.utils import is_dumb_terminal
from rich.console import Console, RenderableType
from rich.text import Text

from chatbot.assemble import make_companion, read_config
from chatbot.companion import Companion, Message, now
from chatbot.memory import Memory
from chatbot.terminal import commands, people, prompt, show, trace
from chatbot.terminal.loading import Left, Loading
from chatbot.worker import Worker
from pipelines.config import Config
from pipelines.errors import ChatbotError
from pipelines.turn import Candidate, Turn

MAX_INPUT = 10_000
"""Characters of one message that are read; what is longer is cut, and said so."""

RESUMED = 6
"""Utterances of the last time that are shown at the start."""

QUIET = 0.25
"""Seconds after which an answer under way is shown as such: a faster one needs no notice."""


class Chat:
    """One person's talk in the terminal, until they leave. `run` gives the exit code."""

    def __init__(
        self,
        config: Config,
        user: str,
        console: Console | None = None,
        make: Callable[[Config, Callable[[str], None]], Companion] | None = None,
    ) -> None:
        self.config = config
        self._make = make or (lambda config, progress: make_companion(config, progress, self._without_weights))
        self._loop: asyncio.AbstractEventLoop | None = None
        self.user = user
        self.console = console or Console(highlight=False, file=sys.stdout)
        self.tracing = False
        self.turn: Turn | None = None
        self.editing = False
        """Whether the next message replaces the last one."""
        self.name = config.persona.name
        """What this person calls the companion."""
        self._dumb = is_dumb_terminal()
        self.changing = asyncio.Lock()
        """Held while stages are exchanged."""
        self.beside = ""
        """What is loading beside the running chain."""
        completer = prompt.SlashCompleter(lambda before: commands.words(self, before))
        self.session = prompt.session([], completer, self.interrupt, self.leave)
        self._loading = Loading(len(config.stages))
        self._queue: asyncio.Queue[Callable[[], Awaitable[None]]] = asyncio.Queue()
        self._answering: Message | None = None
        self._since = 0.0
        self._written = ""
        """The reply so far, while a single candidate is being written."""
        self._leader = ""
        """The candidate that leads, while several are being written."""
        self._waiting: asyncio.Future[Any] | None = None
        self._failure: BaseException | None = None
        self._leaving = False

    # -- from start to goodbye

    async def run(self) -> int:
        """Greet, talk, say goodbye. Raises what building the companion raised, unless it has words for a person."""
        self._greet()
        self._loop = asyncio.get_running_loop()
        with self._signals(), redirect_stderr(_Lines(self._stray)):
            async with Worker(lambda: self._make(self.config, self._loading.stage)) as worker:
                self.worker = worker
                tasks = [asyncio.create_task(step()) for step in (self._work, self._tick, self._watch)]
                try:
                    with suppress(EOFError):
                        await self._read()
                finally:
                    self._loading.left = True
                    if self._answering:
                        self._answering.stop.set()
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
        if self._failure is None:
            self._goodbye()
            return 0
        if isinstance(self._failure, ChatbotError):
            Console(stderr=True, highlight=False).print(Text(str(self._failure)))
            return self._failure.exit_code
        raise self._failure

    def _greet(self) -> None:
        folder = self.config.sections["memory"].path
        memory = Memory.open(folder, self.user)
        self.learn_name(memory)
        self.console.print(Text(f"{show.plain(self.name)} is an AI companion. What you say stays in {folder}", "dim"))
        self.console.print(Text("Enter sends, Ctrl-C stops an answer, Ctrl-D leaves. /help shows more.\n", "dim"))
        if memory.paused:
            self.console.print(Text("Memory is paused: nothing is written down until /resume.\n", "dim"))
        self.resume(memory)
        people.note(memory, self.user)
        memory.close()

    def resume(self, memory: Memory) -> None:
        """Show the last turns of this memory, dimmed, and let the arrow keys go through what was said."""
        said = memory.recent(200)
        if said:
            self.console.print(show.earlier(said[-RESUMED:], self.name, now()))
        prompt.remember(self.session, [u.text for u in said if u.role == "person"])

    def learn_name(self, memory: Memory) -> None:
        """Find out what this person calls the companion."""
        self.name = Turn("", persona=self.config.persona, profile=memory.facts()).companion_name

    def _goodbye(self) -> None:
        self.console.print(Text.assemble((f"{show.plain(self.name)}: ", "bold cyan"), "Bye!"))

    # -- the four things that go on at once

    async def _read(self) -> None:
        while not self._leaving:
            with suppress(KeyboardInterrupt):  # from a dumb terminal's prompt, as is EOFError
                text = (await self.session.prompt_async(self._message, set_exception_handler=False)).strip()
                if text and not self._leaving:
                    self.submit(text)

    async def _work(self) -> None:
        while True:
            action = await self._queue.get()
            try:
                await action()
            except Left:
                return
            except ChatbotError as error:
                await self.print(Text(str(error), "red"))
            except Exception as error:  # a defect: it must not end the talk, and must not be hidden
                await self.print(Text(f"That failed, and it should not have: {error!r}", "red"))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            if self._status() and get_app().is_running:
                get_app().invalidate()

    async def _watch(self) -> None:
        try:
            await self.worker.ready()
        except Exception as error:
            self._failure = error
            self.leave()
        self._loading.finished = True
        if get_app().is_running:
            get_app().invalidate()

    # -- what the keys do

    def submit(self, text: str) -> None:
        """Take a line that was sent: a slash command, or something said ("//" says a text that begins with "/")."""
        if text.startswith("/") and not text.startswith("//"):
            action = commands.find(self, text)
            if action.at_once:
                asyncio.create_task(self._now(action))  # noqa: RUF006  (kept alive by the terminal it waits for)
            else:
                self._queue.put_nowait(action)
        else:
            text = text.removeprefix("/") if text.startswith("//") else text
            self._queue.put_nowait(lambda: self.say(text))

    async def _now(self, action: Callable[[], Awaitable[None]]) -> None:
        try:
            await action()
        except ChatbotError as error:
            await self.print(Text(str(error), "red"))

    def interrupt(self) -> None:
        """Ctrl-C: stop the answer under way; without one, clear the line."""
        buffer = self.session.default_buffer
        if self._waiting is not None:
            self._waiting.cancel()
        elif self._answering is not None:
            self._answering.stop.set()
        else:
            self.editing = False
            buffer.reset()
        get_app().invalidate()

    def leave(self) -> None:
        """Ctrl-D: end the prompt, and with it the talk."""
        self._leaving = True
        for app in {self.session.app, get_app()}:  # a dumb terminal's prompt is an app of its own
            if app.is_running and not app.is_done:
                app.exit(result="")

    # -- saying

    async def say(self, text: str) -> None:
        """Say it to the companion and show the reply."""
        if not await self._loaded(text):
            return
        if self.editing:
            self.editing = False
            await self.call(lambda memory: memory.undo())
        if len(text) > MAX_INPUT:
            await self.print(Text(f"That is long: only the first {MAX_INPUT:,} characters were read.", "dim"))
        stop = threading.Event()
        message = Message(self.user, text[:MAX_INPUT], stop=stop, on_text=self._stream, on_candidate=self._lead)
        self._answering, self._since = message, time.monotonic()
        try:
            self.turn = await self.worker.say(message)
        finally:
            self._answering, self._written, self._leader = None, "", ""
        self.name = self.turn.companion_name
        await self.print(show.reply(self.turn, message.stop.is_set()))
        if self.tracing and not show.in_danger(self.turn):
            await self.print(trace.view(self.turn, self.console.width))

    def _stream(self, text: str) -> None:
        """Called from the models' thread: show the reply so far above the prompt."""
        self._written = text
        if self.session.app.is_running:
            self.session.app.invalidate()

    def _lead(self, candidate: Candidate) -> None:
        """Called from the models' thread: show the candidate that leads while the others are being written."""
        self._leader = candidate.text
        if self.session.app.is_running:
            self.session.app.invalidate()

    async def _loaded(self, text: str) -> bool:
        """Wait until the models are there; False when Ctrl-C took the message back before that."""
        self._waiting = asyncio.ensure_future(self.worker.ready())
        try:
            await asyncio.wait([self._waiting])
            if not self._waiting.cancelled():
                await self._waiting
                return True
        finally:
            self._waiting.cancel()
            self._waiting = None
        if not self.session.default_buffer.text:
            self.prefill(text)
        await self.print(Text("(not sent)", "dim"))
        return False

    async def call(self, action: Callable[[Memory], Any]) -> Any:
        """Do something with this person's memory, in the worker's thread, between two batches."""
        return await self.worker.call(lambda companion: action(companion.memory(self.user)))

    def prefill(self, text: str) -> None:
        """Put a text into the prompt, to be changed and sent."""
        self.session.default_buffer.text = text
        self.session.default_buffer.cursor_position = len(text)

    async def print(self, *parts: RenderableType) -> None:
        """Show something above the prompt."""
        width = self.console.width

        def put() -> None:
            for part in parts:
                self.console.print(part, width=width)

        await run_in_terminal(put)

    # -- what stands above the prompt

    def _message(self) -> FormattedText:
        you: list[tuple[str, str]] = [("class:you", "edit: " if self.editing else "you: ")]
        status = "" if get_app().is_done or self._dumb else self._status()
        written = show.wrapped(f"{self.name}: {self._written}", self.console.width - 1) if self._written else ""
        above = [("class:status", f"{part}\n") for part in (written, status) if part and not self._dumb]
        return FormattedText([*above, *you])

    def _status(self) -> str:
        if not self._loading.finished:
            return self._loading.line(self.console.width)
        if self._answering is None:
            return self.beside[: self.console.width - 1]
        if self._answering.stop.is_set():
            return "stopping"
        seconds = time.monotonic() - self._since
        if seconds < QUIET:
            return ""
        dots = "." * (1 + int(seconds * 3) % 3)
        leader = f'  maybe: "{show.plain(self._leader)}"' if self._leader else ""
        return f"{dots:<3} {seconds:.0f} s, Ctrl-C stops{leader}"[: self.console.width - 1]

    # -- from outside

    @contextmanager
    def _signals(self) -> Any:
        """SIGINT between two prompts acts like Ctrl-C, SIGTERM like Ctrl-D: the terminal is always put back."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        wanted = {signal.SIGINT: self.interrupt, signal.SIGTERM: self.leave}
        before = {
            number: signal.signal(number, lambda *_, act=act: loop.call_soon_threadsafe(act))
            for number, act in wanted.items()
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stray(self, text: str) -> None:
        """What libraries write to stderr: news of loading while loading, else a dimmed line above the prompt."""
        if not self._loading.finished:
            self._loading.note(text)
        elif text.strip():
            self._soon(lambda: self.print(Text(show.plain(text), "dim")))

    def _without_weights(self, why: str) -> None:
        """Told by the builder, in its thread, when the weightless chain takes the place of the one in the config."""
        tiny = read_config("tiny")
        values = {**self.config.values, "stages": tiny.values["stages"]}
        self.config = replace(self.config, path=tiny.path, stages=tiny.stages, origin=tiny.origin, values=values)
        self._soon(lambda: self.print(Text(show.plain(why), "yellow")))

    def _soon(self, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do it in the event loop, from whichever thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: asyncio.ensure_future(action()))


class _Lines(io.TextIOBase):
    """A text stream that is no terminal and hands on whole lines."""

    def __init__(self, line: Callable[[str], None]) -> None:
        self._line, self._rest = line, ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._line(line)
        return len(text)
