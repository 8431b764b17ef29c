"""Speed and time left."""

from __future__ import annotations

from regtui.ui.models.pace import Pace, left_text


def test_nobody_can_tell_at_first() -> None:
    pace = Pace()
    assert pace.speed is None
    assert pace.left(100) is None
    pace.note(0, 0)
    pace.note(0.1, 10)
    assert pace.speed is None


def test_the_last_seconds_count() -> None:
    pace = Pace()
    for second in range(20):
        pace.note(second, 1_000_000 if second < 10 else 1_000_000 + (second - 10) * 10)
    assert pace.speed == 10
    assert pace.left(1_000_190) == 10


def test_standing_still_has_no_end() -> None:
    pace = Pace()
    pace.note(0, 5)
    pace.note(3, 5)
    assert pace.left(10) is None


def test_words() -> None:
    assert left_text(7.4) == "0:07 left"
    assert left_text(3750) == "1:02:30 left"
