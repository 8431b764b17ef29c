"""The explorer as a person drives it, over the demo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from regtui.ui._textual import screen_text, settled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from regtui.ui.app import RegtuiApp

WIDE, NARROW = (120, 40), (80, 24)


async def press(pilot: Pilot[None], *keys: str) -> str:
    await pilot.press(*keys)
    await settled(pilot)
    return screen_text(pilot.app)


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_from_the_registry_down_to_an_image_and_back(
    explore: Callable[..., RegtuiApp], size: tuple[int, int]
) -> None:
    async with explore().run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        assert "2 Repositories  15/15" in screen_text(pilot.app)
        text = await press(pilot, "slash", *"shop/cart", "enter")
        assert "1/15" in text
        text = await press(pilot, "G", "enter")
        assert "3 Tags" in text
        assert "1.3.9" in text
        text = await press(pilot, "slash", *"1.4.2", "enter", "enter")
        assert "OCI index" in text
        assert "sha256:" in text
        text = await press(pilot, "right_square_bracket")
        assert "[Layers]" in text
        assert "apt-get" in text
        assert pilot.app.screen.pane == "detail"
        await press(pilot, "escape")
        assert pilot.app.screen.pane == "tags"
        text = await press(pilot, "escape")
        assert pilot.app.screen.pane == "tags", "escape clears the filter first"
        await press(pilot, "escape")
        assert pilot.app.screen.pane == "repositories"


async def test_opens_straight_at_an_image(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart:1.4.2").run_test(size=WIDE) as pilot:
        await settled(pilot)
        text = screen_text(pilot.app)
        assert "4 shop/cart:1.4.2" in text
        assert "4 Detail" not in text
        assert pilot.app.screen.tags.current.name == "1.4.2"


async def test_a_multi_arch_image_tells_platforms_from_attestations(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart:1.4.2").run_test(size=WIDE) as pilot:
        await settled(pilot)
        text = screen_text(pilot.app)
        assert "2 platforms" in text
        assert "2 attestations" in text
        await pilot.press("w")
        await pilot.pause()
        await pilot.press("j", "enter")
        await settled(pilot)
        assert "for linux/arm64" in screen_text(pilot.app)
        await press(pilot, "y")
        assert pilot.app.screen.detail.tab == "raw"


async def test_signature_tags_fold_and_unfold(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart").run_test(size=WIDE) as pilot:
        await settled(pilot)
        before = pilot.app.screen.tags.model.known
        assert "are folded" in screen_text(pilot.app)
        await press(pilot, "a")
        after = pilot.app.screen.tags.model.known
        assert after > before
        assert any(row.name.startswith("sha256-") for row in pilot.app.screen.tags.model.rows)


async def test_repositories_flat_and_as_a_tree(explore: Callable[..., RegtuiApp]) -> None:
    async with explore().run_test(size=WIDE) as pilot:
        await settled(pilot)
        lines = len(pilot.app.screen.repositories.model)
        assert lines > 15, "folders have lines of their own"
        await press(pilot, "a")
        assert len(pilot.app.screen.repositories.model) == 15
        await press(pilot, "a")
        assert pilot.app.screen.repositories.model.current is not None


async def test_zoom_gives_the_pane_the_screen(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart").run_test(size=WIDE) as pilot:
        await settled(pilot)
        text = await press(pilot, "z")
        assert "4 " not in text.splitlines()[1]
        assert "1 Registries" not in text
        assert "1 Registries" in await press(pilot, "z")


async def test_below_the_smallest_size_one_pane_is_left(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart:1.4.2").run_test(size=(50, 12)) as pilot:
        await settled(pilot)
        text = screen_text(pilot.app)
        assert "3 Tags" not in text
        assert "3 Tags" in await press(pilot, "3")


async def test_help_lists_what_is_live_and_the_palette_has_it(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart").run_test(size=WIDE) as pilot:
        await settled(pilot)
        text = await press(pilot, "question_mark")
        assert "Keys in tags" in text
        assert "Sort by the next column." in text
        await press(pilot, "escape")
        titles = {command.title for command in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Filter", "Copy the digest", "Go to", "Refresh"} <= titles


async def test_an_unknown_tag_tells_what_to_do(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart:no-such-tag").run_test(size=WIDE) as pilot:
        await settled(pilot)
        text = screen_text(pilot.app)
        assert "no-such-tag" in text
        assert "3 Tags  13/13" in text


async def test_sort_by_size_and_reverse(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/cart").run_test(size=WIDE) as pilot:
        await settled(pilot)
        table = pilot.app.screen.tags
        await press(pilot, "s", "s", "s")
        sizes = [row.tag.size for row in table.model.visible_rows()]
        assert sizes == sorted(sizes, reverse=True)
        await press(pilot, "S")
        assert [row.tag.size for row in table.model.visible_rows()] == sorted(sizes)


async def test_copies_name_the_digest(explore: Callable[..., RegtuiApp], monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    app = explore("/shop/cart:1.4.2")
    monkeypatch.setattr(app, "copy_to_clipboard", copied.append)
    async with app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await press(pilot, "c")
        await press(pilot, "C")
        assert copied[0].endswith("/shop/cart:1.4.2")
        assert "@sha256:" in copied[1]


async def test_an_export_never_overwrites(
    explore: Callable[..., RegtuiApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with explore("/shop/cart").run_test(size=WIDE) as pilot:
        await settled(pilot)
        for _ in range(2):
            await pilot.press("ctrl+s")
            await pilot.pause()
            await pilot.press("enter")
            await settled(pilot)
        saved = (tmp_path / "regtui-tags.csv").read_text()
        assert len(saved.splitlines()) == 14
        assert saved.startswith("tag,")


async def test_quit_goes_back_first(explore: Callable[..., RegtuiApp]) -> None:
    app = explore()
    async with app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        await press(pilot, "G", "enter")
        assert app.screen.pane == "tags"
        await press(pilot, "q")
        assert app.screen.pane == "repositories"
        assert app.is_running
        await pilot.press("q")
    assert app.return_code in {0, None}
