"""What each screen shows, as text. `uv run pytest tests/ui/goldens --update-goldens` writes it anew: look at it."""

from __future__ import annotations

import difflib
import html
import importlib
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from textual.screen import Screen

import regtui.ui
from regtui.ui._textual import screen_text
from regtui.ui.widgets.tab_strip import TabStrip
from screenshots.playing import Scene, app_of, masked, play, sample
from screenshots.scenes import SCENES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HERE = Path(__file__).resolve().parent
PICTURES = HERE.parents[2] / "screenshots"
PLAIN = [scene for scene in SCENES if scene.theme is None]
"""A theme changes colours only: its words are those of another scene."""
SIZES = ((120, 40), (80, 24))
Size = tuple[int, int]


@pytest.fixture(scope="module")
def layout() -> Iterator[Path]:
    """The sample in a path of fixed length."""
    with sample() as made:
        yield made


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", PLAIN, ids=lambda scene: scene.name)
async def test_a_screen_shows_what_it_did(
    scene: Scene, size: Size, layout: Path, request: pytest.FixtureRequest
) -> None:
    app = app_of(scene, layout)
    async with app.run_test(size=size, notifications=True) as pilot:
        await play(scene, pilot)
        shown = f"{masked(screen_text(app), layout)}\n{told_of(app.screen)}\n"
    golden = HERE / f"{scene.name}-{size[0]}x{size[1]}.txt"
    if request.config.getoption("--update-goldens"):
        golden.write_text(shown, encoding="utf-8")
        return
    known = golden.read_text(encoding="utf-8") if golden.exists() else ""
    assert shown == known, "\n".join(difflib.unified_diff(known.splitlines(), shown.splitlines(), lineterm="", n=1))


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_screen_and_every_tab_has_a_golden(size: Size) -> None:
    goldens = [HERE / f"{scene.name}-{size[0]}x{size[1]}.txt" for scene in PLAIN]
    assert left_out(golden.read_text(encoding="utf-8") for golden in goldens) == set()


def test_the_check_of_the_whole_finds_what_is_left_out() -> None:
    screens = screens_of_the_app()
    others = [f"= {name}" for name in screens - {"DocumentScreen"}]
    assert left_out(others) == {"DocumentScreen"}
    about, raw = "= DocumentScreen\n= DocumentScreen: [about] raw", "= DocumentScreen\n= DocumentScreen: about [raw]"
    assert left_out([*others, about]) == {"DocumentScreen: raw"}
    assert left_out([*others, about, raw]) == set()
    assert {"ExplorerScreen", "WorkingScreen"} <= screens
    assert screens.isdisjoint({"Browsing", "ReportScreen", "ShownPlan"})


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene.picture], ids=lambda scene: scene.name)
async def test_a_picture_of_the_readme_is_what_the_app_draws(scene: Scene, layout: Path) -> None:
    app = app_of(scene, layout)
    async with app.run_test(size=scene.picture or SIZES[0], notifications=True) as pilot:
        await play(scene, pilot)
        shown = masked(app.export_screenshot(), layout)
    drawn = (PICTURES / f"{scene.name}.svg").read_text(encoding="utf-8")
    assert words_of(shown) == words_of(drawn), f"run: uv run python screenshots/make.py {scene.name}"


def test_every_golden_and_picture_belongs_to_a_scene() -> None:
    names = {f"{scene.name}-{width}x{height}.txt" for scene in PLAIN for width, height in SIZES}
    assert len({scene.name for scene in SCENES}) == len(SCENES)
    assert {path.name for path in HERE.glob("*.txt")} == names
    assert {path.stem for path in PICTURES.glob("*.svg")} == {scene.name for scene in SCENES if scene.picture}


def screens_of_the_app() -> set[str]:
    """Every screen of the package that can be opened: one that others build on is no screen of its own."""
    found: set[type[Any]] = set()
    for module in pkgutil.walk_packages(regtui.ui.__path__, "regtui.ui."):
        own = vars(importlib.import_module(module.name)).values()
        found |= {each for each in own if isinstance(each, type) and issubclass(each, Screen)}
    ours = {each for each in found if each.__module__.startswith("regtui.")}
    bases = {base for each in ours for base in each.__mro__[1:]}
    return {each.__name__ for each in ours - bases}


def told_of(screen: Screen[Any]) -> str:
    """What a golden tells besides the text: the class of its screen, and where tabs are on it, which is in front."""
    strips = [strip for strip in screen.query(TabStrip) if strip.is_on_screen]
    lines = [f"= {type(screen).__name__}"]
    for strip in strips:
        names = [f"[{name}]" if name == strip.active else name for name in strip.names]
        lines.append(f"= {type(strip.parent).__name__}: {' '.join(names)}")
    return "\n".join(lines)


def left_out(goldens: Iterable[str]) -> set[str]:
    """Screens that no golden shows, and tabs that stand in a golden but are in front in none."""
    screens, tabs, in_front = screens_of_the_app(), set(), set()
    for golden in goldens:
        screens -= set(re.findall(r"^= (\w+)$", golden, re.MULTILINE))
        for owner, names in re.findall(r"^= (\w+): (.+)$", golden, re.MULTILINE):
            tabs |= {f"{owner}: {name.strip('[]')}" for name in names.split()}
            in_front |= {f"{owner}: {name}" for name in re.findall(r"\[(\S+)\]", names)}
    return screens | (tabs - in_front)


def words_of(svg: str) -> list[str]:
    """The texts of a picture, in order, without its title."""
    found = re.findall(r'<text class="[^"]*-matrix-r\d+|<text class="[^"]*r\d+"[^>]*>([^<]*)</text>', svg)
    return [html.unescape(text).replace("\xa0", " ").strip() for text in found if text]
