"""What comes from this disk: a saved plan to run, images to push."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from regtui.oci import RegtuiError
from regtui.operations.errors import Refused
from regtui.operations.plan_file import read_plan
from regtui.operations.rechecking import rederived
from regtui.transport.errors import NotFound
from regtui.ui.changes.proposals import Proposal
from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from regtui.operations.plan import Plan
    from regtui.session import Session


class SavedProposal(Proposal):
    """A plan from a file, as `--dry-run --json` or this program's own plan screen wrote it.

    The file is not believed: what it removes is told anew from the repository as it is now.
    """

    title = SafeText("Saved plan")

    def __init__(self, session: Session, path: Path) -> None:
        super().__init__(session)
        self.path = path
        self.options = {"force": False}
        self._saved: Plan | None = None

    @property
    def where(self) -> SafeText:
        """The file, and the repository of the plan once it was read."""
        places = self._saved.places if self._saved is not None else ()
        return safe(f"{self.path.name} · {places[0]}" if places else str(self.path.name))

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries of the plan."""
        if self._saved is None:
            return ()
        return tuple(dict.fromkeys(place.host for place in self._saved.places))

    async def read(self, tell: Callable[[str], object]) -> None:
        """The file, then the repositories that it names. Raises InvalidPlan, Refused, RegistryError."""
        tell("reading the file")
        saved = self._saved = await asyncio.to_thread(read_plan, self.path.expanduser())
        if saved.kind in {"undo", "pull"}:
            raise Refused(f"A plan to {saved.kind} is not taken from a file.", hint="u and P make it anew.")
        for place in saved.places:
            named = [step.digest for step in saved.steps if step.place == place]
            try:
                await self.read_graph(place.host, place.repository, tell, of=named)
            except NotFound:
                continue  # a copy makes its repository

    def plan(self) -> Plan:
        """The plan as it may be run now. Raises Refused when something needs what it would remove."""
        assert self._saved is not None, "the file is read first"
        return rederived(
            self._saved,
            self.graphs,
            lambda place, tag: self.session.settings.registry(place.host).protection(tag),
            force=self.is_on("force"),
        )


async def image_names(session: Session, host: str) -> list[tuple[str, str]]:
    """(repository, tag) of every image of a local place. Raises RegtuiError."""
    registry = await session.registry(host)
    found: list[tuple[str, str]] = []
    async for page in registry.repositories():
        for repository in page.items:
            async for tags in registry.tags(repository.path):
                found += [(repository.path, tag.name) for tag in tags.items]
    if not found:
        raise RegtuiError(f"There is no image in {host}.")
    return found
