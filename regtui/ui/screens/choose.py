"""Choose one of a few: the platforms of an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from regtui.ui.safe_text import SafeText
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

Choice = tuple[int, SafeText]
_KEYS: Final = SafeText("enter chooses · escape cancels")
_WIDEST: Final = 100


def room_in_choices(width: int) -> int:
    """The cells of a line's text where the terminal is `width` wide."""
    return min(width * 8 // 10, _WIDEST) - 6


class ChooseScreen(ModalScreen[int]):
    """A short list; enter gives the position of the chosen line, escape -1."""

    DEFAULT_CSS = """
    ChooseScreen { align: center middle; }
    ChooseScreen > RowTable { width: 80%; max-width: 100; height: auto; max-height: 80%; border: round $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "dismiss(-1)", "Cancel", show=False)]

    def __init__(
        self, question: SafeText, choices: Sequence[SafeText], chosen: int = 0, *, note: SafeText = _KEYS
    ) -> None:
        super().__init__()
        self._table: RowTable[Choice] = RowTable(
            [Column("choice", SafeText(""), lambda row: row[1], 20, flex=1)],
            key=lambda row: row[0],
            text=lambda row: row[1],
            title=question,
            show_header=False,
        )
        self._table.note = note
        self._table.append(list(enumerate(choices)))
        self._table.model.move_to(chosen)
        self._table.styles.height = min(len(choices) + 2, 20)

    def compose(self) -> ComposeResult:
        """The list."""
        yield self._table

    def on_mount(self) -> None:
        """Keys go to the list."""
        self._table.focus()

    def on_row_table_opened(self, event: RowTable.Opened) -> None:
        """Enter."""
        self.dismiss(event.value[0])
