"""The chat loop: the prompt is always there, and what was typed is worked off in order behind it.

The prompt appears before the models are loaded; messages and slash commands go through one queue, so that an /undo
waits for the answer before it. Ctrl-C sets the stop event of the answer under way, else clears the line; Ctrl-D leaves.
It is a key, not a signal: nothing here depends on the platform. A SIGINT or SIGTERM from outside does the same.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import redirect_stderr, suppress
from dataclasses import replace
from typing import Any

from prompt_toolkit.application import get_app, run_in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.utils import is_dumb_terminal
from rich.console import Console, RenderableType
from rich.text import Text

from chatbot.assemble import make_companion, read_config
from chatbot.companion import Companion
from chatbot.memory import Memory
from chatbot.terminal import commands, earlier, outside, prompt, show, trace
from chatbot.terminal.answering import Answering
from chatbot.terminal.loading import Left, Loading
from chatbot.worker import Worker
from pipelines.config import Config
from pipelines.errors import ChatbotError
from pipelines.turn import Turn

MAX_INPUT = 10_000
"""Characters of one message that are read; what is longer is cut, and said so."""

GOODBYES = ("exit", "quit", ":q")
"""Words that, alone in a message, leave as Ctrl-D does: what other programs have taught people."""


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
        self.tried: Turn | None = None
        """What the stages that were exchanged last made of the last message."""
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
        self._answering: Answering | None = None
        self._waiting: asyncio.Future[Any] | None = None
        self._failure: BaseException | None = None
        self._leaving = False

    # -- from start to goodbye

    async def run(self) -> int:
        """Greet, talk, say goodbye. Raises what building the companion raised, unless it has words for a person."""
        earlier.greet(self)
        self._loop = asyncio.get_running_loop()
        with outside.signals(self.interrupt, self.leave), redirect_stderr(outside.Lines(self._stray)):
            async with Worker(lambda: self._make(self.config, self._loading.stage)) as worker:
                self.worker = worker
                tasks = [asyncio.create_task(step()) for step in (self._work, self._tick, self._watch)]
                try:
                    with suppress(EOFError):
                        await self._read()
                finally:
                    self._loading.left = True
                    if self._answering:
                        self._answering.stop()
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
                await self._now(action)
            except Left:
                return

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            if self._above() and get_app().is_running:
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
        if text.lower() in GOODBYES:
            self.leave()
        elif text.startswith("/") and not text.startswith("//"):
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
        except Left:
            raise
        except ChatbotError as error:
            await self.print(Text(str(error), "red"))
        except Exception as error:  # a defect: it must not end the talk, and must not be hidden
            await self.print(Text(f"That failed, and it should not have: {error!r}", "red"))

    def interrupt(self) -> None:
        """Ctrl-C: stop the answer under way; without one, clear the line."""
        buffer = self.session.default_buffer
        if self._waiting is not None:
            self._waiting.cancel()
        elif self._answering is not None:
            self._answering.stop()
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
        answering = self._answering = Answering(self.user, text[:MAX_INPUT], self._redraw)
        try:
            self.turn = await self.worker.say(answering.message)
        finally:
            self._answering = None
        self.name = self.turn.companion_name
        await self.print(show.reply(self.turn, answering.stopped))
        if self.tracing and not show.in_danger(self.turn):
            await self.print(trace.view(self.turn, self.console.width))

    def _redraw(self) -> None:
        """There is more to show above the prompt; from any thread."""
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
        above = [] if get_app().is_done or self._dumb else self._above()
        return FormattedText([*(("class:status", f"{line}\n") for line in above), *you])

    def _above(self) -> list[str]:
        """The lines that say what goes on."""
        width = self.console.width
        if not self._loading.finished:
            return [self._loading.line(width)]
        if self._answering is not None:
            return self._answering.lines(self.name, width)
        return [self.beside[: width - 1]] if self.beside else []

    # -- from outside

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
