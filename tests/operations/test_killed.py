"""A run killed at every one of its calls: the journal restores everything, and a second run finishes the work."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from regtui.operations.plan_json import to_json
from regtui.operations.record import read_record
from tests.operations.conftest import Bench, confirmed
from tests.servers import content

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = [pytest.mark.real, pytest.mark.slow]
SCRIPT = Path(__file__).with_name("killed_run.py")
MOST = 400


class Killer:
    """The process that forks a run for every kill."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def killed_at(self, folder: Path, number: int) -> bool:
        """Run the folder's plan in a process of its own and kill it there; False when it ended before."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{folder}\t{number}\n".encode())
        await self._process.stdin.drain()
        said = (await asyncio.wait_for(self._process.stdout.readline(), 60)).decode().strip()
        assert said in {"0", "-9"}, said
        return said == "-9"


@pytest.fixture
async def killer() -> AsyncIterator[Killer]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    yield Killer(process)
    await asyncio.wait_for(process.communicate(b""), 60)


async def after_each_kill(bench: Bench, plan: Any, tmp_path: Path, killer: Killer, *, begin: int) -> int:
    """Kill, restore from the journal, compare; kill at the same place again, finish, restore. How often."""
    before, digests = bench.tags(), {d for _, d in plan.saves}
    for number in range(begin, MOST):
        folder = tmp_path / f"kill{number}"
        folder.mkdir()
        (folder / "plan.json").write_text(json.dumps(to_json(plan)))
        if not await killer.killed_at(folder, number):
            assert number > begin
            return number
        bench.journal.folder = folder / "journal"
        for named in bench.journal.entries():
            if not any(line.get("kind") == "plan" for line in bench.journal.read(named.id)):
                continue  # killed before the plan was on the disk: nothing was sent either
            record = read_record(bench.journal, named.id)
            if number % 2:  # the way back
                back = await bench.undo(named.id)
                assert back.succeeded, (number, back.plan.warnings, back.results)
            else:  # the way on, and then back
                run = await bench.executor().resume(named.id, confirmed(record.plan))
                assert all(r.stands for r in run.results), (number, run.results)
                assert not {tag for _, tag in plan.tags_lost} & set(bench.tags())
                back = await bench.undo(named.id)
                assert back.succeeded, (number, back.plan.warnings, back.results)
        assert bench.tags() == before, number
        assert all(bench.has(digest) for digest in digests), number
    raise AssertionError(f"the plan takes more than {MOST} calls")


@pytest.mark.parametrize(
    ("server", "manifests"),
    [
        pytest.param(server, manifests, id=f"{'delete' if manifests else 'untag'}-{server}")
        for manifests in (False, True)
        for server in ("docker_registry", "registry_v3", "olareg")
    ],
)
async def test_nothing_is_lost(
    server: str,
    manifests: bool,
    request: pytest.FixtureRequest,
    bench_of: Any,
    killer: Killer,
    namespace: str,
    tmp_path: Path,
) -> None:
    bench = bench_of(request.getfixturevalue(server), f"{namespace}/app")
    index = content.index(content.image({"a": b"1"}), content.image({"a": b"2"}, platform="linux/arm64"))
    bench.uploader.push(bench.repository, index, "v1", "v2")
    bench.uploader.push(bench.repository, content.artifact("x/sbom", b"[]"), index.digest.replace(":", "-") + ".sbom")
    signature = content.artifact("application/vnd.test.sig", subject=index)
    bench.uploader.push(bench.repository, signature)
    if server != "olareg":  # it has the referrers API
        bench.uploader.push_referrers_tag(bench.repository, index, signature)
    plan = await bench.plan("v1", "v2", manifests=True) if manifests else await bench.plan("v1")
    assert await after_each_kill(bench, plan, tmp_path, killer, begin=2) > 8
