"""The line in which a filter is typed; one for all lists of a screen.

self.filter.open_for(self.tags)     # shows it, takes the focus; every key filters the list at once
self.filter.clear_for(self.tags)    # shows all rows again
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, Protocol, runtime_checkable

from textual.binding import Binding
from textual.containers import Horizontal
from textual.content import Content
from textual.events import Key
from textual.message import Message
from textual.widgets import Input, Static

from regtui.ui.models.filters import PATTERN_LIMIT
from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.widget import Widget


_LEAVING: Final = frozenset({"enter", "escape", "up", "down"})


@runtime_checkable
class Filterable(Protocol):
    """A list that filters as one types."""

    @property
    def filter_source(self) -> str:
        """The filter as it was typed."""

    def set_filter(self, source: str) -> SafeText | None:
        """Filter; the sentence to show when it can't be used."""


class _Line(Input):
    """The input itself: no blinking, nothing raw from a paste, up and down leave it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "drop", show=False),
        Binding("down,up", "keep", show=False),
    ]
    DEFAULT_CSS = """
    _Line, _Line:focus { height: 1; border: none; padding: 0; width: 1fr; background: $panel; }
    """

    class Left(Message):
        """The line is done with; `is_kept` is false when the filter is dropped."""

        def __init__(self, *, is_kept: bool) -> None:
            super().__init__()
            self.is_kept = is_kept

    def __init__(self) -> None:
        super().__init__(max_length=PATTERN_LIMIT, select_on_focus=False)
        self.cursor_blink = False
        self.is_leaving = False
        self.typed_ahead: list[Key] = []
        """Keys that came after the one that leaves: they are meant for the list."""

    def on_key(self, event: events.Key) -> None:
        """Once the line is done with, keys go where the focus goes."""
        if not self.is_leaving:
            # Its action runs only when the key has travelled up to the app; the next key may be here before.
            self.is_leaving = event.key in _LEAVING
            return
        event.stop()
        event.prevent_default()
        key, focused = Key(event.key, event.character), self.screen.focused
        if focused is None or focused is self:
            self.typed_ahead.append(key)
        else:
            self.app.post_message(key)

    def action_drop(self) -> None:
        """Leave and show all rows."""
        self.post_message(self.Left(is_kept=False))

    def action_keep(self) -> None:
        """Leave and keep the filter."""
        self.post_message(self.Left(is_kept=True))

    def on_paste(self, event: events.Paste) -> None:
        """Take pasted text in as inert text."""
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(safe(event.text.split("\n", 1)[0].rstrip("\r"), PATTERN_LIMIT))


class FilterInput(Horizontal):
    """`/ text`, with the reason on the right when a regular expression is not one yet."""

    DEFAULT_CSS = """
    FilterInput { height: 1; background: $panel; display: none; }
    FilterInput > .filter--sign { width: 3; color: $text-accent; text-style: bold; }
    FilterInput > .filter--problem { width: auto; max-width: 60%; color: $text-error; }
    """

    class Changed(Message):
        """A list is filtered by something else now."""

        def __init__(self, target: Widget, source: str) -> None:
            super().__init__()
            self.target = target
            self.source = source

    class Left(Message):
        """The line is done with, the focus is back on the list."""

        def __init__(self, target: Widget, source: str) -> None:
            super().__init__()
            self.target = target
            self.source = source

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._line = _Line()
        self._problem = Static(Content(""), classes="filter--problem")
        self._target: Widget | None = None

    def compose(self) -> ComposeResult:
        """The sign, the line, the problem."""
        yield Static(Content(" / "), classes="filter--sign")
        yield self._line
        yield self._problem

    @staticmethod
    def source_of(target: Widget) -> str:
        """The filter of a list as it was typed; empty when there is none."""
        return target.filter_source if isinstance(target, Filterable) else ""

    def open_for(self, target: Widget) -> None:
        """Show the line with the list's filter and take the focus."""
        if not isinstance(target, Filterable):
            return
        self._target = None  # putting the text in is no change of the filter
        self._line.value = target.filter_source
        self._line.cursor_position = len(self._line.value)
        self._target = target
        self._line.is_leaving = False
        self._line.typed_ahead.clear()
        self._tell(None)
        self.display = True
        self.screen.set_focus(self._line, scroll_visible=False)

    def clear_for(self, target: Widget) -> None:
        """Show all rows of a list again."""
        if isinstance(target, Filterable) and target.filter_source:
            target.set_filter("")
            self.post_message(self.Changed(target, ""))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter with every key."""
        event.stop()
        target = self._target
        if target is None or not isinstance(target, Filterable) or event.value == target.filter_source:
            return
        problem = target.set_filter(event.value)
        self._tell(problem)
        if problem is None:
            self.post_message(self.Changed(target, event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter keeps the filter."""
        event.stop()
        self._leave(is_kept=True)

    def on__line_left(self, event: _Line.Left) -> None:
        """Escape drops the filter, up and down keep it."""
        event.stop()
        self._leave(is_kept=event.is_kept)

    def _leave(self, *, is_kept: bool) -> None:
        target, self._target = self._target, None
        self.display = False
        if target is None:
            return
        if not is_kept:
            self.clear_for(target)
        self.screen.set_focus(target, scroll_visible=False)
        for key in self._line.typed_ahead:
            self.app.post_message(key)
        self._line.typed_ahead.clear()
        self.post_message(self.Left(target, self.source_of(target)))

    def _tell(self, problem: SafeText | None) -> None:
        self._problem.update(Content(f" {problem} " if problem else ""))
