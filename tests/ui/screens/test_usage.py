"""Usage as a person sees it, over the demo: what marks would free, the screen, its chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from regtui.ui._textual import screen_text, settled
from regtui.ui.usage.screen import UsageScreen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot

    from regtui.ui.app import RegtuiApp

WIDE, NARROW = (120, 40), (80, 24)


async def press(pilot: Pilot[Any], *keys: str) -> str:
    await pilot.press(*keys)
    await settled(pilot)
    return screen_text(pilot.app)


async def counted(pilot: Pilot[Any]) -> UsageScreen:
    """Wait until the usage is counted."""
    await settled(pilot, lambda: isinstance(pilot.app.screen, UsageScreen) and not pilot.app.screen.is_loading)
    screen = pilot.app.screen
    assert isinstance(screen, UsageScreen)
    return screen


async def test_marks_tell_what_they_would_free_while_one_marks(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart").run_test(size=WIDE) as pilot:
        await settled(pilot)
        screen = pilot.app.screen
        table = screen.tags
        usage = (await screen.session.usage.repository(screen.host, "shop/cart")).usage
        table.model.move_to_key("1.4.2")
        await press(pilot, "space")
        assert table.note == "would free 0 B in this repository", "other tags keep the same image"
        for name in ("1.3.9", "1.4.0"):
            table.model.move_to_key(name)
            await press(pilot, "space")
        freed = usage.freed_by(["1.4.2", "1.3.9", "1.4.0"])
        assert freed > 0
        assert "3 marked · would free" in screen_text(pilot.app)
        from regtui.ui.words import size_text

        assert table.note == f"would free {size_text(freed)} in this repository"
        await press(pilot, "U")
        assert "are folded" in table.note


async def test_in_a_huge_repository_the_figure_is_a_bound(
    explore: Callable[..., RegtuiApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regtui.ui.screens.freeing.MOST_LOOKED_AT", 3)
    async with explore("/shop/cart").run_test(size=WIDE) as pilot:
        await settled(pilot)
        table = pilot.app.screen.tags
        table.model.move_to_key("1.3.9")
        await press(pilot, "space")
        assert table.note.startswith("would free at most 3.6 MB: ")


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_the_usage_of_a_repository(explore: Callable[..., RegtuiApp], size: tuple[int, int]) -> None:
    async with explore("/shop/cart").run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("B")
        screen = await counted(pilot)
        text = screen_text(pilot.app)
        assert "Usage of demo > shop/cart" in text
        assert "stored" in text
        assert "█" in text
        assert "else of creation" in text
        rows = {row.tag: row for row in screen.tables["tags"].model.rows}
        assert rows["1.4.2"].frees == 0
        assert rows["1.3.9"].frees > 0
        moments = [row.pushed for row in screen.tables["tags"].model.rows if row.pushed is not None]
        assert moments == sorted(moments)
        text = await press(pilot, "right_square_bracket")
        assert "[Layers]" in text
        assert "images" in text
        await press(pilot, "escape")
        assert pilot.app.screen.pane == "tags"


async def test_the_usage_of_the_registry_and_of_a_folder(explore: Callable[..., RegtuiApp]) -> None:
    async with explore().run_test(size=WIDE) as pilot:
        await settled(pilot)
        await press(pilot, "1")
        await pilot.press("B")
        screen = await counted(pilot)
        repositories = screen.tables["repositories"].model.rows
        assert len(repositories) == 15
        whole = (await screen.session.usage.registry(screen.host)).usage
        assert sum(row.frees for row in repositories) <= whole.unique
        await press(pilot, "escape", "2", "slash", *"infra", "enter", "g")
        await pilot.press("B")
        screen = await counted(pilot)
        assert {row.repository.split("/")[0] for row in screen.tables["repositories"].model.rows} == {"infra"}


async def test_layers_show_how_they_share_the_image(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart:1.4.2").run_test(size=WIDE) as pilot:
        await settled(pilot)
        text = await press(pilot, "right_square_bracket")
        line = next(line for line in text.splitlines() if "1: 1.2 MB" in line)
        assert "█ 1: 1.2 MB" in line
        assert "█ 2: " in line
        pilot.app.screen.detail.current_list.focus()
        await press(pilot, "j")
        assert pilot.app.screen.detail.current_list.current.number == 2
