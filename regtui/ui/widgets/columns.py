"""Columns of lists and trees: what each shows, how wide it is, and which give way when the pane is narrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from regtui.ui.safe_text import SafeText

Row = TypeVar("Row")

GAP = 2
"""Cells between two columns."""

Tone = Literal["", "dim", "accent", "warning", "error", "success"]
"""How a cell is coloured; the cell's text says the same without colour."""


@dataclass(frozen=True)  # no slots: Column[Row](…) could not be called then
class Column(Generic[Row]):
    """One column.

    `width` is its cells, or the least of them when `flex` > 0: then it shares what is left with other flexible
    columns in proportion. `priority` 0 always stays; the highest number gives way first. `sort` gives the
    value to sort by, None for unknown; `descending` says that the first sort shows the largest first.
    """

    name: str
    title: SafeText
    cell: Callable[[Row], SafeText]
    width: int = 10
    flex: int = 0
    align: Literal["left", "right"] = "left"
    tone: Callable[[Row], Tone] | Tone = ""
    sort: Callable[[Row], Any] | None = None
    descending: bool = False
    priority: int = 0
    keeps_end: bool = False
    """Whether what is too long loses its beginning, as paths do whose last part tells most."""
    is_data: bool = True
    """Whether it belongs into a file that the table is saved to: a bar does not."""

    def tone_of(self, row: Row) -> Tone:
        """How this row's cell is coloured."""
        return self.tone(row) if callable(self.tone) else self.tone


@dataclass(frozen=True)
class Placed(Generic[Row]):
    """A column in its place: `start` counts cells from the left of the first column."""

    column: Column[Row]
    start: int
    width: int


def fit(text: str, width: int, *, right: bool = False, ellipsis: str = "…") -> str:
    """`text` in exactly `width` cells: cut with an ellipsis, or filled with spaces. Wide characters count two."""
    if text.isascii() and len(text) <= width:
        return text.rjust(width) if right else text.ljust(width)
    length = cell_len(text)
    if length > width:
        if width <= 0:
            return ""
        cut = set_cell_size(text, width - 1).rstrip() + ellipsis
        return set_cell_size(cut, width)
    filling = " " * (width - length)
    return filling + text if right else text + filling


def fit_end(text: str, width: int, *, ellipsis: str = "…") -> str:
    """As `fit`, but what is too long loses its beginning."""
    length = cell_len(text)
    if length <= width or width <= 0:
        return fit(text, width, ellipsis=ellipsis)
    while text and length > width - 1:
        length -= cell_len(text[0])
        text = text[1:]
    return fit(ellipsis + text, width)


def place(columns: Sequence[Column[Row]], width: int) -> list[Placed[Row]]:
    """The columns that fit into `width` cells, in their order, filling it when one is flexible."""
    kept = list(columns)
    while len(kept) > 1 and sum([column.width for column in kept]) + GAP * (len(kept) - 1) > width:
        last = max([column.priority for column in kept])
        kept.remove(next(column for column in reversed(kept) if column.priority == last))
    if not kept or width <= 0:
        return []
    free = width - sum([column.width for column in kept]) - GAP * (len(kept) - 1)
    shares = sum([column.flex for column in kept])
    placed: list[Placed[Row]] = []
    start = 0
    for column in kept:
        size = column.width
        if free < 0:
            size = max(1, size + free)
        elif column.flex:
            extra = free * column.flex // shares
            free, shares, size = free - extra, shares - column.flex, size + extra
        placed.append(Placed(column, start, size))
        start += size + GAP
    return placed


def header_line(placed: Sequence[Placed[Row]], margin: int, sorted_by: str, arrow: str) -> str:
    """The titles of placed columns; the arrow stands at the one that is sorted by, also where the title is cut."""
    text = " " * margin
    for spot in placed:
        title: str = spot.column.title
        if spot.column.name == sorted_by and sorted_by:
            title = f"{fit(title, min(cell_len(title), max(spot.width - 2, 0)))} {arrow}"
        text = fit(text, margin + spot.start) + fit(title, spot.width, right=spot.column.align == "right")
    return text
