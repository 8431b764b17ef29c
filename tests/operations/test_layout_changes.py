"""Plans on a layout folder: the same delete, retag and undo as on a registry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from regtui.operations.deleting import Selection, plan_delete
from regtui.operations.executor import Executor
from regtui.operations.gather import gather
from regtui.operations.record import read_record
from regtui.operations.tagging import plan_retag
from regtui.operations.undo import plan_undo
from regtui.registries.layout import LayoutRegistry
from regtui.session.reader import Reader
from regtui.storage.cache import NullCache
from regtui.storage.journal import Journal
from tests.operations.conftest import confirmed
from tests.registries.test_layout_write import listed, put
from tests.servers import content

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.operations.executor import Run
    from regtui.operations.plan import Plan


@pytest.fixture
async def layout(tmp_path: Path) -> Any:
    made = LayoutRegistry.create(tmp_path / "out")
    yield made
    await made.close()


class Local:
    """Runs plans on one layout."""

    def __init__(self, layout: LayoutRegistry, journal: Journal) -> None:
        self.layout, self.journal = layout, journal
        self.reader = Reader(self.open, NullCache())

    async def open(self, _: str) -> LayoutRegistry:
        return self.layout

    async def run(self, plan: Plan, **options: Any) -> Run:
        return await Executor(self.open, self.reader, self.journal).run(confirmed(plan), **options)

    async def undo(self, entry: str) -> Run:
        record = read_record(self.journal, entry)
        return await self.run(await plan_undo(record, self.open), manifests=dict(record.manifests))


async def test_a_layout_is_changed_and_put_back(layout: LayoutRegistry, tmp_path: Path) -> None:
    local = Local(layout, Journal(tmp_path / "journal"))
    index = content.index(content.image({"a": b"1"}), content.image({"a": b"2"}, platform="linux/arm64"))
    await put(layout, index, "v1", "v2")
    await put(layout, content.artifact("x/sig", subject=index))
    await put(layout, content.image({"b": b"o"}), "other")
    before = await listed(layout)

    async def graph() -> Any:
        return await gather(layout, local.reader, "out")

    run = await local.run(plan_delete(await graph(), Selection(("v1",))))
    assert run.succeeded, run.results
    assert set(await listed(layout)) == {"v2", "other"}
    assert (await local.undo(run.entry)).succeeded
    assert await listed(layout) == before
    run = await local.run(plan_delete(await graph(), Selection(("v1", "v2")), manifests=True))
    assert run.succeeded, run.results
    assert len(run.results) == 4
    assert set(await listed(layout)) == {"other"}
    back = await local.undo(run.entry)
    assert back.succeeded, back.results
    assert await listed(layout) == before
    made = await graph()
    run = await local.run(plan_retag(made, made.tags["v1"], "other", overwrite=True, protection=lambda _: None))
    assert (await listed(layout))["other"] == made.tags["v1"]
    assert (await local.undo(run.entry)).succeeded
    assert await listed(layout) == before
