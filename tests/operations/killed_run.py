"""A run that kills itself (SIGKILL) at its n-th call to the registry or the journal: started by test_killed.py."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from regtui.operations.executor import Executor
from regtui.operations.plan_json import parse_plan
from regtui.session.reader import Reader
from regtui.storage.cache import NullCache
from regtui.storage.journal import Entry, Journal
from tests.operations.conftest import confirmed, connect

CALLS = ("put_manifest", "put_blob", "delete_tag", "delete_manifest", "head_manifest", "manifest", "probe_delete")


def main() -> None:
    folder, last = Path(sys.argv[1]), int(sys.argv[2])
    counted = 0

    def count() -> None:
        nonlocal counted
        counted += 1
        if counted == last:
            os.kill(os.getpid(), signal.SIGKILL)

    plan = parse_plan((folder / "plan.json").read_bytes())
    registry = connect(plan.steps[0].place.host)
    for name in CALLS:
        call = getattr(registry, name)

        async def counting(*arguments: object, call: object = call) -> object:
            count()
            found = await call(*arguments)
            count()
            return found

        setattr(registry, name, counting)
    append = Entry.append

    def counted_append(self: Entry, *records: object) -> None:
        count()
        append(self, *records)
        count()

    Entry.append = counted_append

    async def opened(_: str) -> object:
        return registry

    async def run() -> None:
        await Executor(opened, Reader(opened, NullCache()), Journal(folder / "journal"), at_once=1).run(confirmed(plan))
        await registry.close()

    asyncio.run(run())


main()
