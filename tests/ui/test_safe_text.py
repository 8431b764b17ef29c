"""The door: nothing that moves, hides or reorders anything on a terminal comes through."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.ui.safe_text import safe, safe_lines

any_text = st.text(st.characters(codec=None, exclude_categories=()))


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("1.4.2", "1.4.2"),
        ("", ""),
        ("\x1b]52;c;aGk=\x07", r"\x1b]52;c;aGk=\x07"),
        ("a\x9bb\x7f\x00", r"a\x9bb\x7f\x00"),
        ("evil\u202etxt", r"evil\u202etxt"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("\ud800", r"\ud800"),
        ("two\nlines\r\tand", r"two\nlines\r\tand"),
        ("no\u00a0break\u3000wide", "no break wide"),
        ("[bold]markup[/] [@click=app.quit()]", "[bold]markup[/] [@click=app.quit()]"),
        ("日本語 ÄÖ ❤", "日本語 ÄÖ ❤"),
    ],
)
def test_what_hurts_becomes_visible(foreign: str, shown: str) -> None:
    assert safe(foreign) == shown


@given(any_text, st.integers(1, 400))
def test_whatever_comes_is_inert_and_short(text: str, limit: int) -> None:
    shown = safe(text, limit)
    assert shown.isprintable()
    assert len(shown) <= limit
    assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in shown)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=50))
def test_plain_text_stays_itself(text: str) -> None:
    assert safe(text) == text


def test_what_is_cut_away_shows() -> None:
    assert safe("x" * 10, 5) == "xxxx…"
    assert safe("\x1b" * 10, 9) == r"\x1b\x1b…"


def test_lines_are_split_first() -> None:
    assert safe_lines("a\tb\r\nc\x0bd\re\n") == ["a       b", r"c\x0bd", "e"]
    assert safe_lines("") == []


def test_no_end_of_lines() -> None:
    lines = safe_lines("x\n" * 50, most=10)
    assert len(lines) == 11
    assert lines[-1] == "… 40 more lines"


@given(any_text)
def test_lines_are_inert(text: str) -> None:
    assert all(line.isprintable() for line in safe_lines(text))
