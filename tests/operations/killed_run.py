"""Runs that kill themselves (SIGKILL) at their n-th call to the registry or the journal: started by test_killed.py.

Each line on stdin is `FOLDER<tab>N`; the answer is the exit status of a process forked for it, as waitpid gives it.
Forking saves loading everything anew for each of hundreds of runs.
"""

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
    for line in sys.stdin:
        folder, last = line.rstrip("\n").split("\t")
        child = os.fork()
        if child == 0:
            run_until(Path(folder), int(last))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run_until(folder: Path, last: int) -> None:
    """Run the folder's plan with a journal there, and be killed at the call with this number."""
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
