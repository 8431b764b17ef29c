"""Columns in as few bytes as their numbers need."""

from __future__ import annotations

from array import array

import pytest

from regtui.contents.columns import narrowed


@pytest.mark.parametrize(
    ("numbers", "width"),
    [
        ([], 1),
        ([0, 0], 1),
        ([0, 255], 1),
        ([256], 2),
        ([65_535], 2),
        ([1, 65_536], 4),
        ([2**32 - 1], 4),
        ([2**32], 8),
        ([-1], 8),
        ([-1, 5], 8),
        ([2**63 - 1, -(2**63)], 8),
    ],
)
def test_numbers_stay_what_they_are(numbers: list[int], width: int) -> None:
    found = narrowed(array("q", numbers))
    assert list(found) == numbers
    assert found.itemsize == width


def test_what_is_narrow_already() -> None:
    assert narrowed(array("I", [2**32 - 1])).typecode == "I"
    assert narrowed(array("H", [700])).typecode == "H"
