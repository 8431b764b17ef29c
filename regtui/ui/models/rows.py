"""The state of a list: its rows, which of them are visible and in which order, the cursor and the marks.

Rows are values with a key of their own (a tag's name, a digest). The cursor and the marks follow the key, so
that pages that arrive, a filter or a sort never make them point at something else.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from itertools import compress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from regtui.ui.models.filters import EVERYTHING, Filter, parse_filter
from regtui.ui.models.ordering import Order, merged, sort_order

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

Row = TypeVar("Row")


class RowModel(Generic[Row]):
    """Rows with filter, sort, cursor and marks; 100,000 of them without a noticeable pause.

    `key` names a row for good, `text` is what the filter looks in (any length, made lower case here),
    `sort_keys` gives the value that each column sorts by: None there means unknown and sorts last.
    `fields` are other texts that the filter looks in when their name stands before it (`signed:verified`).
    Positions count visible rows from 0. `version` grows whenever what a position shows may have changed.
    """

    def __init__(
        self,
        key: Callable[[Row], Hashable],
        text: Callable[[Row], str],
        sort_keys: Mapping[str, Callable[[Row], Any]] | None = None,
        fields: Mapping[str, Callable[[Row], str]] | None = None,
    ) -> None:
        self.key = key
        self.text = text
        self.fields = dict(fields or {})
        self.sort_keys: dict[str, Callable[[Row], Any]] = dict(sort_keys or {})
        self.rows: list[Row] = []
        self.version = 0
        self.cursor = 0
        """The position of the cursor; 0 when nothing is visible."""
        self.filter: Filter = EVERYTHING
        self.order: Order | None = None
        self.is_order_stale = False
        """Whether rows were replaced since the sort, so that some may stand in the wrong place."""
        self.marks: set[Hashable] = set()
        self.errors: dict[Hashable, str] = {}
        """A sentence for each row that could not be loaded. Pass it through `safe` when drawing."""
        self._visible: Sequence[int] = range(0)
        self._home: int | None = None
        """The row that the user last chose: where the cursor returns when a filter lets it."""
        self._range: tuple[int, frozenset[Hashable]] | None = None
        self._removals = 0
        self._replacements = 0
        self._texts: list[str] | None = None
        self._index: dict[Hashable, int] | None = None

    # what is there

    def __len__(self) -> int:
        return len(self._visible)

    @property
    def shown(self) -> int:
        """How many rows the filter lets through."""
        return len(self._visible)

    @property
    def known(self) -> int:
        """How many rows have arrived."""
        return len(self.rows)

    def at(self, position: int) -> Row:
        """The visible row at a position. Raises IndexError."""
        return self.rows[self._visible[position]]

    @property
    def current(self) -> Row | None:
        """The row under the cursor, None when nothing is visible."""
        return self.at(self.cursor) if self._visible else None

    def find(self, key: Hashable) -> Row | None:
        """The row with this key, visible or not."""
        index = self._indices().get(key)
        return None if index is None else self.rows[index]

    def position(self, key: Hashable) -> int | None:
        """Where the row with this key is visible."""
        index = self._indices().get(key)
        return None if index is None else self._position(index)

    def visible_rows(self) -> list[Row]:
        """All visible rows in their order, for export."""
        return [self.rows[index] for index in self._visible]

    # rows come, change and go

    def append(self, page: Iterable[Row]) -> int:
        """Add rows that arrived; how many. Sorted rows go to their places without sorting all again."""
        first = len(self.rows)
        self.rows.extend(page)
        added = self.rows[first:]
        if not added:
            return 0
        if self._index is not None:
            for index, row in enumerate(added, first):
                self._index.setdefault(self.key(row), index)
        if self._texts is not None:
            self._texts.extend([self._filtered(row) for row in added])
        if self.order is not None:
            self.order = merged(self.order, self.rows, self.sort_keys[self.order.column])
            self._rebuild()
        elif self.filter.is_empty:
            self._see(range(len(self.rows)))
        else:
            test = self.filter.test()
            passed = [first + index for index, row in enumerate(added) if test(self._filtered(row))]
            self._see(array("I", [*self._visible, *passed]))
        return len(added)

    def replace(self, row: Row) -> bool:
        """Put a newer value in the place of the row with the same key; False when there is none."""
        index = self._indices().get(self.key(row))
        if index is None:
            return False
        self.rows[index] = row
        self._replacements += 1
        self.errors.pop(self.key(row), None)
        if self._texts is not None:
            self._texts[index] = self._filtered(row)
        self.is_order_stale = self.order is not None
        self.version += 1
        return True

    def replace_all(self, rows: Iterable[Row]) -> int:
        """Put newer values in the places of the rows with the same keys; how many there were."""
        return sum([self.replace(row) for row in rows])

    def fail(self, key: Hashable, sentence: str) -> None:
        """Keep an error on its row."""
        self.errors[key] = sentence
        self.version += 1

    def remove(self, keys: Iterable[Hashable]) -> int:
        """Take rows out, their marks with them; how many there were. The cursor stays where it is, or close by."""
        gone = set(keys)
        kept = [row for row in self.rows if self.key(row) not in gone]
        removed = len(self.rows) - len(kept)
        self._reset(kept)
        self.marks -= gone
        for key in gone:
            self.errors.pop(key, None)
        return removed

    def reset(self, rows: Iterable[Row] = ()) -> None:
        """Start over with other rows. Filter and sort column stay; marks of rows that are gone go."""
        self._reset(list(rows))
        self.errors.clear()
        if self.marks:
            self.marks.intersection_update({self.key(row) for row in self.rows})

    # filter and sort

    def set_filter(self, source: str) -> None:
        """Show only what passes. Raises InvalidFilter, and then keeps the filter before."""
        wanted = parse_filter(source, self.fields)
        if wanted.is_empty or wanted.field != self.filter.field:
            self._texts = None
        self.filter = wanted
        self._rebuild()

    def prepare(self, column: str, *, reverse: bool = False) -> Callable[[], Order]:
        """A sort to run in any thread; give its result to `apply`. Raises KeyError for a column without a key."""
        rows, key, basis = list(self.rows), self.sort_keys[column], (self._removals, self._replacements)
        return lambda: sort_order(rows, column, key, reverse=reverse, basis=basis)

    def apply(self, order: Order) -> bool:
        """Show rows in this order. False when rows went away meanwhile, so that it has to be prepared again."""
        removals, replacements = order.basis
        if removals != self._removals:
            return False
        if order.count < len(self.rows):
            order = merged(order, self.rows, self.sort_keys[order.column])
        self.order, self.is_order_stale = order, replacements != self._replacements
        self._rebuild()
        return True

    def sort(self, column: str, *, reverse: bool = False) -> None:
        """Sort at once; for lists that are short enough (about 10,000 rows)."""
        self.apply(self.prepare(column, reverse=reverse)())

    def unsort(self) -> None:
        """Back to the order in which the rows arrived."""
        self.order, self.is_order_stale = None, False
        self._rebuild()

    # cursor

    def move_to(self, position: int) -> int:
        """Put the cursor at a position, or as near as there are rows; where it is now."""
        self.cursor = max(0, min(position, len(self._visible) - 1))
        self.settle()
        if self._range is not None:
            self.marks = self._ranged()
        return self.cursor

    def move_to_key(self, key: Hashable) -> bool:
        """Put the cursor on the row with this key; False when it is not visible."""
        position = self.position(key)
        if position is None:
            return False
        self.move_to(position)
        return True

    def settle(self) -> None:
        """Remember the row under the cursor as the one that the user chose."""
        if self._visible:
            self._home = self._visible[self.cursor]

    # marks

    def is_marked(self, row: Row) -> bool:
        """Whether this row is marked."""
        return bool(self.marks) and self.key(row) in self.marks

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away."""
        row = self.current
        if row is not None:
            self.marks ^= {self.key(row)}

    def mark_visible(self) -> None:
        """Mark everything that the filter lets through."""
        self.marks.update([self.key(self.rows[index]) for index in self._visible])

    def clear_marks(self) -> None:
        """Take all marks away, and end a range."""
        self._range = None
        self.marks = set()

    @property
    def is_ranging(self) -> bool:
        """Whether moving the cursor marks a range."""
        return self._range is not None

    def begin_range(self) -> None:
        """From here on moving the cursor marks all between this row and the cursor."""
        if self._visible:
            self._range = (self._visible[self.cursor], frozenset(self.marks))
            self.marks = self._ranged()

    def end_range(self) -> None:
        """Keep what the range has marked, and move freely again."""
        self._range = None

    def marked_rows(self) -> list[Row]:
        """The marked rows in the order in which they are shown; those that the filter hides come last."""
        if not self.marks:
            return []
        rows = [row for index in self._visible if self.key(row := self.rows[index]) in self.marks]
        if len(rows) < len(self.marks):
            seen = {self.key(row) for row in rows}
            rows += [row for row in self.rows if (key := self.key(row)) in self.marks and key not in seen]
        return rows

    # inside

    def _filtered(self, row: Row) -> str:
        """What the filter looks in, in lower case."""
        return self.fields.get(self.filter.field, self.text)(row).lower()

    def _indices(self) -> dict[Hashable, int]:
        if self._index is None:
            self._index = {}
            for index, row in enumerate(self.rows):
                self._index.setdefault(self.key(row), index)
        return self._index

    def _position(self, index: int) -> int | None:
        visible = self._visible
        if self.order is None:
            found = index if isinstance(visible, range) else bisect_left(visible, index)
            return found if found < len(visible) and visible[found] == index else None
        try:
            return visible.index(index)
        except ValueError:
            return None

    def _ranged(self) -> set[Hashable]:
        if self._range is None:
            return self.marks
        index, before = self._range
        start = self._position(index)
        if start is None:
            return self.marks
        low, high = sorted((start, self.cursor))
        return set(before).union([self.key(self.rows[index]) for index in self._visible[low : high + 1]])

    def _reset(self, rows: list[Row]) -> None:
        position = self.cursor
        home = None if self._home is None else self.key(self.rows[self._home])
        self.rows, self._texts, self._index, self._range = rows, None, None, None
        self._removals += 1
        self._home = None if home is None else self._indices().get(home)
        if self.order is not None:
            self.order = self.prepare(self.order.column, reverse=self.order.reverse)()
        self._rebuild(otherwise=position)

    def _rebuild(self, otherwise: int = 0) -> None:
        """Work out the visible rows anew from order and filter."""
        whole: Sequence[int] = range(len(self.rows)) if self.order is None else self.order.indices
        if self.filter.is_empty:
            self._see(whole, otherwise)
            return
        if self._texts is None:
            self._texts = list(map(str.lower, map(self.fields.get(self.filter.field, self.text), self.rows)))
        passes = self.filter.passes(self._texts)
        passed = passes if self.order is None else map(passes.__getitem__, whole)
        self._see(array("I", list(compress(whole, passed))), otherwise)

    def _see(self, visible: Sequence[int], otherwise: int = 0) -> None:
        """Show these rows; the cursor goes to the row that the user chose, else to `otherwise`."""
        self._visible = visible
        self.version += 1
        position = None if self._home is None else self._position(self._home)
        self.cursor = max(0, min(otherwise if position is None else position, len(visible) - 1))
