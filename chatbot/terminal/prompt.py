"""The prompt: keys, history and completion.

Enter sends, Ctrl-J and Esc-Enter break the line, a paste is only inserted (bracketed paste), Ctrl-C asks the chat what
to stop, Ctrl-D on an empty line leaves. Knows nothing of models. The history of the arrow keys is what the memory
holds of the person's own words, so that what is forgotten there is not kept here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.styles import Style

STYLE = Style.from_dict(
    {
        "you": "bold ansigreen",
        "status": "ansibrightblack",
        "completion-menu": "bg:default fg:default",
        "completion-menu.completion.current": "reverse",
        "completion-menu.meta.completion": "bg:default fg:ansibrightblack",
        "completion-menu.meta.completion.current": "bg:default fg:default",
        "scrollbar.background": "bg:default",
        "scrollbar.button": "bg:default",
    }
)


class SlashCompleter(Completer):
    """Completes slash commands, and their arguments: `words(text before the word)` gives (word, explanation)."""

    def __init__(self, words: Callable[[str], Iterable[tuple[str, str]]]) -> None:
        self.words = words

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
        text = document.text_before_cursor
        if not text.startswith("/") or "\n" in text:
            return
        before, _, word = text.rpartition(" ")
        for offered, meaning in self.words(before):
            if offered.startswith(word):
                yield Completion(offered, -len(word), display_meta=meaning)


def session(
    past: Sequence[str], completer: Completer, interrupt: Callable[[], None], leave: Callable[[], None]
) -> PromptSession[str]:
    """A prompt session. past: what was said before, oldest first; interrupt: called on Ctrl-C when the line is empty
    or an answer is under way; it is up to the caller to know which."""
    keys = KeyBindings()

    @keys.add("enter")
    def send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("c-j")
    @keys.add("escape", "enter")
    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-c")
    @keys.add("<sigint>")
    def stop(event: KeyPressEvent) -> None:
        interrupt()

    @keys.add("c-d")
    def bye(event: KeyPressEvent) -> None:
        if not event.current_buffer.text:
            leave()
        else:
            event.current_buffer.delete()

    made: PromptSession[str] = PromptSession(
        history=InMemoryHistory(list(past)),
        key_bindings=keys,
        completer=completer,
        multiline=True,
        style=STYLE,
        enable_suspend=True,
        reserve_space_for_menu=6,
        prompt_continuation=lambda width, line, wrapped: FormattedText([("class:status", "… ".rjust(width))]),
    )
    made.complete_while_typing = Condition(lambda: made.default_buffer.text.startswith("/"))
    return made


def remember(made: PromptSession[str], past: Sequence[str]) -> None:
    """Let the arrow keys go through these lines from now on, oldest first."""
    made.history = made.default_buffer.history = InMemoryHistory(list(past))
    made.default_buffer.reset(made.default_buffer.document)
