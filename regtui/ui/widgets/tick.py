"""A box to tick whose sign tells its state without colour: `[X]` and `[ ]`."""

from __future__ import annotations

from textual.widgets import Checkbox


class Tick(Checkbox):
    """Textual's own box has an X in both states and differs in colour alone."""

    BUTTON_LEFT = "["
    BUTTON_RIGHT = "]"
    BUTTON_INNER = " "  # a box that is off from the start is never told of a change
    DEFAULT_CSS = """
    Tick > .toggle--button { color: $text-accent; background: $surface; }
    """

    def watch_value(self) -> None:
        """Show the state in the sign."""
        self.BUTTON_INNER = "X" if self.value else " "
        super().watch_value()
