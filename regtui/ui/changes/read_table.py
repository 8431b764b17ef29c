"""A table that is only read: it scrolls, filters and opens, and nothing in it can be marked."""

from __future__ import annotations

from typing import Final, TypeVar

from regtui.ui.widgets.row_table import RowTable

Row = TypeVar("Row")

_MARKS: Final = frozenset({"toggle_mark", "mark_range", "mark_all", "clear_marks"})


class ReadTable(RowTable[Row]):
    """A RowTable without marks; without sortable columns there is no sort either."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No marks, and no sort where there is nothing to sort by."""
        if action in _MARKS or (action in {"sort_next", "sort_reverse"} and not self.model.sort_keys):
            return False
        return super().check_action(action, parameters)
