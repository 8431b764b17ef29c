"""A text to read, copy or keep: a rule in a vendor's own words, a manifest, a command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from regtui.ui.changes.read_table import ReadTable
from regtui.ui.changes.saving import save_new
from regtui.ui.clipboard import copy_text
from regtui.ui.safe_text import SafeText, safe_lines
from regtui.ui.screens.go_to import GoToScreen
from regtui.ui.widgets.columns import Column

if TYPE_CHECKING:
    from textual.app import ComposeResult

Line = tuple[int, SafeText]


class TextScreen(ModalScreen[None]):
    """The text line by line; `c` copies all of it, ctrl+s saves it."""

    DEFAULT_CSS = """
    TextScreen { align: center middle; }
    TextScreen > RowTable { width: 90%; max-width: 110; height: 80%; border: round $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Close", show=False),
        Binding("c", "copy_all", "Copy", show=False),
        Binding("ctrl+s", "save_all", "Save", show=False),
    ]

    def __init__(self, title: SafeText, text: str, file_name: str) -> None:
        super().__init__()
        self._text = text
        self._file_name = file_name
        self._table: ReadTable[Line] = ReadTable(
            [Column("line", SafeText(""), lambda row: row[1], 20, flex=1)],
            key=lambda row: row[0],
            text=lambda row: row[1],
            title=title,
            show_header=False,
        )
        self._table.note = SafeText("c copies · ctrl+s saves · escape closes")
        self._table.append(list(enumerate(safe_lines(text))))

    def compose(self) -> ComposeResult:
        """The lines."""
        yield self._table

    def on_mount(self) -> None:
        """Keys go to the lines."""
        self._table.focus()

    @work(exclusive=True, group="copy", exit_on_error=False)
    async def action_copy_all(self) -> None:
        """c"""
        self.notify(await asyncio.to_thread(copy_text, self.app, self._text), markup=False)

    @work(exclusive=True, group="save", exit_on_error=False)
    async def action_save_all(self) -> None:
        """ctrl+s"""
        answer = await self.app.push_screen_wait(GoToScreen("Save as", self._file_name))
        if answer:
            said, is_good = await asyncio.to_thread(save_new, Path(answer), self._text)
            self.notify(said, severity="information" if is_good else "warning", markup=False)
