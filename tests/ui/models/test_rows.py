"""RowModel: whatever happens in whatever order, it shows what a naive list would show."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from regtui.ui.models.filters import InvalidFilter, parse_filter
from regtui.ui.models.rows import RowModel


@dataclass(frozen=True)
class Tag:
    name: str
    size: int | None = None


def model_of(*names: str) -> RowModel[Tag]:
    model: RowModel[Tag] = RowModel(
        lambda tag: tag.name, lambda tag: tag.name, {"name": lambda tag: tag.name, "size": lambda tag: tag.size}
    )
    model.append([Tag(name, number) for number, name in enumerate(names)])
    return model


def shown(model: RowModel[Tag]) -> list[str]:
    return [model.at(position).name for position in range(len(model))]


class Naive(RuleBasedStateMachine):
    """The model against lists that are worked out anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.model = model_of()
        self.rows: list[Tag] = []
        self.filter = ""
        self.sort: tuple[str, bool] | None = None
        self.marks: set[str] = set()
        self.chosen: str | None = None
        self.count = 0

    @rule(sizes=st.lists(st.none() | st.integers(0, 5), max_size=6))
    def append(self, sizes: list[int | None]) -> None:
        page = [Tag(f"t{self.count + offset}x{offset % 3}", size) for offset, size in enumerate(sizes)]
        self.count += len(page)
        self.rows += page
        assert self.model.append(iter(page)) == len(page)

    @rule(position=st.integers(0, 30), size=st.none() | st.integers(0, 5))
    def replace_unsorted(self, position: int, size: int | None) -> None:
        if position < len(self.rows) and self.sort is None:
            self.rows[position] = replace(self.rows[position], size=size)
            assert self.model.replace(self.rows[position])

    @rule(positions=st.sets(st.integers(0, 30), max_size=4))
    def remove(self, positions: set[int]) -> None:
        gone = {row.name for position, row in enumerate(self.rows) if position in positions}
        self.rows = [row for row in self.rows if row.name not in gone]
        self.marks -= gone
        if self.chosen in gone:
            self.chosen = None
        assert self.model.remove(gone) == len(gone)

    @rule(source=st.sampled_from(["", "x1", "!x1", "~^t1", "!~2", "nothing"]))
    def filtered(self, source: str) -> None:
        self.filter = source
        self.model.set_filter(source)

    @rule(column=st.sampled_from(["name", "size"]), reverse=st.booleans())
    def sorted_by(self, column: str, reverse: bool) -> None:
        self.sort = (column, reverse)
        self.model.sort(column, reverse=reverse)

    @rule()
    def unsorted(self) -> None:
        self.sort = None
        self.model.unsort()

    @rule(position=st.integers(-3, 40))
    def move(self, position: int) -> None:
        expected = self.expected()
        where = self.model.move_to(position)
        assert where == max(0, min(position, len(expected) - 1))
        if expected:
            self.chosen = expected[where].name

    @rule()
    def toggle_mark(self) -> None:
        current = self.model.current
        self.model.toggle_mark()
        if current is not None:
            self.marks ^= {current.name}

    @rule()
    def mark_visible(self) -> None:
        self.model.mark_visible()
        self.marks |= {row.name for row in self.expected()}

    @rule()
    def clear_marks(self) -> None:
        self.model.clear_marks()
        self.marks.clear()

    def expected(self) -> list[Tag]:
        rows = self.rows
        if self.sort is not None:
            column, reverse = self.sort
            known = [row for row in rows if getattr(row, column) is not None]
            known.sort(key=lambda row: getattr(row, column), reverse=reverse)
            rows = known + [row for row in rows if getattr(row, column) is None]
        wanted = parse_filter(self.filter)
        passes = wanted.test()
        return rows if wanted.is_empty else [row for row in rows if passes(row.name.lower())]

    @invariant()
    def shows_the_same(self) -> None:
        expected = self.expected()
        assert self.model.visible_rows() == expected
        assert (self.model.shown, self.model.known) == (len(expected), len(self.rows))
        assert self.model.marks == self.marks
        assert [row.name for row in self.model.marked_rows()] == [
            row.name for row in expected if row.name in self.marks
        ] + [row.name for row in self.rows if row.name in self.marks and row not in expected]

    @invariant()
    def cursor_is_on_the_chosen_row(self) -> None:
        names = [row.name for row in self.expected()]
        assert 0 <= self.model.cursor <= max(0, len(names) - 1)
        if self.chosen in names:
            assert self.model.current is not None
            assert self.model.current.name == self.chosen


Naive.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestNaive = Naive.TestCase


