"""Members of a vendor's JSON: right ones come through, everything else is None or empty."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.registries import fields as read

ODD = (None, True, -1, 1.5, "", " ", [], {}, [None], {"a": 1}, "x" * 100, 1 << 80, "9" * 30, "٣", "-1")


@pytest.mark.parametrize("value", ODD)
def test_nothing_raises_or_makes_up(value):
    assert read.text(value) in (None, "x" * 100, "9" * 30, "٣", "-1")
    assert read.whole(value) is None
    assert read.flag(value) in (None, True)
    assert read.fields(value) in ({}, {"a": 1})
    assert read.objects(value) == []
    assert read.texts(value) == ()
    assert read.digest(value) is None
    assert read.moment(value) is None
    assert read.moment_of_ms(value) is None


def test_right_values_come_through():
    digest = "sha256:" + "0" * 64
    assert (read.whole(7), read.whole("1234"), read.whole(0)) == (7, 1234, 0)
    assert read.texts(["a", 1, "b"]) == ("a", "b")
    assert read.objects([{"a": 1}, 2]) == [{"a": 1}]
    assert (read.digest(digest), read.digest("md5:" + "0" * 32)) == (digest, None)
    assert read.moment("2026-01-02T03:04:05.678+01:00") == datetime(2026, 1, 2, 2, 4, 5, 678_000, tzinfo=UTC)
    assert read.moment("0001-01-01T00:00:00Z") is None
    assert read.moment_of_ms(1_700_000_000_000) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert read.moment_of_ms(0) is None
    assert len(read.text("x" * 10_000)) == read.LONGEST_TEXT
