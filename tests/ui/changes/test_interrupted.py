"""A run that a crash cut short is listed as such, and can be finished or undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from regtui.operations.deleting import Selection, plan_delete
from regtui.operations.gather import gather
from regtui.operations.record import manifest_lines, plan_line
from regtui.session import Session, SessionOptions
from regtui.storage.journal import Journal
from tests.ui.changes.conftest import driven
from tests.ui.changes.test_copying import run

if TYPE_CHECKING:
    from tests.ui.changes.conftest import Shop

pytestmark = pytest.mark.real


@pytest.fixture
async def interrupted(filled: Shop) -> Shop:
    """Two tags were to go; the journal is what a crash after the first start leaves, and the first tag is gone."""
    session = Session.start(SessionOptions(plain_http=frozenset({filled.host}), use_cache=False, host=filled.host))
    try:
        graph = await gather(await session.registry(filled.host), session.reader, filled.repository)
        plan = plan_delete(graph, Selection(("0.8", "0.9")), manifests=True)
        made = [
            await session.reader.manifest(_at(place.host, place.repository, digest)) for place, digest in plan.saves
        ]
    finally:
        await session.close()
    with Journal().begin() as entry:
        entry.append(plan_line(plan), *manifest_lines(made), {"kind": "ready"}, {"kind": "start", "step": 0})
    first = plan.steps[0]
    status, _, _ = filled.uploader.request("DELETE", f"/v2/{filled.repository}/manifests/{first.digest}")
    assert status == 202
    return filled


def _at(host: str, repository: str, digest: str) -> object:
    from regtui.oci import Digest, Reference

    return Reference(host, repository, None, Digest(digest))


async def test_it_can_be_finished(interrupted: Shop) -> None:
    async with driven(interrupted.app()) as driver:
        await driver.press("u", until="This run was interrupted")
        await driver.press("f", until="Finish an interrupted run")
        text = await run(driver, "steps done")
        assert "not run" not in text
        assert {"0.8", "0.9"}.isdisjoint(interrupted.tags())
        await driver.press("escape", until="finished")


async def test_it_can_be_undone(interrupted: Shop) -> None:
    async with driven(interrupted.app()) as driver:
        await driver.press("u", until="This run was interrupted")
        await driver.press("enter", until="Undo plan")
        await run(driver, "steps done")
        assert {"0.8", "0.9", "1.0", "1", "stable", "latest"} == set(interrupted.tags())


async def test_what_is_too_late_is_said_plainly(filled: Shop) -> None:
    """The blobs of a deleted image are gone for good: as a garbage collection leaves it."""
    async with driven(filled.app()) as driver:
        driver.screen.tags.model.move_to_key("0.9")
        driver.screen.tags.sync()
        await driver.press("D", until="nothing has been sent yet")
        blobs = filled.uploader.manifest(filled.repository, "0.9")
        await driver.press("m", until="[x] m whole manifests")
        await run(driver, "1 of 1 steps done")
        for blob in (blobs["config"], *blobs["layers"]):
            status, _, _ = filled.uploader.request("DELETE", f"/v2/{filled.repository}/blobs/{blob['digest']}")
            assert status == 202
        await driver.press("u", until="It is too late")
        assert "There is nothing to do." in driver.text
