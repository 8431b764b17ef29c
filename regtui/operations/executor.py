"""Runs confirmed plans: journal first, then step by step, each compared before and read back after."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from regtui.oci import Reference, RegtuiError
from regtui.operations import putting, removing
from regtui.operations.confirming import Confirmed
from regtui.operations.errors import OperationError, Refused
from regtui.operations.plan import Action
from regtui.operations.record import StepResult, manifest_lines, plan_line, read_record, result_line
from regtui.operations.work import Progress, Traffic, Work
from regtui.storage.errors import StorageError
from regtui.transport.errors import NotFound
from regtui.transport.guard import writing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from regtui.oci import Digest, ImageManifest, Index
    from regtui.operations.gather import ManifestReader
    from regtui.operations.plan import Plan, Step
    from regtui.operations.record import Record
    from regtui.operations.work import BlobProgress
    from regtui.registries.contract import Registry
    from regtui.storage.journal import Entry, Journal

AT_ONCE: Final = 8
_SAVED_AT_ONCE: Final = 64
_STEPS: Final[dict[Action, Callable[[Work, int, Step], Awaitable[StepResult]]]] = {
    Action.UNTAG: removing.untag,
    Action.DELETE: removing.delete,
    Action.TAG: putting.put_tag,
    Action.RESTORE: putting.restore,
    Action.COPY: putting.copy,
}


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a plan: a result beside every step, and the journal's entry that can undo it."""

    plan: Plan
    results: tuple[StepResult, ...]
    entry: str
    state: Literal["finished", "cancelled"]
    traffic: Traffic

    @property
    def succeeded(self) -> bool:
        """Whether every step was done."""
        return all(result.outcome == "done" for result in self.results)


