"""RowTable in a tiny app: what the keys, the mouse and late pages do."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from textual.events import MouseScrollDown

from regtui.ui._textual import screen_text, settled
from regtui.ui.models.ordering import natural_key
from regtui.ui.models.rows import RowModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets import row_table
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.row_table import RowTable
from tests.ui.stage import staged


@dataclass(frozen=True, slots=True)
class Tag:
    name: str
    size: int | None = None


COLUMNS = (
    Column[Tag]("tag", SafeText("tag"), lambda tag: safe(tag.name), 8, flex=1, sort=lambda tag: natural_key(tag.name)),
    Column[Tag](
        "size",
        SafeText("size"),
        lambda tag: safe("—" if tag.size is None else str(tag.size)),
        8,
        align="right",
        tone="dim",
        sort=lambda tag: tag.size,
        descending=True,
        priority=1,
    ),
)


def table_of(count: int = 0, name: str = "tags") -> RowTable[Tag]:
    table = RowTable(COLUMNS, key=lambda tag: tag.name, text=lambda tag: tag.name, title=SafeText("Tags"), id=name)
    table.append([Tag(f"v{number}", number) for number in range(count)])
    return table


def names(table: RowTable[Tag]) -> list[str]:
    return [tag.name for tag in table.model.visible_rows()]


async def test_what_it_looks_like() -> None:
    table = table_of(3)
    async with staged(table, size=(44, 7)) as (app, pilot):
        table.listing = Listing("stopped", 5, SafeText("the registry gave up"))
        table.fail("v2", "not found\x1b[2J")
        await pilot.press("j", "space")
        await settled(pilot)
        assert screen_text(app).split("\n") == [
            "╭─ Tags  3/3 of 5  stopped: the registry… ─╮",
            "│  tag                                size │",
            "│  v0                                    0 │",
            "│● v1                                    1 │",
            "│▌ v2        ! not found\\x1b[2J            │",
            "│                                          │",
            "╰─────────────────────────────── 1 marked ─╯",
        ]


async def test_keys_move_and_the_owner_is_told() -> None:
    table = table_of(100)
    async with staged(table) as (app, pilot):
        assert [(event.key, event.position) for event in app.told(RowTable.Highlighted)] == [("v0", 0)]
        for key, position in [("j", 1), ("down", 2), ("k", 1), ("G", 99), ("g", 0), ("end", 99), ("home", 0)]:
            await pilot.press(key)
            assert table.model.cursor == position
            assert [event.value for event in app.told(RowTable.Highlighted)] == [Tag(f"v{position}", position)]
        await pilot.press("up")
        assert app.told(RowTable.Highlighted) == []
        await pilot.press("enter")
        opened = app.told(RowTable.Opened)
        assert [(event.key, event.value, event.control) for event in opened] == [("v0", Tag("v0", 0), table)]


async def test_at_the_edge_the_view_jumps_by_half_a_page() -> None:
    table = table_of(100)
    async with staged(table) as (_, pilot):
        page = table.page_size
        assert page == 9
        await pilot.press(*["j"] * (page - 1))
        assert table.scroll_offset.y == 0
        await pilot.press("j")
        assert table.scroll_offset.y == page - page // 2
        await pilot.press(*["k"] * (page // 2 + 1))
        assert table.scroll_offset.y < page - page // 2


async def test_pages_keep_the_cursor_where_it_is_on_screen() -> None:
    table = table_of(100)
    async with staged(table) as (_, pilot):
        await pilot.press("j", "j", "pagedown")
        assert (table.model.cursor, table.scroll_offset.y) == (11, 9)
        await pilot.press("pageup")
        assert (table.model.cursor, table.scroll_offset.y) == (2, 0)
        await pilot.press("pageup")
        assert table.model.cursor == 0


async def test_pages_that_arrive_leave_the_chosen_row_alone() -> None:
    table = table_of(2)
    async with staged(table) as (app, pilot):
        table.sort_by("tag", reverse=True)
        await pilot.press("j")
        assert table.current == Tag("v0", 0)
        app.told(RowTable.Highlighted)
        table.append([Tag(f"v{number}", number) for number in range(2, 50)])
        await settled(pilot)
        assert table.current == Tag("v0", 0)
        assert table.model.cursor == 49
        assert app.told(RowTable.Highlighted) == []
        assert "v0 " in screen_text(app)


async def test_sort_keys_and_header_clicks() -> None:
    table = table_of()
    async with staged(table, size=(30, 8)) as (app, pilot):
        table.append([Tag("v10", 1), Tag("v9", None), Tag("v1", 3)])
        await pilot.press("s")
        assert names(table) == ["v1", "v9", "v10"]
        assert "tag ▲" in screen_text(app)
        await pilot.press("S")
        assert names(table) == ["v10", "v9", "v1"]
        await pilot.press("s")
        assert names(table) == ["v1", "v10", "v9"]
        assert "size ▼" in screen_text(app)
        await pilot.press("s")
        assert names(table) == ["v10", "v9", "v1"]
        await pilot.click(table, offset=(4, 1))
        await pilot.click(table, offset=(4, 1))
        assert names(table) == ["v10", "v9", "v1"]
        assert [(event.column, event.reverse) for event in app.told(RowTable.Sorted)] == [
            ("tag", False),
            ("tag", True),
            ("size", True),
            ("", False),
            ("tag", False),
            ("tag", True),
        ]


async def test_long_lists_are_sorted_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_table, "SORT_AT_ONCE", 10)
    table = table_of(30)
    async with staged(table) as (app, pilot):
        table.sort_by("size")
        table.append([Tag("late", 100)])
        await settled(pilot, until=lambda: bool(app.told(RowTable.Sorted)))
        assert names(table)[:3] == ["late", "v29", "v28"]


async def test_late_details_find_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_table, "RESORT_AFTER", 0.01)
    table = table_of(3)
    async with staged(table) as (_, pilot):
        table.sort_by("size")
        table.replace_all([Tag("v0", 50)])
        assert names(table) == ["v2", "v1", "v0"]
        await settled(pilot, until=lambda: names(table) == ["v0", "v2", "v1"])


async def test_marks_are_told_and_totalled() -> None:
    table = table_of(9)
    async with staged(table) as (app, pilot):
        await pilot.press("space", "space")
        assert [event.count for event in app.told(RowTable.MarksChanged)][-1] == 2
        await pilot.press("v", "j", "j", "v")
        assert [tag.name for tag in table.marked_or_current()] == ["v0", "v1", "v2", "v3", "v4"]
        table.note = SafeText("would free 91.4 MB")
        await settled(pilot)
        assert "5 marked · would free 91.4 MB" in screen_text(app)
        assert screen_text(app).count("●") == 4
        assert screen_text(app).count("◉") == 1
        await pilot.press("U")
        assert [event.count for event in app.told(RowTable.MarksChanged)][-1] == 0
        assert table.marked_or_current() == [Tag("v4", 4)]
        assert table.set_filter("~[12]") is None
        await pilot.press("asterisk")
        assert [tag.name for tag in table.marked_or_current()] == ["v1", "v2"]


async def test_a_filter_that_is_none_yet_says_so_and_changes_nothing() -> None:
    table = table_of(12)
    async with staged(table) as (app, pilot):
        assert table.set_filter("1") is None
        await settled(pilot)
        assert "3/12  /1" in screen_text(app)
        problem = table.set_filter("~(")
        assert problem is not None
        assert "regular expression" in problem
        assert table.filter_source == "1"


async def test_a_click_moves_and_a_second_one_opens() -> None:
    table = table_of(5)
    async with staged(table) as (app, pilot):
        app.told(RowTable.Highlighted)
        await pilot.click(table, offset=(5, 4))
        assert table.model.cursor == 2
        assert app.told(RowTable.Opened) == []
        await pilot.click(table, offset=(5, 4))
        assert [event.key for event in app.told(RowTable.Opened)] == ["v2"]
        await pilot.click(table, offset=(5, 10))
        assert table.model.cursor == 2


async def test_a_click_that_brings_the_focus_opens_nothing() -> None:
    table, other = table_of(5), table_of(5, "other")
    async with staged(table, other, size=(60, 24)) as (app, pilot):
        assert table.has_focus
        await pilot.click(other, offset=(5, 2))
        assert other.has_focus
        assert app.told(RowTable.Opened) == []
        await pilot.click(other, offset=(5, 2))
        assert [event.control for event in app.told(RowTable.Opened)] == [other]


async def test_the_wheel_scrolls_and_leaves_the_cursor() -> None:
    table = table_of(100)
    async with staged(table) as (_, pilot):
        await pilot._post_mouse_events([MouseScrollDown], table, offset=(5, 5))
        await settled(pilot, until=lambda: table.scroll_offset.y > 0)
        assert table.model.cursor == 0


async def test_narrow_and_flat_panes_lose_columns_and_header() -> None:
    table = table_of(3)
    async with staged(table, size=(16, 4)) as (app, _):
        first, second = screen_text(app).split("\n")[1:3]
        assert (first[:6], second[:6]) == ("│▌ v0 ", "│  v1 ")
        assert "size" not in screen_text(app)


async def test_other_rows_and_other_models() -> None:
    table = table_of(50)
    async with staged(table) as (app, pilot):
        await pilot.press("G", "space")
        table.reset([Tag("other")], Listing("complete"))
        await settled(pilot)
        assert app.told(RowTable.Highlighted)[-1].key == "other"
        assert app.told(RowTable.MarksChanged)[-1].count == 0
        assert "1/1" in screen_text(app)
        model: RowModel[Tag] = RowModel(lambda tag: tag.name, lambda tag: tag.name)
        model.append([Tag("b", 1), Tag("a", 2)])
        table.show(model)
        table.sort_by("tag")
        await settled(pilot)
        assert names(table) == ["a", "b"]
        table.take_out({"a"})
        await settled(pilot)
        assert app.told(RowTable.Highlighted)[-1].key == "b"
        table.reset()
        await settled(pilot)
        assert app.told(RowTable.Highlighted)[-1].value is None
        await pilot.press("enter", "space", "v", "asterisk", "U", "s", "S", "j", "pagedown", "G")
        assert app.told(RowTable.Opened) == []
        assert table.marked_or_current() == []


async def test_messages_find_the_table_by_id() -> None:
    table = table_of(2)
    async with staged(table) as (app, pilot):
        await pilot.press("j")
        assert app.told(RowTable.Highlighted)[-1].control is table


@pytest.mark.parametrize("theme", ["textual-dark", "textual-light", "nord", "ansi-dark", "ansi-light"])
async def test_every_theme_has_its_colours(theme: str) -> None:
    table = table_of(3)
    async with staged(table) as (app, pilot):
        app.theme = theme
        table.fail("v1", "no")
        await pilot.press("space")
        await settled(pilot)
        assert "! no" in screen_text(app)
