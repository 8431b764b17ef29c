"""The Files tab as a person drives it, over the demo."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from regtui.ui._textual import screen_text, settled
from regtui.ui.files.looking import Looking, view_of
from regtui.ui.screens.view_file import ViewerScreen

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from regtui.ui.app import RegtuiApp

WIDE, NARROW = (120, 40), (80, 24)
CART = "/shop/cart:1.4.2"


async def press(pilot: Pilot[Any], *keys: str) -> str:
    await pilot.press(*keys)
    await settled(pilot)
    return screen_text(pilot.app)


async def open_files(pilot: Pilot[Any]) -> Any:
    """Go to the Files tab and wait until the image is read."""
    await settled(pilot)
    files = pilot.app.screen.detail.files
    pilot.app.screen.detail.switch("files")
    await settled(pilot, lambda: files.is_complete)
    return files


async def open_path(pilot: Pilot[Any], path: str) -> None:
    """Put the cursor on a path and press enter."""
    files = pilot.app.screen.detail.files
    node = files.contents.tree.find(path.encode())
    assert files.file_tree.reveal(node)
    files.file_tree.focus()
    await pilot.press("enter")


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_file_opens_and_tells_what_it_cost(explore: Callable[..., RegtuiApp], size: tuple[int, int]) -> None:
    async with explore(CART).run_test(size=size) as pilot:
        await open_files(pilot)
        await open_path(pilot, "app/cart/__init__.py")
        await settled(pilot, lambda: isinstance(pilot.app.screen, ViewerScreen) and pilot.app.screen.view.display)
        text = screen_text(pilot.app)
        assert '1  __version__ = "1.4.2"' in text
        assert "in 1 request" in text
        assert "/app/cart/__init__.py" in text
        assert "00000000  5f 5f" in await press(pilot, "x")
        await press(pilot, "q")
        assert pilot.app.screen.pane == "detail"
        assert pilot.app.is_running


async def test_searching_in_a_file(explore: Callable[..., RegtuiApp]) -> None:
    async with explore(CART).run_test(size=WIDE) as pilot:
        await open_files(pilot)
        await open_path(pilot, "usr/lib/os-release")
        await settled(pilot, lambda: isinstance(pilot.app.screen, ViewerScreen) and pilot.app.screen.view.display)
        view = pilot.app.screen.view
        await press(pilot, "slash", *"debian", "enter")
        assert len(view.model.hits) > 1
        assert view.model.cursor == view.model.hits[0]
        await press(pilot, "n")
        assert view.model.cursor == view.model.hits[1]
        await press(pilot, "escape")
        assert view.model.hits == []
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, ViewerScreen)


async def test_a_link_shows_the_file_that_it_leads_to_or_goes_to_the_folder(explore: Callable[..., RegtuiApp]) -> None:
    async with explore(CART).run_test(size=WIDE) as pilot:
        files = await open_files(pilot)
        await open_path(pilot, "etc/os-release")
        await settled(pilot, lambda: isinstance(pilot.app.screen, ViewerScreen) and pilot.app.screen.view.display)
        assert "/etc/os-release → /usr/lib/os-release" in screen_text(pilot.app)
        await press(pilot, "escape")
        await open_path(pilot, "bin")
        await settled(pilot)
        assert not isinstance(pilot.app.screen, ViewerScreen)
        assert files.file_tree.current == files.contents.tree.find(b"usr/bin")


async def test_keys_typed_ahead_of_the_view_all_count(
    explore: Callable[..., RegtuiApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with explore(CART).run_test(size=WIDE) as pilot:
        files = await open_files(pilot)
        files.file_tree.focus()
        go_on = threading.Event()

        def slow(*wanted: Any) -> Any:
            go_on.wait(10)
            return view_of(*wanted)

        monkeypatch.setattr("regtui.ui.files.looking.view_of", slow)
        await pilot.press("greater_than_sign", "greater_than_sign", "m", "m")
        go_on.set()
        await settled(pilot, lambda: files.looking == Looking(1, "changed", "added"))


async def test_layers_one_by_one_and_their_changes(explore: Callable[..., RegtuiApp]) -> None:
    async with explore(CART).run_test(size=WIDE) as pilot:
        files = await open_files(pilot)
        files.file_tree.focus()
        assert "layer 1 of 4: what it changed" in await press(pilot, "greater_than_sign")
        assert "layer 2 of 4: what it changed" in await press(pilot, "greater_than_sign")
        assert "stacked up to layer 2 of 4" in await press(pilot, "A")
        assert "layer 2 of 4: what is left of it" in await press(pilot, "A")
        await press(pilot, "A", "m", "m")
        assert files.looking == Looking(1, "changed", "added")
        text = await press(pilot, "m")
        assert "what it modified" in text
        await press(pilot, "less_than_sign")
        assert "all layers" in await press(pilot, "less_than_sign")
        await pilot.press("L")
        await pilot.pause()
        await pilot.press("j", "j", "j", "enter")
        await settled(pilot, lambda: files.looking.layer is not None)
        assert files.looking.layer == 2


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_waste_packages_and_largest_beside(explore: Callable[..., RegtuiApp], size: tuple[int, int]) -> None:
    async with explore(CART).run_test(size=size) as pilot:
        files = await open_files(pilot)
        files.file_tree.focus()
        text = await press(pilot, "b")
        assert "[Waste]" in text
        assert "hidden by whiteouts" in text
        assert "[By layer]" in await press(pilot, "b")
        text = await press(pilot, "b")
        assert "[Packages]" in text
        assert "no package:" in text
        text = await press(pilot, "b")
        assert "[Largest]" in text
        row = files.beside.current.current
        await press(pilot, "enter")
        assert files.file_tree.current == row.node
        assert files.file_tree.has_focus
        await press(pilot, "b", "b", "b", "j", "enter")
        assert files.looking.layer == 1


async def test_equal_files_are_found_on_request(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/reports:0.4.0").run_test(size=WIDE) as pilot:
        files = await open_files(pilot)
        files.file_tree.focus()
        assert "equal files (F)" in await press(pilot, "b")
        assert files.findings.waste.duplicates is None
        await pilot.press("F")
        await settled(pilot, lambda: files.is_complete and files.findings.waste.duplicates is not None)
        equal = files.findings.waste.duplicates
        assert equal
        assert any(row.why == f"{len(equal[0].nodes)} equal files" for row in files.findings.wasted)


async def test_what_was_removed_is_shown_in_the_layer_that_had_it(explore: Callable[..., RegtuiApp]) -> None:
    async with explore("/shop/reports:0.4.0").run_test(size=WIDE) as pilot:
        files = await open_files(pilot)
        tree = files.contents.tree
        gone = next(node for node in range(1, len(tree)) if tree.occurrence(node) is None)
        files.go_to_node(gone)
        await settled(pilot, lambda: files.looking.mode == "stacked")
        assert files.file_tree.current == gone
        assert tree.occurrence(gone, files.looking.layer) is not None


async def test_the_tree_keeps_its_place_when_it_is_looked_at_otherwise(explore: Callable[..., RegtuiApp]) -> None:
    async with explore(CART).run_test(size=WIDE) as pilot:
        files = await open_files(pilot)
        files.file_tree.focus()
        await press(pilot, "slash", *"*.py", "enter", "j", "j")
        node = files.file_tree.current
        await press(pilot, "m")
        assert files.file_tree.filter_source == "*.py"
        assert files.file_tree.current == node


async def test_extracting_asks_where_and_never_overwrites(
    explore: Callable[..., RegtuiApp], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with explore(CART).run_test(size=WIDE, notifications=True) as pilot:
        files = await open_files(pilot)
        files.file_tree.reveal(files.contents.tree.find(b"app/cart"))
        files.file_tree.focus()
        await pilot.press("e")
        await pilot.pause()
        assert "[ ] keep set-user-id" in screen_text(pilot.app)
        await pilot.press("enter")
        await settled(pilot)
        assert (tmp_path / "cart/__init__.py").read_bytes() == b'__version__ = "1.4.2"\n'
        assert "Extracted" in screen_text(pilot.app)
        (tmp_path / "taken").write_text("mine")
        await pilot.press("e")
        await pilot.pause()
        await pilot.press("ctrl+a", "ctrl+k", *"taken", "enter")
        await settled(pilot)
        assert (tmp_path / "taken").read_text() == "mine"
        assert "exists already" in screen_text(pilot.app)


async def test_pager_and_editor_are_refused_where_the_terminal_cannot_be_handed_over(
    explore: Callable[..., RegtuiApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGER", "cat")
    async with explore(CART).run_test(size=WIDE, notifications=True) as pilot:
        files = await open_files(pilot)
        files.file_tree.reveal(files.contents.tree.find(b"app/cart/__init__.py"))
        files.file_tree.focus()
        assert "can't be handed to a pager" in await press(pilot, "f3")


async def test_escape_stops_reading_and_r_reads_on(explore: Callable[..., RegtuiApp]) -> None:
    async with explore(CART).run_test(size=WIDE) as pilot:
        await settled(pilot)
        screen = pilot.app.screen
        files = screen.detail.files
        registry = await screen.session.registry(screen.host)
        opened, before = [], registry.open_blob

        class Stuck:
            """A stream that nothing comes out of until it is closed."""

            def __init__(self) -> None:
                import threading

                self.closed_now = threading.Event()
                opened.append(self)

            def read(self, size: int = -1) -> bytes:
                self.closed_now.wait(30)
                return b""

            def close(self) -> None:
                self.closed_now.set()

            def __enter__(self) -> Stuck:
                return self

            def __exit__(self, *_: object) -> None:
                self.close()

        registry.open_blob = lambda *a, **k: Stuck()
        screen.detail.switch("files")
        while not opened:
            await pilot.pause()
        await pilot.press("4", "escape")
        await settled(pilot)
        assert "stopped · r reads on" in screen_text(pilot.app)
        assert all(stream.closed_now.is_set() for stream in opened)
        assert screen.pane == "detail"
        registry.open_blob = before
        await pilot.press("r")
        await settled(pilot, lambda: files.is_complete)


async def test_the_keys_of_files_are_in_help(explore: Callable[..., RegtuiApp]) -> None:
    async with explore(CART).run_test(size=WIDE) as pilot:
        files = await open_files(pilot)
        files.file_tree.focus()
        await pilot.pause()
        assert "b waste/packages" in screen_text(pilot.app)
        await press(pilot, "question_mark", "G")
        live = {command.title for command in pilot.app.get_system_commands(pilot.app.screen_stack[1])}
        assert {"Extract", "Layer", "Waste and packages", "Page"} <= live
