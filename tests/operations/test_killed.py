"""A run killed at every one of its calls: the journal restores everything, and a second run finishes the work."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from regtui.operations.plan_json import to_json
from regtui.operations.record import read_record
from tests.operations.conftest import Bench, confirmed
from tests.servers import content

pytestmark = [pytest.mark.real, pytest.mark.slow]
SCRIPT = Path(__file__).with_name("killed_run.py")
MOST = 400


async def killed_at(bench: Bench, plan: Any, folder: Path, number: int) -> bool:
    """Run the plan in a process of its own and kill it there; False when it ended before."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), str(folder), str(number), stderr=asyncio.subprocess.PIPE
    )
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode in {0, -9}, said.decode()
    return process.returncode == -9


async def after_each_kill(bench: Bench, plan: Any, tmp_path: Path, *, begin: int, stride: int) -> int:
    """Kill, restore from the journal, compare; kill at the same place again, finish, restore. How often."""
    before, digests = bench.tags(), {d for _, d in plan.saves}
    for number in range(begin, MOST, stride):
        folder = tmp_path / f"kill{number}"
        folder.mkdir()
        (folder / "plan.json").write_text(json.dumps(to_json(plan)))
        if not await killed_at(bench, plan, folder, number):
            assert number > begin
            return number
        bench.journal.folder = folder / "journal"
        for named in bench.journal.entries():
            if not any(line.get("kind") == "plan" for line in bench.journal.read(named.id)):
                continue  # killed before the plan was on the disk: nothing was sent either
            record = read_record(bench.journal, named.id)
            if number % 2:  # the way back
                assert (await bench.undo(named.id)).succeeded
            else:  # the way on, and then back
                run = await bench.executor().resume(named.id, confirmed(record.plan))
                assert all(r.stands for r in run.results), (number, run.results)
                assert not {tag for _, tag in plan.tags_lost} & set(bench.tags())
                assert (await bench.undo(named.id)).succeeded
        assert bench.tags() == before, number
        assert all(bench.has(digest) for digest in digests), number
    raise AssertionError(f"the plan takes more than {MOST} calls")


# On a busy machine the undo of a killed delete on distribution 2.8 has failed in about every second run, and passed
# when it was run alone. The cause is not found yet; what is asserted stays as it is.
UNSTEADY = pytest.mark.xfail(strict=False, reason="the undo after a kill is unsteady on distribution 2.8 under load")


@pytest.mark.parametrize(
    ("server", "manifests"),
    [
        pytest.param("docker_registry", False, id="untag-docker_registry"),
        pytest.param("registry_v3", False, id="untag-registry_v3"),
        pytest.param("docker_registry", True, id="delete-docker_registry", marks=UNSTEADY),
        pytest.param("registry_v3", True, id="delete-registry_v3"),
    ],
)
async def test_nothing_is_lost(
    server: str, manifests: bool, request: pytest.FixtureRequest, bench_of: Any, namespace: str, tmp_path: Path
) -> None:
    bench = bench_of(request.getfixturevalue(server), f"{namespace}/app")
    index = content.index(content.image({"a": b"1"}), content.image({"a": b"2"}, platform="linux/arm64"))
    bench.uploader.push(bench.repository, index, "v1", "v2")
    bench.uploader.push(bench.repository, content.artifact("x/sbom", b"[]"), index.digest.replace(":", "-") + ".sbom")
    plan = await bench.plan("v1", "v2", manifests=True) if manifests else await bench.plan("v1")
    assert await after_each_kill(bench, plan, tmp_path, begin=2, stride=1) > 8
