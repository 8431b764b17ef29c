"""What each screen shows, as text. `uv run pytest tests/ui/goldens --update-goldens` writes it anew: look at it."""

from __future__ import annotations

import difflib
import html
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from regtui.ui._textual import screen_text
from screenshots.scenes import SCENES, Scene, app_of, masked, play, sample

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
PICTURES = HERE.parents[2] / "screenshots"
PLAIN = [scene for scene in SCENES if scene.theme is None]
"""A theme changes colours only: its words are those of another scene."""
SIZES = ((120, 40), (80, 24))


@pytest.fixture(scope="module")
def layout() -> Iterator[Path]:
    """The sample in a path of fixed length."""
    with sample() as made:
        yield made


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", PLAIN, ids=lambda scene: scene.name)
async def test_a_screen_shows_what_it_did(
    scene: Scene, size: tuple[int, int], layout: Path, request: pytest.FixtureRequest
) -> None:
    app = app_of(scene, layout)
    async with app.run_test(size=size) as pilot:
        await play(scene, pilot)
        shown = masked(screen_text(app), layout) + "\n"
    golden = HERE / f"{scene.name}-{size[0]}x{size[1]}.txt"
    if request.config.getoption("--update-goldens"):
        golden.write_text(shown, encoding="utf-8")
        return
    known = golden.read_text(encoding="utf-8") if golden.exists() else ""
    assert shown == known, "\n".join(difflib.unified_diff(known.splitlines(), shown.splitlines(), lineterm="", n=1))


@pytest.mark.parametrize("scene", [scene for scene in SCENES if scene.picture], ids=lambda scene: scene.name)
async def test_a_picture_of_the_readme_is_what_the_app_draws(scene: Scene, layout: Path) -> None:
    app = app_of(scene, layout)
    async with app.run_test(size=scene.picture or SIZES[0]) as pilot:
        await play(scene, pilot)
        shown = masked(app.export_screenshot(), layout)
    drawn = (PICTURES / f"{scene.name}.svg").read_text(encoding="utf-8")
    assert words_of(shown) == words_of(drawn), f"run: uv run python screenshots/make.py {scene.name}"


def test_every_golden_and_picture_belongs_to_a_scene() -> None:
    names = {f"{scene.name}-{width}x{height}.txt" for scene in PLAIN for width, height in SIZES}
    assert {path.name for path in HERE.glob("*.txt")} == names
    assert {path.stem for path in PICTURES.glob("*.svg")} == {scene.name for scene in SCENES if scene.picture}


def words_of(svg: str) -> list[str]:
    """The texts of a picture, in order, without its title."""
    found = re.findall(r'<text class="[^"]*-matrix-r\d+|<text class="[^"]*r\d+"[^>]*>([^<]*)</text>', svg)
    return [html.unescape(text).replace("\xa0", " ").strip() for text in found if text]
