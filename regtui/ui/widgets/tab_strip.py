"""One line of tabs. The active one is told by brackets, not by colour alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from regtui.ui.safe_text import SafeText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events


class TabStrip(Widget):
    """Names side by side; a click chooses one. `note` stands at the right end."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab--active", "tab--note"}
    DEFAULT_CSS = """
    TabStrip { height: 1; background: $surface; color: $text-muted; }
    TabStrip > .tab--active { color: $text-accent; text-style: bold; }
    TabStrip > .tab--note { color: $text-muted; }
    """

    class Chosen(Message):
        """A tab was clicked."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, tabs: Sequence[tuple[str, SafeText]], *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._tabs = tuple(tabs)
        self._active = self._tabs[0][0]
        self._note = SafeText("")

    @property
    def names(self) -> tuple[str, ...]:
        """The tabs by name, in order."""
        return tuple(name for name, _ in self._tabs)

    @property
    def active(self) -> str:
        """The tab that is shown as chosen."""
        return self._active

    @active.setter
    def active(self, tab: str) -> None:
        self._active = tab
        self.refresh()

    @property
    def note(self) -> SafeText:
        """What stands at the right end."""
        return self._note

    @note.setter
    def note(self, note: SafeText) -> None:
        if note != self._note:
            self._note = note
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The names, the active one in brackets."""
        width = self.size.width
        if y:
            return Strip.blank(width, self.rich_style)
        segments = []
        for name, title in self._tabs:
            if name == self._active:
                segments.append(Segment(f"[{title}]", self.get_component_rich_style("tab--active")))
            else:
                segments.append(Segment(f" {title} ", self.rich_style))
        used = sum(segment.cell_length for segment in segments)
        room = width - used
        note = self._note[: max(0, room - 2)]
        segments.append(Segment(" " * max(0, room - len(note) - 1), self.rich_style))
        segments.append(Segment(note, self.get_component_rich_style("tab--note")))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def on_click(self, event: events.Click) -> None:
        """Choose the tab under the pointer."""
        end = 0
        for name, title in self._tabs:
            end += len(title) + 2
            if event.x < end:
                self.post_message(self.Chosen(name))
                return
