"""Small dialogs of the files: where to extract to, and what is under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from regtui.ui.widgets.tick import Tick

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from regtui.ui.safe_text import SafeText


@dataclass(frozen=True, slots=True)
class Extracting:
    """Where to, and whether set-user-id and its like are kept."""

    destination: str
    keep_special_bits: bool


class ExtractScreen(ModalScreen[Extracting | None]):
    """Asks where to extract; enter starts, escape gives None."""

    DEFAULT_CSS = """
    ExtractScreen { align: center middle; }
    ExtractScreen > Vertical {
        width: 80%; max-width: 110; height: auto; border: round $accent; background: $surface; padding: 0 1;
        border-subtitle-color: $text-muted;
    }
    ExtractScreen Input, ExtractScreen Input:focus { border: none; height: 1; padding: 0; background: $boost; }
    ExtractScreen .hint { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", show=False)]

    def __init__(self, what: SafeText, destination: str) -> None:
        super().__init__()
        self._what = what
        self._entry = Input(destination)
        self._entry.cursor_blink = False
        self._bits = Tick("keep set-user-id, set-group-id and sticky bits", False, compact=True)

    def compose(self) -> ComposeResult:
        """What, where to, how."""
        with Vertical() as box:
            box.border_subtitle = Content("enter starts · tab and space choose · escape cancels")
            yield Static(Content(f"Extract {self._what} to"))
            yield self._entry
            yield self._bits
            yield Static(Content("Nothing is overwritten; devices are left out."), classes="hint")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        if event.value.strip():
            self.dismiss(Extracting(event.value.strip(), self._bits.value))


class WorkingScreen(ModalScreen[bool]):
    """What is under way; escape stops it and gives True."""

    DEFAULT_CSS = """
    WorkingScreen { align: center middle; }
    WorkingScreen > Vertical {
        width: 80%; max-width: 90; height: auto; border: round $accent; background: $surface; padding: 0 1;
    }
    WorkingScreen .hint { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,ctrl+c", "dismiss(True)", "Stop", show=False)]

    def __init__(self, what: SafeText) -> None:
        super().__init__()
        self._what = what
        self._state = Static(Content(""))

    def compose(self) -> ComposeResult:
        """What, how far, how to stop."""
        with Vertical():
            yield Static(Content(self._what))
            yield self._state
            yield Static(Content("escape stops it"), classes="hint")

    def tell(self, state: SafeText) -> None:
        """How far it is."""
        self._state.update(Content(state))
