"""The user's keys: what is wrong is told and left out, the rest is used."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.ui.actions import ACTIONS, BY_ID
from regtui.ui.keymap import UNBOUND, canonical_key, read_keymap


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("?", "question_mark"),
        (",", "comma"),
        ("D", "D"),
        ("7", "7"),
        ("pagedown", "pagedown"),
        ("f12", "f12"),
        ("ctrl+s", "ctrl+s"),
        ("ctrl+shift+d", "ctrl+shift+d"),
        ("ctrl+/", "ctrl+slash"),
        ("slash", "slash"),
        ("space", "space"),
        ("ctrl+D", None),
        ("ctrl+", None),
        ("hyper+hyper+x", None),
        ("cmd+x", None),
        ("PageDown", None),
        ("nonsense", None),
        ("", None),
    ],
)
def test_names_of_keys(written: str, name: str | None) -> None:
    assert canonical_key(written) == name


def test_good_entries_are_used() -> None:
    keymap = read_keymap({"filter": "ctrl+f", "delete": ["X", "ctrl+x"], "go_to": "f7,f8"})
    assert keymap.problems == ()
    assert keymap.keys == {"filter": "ctrl+f", "delete": "X,ctrl+x", "go_to": "f7,f8"}


def test_an_empty_list_takes_the_key_away() -> None:
    assert read_keymap({"scan": []}).keys == {"scan": f"{UNBOUND}scan"}


def test_keys_may_be_swapped() -> None:
    keymap = read_keymap({"mark.range": "s", "sort.cycle": "v"})
    assert (keymap.keys, keymap.problems) == ({"mark.range": "s", "sort.cycle": "v"}, ())


@pytest.mark.parametrize(
    ("entries", "word"),
    [
        ({"no.such.action": "x"}, "no action"),
        ({"filter": "ctrl+F"}, 'write "ctrl+shift+f"'),
        ({"filter": "bogus"}, "no key"),
        ({"filter": 7}, "needs a key"),
        ({"filter": ["a", 7]}, "needs a key"),
        ({"filter": "?"}, "help has it in the same place"),
        ({"retag": "e"}, "only reads"),
        ({"move.down": "t"}, "only reads"),
        ({"filter": "f9", "refresh": "f9"}, "in the same place"),
    ],
)
def test_each_mistake_is_told_and_the_rest_loads(entries: dict[str, object], word: str) -> None:
    keymap = read_keymap({"go_to": "f7", **entries, "compare": "f8"}, "config.toml")
    assert len(keymap.problems) == 1
    assert word in keymap.problems[0]
    assert keymap.problems[0].startswith("config.toml: ")
    assert {"go_to", "compare"} <= keymap.keys.keys()


def test_the_first_of_two_that_want_the_same_key_has_it() -> None:
    assert read_keymap({"filter": "f9", "refresh": "f9"}).keys == {"filter": "f9"}


@given(
    st.dictionaries(
        st.sampled_from([action.id for action in ACTIONS]), st.text(string.printable, max_size=8) | st.none()
    )
)
def test_whatever_is_written_what_loads_does_not_clash(entries: dict[str, object]) -> None:
    keymap = read_keymap(entries)
    assert set(keymap.keys) <= set(entries)
    assert (
        read_keymap({name: keys.split(",") for name, keys in keymap.keys.items() if UNBOUND not in keys}).problems == ()
    )
    for name in set(entries) - set(keymap.keys):
        assert any(name in problem for problem in keymap.problems), BY_ID[name]
