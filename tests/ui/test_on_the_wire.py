"""In a real pseudo-terminal: what a key costs in bytes, and that no foreign text gets there raw."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if sys.platform == "win32":
    pytest.skip("a pseudo-terminal is needed", allow_module_level=True)

from tests.ui.pty_harness import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parent / "pty_apps"
STEP, PAGE = 600, 9_000
"""Bytes that a cursor step and a page may cost in 120 columns and 40 lines with 24-bit colours."""


@pytest.fixture(scope="module")
def long_table() -> Iterator[Terminal]:
    """A table of 100,000 rows over the whole screen."""
    with Terminal(str(APPS / "long_table.py"), "100000") as terminal:
        terminal.wait_for(b"v1.10-alpine")
        terminal.settle()
        yield terminal


def to_top(terminal: Terminal) -> None:
    terminal.press(b"G")
    terminal.press(b"g")


def test_idle_writes_nothing(long_table: Terminal) -> None:
    assert long_table.read(1.5) == b""


def test_a_step_is_two_lines(long_table: Terminal) -> None:
    to_top(long_table)
    for key in (b"j", b"j", b"k", b"j"):
        drawn = long_table.press(key)
        assert 0 < len(drawn) < STEP
        assert len(re.findall(rb"v1\.\d+-alpine", drawn)) == 2


def test_a_page_is_drawn_once(long_table: Terminal) -> None:
    for key in (b"G", b"\x1b[5~", b"g", b"\x1b[6~"):
        drawn = long_table.press(key)
        assert 2_000 < len(drawn) < PAGE
        assert drawn.count(b"\x1b[?2026h") <= 2


def test_over_the_edge_costs_one_page_for_half_a_page_of_steps(long_table: Terminal) -> None:
    to_top(long_table)
    costs = [len(long_table.press(b"j")) for _ in range(45)]
    assert len([cost for cost in costs if cost > STEP]) == 1
    assert max(costs) < PAGE


def test_a_mark_is_a_step_and_a_border(long_table: Terminal) -> None:
    to_top(long_table)
    assert len(long_table.press(b" ")) < 2 * STEP
    long_table.press(b"U")


def test_the_mouse_is_not_reported_while_it_only_moves(long_table: Terminal) -> None:
    assert long_table.seen.rfind(b"\x1b[?1003l") > long_table.seen.rfind(b"\x1b[?1003h")
    assert b"\x1b[?1002h" in long_table.seen


RAW = [
    b"\x1b]52",
    b"\x1b]0;",
    b"\x1b\\",
    b"\x1b[2J\xc2",
    b"\xc2\x9b",
    b"\x00",
    b"\x7f",
    b"\xe2\x80\xae",
    b"\xe2\x80\x8b",
    b"\xed\xa0",
]


def test_hostile_text_never_reaches_the_terminal_raw() -> None:
    with Terminal(str(APPS / "hostile.py"), size=(160, 50)) as terminal:
        terminal.wait_for(rb"evil\x1b]52")
        terminal.settle()
        for key in (b"\r", b"j", b"\t", b"l", b"j", b"\t", b"j"):
            terminal.press(key, seconds=1.0)  # some keys change nothing in some widgets
        terminal.wait_for(b"all is drawn")
        assert terminal.seen.count(rb"evil\x1b") > 10
        for raw in RAW:
            assert raw not in terminal.seen, raw
        assert b"[/][@click" in terminal.seen
        assert terminal.process.poll() is None


def test_a_crash_tells_no_secrets() -> None:
    with Terminal(str(APPS / "crashing.py"), "hunter2-the-secret") as terminal:
        terminal.wait_for(b"ready to crash")
        terminal.send(b"x")
        terminal.wait_for(b"ValueError: 1 bad answers: \\x1b]52;c;aGk=\\x07 \\u202e")
        terminal.settle()
        assert b"hunter2" not in terminal.seen
        assert b"in on_key" in terminal.seen
        assert b"\x1b]52" not in terminal.seen
        assert b"\xe2\x80\xae" not in terminal.seen
        assert terminal.process.wait(10) == 1
