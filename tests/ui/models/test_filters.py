"""The filter line: text, ~ before a regular expression, ! for the inverse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.ui.models.filters import PATTERN_LIMIT, InvalidFilter, parse_filter

TEXTS = ["v1.0", "v1.1-rc1", "latest", "a(b"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", TEXTS),
        ("RC", ["v1.1-rc1"]),
        ("!rc", ["v1.0", "latest", "a(b"]),
        (r"~^V\d\.\d$", ["v1.0"]),
        (r"!~^v", ["latest", "a(b"]),
        ("a(", ["a(b"]),
        ("!", TEXTS),
        ("~", TEXTS),
        ("!~", TEXTS),
        ("~!", []),
    ],
)
def test_grammar(typed: str, kept: list[str]) -> None:
    wanted = parse_filter(typed)
    assert wanted.source == typed
    found = TEXTS if wanted.is_empty else [TEXTS[index] for index in wanted.hits(TEXTS)]
    assert found == kept


@pytest.mark.parametrize("typed", ["~(", "~[", "!~*", "~(?P<", "x" * (PATTERN_LIMIT + 1)])
def test_what_is_not_one_is_told(typed: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(typed)
    assert caught.value.hint


def test_a_regular_expression_that_may_mean_something_else_one_day_is_no_warning() -> None:
    assert not parse_filter("~[[a]").is_empty


@given(st.text(max_size=20), st.lists(st.text(max_size=8).map(str.lower), max_size=20))
def test_both_ways_of_asking_agree(typed: str, texts: list[str]) -> None:
    try:
        wanted = parse_filter(typed)
    except InvalidFilter:
        return
    passes = wanted.test()
    assert wanted.hits(texts) == [index for index, text in enumerate(texts) if passes(text)]


@pytest.mark.parametrize(
    ("typed", "field", "needle", "inverse"),
    [
        ("signed:Verified", "signed", "verified", False),
        ("!signed: present", "signed", "present", True),
        ("SIGNED:x", "signed", "x", False),
        ("other:x", "", "other:x", False),
        ("signed", "", "signed", False),
    ],
)
def test_a_field_that_the_list_knows_is_looked_in(typed: str, field: str, needle: str, inverse: bool) -> None:
    wanted = parse_filter(typed, ("signed",))
    assert (wanted.source, wanted.field, wanted.needle, wanted.inverse) == (typed, field, needle, inverse)


def test_a_field_takes_a_regular_expression_and_alone_lets_everything_through() -> None:
    assert parse_filter("signed:~^v", ("signed",)).hits(["verified", "invalid"]) == [0]
    assert parse_filter("signed:", ("signed",)).is_empty
    assert parse_filter("!signed:~", ("signed",)).is_empty
