"""The same plans over an OCI layout folder on this disk: no server at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from regtui.demo import build_demo
from regtui.registries.layout import LayoutRegistry
from regtui.session import Session, SessionOptions, parse_target
from regtui.ui.app import RegtuiApp
from tests.ui.changes.conftest import NARROW, WIDE, driven
from tests.ui.changes.test_copying import ask, run
from tests.ui.changes.test_deleting import marked

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A sample of one's own: these tests change it."""
    folder = tmp_path / "layout"
    build_demo(folder)
    return folder


def app_over(layout: Path, *, write: bool = True) -> RegtuiApp:
    settings = layout.parent / "settings.toml"
    settings.write_text('protected = ["latest"]\n')  # the sample's versions are released ones
    options = SessionOptions(config=settings, use_cache=False, write=write)
    return RegtuiApp(Session.start(options), parse_target(f"{layout}/shop/cart"))


async def tags_of(layout: Path) -> dict[str, str]:
    """Every tag of the repository, as another process reads the folder."""
    registry = LayoutRegistry.open(str(layout))
    try:
        return {tag.name: str(tag.digest) async for page in registry.tags("shop/cart") for tag in page.items}
    finally:
        await registry.close()


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["120x40", "80x24"])
async def test_delete_and_undo(layout: Path, size: tuple[int, int]) -> None:
    before = await tags_of(layout)
    async with driven(app_over(layout), size) as driver:
        await marked(driver, "1.4.2", "1.3.9")
        text = await driver.press("D", until="nothing has been sent yet")
        assert "2 of " in text
        await run(driver, "2 of 2 steps done")
        assert set(before) - set(await tags_of(layout)) == {"1.4.2", "1.3.9"}
        await driver.press("u", until="Undo plan")
        await run(driver, "steps done")
        assert await tags_of(layout) == before


async def test_an_index_goes_with_all_that_only_it_needs_and_comes_back(layout: Path) -> None:
    before = await tags_of(layout)
    async with driven(app_over(layout)) as driver:
        await marked(driver, "1.4.2")
        await driver.press("D", until="nothing has been sent yet")
        await driver.press("m", until="[x] m whole manifests")
        await run(driver, "steps done")
        assert "1.4.2" not in await tags_of(layout)
        await driver.press("u", until="Undo plan")
        await run(driver, "steps done")
        assert await tags_of(layout) == before


async def test_retag_in_a_folder(layout: Path) -> None:
    before = await tags_of(layout)
    async with driven(app_over(layout)) as driver:
        await marked(driver, "1.3.9")
        await ask(driver, "t", "New tag for", "1.3.9-old")
        await driver.wait("a new tag")
        await run(driver, "1 of 1 steps done")
        assert (await tags_of(layout))["1.3.9-old"] == before["1.3.9"]


async def test_a_folder_is_read_only_unless_told(layout: Path) -> None:
    before = await tags_of(layout)
    async with driven(app_over(layout, write=False)) as driver:
        await marked(driver, "1.3.9")
        await driver.press("D", until="is read-only here")
        await driver.press("escape")
    assert await tags_of(layout) == before
