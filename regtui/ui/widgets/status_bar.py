"""The line at the top: where you are, and on the right who you are there and what is under way."""

from __future__ import annotations

from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from regtui.ui.safe_text import SafeText
from regtui.ui.widgets.columns import fit

_LEAST_TRAIL = 24


class StatusBar(Widget):
    """One line, drawn again only when its text has changed."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"status--state"}
    DEFAULT_CSS = """
    StatusBar { height: 1; background: $panel; color: $foreground; text-style: bold; }
    StatusBar > .status--state { color: $text-muted; text-style: not bold; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._trail = SafeText("")
        self._state = SafeText("")

    def set_breadcrumb(self, trail: SafeText) -> None:
        """Where: registry, repository and tag. When it is too long its beginning is cut away."""
        if trail != self._trail:
            self._trail = trail
            self.refresh()

    def set_state(self, state: SafeText) -> None:
        """Who, read-only or writable, requests in flight, what is left: parts with ` · ` between, the last go first."""
        if state != self._state:
            self._state = state
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        width, plain = self.size.width, self.rich_style
        if y:
            return Strip.blank(width, plain)
        parts = [part for part in self._state.split(" · ") if part]
        room = max(0, width - min(cell_len(self._trail), _LEAST_TRAIL) - 4)
        while parts and cell_len(" · ".join(parts)) > room:
            parts.pop()
        state = f" {' · '.join(parts)} " if parts else ""
        left = width - cell_len(state)
        return Strip(
            [
                Segment(fit(f" {_end_of(self._trail, left - 2)}", left), plain),
                Segment(state, self.get_component_rich_style("status--state")),
            ]
        ).adjust_cell_length(width, plain)


def _end_of(text: str, width: int) -> str:
    """`text`, or its end after an ellipsis: the end of a trail tells most."""
    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > max(width - 1, 0):
        text = text[1:]
    return f"…{text}"
