"""Cells have exact widths, and narrow panes lose the least wanted columns first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import GAP, Column, fit, fit_end, place
from regtui.ui.widgets.glyphs import ASCII, UNICODE, glyphs_for


@given(st.text(max_size=20).map(safe), st.integers(0, 24), st.booleans())
def test_a_cell_is_as_wide_as_it_should_be(text: SafeText, width: int, right: bool) -> None:
    assert cell_len(fit(text, width, right=right)) == width


@pytest.mark.parametrize(
    ("text", "width", "right", "cell"),
    [
        ("abc", 5, False, "abc  "),
        ("abc", 5, True, "  abc"),
        ("abcdef", 5, False, "abcd…"),
        ("日本語", 6, False, "日本語"),
        ("日本語", 5, False, "日本…"),
        ("日本語", 4, False, "日… "),
        ("日本", 6, True, "  日本"),
        ("x", 0, False, ""),
    ],
)
def test_cutting_and_filling(text: str, width: int, right: bool, cell: str) -> None:
    assert fit(text, width, right=right) == cell


def column(name: str, width: int, *, flex: int = 0, priority: int = 0) -> Column[str]:
    return Column(name, SafeText(name), safe, width, flex=flex, priority=priority)


def spots(columns: list[Column[str]], width: int) -> list[tuple[str, int, int]]:
    return [(spot.column.name, spot.start, spot.width) for spot in place(columns, width)]


def test_what_is_left_goes_to_flexible_columns() -> None:
    columns = [column("a", 4, flex=1), column("b", 5), column("c", 4, flex=2)]
    assert spots(columns, 26) == [("a", 0, 7), ("b", 9, 5), ("c", 16, 10)]


def test_the_least_wanted_columns_give_way() -> None:
    columns = [
        column("a", 10, flex=1),
        column("b", 5, priority=2),
        column("c", 5, priority=1),
        column("d", 5, priority=2),
    ]
    assert [name for name, _, _ in spots(columns, 31)] == ["a", "b", "c", "d"]
    assert [name for name, _, _ in spots(columns, 30)] == ["a", "b", "c"]
    assert [name for name, _, _ in spots(columns, 23)] == ["a", "c"]
    assert spots(columns, 7) == [("a", 0, 7)]
    assert spots(columns, 0) == []


@given(
    st.lists(st.tuples(st.integers(1, 20), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6),
    st.integers(1, 120),
)
def test_columns_never_overlap_nor_overflow(parts: list[tuple[int, int, int]], width: int) -> None:
    columns = [column(str(n), size, flex=flex, priority=rank) for n, (size, flex, rank) in enumerate(parts)]
    placed = place(columns, width)
    end = -GAP
    for spot in placed:
        assert spot.start == end + GAP
        end = spot.start + spot.width
    assert end <= max(width, 1)
    if any(spot.column.flex for spot in placed):
        assert end == width


@pytest.mark.parametrize(
    ("environ", "glyphs"),
    [
        ({}, UNICODE),
        ({"LANG": "de_DE.UTF-8"}, UNICODE),
        ({"LANG": "C"}, ASCII),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, ASCII),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, ASCII),
    ],
)
def test_signs_that_the_terminal_has(environ: dict[str, str], glyphs: object) -> None:
    assert glyphs_for(environ) is glyphs


def test_each_sign_is_one_cell() -> None:
    for glyphs in (UNICODE, ASCII):
        for name in (
            "cursor",
            "mark",
            "cursor_on_mark",
            "opened",
            "closed",
            "guide",
            "ascending",
            "descending",
            "ellipsis",
        ):
            assert cell_len(getattr(glyphs, name)) == 1
    assert "".join(getattr(ASCII, name) for name in ASCII.__slots__).isascii()


def test_what_keeps_its_end_loses_its_beginning() -> None:
    assert fit_end("/usr/lib/python3/x.py", 10) == "…hon3/x.py"
    assert fit_end("/a", 4) == "/a  "
    assert fit_end("日本語", 4) == "…語 "
    assert fit_end("abc", 0) == ""
