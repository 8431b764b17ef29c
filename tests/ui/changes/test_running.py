"""A run that takes its time: what shows meanwhile, stopping it, and leaving while it writes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from regtui.operations.executor import AT_ONCE
from regtui.ui.changes.plan_screen import PlanScreen
from tests.servers.content import image
from tests.ui.changes.conftest import driven

if TYPE_CHECKING:
    from tests.ui.changes.conftest import Driver, Shop

pytestmark = pytest.mark.real
COUNT = AT_ONCE * 2


class Gate:
    """Holds every delete of a registry until it is opened."""

    def __init__(self, registry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened = asyncio.Event()
        self.waiting = 0
        delete = registry.delete_manifest

        async def held(repository: str, digest: Any) -> None:
            self.waiting += 1
            await self.opened.wait()
            await delete(repository, digest)

        monkeypatch.setattr(registry, "delete_manifest", held)


@pytest.fixture
def many(shop: Shop) -> Shop:
    for number in range(COUNT * 3):
        shop.push(f"t{number:03}", content=image({"n": str(number).encode()}))
    return shop


async def begun(driver: Driver, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """Mark, plan, type the name, apply; the run waits at its gate."""
    gate = Gate(await driver.app.session.registry(shop.host), monkeypatch)
    driver.screen.tags.model.marks = {f"t{number:03}" for number in range(COUNT)}
    await driver.press("D", until="nothing has been sent yet")
    await driver.press("m", until="[x] m whole manifests")
    await driver.press("right", "enter", until=f"Type {shop.repository}")
    await driver.press(*shop.repository, "enter", until="[ Stop after the steps under way ]")
    await driver.wait(lambda: gate.waiting > 0)
    return gate


async def test_stopping_ends_what_is_under_way_and_tells_the_truth(many: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async with driven(many.app()) as driver:
        gate = await begun(driver, many, monkeypatch)
        await driver.press("enter", until="Stopping: the steps under way still end")
        gate.opened.set()
        text = await driver.wait(f"{COUNT - AT_ONCE} not run")
        assert f"{AT_ONCE} of {COUNT} steps done" in text
        assert "stopped" in text
        assert len(many.tags()) == COUNT * 3 - AT_ONCE
        await driver.press("u", until="Undo plan")
        await driver.wait("nothing has been sent yet")
        await driver.press("right", "enter", until="steps done")
        assert len(many.tags()) == COUNT * 3


async def test_escape_never_leaves_a_run_alone(many: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async with driven(many.app()) as driver:
        gate = await begun(driver, many, monkeypatch)
        await driver.press("escape", until="Stopping")
        assert isinstance(driver.screen, PlanScreen)
        gate.opened.set()
        await driver.wait("not run")


async def test_ctrl_c_stops_the_run(many: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async with driven(many.app()) as driver:
        gate = await begun(driver, many, monkeypatch)
        await driver.press("ctrl+c", until="Stopping: the steps under way still end")
        gate.opened.set()
        await driver.wait("not run")


async def test_quitting_asks_only_while_a_write_runs(many: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    app = many.app()
    async with driven(app) as driver:
        gate = await begun(driver, many, monkeypatch)
        await driver.press("ctrl+q", until="Changes are being made right now")
        await driver.press("escape", until=lambda: isinstance(driver.screen, PlanScreen))
        assert driver.screen.is_writing
        await driver.press("q", until="Changes are being made right now")
        await driver.press("j", "enter", until="Stopping: the steps under way still end")
        assert app.is_running
        gate.opened.set()
        await driver.wait(lambda: app.return_code is not None)
    assert len(many.tags()) == COUNT * 3 - AT_ONCE


async def test_progress_is_told_per_step(many: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    async with driven(many.app()) as driver:
        gate = await begun(driver, many, monkeypatch)
        screen = driver.screen
        shown: list[str] = []
        monkeypatch.setattr(screen.status, "set_state", shown.append)
        gate.opened.set()
        await driver.wait(f"{COUNT} of {COUNT} steps done")
        assert any(words.startswith("running ") for words in shown)
        assert len(screen.results) == COUNT