def test_the_cursor_returns_to_its_row_when_the_filter_goes() -> None:
    model = model_of("a1", "b1", "a2", "b2")
    model.move_to(3)
    model.set_filter("a")
    assert model.cursor == 0
    model.set_filter("")
    assert model.current == Tag("b2", 3)


def test_a_row_that_was_opened_under_a_filter_is_the_chosen_one() -> None:
    model = model_of("a1", "b1", "a2", "b2")
    model.move_to(3)
    model.set_filter("a")
    model.settle()
    model.set_filter("")
    assert model.current == Tag("a1", 0)


def test_a_bad_filter_keeps_the_one_before() -> None:
    model = model_of("a1", "b1")
    model.set_filter("a")
    with pytest.raises(InvalidFilter):
        model.set_filter("~(")
    assert shown(model) == ["a1"]
    assert model.filter.source == "a"


def test_a_range_grows_and_shrinks_with_the_cursor() -> None:
    model = model_of("a", "b", "c", "d", "e")
    model.toggle_mark()
    model.move_to(2)
    model.begin_range()
    model.move_to(4)
    assert model.marks == {"a", "c", "d", "e"}
    model.move_to(1)
    assert model.marks == {"a", "b", "c"}
    model.end_range()
    model.move_to(4)
    assert model.marks == {"a", "b", "c"}


def test_marks_survive_a_filter_and_the_hidden_ones_come_last() -> None:
    model = model_of("a1", "b1", "a2")
    model.mark_visible()
    model.set_filter("a2")
    assert [row.name for row in model.marked_rows()] == ["a2", "a1", "b1"]


def test_a_sort_that_was_prepared_takes_in_pages_that_came_meanwhile() -> None:
    model = model_of("c", "a")
    run = model.prepare("name")
    model.append([Tag("b")])
    assert model.apply(run())
    assert shown(model) == ["a", "b", "c"]


def test_a_sort_that_was_prepared_is_no_good_after_a_removal() -> None:
    model = model_of("c", "a", "b")
    run = model.prepare("name")
    model.remove({"a"})
    assert not model.apply(run())
    assert shown(model) == ["c", "b"]


def test_late_details_make_a_sort_stale() -> None:
    model = model_of("a", "b")
    model.sort("size", reverse=True)
    assert not model.is_order_stale
    assert model.replace(Tag("a", 9))
    assert model.is_order_stale
    model.sort("size", reverse=True)
    assert (shown(model), model.is_order_stale) == (["a", "b"], False)
    assert not model.replace(Tag("new", 1))


def test_a_sort_knows_of_details_that_came_while_it_ran() -> None:
    model = model_of("a", "b")
    run = model.prepare("size")
    model.replace(Tag("a", 9))
    assert model.apply(run())
    assert model.is_order_stale


def test_errors_stay_on_their_row_until_it_is_replaced() -> None:
    model = model_of("a", "b")
    before = model.version
    model.fail("a", "not found")
    assert model.errors == {"a": "not found"}
    assert model.version > before
    model.replace(Tag("a", 1))
    assert model.errors == {}


def test_other_rows_keep_marks_and_cursor_where_the_keys_are_the_same() -> None:
    model = model_of("a", "b", "c")
    model.move_to(1)
    model.mark_visible()
    model.reset([Tag("z"), Tag("b"), Tag("c")])
    assert model.current == Tag("b")
    assert model.marks == {"b", "c"}
    model.reset()
    assert model.visible_rows() == []
    assert (model.cursor, len(model.marks)) == (0, 0)


def test_finding_by_key() -> None:
    model = model_of("a", "b", "c")
    model.set_filter("!b")
    assert model.find("b") == Tag("b", 1)
    assert model.find("x") is None
    assert (model.position("c"), model.position("b"), model.position("x")) == (1, None, None)
    assert model.move_to_key("c")
    assert not model.move_to_key("b")
    model.append([Tag("d")])
    assert model.position("d") == 2


def test_a_field_is_filtered_by_what_it_says_now() -> None:
    model: RowModel[Tag] = RowModel(
        lambda tag: tag.name, lambda tag: tag.name, fields={"size": lambda tag: str(tag.size)}
    )
    model.append([Tag("one", 1), Tag("two", 2)])
    model.set_filter("size:2")
    assert shown(model) == ["two"]
    model.append([Tag("three", 2)])
    assert shown(model) == ["two", "three"]
    model.replace(Tag("one", 2))
    model.set_filter(model.filter.source)
    assert shown(model) == ["one", "two", "three"]
    model.set_filter("tw")
    assert shown(model) == ["two"]
