"""One of a few, on one line: `(x) OCI archive  ( ) docker archive`; left and right choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from regtui.ui.widgets.columns import fit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType

    from regtui.ui.safe_text import SafeText


class ChoiceLine(Widget, can_focus=True):
    """Shows as many choices as fit around the chosen one; the sign tells it without colour."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--chosen"}
    DEFAULT_CSS = """
    ChoiceLine { height: 1; background: $boost; color: $text-muted; }
    ChoiceLine > .choice--chosen { color: $foreground; text-style: bold; }
    ChoiceLine:focus { background: $panel; }
    ChoiceLine:focus > .choice--chosen { color: $text-accent; background: $panel; text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "choose(-1)", show=False),
        Binding("right,l,space", "choose(1)", show=False),
    ]

    class Changed(Message):
        """Another one is chosen."""

    def __init__(self, choices: Sequence[SafeText], *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._choices = tuple(choices)
        self.chosen = 0

    def offer(self, choices: Sequence[SafeText]) -> None:
        """Other choices; the first one is chosen."""
        self._choices = tuple(choices)
        self.chosen = 0
        self.refresh()

    @property
    def text(self) -> str:
        """What is shown, for tests and screen readers."""
        return "".join(self._parts())

    def render_line(self, y: int) -> Strip:
        """The line, from the first choice that leaves the chosen one in view."""
        width, plain = self.size.width, self.rich_style
        if y:
            return Strip.blank(width, plain)
        sign = ">" if self.has_focus else " "
        segments = [Segment(sign, plain)]
        room = width - 1
        for number, part in list(enumerate(self._parts()))[self._first(room) :]:
            if cell_len(part) > room:
                segments.append(Segment(fit(part, room), plain))
                break
            segments.append(
                Segment(part, self.get_component_rich_style("choice--chosen") if number == self.chosen else plain)
            )
            room -= cell_len(part)
        return Strip(segments).adjust_cell_length(width, plain)

    def action_choose(self, step: int) -> None:
        """Left, right, space."""
        if self._choices:
            self.choose((self.chosen + step) % len(self._choices))

    def choose(self, number: int) -> None:
        """Choose one by its number."""
        if number != self.chosen:
            self.chosen = number
            self.refresh()
            self.post_message(self.Changed())

    def on_click(self, event: events.Click) -> None:
        """A click on one of them."""
        position = 1
        for number, part in list(enumerate(self._parts()))[self._first(self.size.width - 1) :]:
            if position <= event.x < position + cell_len(part):
                self.choose(number)
                return
            position += cell_len(part)

    def _parts(self) -> list[str]:
        return [f"({'x' if number == self.chosen else ' '}) {label}  " for number, label in enumerate(self._choices)]

    def _first(self, room: int) -> int:
        """The first choice that is drawn."""
        sizes = [cell_len(part) for part in self._parts()]
        first = 0
        while first < self.chosen and sum(sizes[first : self.chosen + 1]) > room:
            first += 1
        return first