class Executor:
    """Runs one plan at a time. `cancel` lets the steps under way end and starts no more."""

    def __init__(
        self,
        open_registry: Callable[[str], Awaitable[Registry]],
        reader: ManifestReader,
        journal: Journal,
        *,
        progress: Callable[[Progress], object] | None = None,
        at_once: int = AT_ONCE,
    ) -> None:
        self._open = open_registry
        self._reader = reader
        self._journal = journal
        self._progress = progress
        self._at_once = at_once
        self._cancelled = False

    def cancel(self) -> None:
        """End after the steps that are under way; a blob on its way is broken off. The journal tells how far it is."""
        self._cancelled = True

    async def run(self, confirmed: Confirmed, *, manifests: dict[Digest, ImageManifest | Index] | None = None) -> Run:
        """Run a plan. `manifests` are bytes that only the journal still has, for an undo.

        Raises RegtuiError only before the first request; from then on each step has its own result, except that a
        journal which can't be written ends the run (StorageError).
        """
        if not isinstance(confirmed, Confirmed):
            raise Refused("This plan was not confirmed.")
        plan = confirmed.plan
        entry = await asyncio.to_thread(self._journal.begin)
        try:
            kept = dict(manifests or {})
            await self._save(plan, entry, kept)
            with writing(f"{plan.kind} plan, journal entry {entry.id}"):
                run = await self._steps(plan, entry, kept, {}, None)
        finally:
            entry.close()
        if plan.undoes is not None and run.succeeded:
            await self._note_undone(plan.undoes, run.entry)
        return run

    async def resume(self, entry_id: str, confirmed: Confirmed) -> Run:
        """Finish a run that was interrupted. The confirmed plan must be the entry's. Raises OperationError."""
        entry = await asyncio.to_thread(self._journal.resume, entry_id)
        try:
            record = await asyncio.to_thread(read_record, self._journal, entry_id)
            if record.plan != confirmed.plan:
                raise OperationError("This is not the plan of that entry.", hint="Confirm the entry's own plan.")
            kept = dict(record.manifests)
            if not record.ready:
                await self._save(record.plan, entry, kept)
            settled = {n: r for n, r in record.results.items() if r.outcome in {"done", "skipped"}}
            with writing(f"{record.plan.kind} plan, journal entry {entry_id}"):
                return await self._steps(record.plan, entry, kept, settled, record)
        finally:
            entry.close()

    async def _save(self, plan: Plan, entry: Entry, kept: dict[Digest, ImageManifest | Index]) -> None:
        """Everything that undoing needs goes on the disk before the first request that changes something."""
        await asyncio.to_thread(entry.append, plan_line(plan))
        slots = asyncio.Semaphore(16)

        async def read(reference: Reference) -> ImageManifest | Index | None:
            assert reference.digest is not None, "manifests are saved by digest"
            if reference.digest in kept:
                return kept[reference.digest]
            async with slots:
                try:
                    return await self._reader.manifest(reference)
                except NotFound:
                    return None  # gone since: its step will find that out

        references = [Reference(place.host, place.repository, None, digest) for place, digest in plan.saves]
        for start in range(0, len(references), _SAVED_AT_ONCE):
            part = await asyncio.gather(*map(read, references[start : start + _SAVED_AT_ONCE]))
            found = [m for m in part if m is not None]
            kept.update((m.digest, m) for m in found)
            await asyncio.to_thread(entry.append, *manifest_lines(found))
        await asyncio.to_thread(entry.append, *manifest_lines(plan.made), {"kind": "ready"})

    async def _steps(
        self,
        plan: Plan,
        entry: Entry,
        kept: dict[Digest, ImageManifest | Index],
        settled: dict[int, StepResult],
        earlier: Record | None,
    ) -> Run:
        results = dict(settled)

        def tell_blob(blob: BlobProgress) -> None:
            self._tell(Progress(len(results), len(plan.steps), blob=blob))

        work = Work(plan, entry, self._open, self._reader, kept, tell_blob, lambda: self._cancelled)
        if earlier is not None:
            work.started, work.placeholders = frozenset(earlier.started), dict(earlier.placeholders)
        runner = asyncio.ensure_future(self._schedule(work, results))
        try:
            await asyncio.shield(runner)
        except asyncio.CancelledError:
            self.cancel()
            await runner  # what is under way ends in order; the journal stays true
            raise
        finally:
            if runner.done() and not runner.cancelled() and runner.exception() is None:
                state = "finished" if len(results) == len(plan.steps) else "cancelled"
                await work.write({"kind": "end", "state": state})
        done = len(results) == len(plan.steps)
        full = tuple(results.get(n, StepResult("not run", "cancelled before its turn")) for n in range(len(plan.steps)))
        return Run(plan, full, entry.id, "finished" if done else "cancelled", work.traffic)

    async def _schedule(self, work: Work, results: dict[int, StepResult]) -> None:
        """At most `at_once` steps at a time, in their order, none before what it needs."""
        steps = work.plan.steps
        waiting = deque(n for n in range(len(steps)) if n not in results)
        running: dict[asyncio.Task[StepResult], int] = {}
        try:
            while running or (waiting and not self._cancelled):
                while waiting and not self._cancelled and len(running) < self._at_once:
                    if any(need in running.values() for need in steps[waiting[0]].needs):
                        break
                    number = waiting.popleft()
                    running[asyncio.ensure_future(self._one(work, number, steps[number], results))] = number
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    number = running.pop(task)
                    results[number] = task.result()
                    self._tell(Progress(len(results), len(steps), steps[number], results[number]))
        finally:
            if running:
                await asyncio.gather(*running, return_exceptions=True)

    async def _one(self, work: Work, number: int, step: Step, results: dict[int, StepResult]) -> StepResult:
        missing = next((need for need in step.needs if not results[need].stands), None)
        if missing is not None:
            result = StepResult("not run", f"step {missing + 1}, which it needs, was not done")
        else:
            await work.write({"kind": "start", "step": number})
            try:
                result = await _STEPS[step.action](work, number, step)
            except StorageError:
                raise
            except RegtuiError as error:
                result = StepResult("failed", str(error))
        await work.write(dict(result_line(number, result)))
        return result

    async def _note_undone(self, undone: str, by: str) -> None:
        try:
            with await asyncio.to_thread(self._journal.resume, undone) as entry:
                await asyncio.to_thread(entry.append, {"kind": "undone", "by": by})
        except StorageError:
            return  # the new entry names the old one, too

    def _tell(self, progress: Progress) -> None:
        if self._progress is not None:
            self._progress(progress)
