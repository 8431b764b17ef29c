"""Comparing two images as a person does, over the demo; and saving what is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from regtui.ui._textual import screen_text, settled
from regtui.ui.compare.screen import CompareScreen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from regtui.ui.app import RegtuiApp

WIDE, NARROW = (120, 40), (80, 24)


async def press(pilot: Pilot[Any], *keys: str) -> str:
    await pilot.press(*keys)
    await settled(pilot)
    return screen_text(pilot.app)


async def compared(pilot: Pilot[Any]) -> CompareScreen:
    """Wait until the comparison is complete."""
    await settled(pilot, lambda: isinstance(pilot.app.screen, CompareScreen) and not pilot.app.screen.is_loading)
    screen = pilot.app.screen
    assert isinstance(screen, CompareScreen)
    return screen


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_two_marked_tags(explore: Callable[..., RegtuiApp], size: tuple[int, int]) -> None:
    async with explore("/shop/cart").run_test(size=size) as pilot:
        await settled(pilot)
        tags = pilot.app.screen.tags
        for name in ("1.4.2", "1.4.1"):
            tags.model.move_to_key(name)
            tags.action_toggle_mark()
        await pilot.press("equals_sign")
        screen = await compared(pilot)
        text = screen_text(pilot.app)
        assert "shop/cart:1.4.1 → shop/cart:1.4.2" in text, "the older one first, whatever was marked first"
        assert "Env APP_VERSION" in text
        text = await press(pilot, "slash", *"APP_VERSION", "enter")
        assert " - 1.4.1" in text
        assert " + 1.4.2" in text
        await press(pilot, "escape")
        assert "[Layers]" in await press(pilot, "right_square_bracket")
        text = await press(pilot, "right_square_bracket")
        assert "[Files]" in text
        assert screen.tables["files"].model.known > 0
        assert "/__init__" in await press(pilot, "slash", *"__init__", "enter")
        await press(pilot, "escape")
        assert "[Packages]" in await press(pilot, "right_square_bracket")
        before = screen.before
        await pilot.press("w")
        screen = await compared(pilot)
        assert screen.after == before
        await press(pilot, "escape")
        assert pilot.app.screen.pane == "tags"


async def test_two_platforms_of_one_image(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart:1.4.2").run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("equals_sign")
        await pilot.pause()
        assert "with linux/arm64" in screen_text(pilot.app)
        await pilot.press("enter")
        screen = await compared(pilot)
        assert str(screen.before.platform) == "linux/amd64"
        assert str(screen.after.platform) == "linux/arm64"
        assert any(row.name == "Platform" for row in screen.tables["config"].model.rows)


async def test_with_what_was_typed_and_fully(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart:1.4.2").run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("equals_sign")
        await pilot.pause()
        await pilot.press("end", "enter")
        await pilot.pause()
        await pilot.press(*":1.4.1", "enter")
        screen = await compared(pilot)
        assert screen.after.words == "shop/cart:1.4.1"
        assert any("other time" in row.detail for row in screen.tables["files"].model.rows)
        await pilot.press("F")
        screen = await compared(pilot)
        assert not any("other time" in row.detail for row in screen.tables["files"].model.rows)


async def test_what_cannot_be_compared_says_why(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart:1.4.2").run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("equals_sign")
        await pilot.pause()
        await pilot.press("end", "enter")
        await pilot.pause()
        await pilot.press(*"no-such-tag", "enter")
        await compared(pilot)
        assert "no-such-tag" in screen_text(pilot.app)
        assert "stopped" in screen_text(pilot.app)


async def test_three_marks_are_too_many(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart").run_test(size=WIDE, notifications=True) as pilot:
        await settled(pilot)
        assert "there are more" in await press(pilot, "space", "space", "space", "equals_sign")


async def test_a_comparison_is_saved_with_plain_values(
    explore: Callable[..., RegtuiApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with explore("/shop/cart").run_test(size=WIDE) as pilot:
        await settled(pilot)
        await pilot.press("g", "space", "j", "j", "space", "equals_sign")
        screen = await compared(pilot)
        await press(pilot, "right_square_bracket")
        await pilot.press("ctrl+s")
        await pilot.pause()
        await pilot.press("ctrl+a", "ctrl+k", *"out.json", "enter")
        await settled(pilot)
        saved = json.loads((tmp_path / "out.json").read_text())
        rows = screen.tables["layers"].model.rows
        assert [row["name"] for row in saved] == [row.name for row in rows]
        assert [row["size"] for row in saved] == [row.size for row in rows]
        assert "sign" not in saved[0]


async def test_the_tree_of_files_is_saved_with_whole_paths(
    explore: Callable[..., RegtuiApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with explore("/shop/cart:1.4.2").run_test(size=WIDE) as pilot:
        await settled(pilot)
        detail = pilot.app.screen.detail
        detail.switch("files")
        await settled(pilot, lambda: detail.files.is_complete)
        detail.files.file_tree.focus()
        await press(pilot, "slash", *"*.py", "enter")
        await pilot.press("ctrl+s")
        await pilot.pause()
        await pilot.press("enter")
        await settled(pilot)
        saved = (tmp_path / "regtui-file-tree.csv").read_text().splitlines()
        assert saved[0] == "size,change,path,mode,owner"
        assert any(",/app/cart/__init__.py," in line for line in saved)
