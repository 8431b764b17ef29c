"""Pull to this disk, push from it, run a saved plan."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from regtui.registries.layout import LayoutRegistry
from regtui.ui.changes.pull_screen import PullScreen
from tests.servers.tools import require
from tests.servers.upload import Uploader
from tests.ui.changes.conftest import driven
from tests.ui.changes.test_copying import run
from tests.ui.changes.test_deleting import marked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.ui.changes.conftest import Driver, Shop

pytestmark = pytest.mark.real


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


async def pulling(driver: Driver, tag: str) -> None:
    driver.screen.go("tags")
    assert driver.screen.tags.model.move_to_key(tag)
    driver.screen.tags.sync()
    await driver.press("P", until=lambda: isinstance(driver.screen, PullScreen))
    await driver.wait("Cancel")


async def test_pull_to_an_oci_archive_on_a_read_only_registry(filled: Shop, here: Path) -> None:
    async with driven(filled.app(write=False)) as driver:
        await pulling(driver, "0.8")
        text = await driver.wait("linux/arm64")
        assert "cart-0.8.tar" in text
        await driver.press("enter", until="fetched,")
        assert "done" in driver.text
    found = LayoutRegistry.open(str(here / "cart-0.8.tar"))
    listed = [repository.path async for page in found.repositories() for repository in page.items]
    head = await found.head_manifest(listed[0], "0.8")
    assert head.digest == filled.tags()["0.8"]
    await found.close()


async def test_pull_one_platform_as_a_docker_archive_that_skopeo_reads(filled: Shop, here: Path) -> None:
    skopeo = require("skopeo")
    async with driven(filled.app()) as driver:
        await pulling(driver, "0.8")
        await driver.wait("linux/arm64")
        driver.screen.form.focus()
        await driver.press("right", until="(x) docker archive")
        assert driver.screen.path.value == "cart-0.8.docker.tar"
        driver.screen.platform.focus()
        await driver.press("right", "right", until="(x) linux/arm64")
        driver.screen.path.focus()
        await driver.press("enter", until="fetched,")
    done = subprocess.run(  # noqa: ASYNC221 - nothing else runs here
        [skopeo, "inspect", "--config", f"docker-archive:{here / 'cart-0.8.docker.tar'}"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert '"architecture": "arm64"' in done.stdout.replace('":"', '": "')


async def test_nothing_is_replaced_unless_the_box_is_ticked(filled: Shop, here: Path) -> None:
    (here / "cart-0.9.tar").write_text("mine")
    async with driven(filled.app()) as driver:
        await pulling(driver, "0.9")
        await driver.press("enter", until="exists.")
        assert (here / "cart-0.9.tar").read_text() == "mine"
        driver.screen.overwrite.value = True
        driver.screen.path.focus()
        await driver.press("enter", until="fetched,")
        assert (here / "cart-0.9.tar").stat().st_size > 100


async def test_push_from_an_archive_by_the_palette(filled: Shop, here: Path) -> None:
    async with driven(filled.app()) as driver:
        await pulling(driver, "0.8")
        await driver.press("enter", until="fetched,")
        await driver.press("escape", until=lambda: not isinstance(driver.screen, PullScreen))
        titles = {command.title for command in driver.app.get_system_commands(driver.screen)}
        assert {"Push", "Run a saved plan", "Retention", "Doctor", "Undo", "Delete"} <= titles
        driver.screen.push_image()
        await driver.wait("Push which layout")
        driver.screen.query_one("Input").value = str(here / "cart-0.8.tar")
        await driver.press("enter", until="Copy to")
        driver.screen.query_one("Input").value = f"{filled.host}/{filled.repository}-pushed:new"
        await driver.press("enter")
        await run(driver, "3 of 3 steps done")
        assert Uploader(filled.host).digest_at(f"{filled.repository}-pushed", "new") == filled.tags()["0.8"]


async def test_a_saved_plan_is_shown_and_run(filled: Shop, here: Path) -> None:
    async with driven(filled.app()) as driver:
        await marked(driver, "0.9")
        await driver.press("D", until="nothing has been sent yet")
        await driver.press("ctrl+s", until="Save the plan as JSON")
        driver.screen.query_one("Input").value = "plan.json"
        await driver.press("enter", until="Saved to")
        await driver.press("escape")
        driver.screen.open_saved()
        await driver.wait("Which plan")
        driver.screen.query_one("Input").value = "plan.json"
        await driver.press("enter", until="Saved plan: 1 of")
        await run(driver, "1 of 1 steps done")
        assert "0.9" not in filled.tags()
        assert (here / "plan.json").is_file()


async def test_copying_only_one_platform(filled: Shop) -> None:
    async with driven(filled.app()) as driver:
        await marked(driver, "0.8")
        await driver.press("T", until="Copy to")
        driver.screen.query_one("Input").value = f"{filled.host}/{filled.repository}-arm:1"
        await driver.press("enter", until="part of the index")
        await driver.press("w", until="all platforms")
        await driver.press("G", "enter", until="1 step")
        await run(driver, "1 of 1 steps done")
        there = Uploader(filled.host).manifest(f"{filled.repository}-arm", "1")
        assert "layers" in there


async def test_a_saved_plan_is_not_believed(filled: Shop, here: Path) -> None:
    """A file that was edited so that it would take a manifest which other tags need."""
    digest = filled.tags()["1.0"]
    async with driven(filled.app()) as driver:
        await marked(driver, "0.9")
        await driver.press("D", until="nothing has been sent yet")
        await driver.press("m", "ctrl+s", until="Save the plan as JSON")
        driver.screen.query_one("Input").value = "plan.json"
        await driver.press("enter", until="Saved to")
        await driver.press("escape")
        text = (here / "plan.json").read_text()
        (here / "plan.json").write_text(text.replace(str(filled.tags()["0.9"]), str(digest)))
        driver.screen.open_saved()
        await driver.wait("Which plan")
        driver.screen.query_one("Input").value = "plan.json"
        text = await driver.press("enter", until="must stay")
        assert "[ Cancel ]" in text
        assert driver.screen.plan is None
