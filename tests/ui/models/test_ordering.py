"""Sorting: natural, stable, unknown last, and the same when pages are merged in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.ui.models.ordering import merged, natural_key, sort_order

values = st.lists(st.none() | st.integers(0, 9))


@pytest.mark.parametrize(
    "ordered",
    [
        ["v1", "v2", "v9", "v10", "v11", "v100"],
        ["1.9.0", "1.10.0", "2.0.0-rc1", "2.0.0-rc2", "2.0.0-rc10"],
        ["a", "A1", "a2", "B"],
        ["x-99999999999999999999", "x-100000000000000000000"],
        ["v01", "v2"],
    ],
)
def test_natural_order(ordered: list[str]) -> None:
    backwards = ordered[::-1]
    backwards.sort(key=natural_key)
    assert backwards == ordered


@given(st.lists(st.integers(0, 10**60), max_size=30))
def test_numbers_of_any_length_are_in_order(numbers: list[int]) -> None:
    assert sorted(map(str, numbers), key=natural_key) == [str(number) for number in sorted(numbers)]


def naive(rows: list[int | None], *, reverse: bool) -> list[int]:
    known = [index for index, row in enumerate(rows) if row is not None]
    known.sort(key=lambda index: rows[index] or 0, reverse=reverse)
    return known + [index for index, row in enumerate(rows) if row is None]


@given(values, st.booleans())
def test_order_is_the_naive_one(rows: list[int | None], reverse: bool) -> None:
    assert list(sort_order(rows, "n", lambda row: row, reverse=reverse).indices) == naive(rows, reverse=reverse)


def test_long_lists_are_sorted_in_runs_and_merged() -> None:
    rows = [(number * 7919) % 5_003 for number in range(20_000)]
    for reverse in (False, True):
        order = sort_order(rows, "n", lambda row: row, reverse=reverse)
        assert list(order.indices) == naive(list(rows), reverse=reverse)


@given(values, st.lists(values, max_size=4), st.booleans())
def test_merging_pages_is_sorting_all(rows: list[int | None], pages: list[list[int | None]], reverse: bool) -> None:
    order = sort_order(rows, "n", lambda row: row, reverse=reverse)
    for page in pages:
        rows = rows + page
        order = merged(order, rows, lambda row: row)
    assert order.count == len(rows)
    assert list(order.indices) == naive(rows, reverse=reverse)
