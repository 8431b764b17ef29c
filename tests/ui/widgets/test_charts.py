"""Columns in plain cells."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from regtui.ui._textual import screen_text, settled
from regtui.ui.safe_text import SafeText
from regtui.ui.widgets.charts import ColumnChart, Series, column_lines
from regtui.ui.widgets.glyphs import ASCII, UNICODE
from tests.ui.stage import staged


def test_heights_are_in_proportion_and_what_is_there_shows() -> None:
    assert column_lines([0, 1, 50, 100], 8, 2, UNICODE) == ["      █", "  ▁ █ █"]


def test_plain_ascii() -> None:
    assert column_lines([1, 2, 3, 4], 4, 1, ASCII) == [".:|#"]


def test_more_values_than_cells_share_columns_and_the_largest_shows() -> None:
    values = [1] * 50
    values[33] = 100
    (line,) = column_lines(values, 10, 1, UNICODE)
    assert line.count("█") == 1
    assert len(line) == 10


@given(st.lists(st.integers(0, 1 << 62), max_size=300), st.integers(0, 60), st.integers(0, 8))
def test_it_always_fits(values: list[int], width: int, height: int) -> None:
    lines = column_lines(values, width, height, UNICODE)
    assert len(lines) == height
    assert all(len(line) <= width for line in lines)


async def test_the_ends_are_named() -> None:
    chart = ColumnChart(glyphs=UNICODE)
    async with staged(chart, size=(40, 10)) as (app, pilot):
        chart.show(Series((1, 2, 3), SafeText("3 MB"), SafeText("oldest"), SafeText("newest")))
        await settled(pilot)
        text = screen_text(app).splitlines()
        assert text[0].endswith("3 MB")
        assert text[6].split() == ["oldest", "newest"]
