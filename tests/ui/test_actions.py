"""The table of actions: every key once, nothing bound outside, no write on a key that reads."""

from __future__ import annotations

from typing import Any

import pytest
from textual.app import App
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

from regtui.ui.actions import (
    ACTIONS,
    BY_ID,
    Bound,
    Place,
    action_of,
    actions_at,
    bindings_for,
    footer_actions,
)
from regtui.ui.keymap import canonical_key, read_keymap
from regtui.ui.widgets.json_pane import JsonPane
from regtui.ui.widgets.line_list import LineList
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.tree_table import TreeTable

TAKEN_BY_TERMINALS = {"ctrl+m", "ctrl+i", "ctrl+h", "ctrl+a", "ctrl+b", "ctrl+space", "ctrl+at"}
NEVER_DESTROY = {"backspace", "ctrl+k", "ctrl+w", "x", "d"}


def test_ids_and_handlers_are_unique() -> None:
    assert len(BY_ID) == len(ACTIONS)
    assert len({action.handler for action in ACTIONS}) == len(ACTIONS)


def test_no_key_means_two_things_in_one_place() -> None:
    assert read_keymap({action.id: list(action.key_list) for action in ACTIONS}).problems == ()


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
def test_each_action_is_well_told(action: Any) -> None:
    assert action.help.endswith(".")
    assert action.title
    assert action.key_list
    assert action.where
    for key in action.key_list:
        assert canonical_key(key) == key
        assert key not in TAKEN_BY_TERMINALS
        assert not key.startswith(("alt+", "shift+")) or key == "shift+tab"
        if action.writes:
            assert key not in NEVER_DESTROY


def test_handlers_shadow_nothing_of_textual() -> None:
    theirs = {
        name.removeprefix("action_")
        for host in (App, Screen, Widget)
        for name in dir(host)
        if name.startswith("action_")
    }
    # These two are Textual's own, used as they are.
    assert theirs & {action.handler for action in ACTIONS} == {"command_palette", "suspend_process"}


def test_only_what_a_class_handles_is_bound() -> None:
    class Explorer:
        def action_describe(self) -> None: ...

    assert [binding.id for binding in bindings_for(Place.EXPLORER, host=Explorer)] == ["describe"]
    assert len(bindings_for(Place.EXPLORER)) == len(actions_at(Place.EXPLORER)) > 20


@pytest.mark.parametrize(
    ("widget", "places"),
    [
        (LineList, {Place.LIST}),
        (RowTable, {Place.LIST, Place.TABLE}),
        (TreeTable, {Place.LIST, Place.TREE}),
        (JsonPane, {Place.LIST, Place.JSON}),
    ],
)
def test_lists_handle_all_actions_of_their_places(widget: type[Widget], places: set[Place]) -> None:
    for action in actions_at(*places):
        assert hasattr(widget, f"action_{action.handler}"), action.id


def test_a_class_keeps_bindings_of_its_own() -> None:
    class Pane(Bound, Widget):
        PLACES = (Place.LIST,)
        BINDINGS = [Binding("ctrl+t", "move_top", id="own")]  # noqa: RUF012 - as Textual has it

        def action_move_top(self) -> None: ...

    assert [binding.id for binding in Pane.BINDINGS if isinstance(binding, Binding)] == ["own", "move.top"]


def test_the_footer_shows_the_most_wanted_first_and_each_once() -> None:
    bindings = bindings_for(Place.EXPLORER, Place.TABLE)
    shown = [action.id for action, _ in footer_actions([*bindings, *bindings, Binding("x", "y")])]
    assert shown[:4] == ["filter", "sort.cycle", "mark", "delete"]
    assert len(set(shown)) == len(shown)
    assert action_of(Binding("x", "y")) is None
