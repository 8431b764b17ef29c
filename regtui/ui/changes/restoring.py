"""Undo as a proposal: what the journal kept is looked for, and what is missing is put back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from regtui.operations.errors import OperationError
from regtui.operations.record import read_record
from regtui.operations.undo import plan_undo
from regtui.storage.journal import Journal
from regtui.ui.changes.proposals import Proposal
from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.operations.confirming import Confirmed
    from regtui.operations.executor import Executor, Run
    from regtui.operations.plan import Plan
    from regtui.operations.record import Record
    from regtui.session import Session


class _FromJournal(Proposal):
    """Something about an entry of the journal."""

    def __init__(self, session: Session, entry: str) -> None:
        super().__init__(session)
        self.entry = entry
        self.record: Record | None = None

    @property
    def where(self) -> SafeText:
        """The repositories of the entry."""
        if self.record is None:
            return safe(self.entry)
        places = self.record.plan.places
        return safe(str(places[0]) if len(places) == 1 else f"{len(places)} repositories")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries of the entry."""
        if self.record is None:
            return ()
        return tuple(dict.fromkeys(place.host for place in self.record.plan.places))

    async def read_entry(self) -> Record:
        """The entry. Raises StorageError, OperationError when another process writes it."""
        journal = Journal()
        if await asyncio.to_thread(journal.is_running, self.entry):
            raise OperationError(f"Another regtui is at work on {self.entry}.", hint="Wait until it has ended.")
        self.record = await asyncio.to_thread(read_record, journal, self.entry)
        return self.record


class UndoProposal(_FromJournal):
    """Put back what a run removed or moved."""

    title = SafeText("Undo plan")

    def __init__(self, session: Session, entry: str) -> None:
        super().__init__(session, entry)
        self._plan: Plan | None = None

    async def read(self, tell: Callable[[str], object]) -> None:
        """What is there now, and whether the blobs of what is missing can still be read."""
        record = await self.read_entry()
        tell(f"looking for {len(record.plan.saves):,} manifests and their blobs")
        self._plan = await plan_undo(record, self.session.registry)
        self.manifests = dict(record.manifests)

    def plan(self) -> Plan:
        """What puts it back. Raises OperationError when nothing is missing."""
        assert self._plan is not None, "the registry is read first"
        if not self._plan.steps and not self._plan.warnings:
            raise OperationError("Everything is as it was before.", hint="There is nothing to put back.")
        return self._plan


class FinishProposal(_FromJournal):
    """Finish a run that a crash or a lost connection interrupted."""

    title = SafeText("Finish an interrupted run")

    async def read(self, tell: Callable[[str], object]) -> None:
        """Only the journal: each step looks for itself what it finds."""
        record = await self.read_entry()
        if record.state != "interrupted":
            raise OperationError(f"The run of {self.entry} was not interrupted.", hint="Undo it instead.")

    def plan(self) -> Plan:
        """The entry's own plan."""
        assert self.record is not None, "the journal is read first"
        return self.record.plan

    async def run(self, executor: Executor, confirmed: Confirmed) -> Run:
        """Go on in the same entry."""
        return await executor.resume(self.entry, confirmed)
