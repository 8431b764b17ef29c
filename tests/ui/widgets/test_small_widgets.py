"""Bars, status line, footer, filter line, messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.events import Key, Paste
from textual.widgets import Input

from regtui.ui._textual import screen_text, settled
from regtui.ui.actions import Bound, Place
from regtui.ui.models.path_tree import PathSource
from regtui.ui.models.tree import TreeModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.bars import Part, ShareBar, bar, share_line, shares
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.glyphs import ASCII
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.listing import Listing, list_title, marks_note
from regtui.ui.widgets.message_pane import MessagePane
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.status_bar import StatusBar
from regtui.ui.widgets.tree_table import TreeTable
from tests.ui.stage import Stage, staged

if TYPE_CHECKING:
    from regtui.ui.widgets.line_list import LineList


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0, "    "),
        (1, "████"),
        (0.5, "██  "),
        (0.001, "▏   "),
        (0.3125, "█▎  "),
        (7, "████"),
        (-1, "    "),
        (float("nan"), "    "),
    ],
)
def test_a_bar_has_eighths(share: float, shown: str) -> None:
    assert bar(share, 4) == shown


def test_a_bar_in_ascii() -> None:
    assert bar(0.5, 4, ASCII) == "##  "


@given(st.floats(0, 1), st.integers(0, 60))
def test_a_bar_has_its_width(share: float, width: int) -> None:
    assert cell_len(bar(share, width)) == width


@given(st.lists(st.integers(0, 10**12), max_size=12), st.integers(0, 120))
def test_shares_add_up(values: list[int], cells: int) -> None:
    result = shares(values, cells)
    assert sum(result) == (cells if sum(values) else 0)
    if len(values) <= cells:
        assert all(part > 0 for value, part in zip(values, result, strict=True) if value)
    for value, part in zip(values, result, strict=True):
        assert part >= 0
        assert part == 0 or value > 0


@given(st.lists(st.tuples(st.integers(0, 10**9), st.text(max_size=14)), max_size=8), st.integers(40, 140))
def test_a_share_line_fits(parts: list[tuple[int, str]], width: int) -> None:
    line = share_line([Part(size, safe(label)) for size, label in parts], width)
    assert sum(cell_len(blocks) + cell_len(words) for blocks, words in line) <= width


async def test_a_share_bar_tells_its_parts() -> None:
    share = ShareBar()
    async with staged(share, size=(60, 3)) as (app, pilot):
        share.show([Part(28, SafeText("28 MB debian")), Part(12, SafeText("12 MB apt")), Part(0, SafeText("app"))])
        await settled(pilot)
        line = screen_text(app).split("\n")[0]
        assert "█ 28 MB debian" in line
        assert "█ 12 MB apt" in line
        share.show([Part(size, SafeText(f"{size} MB and words")) for size in range(9)])
        await settled(pilot)
        assert "more" in screen_text(app)
        share.show([])


def test_titles_tell_what_is_left_out() -> None:
    none = SafeText("")
    assert list_title(SafeText("Tags"), 0, 0, Listing(), none, none) == "Tags"
    assert list_title(SafeText("Tags"), 0, 0, Listing("complete"), none, none) == "Tags  0/0"
    assert list_title(SafeText("Tags"), 5, 1000, Listing("loading", 5000), SafeText("size ▼"), SafeText("rc")) == (
        "Tags  5/1,000 of 5,000  /rc  size ▼  loading…"
    )
    assert (
        list_title(SafeText("Tags"), 1, 1, Listing("stopped", 1, SafeText("429")), none, none)
        == "Tags  1/1  stopped: 429"
    )
    assert list_title(SafeText("Tags"), 1, 1, Listing("stopped"), none, none) == "Tags  1/1  stopped"
    assert marks_note(0, none) == ""
    assert marks_note(2000, SafeText("would free 1 GB")) == "2,000 marked · would free 1 GB"


async def test_the_status_line_gives_way_from_its_ends() -> None:
    status = StatusBar()
    async with staged(status, size=(60, 3)) as (app, pilot):
        status.set_breadcrumb(SafeText("registry.example.com / shop/cart / 1.4.2"))
        status.set_state(SafeText("alice · read-only · 3 in flight · 5,812 left"))
        await settled(pilot)
        line = screen_text(app).split("\n")[0]
        assert line.startswith(" …")
        assert "cart / 1.4.2" in line
        assert line.rstrip().endswith("  alice · read-only · 3 in flight")
        await pilot.resize_terminal(100, 3)
        await settled(pilot)
        line = screen_text(app).split("\n")[0]
        assert (
            line == f" registry.example.com / shop/cart / 1.4.2{' ' * 14}alice · read-only · 3 in flight · 5,812 left"
        )
        status.set_state(SafeText(""))
        await settled(pilot)
        assert "alice" not in screen_text(app)


class Explorer(Bound, Stage):
    """Handles some actions of the explorer, one of which is off."""

    PLACES = (Place.EXPLORER, Place.APP)

    def action_filter_list(self) -> None: ...

    def action_plan_delete(self) -> None: ...

    def action_describe(self) -> None: ...

    def action_show_help(self) -> None: ...

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return None if action == "plan_delete" else True


def one_table() -> RowTable[str]:
    columns = [Column[str]("name", SafeText("name"), safe, flex=1, sort=str)]
    table = RowTable(columns, key=str, text=str, id="names")
    table.append(["alpha", "beta", "gamma"])
    return table


async def test_the_footer_follows_the_focus() -> None:
    table, footer = one_table(), KeyFooter()
    app = Explorer(table, Input(), footer)
    async with app.run_test(size=(80, 12)) as pilot:
        await settled(pilot)
        assert footer.text == "/ filter  s sort  space mark  D delete…  ? help"
        assert screen_text(app).split("\n")[-1] == " / filter  s sort  space mark  D delete…  ? help"
        app.query_one(Input).focus()
        await settled(pilot, until=lambda: "sort" not in footer.text)
        assert footer.text == "f1 help"
        table.focus()
        await settled(pilot, until=lambda: "sort" in footer.text)
        await pilot.resize_terminal(24, 12)
        await settled(pilot)
        assert footer.text == "/ filter  ? help"


async def test_the_footer_shows_the_users_own_keys() -> None:
    table, footer = one_table(), KeyFooter()
    app = Explorer(table, footer)
    app.set_keymap({"filter": "ctrl+f", "sort.cycle": "unbound_sort.cycle"})
    async with app.run_test(size=(80, 12)) as pilot:
        await settled(pilot)
        assert footer.text == "^f filter  space mark  D delete…  ? help"


async def test_what_is_typed_filters_at_once() -> None:
    table, line = one_table(), FilterInput()
    async with staged(table, line) as (app, pilot):
        assert not line.display
        line.open_for(table)
        await pilot.press("~", "^", "b")
        await settled(pilot)
        assert table.model.visible_rows() == ["beta"]
        assert line.source_of(table) == "~^b"
        assert [event.source for event in app.told(FilterInput.Changed)] == ["~", "~^", "~^b"]
        await pilot.press("(")
        await settled(pilot)
        assert "not a regular expression" in screen_text(app)
        assert table.model.visible_rows() == ["beta"]
        await pilot.press("backspace", "enter")
        await settled(pilot)
        assert table.has_focus
        assert not line.display
        assert [event.source for event in app.told(FilterInput.Left)] == ["~^b"]
        line.open_for(table)
        await pilot.press("escape")
        await settled(pilot)
        assert table.has_focus
        assert table.model.shown == 3
        assert [event.source for event in app.told(FilterInput.Left)] == [""]


@pytest.mark.parametrize("leaving", ["enter", "down", "escape"])
async def test_keys_typed_ahead_of_the_focus_are_the_lists(leaving: str) -> None:
    table, line = one_table(), FilterInput()
    async with staged(table, line) as (app, pilot):
        line.open_for(table)
        await pilot.press("a")
        await settled(pilot)
        for key, character in ((leaving, None), ("G", "G")):  # both go to what has the focus now
            app.post_message(Key(key, character))
        await settled(pilot)
        assert table.has_focus
        assert line.source_of(table) == ("" if leaving == "escape" else "a")
        assert table.model.cursor == table.model.shown - 1
        line.open_for(table)
        await pilot.press("z")
        await settled(pilot)
        assert "z" in line.source_of(table)


async def test_one_line_serves_several_lists() -> None:
    source: PathSource[int] = PathSource()
    source.add([("shop/cart", 1), ("infra", 2)])
    tree = TreeTable(TreeModel(source), label=lambda node: safe(node.name), id="tree")
    table, line = one_table(), FilterInput()
    lists: list[LineList] = [table, tree]
    async with staged(*lists, line) as (_, pilot):
        line.open_for(table)
        await pilot.press("a", "l", "down")
        line.open_for(tree)
        await pilot.press("c", "a", "r", "up")
        await settled(pilot)
        assert (line.source_of(table), line.source_of(tree)) == ("al", "car")
        assert tree.has_focus
        line.clear_for(tree)
        await settled(pilot)
        assert (line.source_of(table), line.source_of(tree)) == ("al", "")
        line.open_for(line)
        assert not line.display
        assert line.source_of(line) == ""


async def test_pasted_text_is_inert() -> None:
    table, line = one_table(), FilterInput()
    async with staged(table, line) as (app, pilot):
        line.open_for(table)
        await settled(pilot)
        focused: Any = app.focused
        focused.post_message(Paste("be\x1b[2J\nmore"))
        await settled(pilot, until=lambda: line.source_of(table) == r"be\x1b[2J")


async def test_a_message_says_what_to_do_next() -> None:
    pane = MessagePane(SafeText("No tags."), SafeText("o opens a digest."))
    async with staged(pane) as (app, pilot):
        assert "No tags." in screen_text(app)
        assert "o opens a digest." in screen_text(app)
        pane.show(SafeText("[/] The registry does not answer."), tone="error")
        await settled(pilot)
        assert "[/] The registry does not answer." in screen_text(app)
        assert pane.has_class("-error")
