"""The table for everything that comes in rows: tags, repositories, findings, packages, history.

The owner appends pages as they arrive; the table filters, sorts (long ones in a thread), marks and draws.

    table = RowTable(COLUMNS, key=lambda row: row.name, text=lambda row: row.name, title=SafeText("3 Tags"), id="tags")
    table.append(page.items)
    table.listing = Listing("complete")
    def on_row_table_highlighted(self, event: RowTable.Highlighted) -> None: ...event.value is the row…
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from rich.cells import cell_len
from rich.segment import Segment
from textual import work
from textual.message import Message
from textual.strip import Strip

from regtui.ui.actions import Place
from regtui.ui.models.rows import RowModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import GAP, Column, Placed, fit, fit_end, header_line, place
from regtui.ui.widgets.filtering import FilteringList
from regtui.ui.widgets.line_list import LineList
from regtui.ui.widgets.listing import Listing, list_title, marks_note

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from textual.timer import Timer

    from regtui.ui.widgets.glyphs import Glyphs

Row = TypeVar("Row")

SORT_AT_ONCE = 5_000
"""Rows up to which a sort is quicker than starting a thread for it."""
RESORT_AFTER = 0.4
"""Seconds that late details are gathered before rows move to their new places."""
_MARGIN = 2


class RowTable(FilteringList, Generic[Row]):
    """A table over a RowModel. Change it through its methods, or change `model` and call `sync`."""

    PLACES = (Place.TABLE,)

    class Highlighted(LineList.Highlighted):
        """The cursor stands on another row (`value`, `key`, `position`; None when the table is empty)."""

    class Opened(LineList.Opened):
        """Enter, or a second click on a row (`value`, `key`, `position`)."""

    class MarksChanged(Message):
        """Rows were marked, or marks were taken away."""

        def __init__(self, table: RowTable[Any], count: int) -> None:
            super().__init__()
            self.table = table
            self.count = count

        @property
        def control(self) -> RowTable[Any]:
            """The table."""
            return self.table

        def can_replace(self, message: Message) -> bool:
            """Only the last of several waiting ones counts."""
            return isinstance(message, RowTable.MarksChanged) and message.table is self.table

    class Sorted(Message):
        """The rows stand in another order now; `column` is empty for the order in which they arrived."""

        def __init__(self, table: RowTable[Any], column: str, *, reverse: bool) -> None:
            super().__init__()
            self.table = table
            self.column = column
            self.reverse = reverse

        @property
        def control(self) -> RowTable[Any]:
            """The table."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        *,
        key: Callable[[Row], Hashable],
        text: Callable[[Row], str],
        fields: Mapping[str, Callable[[Row], str]] | None = None,
        title: SafeText = SafeText(""),  # noqa: B008 - a constant
        show_header: bool = True,
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
        glyphs: Glyphs | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self.columns = tuple(columns)
        self.show_header = show_header
        sort_keys = {column.name: column.sort for column in columns if column.sort is not None}
        self.model: RowModel[Row] = RowModel(key, text, sort_keys, fields)
        self._title = title
        self._note = SafeText("")
        self._listing = Listing()
        self._placed: tuple[int, list[Placed[Row]]] = (-1, [])
        self._sort_wish: tuple[str, bool] | None = None
        self._resort: Timer | None = None

    # what owners use

    def append(self, rows: Iterable[Row]) -> None:
        """Rows that arrived."""
        if self.model.append(rows):
            self.sync()

    def reset(self, rows: Iterable[Row] = (), listing: Listing | None = None) -> None:
        """Start over with other rows; filter and sort column stay, marks of rows that are gone go."""
        marked = len(self.model.marks)
        self.model.reset(rows)
        if listing is not None:
            self._listing = listing
        self.sync()
        self._tell_marks(marked)

    def show(self, model: RowModel[Row], listing: Listing | None = None) -> None:
        """Show another model (a list that was open before keeps its cursor, filter and marks this way)."""
        self.model = model
        if not model.sort_keys:
            model.sort_keys.update({column.name: column.sort for column in self.columns if column.sort is not None})
        if listing is not None:
            self._listing = listing
        self.forget_drawn()
        self.sync()

    def replace_all(self, rows: Iterable[Row]) -> None:
        """Newer values of rows that are there (details that came later). A sorted table re-sorts a moment after."""
        if not self.model.replace_all(rows):
            return
        self.sync()
        if self.model.is_order_stale and self._resort is None:
            self._resort = self.set_timer(RESORT_AFTER, self._sort_again)

    def fail(self, key: Hashable, sentence: str) -> None:
        """Show an error on its row."""
        self.model.fail(key, sentence)
        self.sync()

    def take_out(self, keys: Iterable[Hashable]) -> None:
        """Take rows out, their marks with them."""
        marked = len(self.model.marks)
        self.model.remove(keys)
        self.sync()
        self._tell_marks(marked)

    def sort_by(self, column: str, *, reverse: bool | None = None) -> None:
        """Sort by a column (in its own first direction unless told), `""` for the order of arrival."""
        if not column:
            self._sort_wish = None
            self.model.unsort()
            self._sorted("", reverse=False)
            return
        if reverse is None:
            reverse = next((each.descending for each in self.columns if each.name == column), False)
        self._sort_wish = (column, reverse)
        if self.model.known <= SORT_AT_ONCE or not self.is_running:
            self.model.sort(column, reverse=reverse)
            self._sorted(column, reverse=reverse)
        else:
            self._sort_in_thread(column, reverse=reverse)

    def rank_column(self, name: str, priority: int) -> None:
        """Let a column give way earlier or later than it was made for: what matters depends on what is shown."""
        changed = tuple(replace(one, priority=priority) if one.name == name else one for one in self.columns)
        if changed != self.columns:
            self.columns = changed
            self._placed = (-1, [])
            self.forget_drawn()
            self.refresh()

    @property
    def listing(self) -> Listing:
        """How far the listing has come; the title tells it."""
        return self._listing

    @listing.setter
    def listing(self, listing: Listing) -> None:
        self._listing = listing
        self._show_title()

    @property
    def title(self) -> SafeText:
        """The first words of the upper border."""
        return self._title

    @title.setter
    def title(self, title: SafeText) -> None:
        self._title = title
        self._show_title()

    @property
    def note(self) -> SafeText:
        """What the lower border says after the number of marks: what they would free."""
        return self._note

    @note.setter
    def note(self, note: SafeText) -> None:
        self._note = note
        self._show_title()

    @property
    def current(self) -> Row | None:
        """The row under the cursor."""
        return self.model.current

    def marked_or_current(self) -> list[Row]:
        """What an action on several rows is about: the marked ones, else the one under the cursor."""
        marked = self.model.marked_rows()
        if marked:
            return marked
        current = self.model.current
        return [] if current is None else [current]

    # drawing

    @property
    def line_model(self) -> RowModel[Row]:
        """The rows."""
        return self.model

    @property
    def header_lines(self) -> int:
        """One line of column titles, unless there is hardly room for rows."""
        return int(self.show_header and self.size.height > 2)

    def identity(self, position: int) -> tuple[Row, Hashable]:
        """The row at a position and its key."""
        row = self.model.at(position)
        return row, self.model.key(row)

    def line_flags(self, position: int) -> bool:
        """Whether the row is marked."""
        return bool(self.model.marks) and self.model.is_marked(self.model.at(position))

    def draw_line(self, position: int, width: int, *, is_cursor: bool) -> Strip:
        """One row."""
        row = self.model.at(position)
        marked = self.model.is_marked(row)
        placed = self._layout(width)
        parts: list[tuple[str, str]] = [self.margin(is_cursor=is_cursor, is_marked=marked)]
        error = self.model.errors.get(self.model.key(row)) if self.model.errors else None
        if error is not None:
            placed = placed[: 1 + next((turn for turn, spot in enumerate(placed) if spot.column.flex), 0)]
        for turn, spot in enumerate(placed):
            text: str = spot.column.cell(row)
            size = spot.width
            if error is not None and turn == len(placed) - 1:
                size = min(size, max(spot.column.width, cell_len(text)))
            if spot.column.keeps_end:
                text = fit_end(text, size, ellipsis=self.glyphs.ellipsis)
            else:
                text = fit(text, size, right=spot.column.align == "right", ellipsis=self.glyphs.ellipsis)
            gap = " " * GAP if turn else ""
            parts += [(gap, ""), (text, "marked" if marked and not turn else spot.column.tone_of(row))]
        if error is not None:
            rest = width - sum([cell_len(text) for text, _ in parts]) - GAP
            parts += [(" " * GAP, ""), (fit(f"! {safe(error)}", max(rest, 0), ellipsis=self.glyphs.ellipsis), "error")]
        return self.strip_of(parts, width, is_cursor=is_cursor)

    def draw_header(self, width: int) -> Strip:
        """The column titles, the sorted one with an arrow."""
        order, signs = self.model.order, self.glyphs
        arrow = signs.descending if order is not None and order.reverse else signs.ascending
        text = header_line(self._layout(width), _MARGIN, order.column if order is not None else "", arrow)
        return Strip([Segment(fit(text, width, ellipsis=""), self.line_style("header"))], width)

    def click_header(self, x: int) -> None:
        """Sort by the column that was clicked; a second click reverses."""
        for spot in self._layout(self.line_width):
            if spot.start <= x - _MARGIN < spot.start + spot.width + GAP and spot.column.sort is not None:
                if self._sort_wish is not None and self._sort_wish[0] == spot.column.name:
                    self.action_sort_reverse()
                else:
                    self.sort_by(spot.column.name)

    def sync(self) -> None:
        """Show the model as it is now, its counts in the title included."""
        super().sync()
        self._show_title()

    # actions

    def action_toggle_mark(self) -> None:
        """Mark or unmark, and go on to the next row; ends a range."""
        marked = len(self.model.marks)
        if self.model.is_ranging:
            self.model.end_range()
            self._show_title()
            return
        self.model.toggle_mark()
        self.refresh_line(self.model.cursor)
        self.place_cursor(self.model.cursor + 1)
        self._tell_marks(marked, force=True)

    def action_mark_range(self) -> None:
        """Begin or end a range."""
        marked = len(self.model.marks)
        if self.model.is_ranging:
            self.model.end_range()
        else:
            self.model.begin_range()
            self.refresh_line(self.model.cursor)
        self._tell_marks(marked, force=True)

    def action_mark_all(self) -> None:
        """Mark all that the filter lets through."""
        marked = len(self.model.marks)
        self.model.mark_visible()
        self.refresh(self.size.region)
        self._tell_marks(marked)

    def action_clear_marks(self) -> None:
        """Take all marks away."""
        marked = len(self.model.marks)
        self.model.clear_marks()
        self.refresh(self.size.region)
        self._tell_marks(marked)

    def action_sort_next(self) -> None:
        """Sort by the next column that can be sorted by; after the last in the order of arrival."""
        names = ["", *self.model.sort_keys]
        now = self._sort_wish[0] if self._sort_wish is not None else ""
        self.sort_by(names[(names.index(now) + 1) % len(names)] if now in names else "")

    def action_sort_reverse(self) -> None:
        """Turn the order around."""
        if self._sort_wish is not None:
            column, reverse = self._sort_wish
            self.sort_by(column, reverse=not reverse)

    def place_cursor(self, position: int) -> None:
        """Move the cursor as a key would; a range grows or shrinks with it."""
        marked = len(self.model.marks)
        super().place_cursor(position)
        self._tell_marks(marked)

    def action_open_line(self) -> None:
        """Open the row; the cursor returns to it when the filter goes."""
        self.model.settle()
        super().action_open_line()

    # inside

    def _layout(self, width: int) -> list[Placed[Row]]:
        if self._placed[0] != width:
            self._placed = (width, place(self.columns, width - _MARGIN))
        return self._placed[1]

    @work(exclusive=True, group="sort")
    async def _sort_in_thread(self, column: str, *, reverse: bool) -> None:
        model = self.model
        while True:
            order = await asyncio.to_thread(model.prepare(column, reverse=reverse))
            if model.apply(order):
                break
        if model is self.model:
            self._sorted(column, reverse=reverse)

    def _sorted(self, column: str, *, reverse: bool) -> None:
        self.sync()
        self.post_message(self.Sorted(self, column, reverse=reverse))

    def _sort_again(self) -> None:
        self._resort = None
        if self._sort_wish is not None and self.model.is_order_stale:
            column, reverse = self._sort_wish
            self.sort_by(column, reverse=reverse)

    def _show_title(self) -> None:
        order, listing = self.model.order, self._listing
        sort = SafeText("")
        if order is not None and not self.header_lines:
            arrow = self.glyphs.descending if order.reverse else self.glyphs.ascending
            sort = SafeText(f"{order.column} {arrow}")
        note = marks_note(len(self.model.marks), self._note)
        self.show_title(
            list_title(self._title, self.model.shown, self.model.known, listing, sort, safe(self.filter_source, 30)),
            note,
        )

    def _tell_marks(self, before: int, *, force: bool = False) -> None:
        count = len(self.model.marks)
        if count != before or force:
            self._show_title()
            self.post_message(self.MarksChanged(self, count))
