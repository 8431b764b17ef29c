"""The ways to look at the layers, over a small stack."""

from __future__ import annotations

import pytest

from regtui.contents.merge import stack
from regtui.ui.files.looking import Looking, view_of
from regtui.ui.files.source import FileSource
from regtui.ui.models.filters import parse_filter
from tests.contents.conftest import archive, indexed


@pytest.fixture(scope="module")
def tree() -> object:
    base = indexed(
        archive(("etc", None), ("etc/kept", b"k"), ("etc/changed", b"1"), ("gone", b"g"), ("lib/a.py", b"a"))
    )
    top = indexed(archive(("etc/changed", b"22"), ("etc/new", b"n"), (".wh.gone", b"")))
    return stack([base, top])


def shown(tree: object, looking: Looking) -> set[str]:
    view = view_of(tree, looking)
    return {view.path(node) for node in range(1, len(tree)) if view.is_shown(node)}


def test_everything(tree: object) -> None:
    assert shown(tree, Looking()) == {"/etc", "/etc/kept", "/etc/changed", "/etc/new", "/lib", "/lib/a.py"}


def test_what_a_layer_changed_with_the_folders_above(tree: object) -> None:
    assert shown(tree, Looking(1)) == {"/etc", "/etc/changed", "/etc/new", "/gone"}
    assert shown(tree, Looking(1, changes="removed")) == {"/gone"}
    assert shown(tree, Looking(changes="added")) == {"/etc", "/etc/new"}
    assert shown(tree, Looking(changes="modified")) == {"/etc", "/etc/changed"}


def test_the_stack_up_to_a_layer(tree: object) -> None:
    assert shown(tree, Looking(0, "stacked")) == {"/etc", "/etc/kept", "/etc/changed", "/gone", "/lib", "/lib/a.py"}


def test_what_is_left_of_a_layer(tree: object) -> None:
    assert shown(tree, Looking(0, "left")) == {"/etc", "/etc/kept", "/lib", "/lib/a.py"}


def test_the_words_tell_each_apart(tree: object) -> None:
    all_words = {
        Looking(layer, mode, changes).words(2)
        for layer in (None, 1)
        for mode in ("changed", "stacked", "left")
        for changes in ("all", "added", "removed")
    }
    assert len(all_words) == 3 + 3 + 3 + 1


def test_keys_go_around(tree: object) -> None:
    looking = Looking(1)
    assert looking.next_mode().next_mode().next_mode() == looking
    for _ in range(5):
        looking = looking.next_changes()
    assert looking == Looking(1)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("*.PY", {"/lib/a.py"}),
        ("etc/*", {"/etc/kept", "/etc/changed", "/etc/new"}),
        ("ne", {"/etc/new"}),
        ("tc/ne", {"/etc/new"}),
        ("~^k", {"/etc/kept"}),
        ("!*e*", {"/lib", "/lib/a.py"}),
        ("!~e", {"/lib", "/lib/a.py"}),
        ("gone", set()),
    ],
)
def test_text_globs_and_expressions_find_what_is_shown(tree: object, typed: str, found: set[str]) -> None:
    view = view_of(tree, Looking())
    matches = FileSource(view).search(parse_filter(typed))
    assert {view.path(node) for node in matches.nodes} == found
