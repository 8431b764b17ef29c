"""What is compared with what."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from regtui.oci import Digest, Reference
from regtui.oci.errors import InvalidReference
from regtui.registries.contract import TagSummary
from regtui.ui.compare.sides import Side, older_first, typed_side
from regtui.ui.facts.tags import TagRow

BESIDE = Reference("registry.example.com", "shop/cart", "1.4.2")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("1.4.1", "shop/cart:1.4.1"),
        (":1.4.1", "shop/cart:1.4.1"),
        ("linux/arm64", "shop/cart:1.4.2 linux/arm64"),
        ("ghcr.io/other/app:2", "other/app:2"),
        (" other.example/app/x:1 ", "app/x:1"),
    ],
)
def test_what_was_typed(typed: str, words: str) -> None:
    assert typed_side(typed, BESIDE).words == words


def test_nothing_is_no_reference() -> None:
    with pytest.raises(InvalidReference):
        typed_side("  ", BESIDE)


def test_the_older_tag_comes_first_when_both_ages_are_known() -> None:
    new = TagRow(TagSummary("new", pushed=datetime(2026, 5, 1, tzinfo=UTC)))
    old = TagRow(TagSummary("old", pushed=datetime(2026, 1, 1, tzinfo=UTC)))
    unknown = TagRow(TagSummary("unknown"))
    assert older_first([new, old]) == (old, new)
    assert older_first([old, new]) == (old, new)
    assert older_first([new, unknown]) == (new, unknown)


def test_a_digest_is_named_shortly() -> None:
    digest = Digest.of(b"x")
    assert Side(Reference("h.example", "p", None, digest)).words == f"p@{digest.short}"
