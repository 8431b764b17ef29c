"""What comes from this disk: a saved plan to run, images to push."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from regtui.oci import RegtuiError
from regtui.operations.errors import InvalidPlan, Refused
from regtui.operations.plan_json import LARGEST, parse_plan
from regtui.storage.files import read_bounded, reason_of
from regtui.ui.changes.proposals import Proposal
from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from regtui.operations.plan import Plan
    from regtui.session import Session


class SavedProposal(Proposal):
    """A plan from a file, as `--dry-run --json` or this program's own plan screen wrote it."""

    title = SafeText("Saved plan")

    def __init__(self, session: Session, path: Path) -> None:
        super().__init__(session)
        self.path = path
        self._plan: Plan | None = None

    @property
    def where(self) -> SafeText:
        """The file, and the repository of the plan once it was read."""
        places = self._plan.places if self._plan is not None else ()
        return safe(f"{self.path.name} · {places[0]}" if places else str(self.path.name))

    @property
    def hosts(self) -> tuple[str, ...]:
        """The registries of the plan."""
        if self._plan is None:
            return ()
        return tuple(dict.fromkeys(place.host for place in self._plan.places))

    async def read(self, tell: Callable[[str], object]) -> None:
        """The file. Raises InvalidPlan."""
        tell("reading the file")
        self._plan = await asyncio.to_thread(_read, self.path)

    def plan(self) -> Plan:
        """The plan. Raises Refused for a tag that the settings protect and that the plan was not made for."""
        plan = self._plan
        assert plan is not None, "the file is read first"
        # A file can be edited: what is protected is decided by the settings, not by what the file says.
        forced = {item.tag for item in plan.protected if item.forced}
        for place, tag in plan.tags_lost:
            if tag not in forced and self.session.settings.registry(place.host).protection(tag) is not None:
                raise Refused(f"{place}:{tag} is protected.", hint="Make the plan anew with protected tags.")
        return plan


def _read(path: Path) -> Plan:
    try:
        raw = read_bounded(path.expanduser(), LARGEST)
    except OSError as error:
        raise InvalidPlan(f"{path} can't be read: {reason_of(error)}.") from error
    except ValueError as error:
        raise InvalidPlan(f"{path} is too large to be a plan.") from error
    if raw is None:
        raise InvalidPlan(f"{path} does not exist.")
    return parse_plan(raw)


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
