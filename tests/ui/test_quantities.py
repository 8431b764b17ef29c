"""Ages and sizes as people type them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regtui.ui.quantities import age, size


@pytest.mark.parametrize(("text", "hours"), [("12h", 12), ("30d", 720), (" 8w ", 1344), ("1 d", 24)])
def test_ages(text: str, hours: int) -> None:
    assert age(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "30 days", "\u0661d", "9999999d"])
def test_no_ages(text: str) -> None:
    with pytest.raises(ValueError, match="is no age"):
        age(text)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("5", 5),
        ("500MB", 500_000_000),
        ("1.5 GB", 1_500_000_000),
        ("2GiB", 2 << 30),
        ("10k", 10_000),
        ("3mib", 3 << 20),
    ],
)
def test_sizes(text: str, wanted: int) -> None:
    assert size(text) == wanted


@pytest.mark.parametrize("text", ["", "MB", "-5MB", "1e9", "5 apples", "5PB"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        size(text)
