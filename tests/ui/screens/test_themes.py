"""Themes in the running app: every word can be read, the list shows each at once, files change while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from textual.theme import Theme

from regtui.storage.settings import Settings
from regtui.ui._textual import settled, text_colours
from regtui.ui.theming import default_theme, load_themes, own_theme_folder, read_theme
from tests.ui.test_theming import SHIPPED, contrast

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from textual.pilot import Pilot

    from regtui.ui.app import RegtuiApp

    Explore = Callable[..., RegtuiApp]

COLOURED = [file for file in SHIPPED if not read_theme(file).ansi]
WALK = ("", "right_square_bracket", "right_square_bracket", "y", "3", "space", "slash")
"""Keys that lead over what words are looked at; what lies dimmed behind a dialog is meant to step back."""


@pytest.mark.parametrize("file", COLOURED, ids=lambda file: file.stem)
async def test_every_word_on_the_screen_can_be_read(explore: Explore, file: Path) -> None:
    app = explore("/shop/cart:1.4.2")
    looked_at = 0
    async with app.run_test(size=(120, 40)) as pilot:
        app.theme = file.stem
        for key in WALK:
            if key:
                await pilot.press(key)
            await settled(pilot)
            for text, colour, ground in text_colours(app):
                looked_at += 1
                assert contrast(colour, ground) >= 4.5, f"{key}: {text!r} {colour.hex} on {ground.hex}"
    assert looked_at > 500


def test_the_theme_of_the_terminal_names_no_colour_of_its_own() -> None:
    (file,) = (file for file in SHIPPED if read_theme(file).ansi)
    theme = read_theme(file)
    own = [theme.primary, theme.foreground, theme.background, theme.surface, theme.panel, *theme.variables.values()]
    assert all(colour is not None and colour.startswith("ansi_") for colour in own)


def test_a_terminal_without_colours_or_with_sixteen_gets_its_theme() -> None:
    assert default_theme({"NO_COLOR": "1"}, "truecolor") == "regtui-mono"
    assert default_theme({}, "standard") == "regtui-ansi"
    assert default_theme({"NO_COLOR": ""}, "truecolor") == default_theme({}, None) == "regtui-dark"


async def test_the_list_shows_a_theme_at_once_and_escape_takes_it_back(explore: Explore) -> None:
    app = explore("/shop/cart")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        before = app.theme
        app.search_themes()
        await settled(pilot)
        await pilot.press("down")
        await settled(pilot)
        assert app.theme != before
        await pilot.press("escape")
        await settled(pilot)
        assert app.theme == before
        assert Settings.load().theme is None


async def test_a_chosen_theme_is_kept(explore: Explore) -> None:
    app = explore("/shop/cart")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.search_themes()
        await settled(pilot)
        await pilot.press("g")
        await pilot.press("enter")
        await settled(pilot)
        chosen = app.theme
    assert Settings.load().theme == chosen
    again = explore("/shop/cart")
    async with again.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert again.theme == chosen


async def test_a_file_of_the_users_own_is_drawn_anew_when_it_changes(explore: Explore) -> None:
    folder = own_theme_folder()
    folder.mkdir(parents=True)
    file = folder / "mine.toml"
    file.write_text('name = "mine"\nprimary = "#ff0000"\nsurface = "#101010"\n')
    app = explore("/shop/cart")
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        app.theme = "mine"
        await settled(pilot)
        assert _ground(app) == "#101010"
        file.write_text('name = "mine"\nprimary = "#ff0000"\nsurface = "#202030"\n')
        await settled(pilot, lambda: _ground(app) == "#202030")
        file.write_text('name = "mine"\nprimary = "nonsense"\n')
        await settled(pilot, lambda: any("mine.toml" in note.message for note in app._notifications))
        assert app.theme == "mine"


async def test_every_theme_there_is_can_be_put_on(explore: Explore) -> None:
    app = explore("/shop/cart")
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        for name in app.available_themes:
            await _put_on(pilot, name)
        app.register_theme(Theme(name="bare", primary="ansi_red", ansi=True))
        await _put_on(pilot, "bare")
    assert len(load_themes([SHIPPED[0].parent])[0]) >= 6


async def _put_on(pilot: Pilot[Any], name: str) -> None:
    pilot.app.theme = name
    await settled(pilot)


def _ground(app: RegtuiApp) -> str:
    return app.screen.query_one("#tags").styles.background.hex.lower()
