"""Saving the focused list as a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import work
from textual.screen import Screen

from regtui.ui.models.export import Cell, Exported, as_text, cell_of, free_name
from regtui.ui.models.tree import Note
from regtui.ui.safe_text import safe
from regtui.ui.screens.go_to import GoToScreen
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.tree_table import TreeTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.ui.widgets.columns import Column


class Exporting(Screen[None]):
    """Mixin of screens with lists."""

    @work(exclusive=True, group="export", exit_on_error=False)
    async def action_export_table(self) -> None:
        """ctrl+s: the rows that are shown, in the order in which they are shown."""
        shown = self.focused
        if not isinstance(shown, (RowTable, TreeTable)) or not len(shown.line_model):
            self._refuse("There is no table to save here.")
            return
        table = exported(shown)
        name = await asyncio.to_thread(free_name, Path(), f"regtui-{shown.id}", ".csv")
        answer = await self.app.push_screen_wait(GoToScreen("Save this table as (.json, .csv or .md)", name))
        if answer:
            await self._save(Path(answer), table)

    async def _save(self, path: Path, table: Exported) -> None:
        try:
            await asyncio.to_thread(_write_new, path, as_text(table, path.suffix))
        except FileExistsError:
            self._refuse(f"{path} exists already and was left as it is: choose another name.")
        except (OSError, RuntimeError) as error:  # a home that can't be found is a RuntimeError
            self._refuse(f"{path} was not written: {getattr(error, 'strerror', None) or error}.")
        else:
            self.notify(safe(f"Saved {len(table.rows):,} rows to {path}.", 300), markup=False)

    def _refuse(self, sentence: str) -> None:
        self.notify(safe(sentence, 300), severity="warning", markup=False)


def _write_new(path: Path, text: str) -> None:
    with path.expanduser().open("x", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text)


def exported(table: RowTable[Any] | TreeTable[Any]) -> Exported:
    """What a list shows, as values."""
    columns = [column for column in table.columns if column.is_data]
    if isinstance(table, RowTable):
        rows = [tuple(_cell(column, row) for column in columns) for row in table.model.visible_rows()]
    else:
        rows = _tree_rows(table, columns)
    return Exported(
        tuple("path" if column.name == "tree" else column.name for column in columns),
        tuple(str(column.title).strip() or column.name for column in columns),
        tuple(rows),
    )


def _tree_rows(table: TreeTable[Any], columns: Sequence[Column[Any]]) -> list[tuple[Cell, ...]]:
    """The lines of a tree; the label of each is its whole path."""
    rows = []
    for position in range(len(table.model)):
        node = table.model.at(position)
        if isinstance(node, Note):
            continue
        path = safe(table.model.source.text(node), 4096)
        rows.append(tuple(Cell(path, path) if c.name == "tree" else _cell(c, node) for c in columns))
    return rows


def _cell(column: Column[Any], row: Any) -> Cell:
    return cell_of(column.cell(row).strip(), column.sort(row) if column.sort is not None else None)
