"""Choose a theme: each is shown on the whole screen while the cursor stands on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.theme import Theme


class ThemesScreen(ModalScreen[str]):
    """The themes with their colours; enter gives the name of the chosen one, escape the empty text.

    The one that was there before comes back on escape.
    """

    DEFAULT_CSS = """
    ThemesScreen { align: right middle; background: $background 10%; }
    ThemesScreen > RowTable { width: 44; height: 60%; min-height: 8; border: round $accent; margin: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "give_up", "Cancel", show=False)]

    def __init__(self, themes: list[Theme], current: str) -> None:
        super().__init__()
        self._before = current
        self.table: RowTable[Theme] = RowTable(
            [
                Column("name", SafeText("theme"), lambda theme: safe(theme.name, 60), 20, flex=1),
                Column("kind", SafeText("kind"), _kind, 8, tone="dim"),
                *(_swatch(tone) for tone in ("accent", "warning", "error", "success")),
            ],
            key=lambda theme: theme.name,
            text=lambda theme: theme.name,
            title=SafeText("Themes · enter keeps · esc back"),
            show_header=False,
        )
        self.table.append(themes)
        names = [theme.name for theme in themes]
        self.table.model.move_to(names.index(current) if current in names else 0)

    def compose(self) -> ComposeResult:
        """The list, beside what it changes."""
        yield self.table

    def on_mount(self) -> None:
        """Keys go to the list."""
        self.table.focus()

    def on_row_table_highlighted(self, event: RowTable.Highlighted) -> None:
        """Show it at once."""
        if event.value is not None:
            self.app.theme = event.value.name

    def on_row_table_opened(self, event: RowTable.Opened) -> None:
        """Enter."""
        self.dismiss(event.value.name)

    def action_give_up(self) -> None:
        """Escape: as it was."""
        self.app.theme = self._before
        self.dismiss("")


def _kind(theme: Theme) -> SafeText:
    return SafeText("terminal" if theme.ansi else "dark" if theme.dark else "light")


def _swatch(tone: Tone) -> Column[Theme]:
    return Column(tone, SafeText(""), lambda _: SafeText("▆▆"), 2, tone=tone, priority=1)
