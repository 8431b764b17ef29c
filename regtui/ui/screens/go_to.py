"""Asks for one line: a reference to go to, a file to save to."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

if TYPE_CHECKING:
    from textual.app import ComposeResult


class GoToScreen(ModalScreen[str]):
    """One input; enter gives its text, escape the empty text."""

    DEFAULT_CSS = """
    GoToScreen { align: center middle; }
    GoToScreen > Vertical {
        width: 80%; max-width: 110; height: auto; border: round $accent; background: $surface; padding: 0 1;
        border-subtitle-color: $text-muted;
    }
    GoToScreen Input, GoToScreen Input:focus { border: none; height: 1; padding: 0; background: $boost; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "Cancel", show=False)]

    def __init__(
        self, question: str = "Go to a reference, digest, host, layout folder or archive", value: str = ""
    ) -> None:
        super().__init__()
        self._question = question
        self._value = value

    def compose(self) -> ComposeResult:
        """The question over the input."""
        with Vertical() as box:
            box.border_subtitle = Content("enter goes on · escape cancels")
            yield Static(Content(self._question))
            entry = Input(self._value, placeholder="registry.example.com/path/name:tag")
            entry.cursor_blink = False
            yield entry

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        self.dismiss(event.value.strip())
