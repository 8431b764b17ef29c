"""What a registry keeps of what was deleted there by anybody, and having it put back by the registry itself.

`undo` puts back what this program deleted, from its own journal; this is for everything else (ACR's soft delete, GHCR,
Quay's time machine, Artifactory's trash can).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.operations.asking import ask_for_restore
from regtui.operations.errors import Refused
from regtui.registries.contract import closing
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from regtui.registries.contract import DeletedManifest
    from regtui.session.session import Session
    from regtui.session.targets import Target


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it, read back: tag (or the locator, where there was no tag) → whether it is there again."""

    item: DeletedManifest
    there: dict[str, bool]

    @property
    def is_whole(self) -> bool:
        """Whether all of it is back."""
        return all(self.there.values())


async def list_deleted(session: Session, target: Target) -> tuple[tuple[DeletedManifest, ...], str | None]:
    """What can be restored in a repository, and why the list is not complete. Raises Unsupported, NotFound."""
    registry = await session.registry(target.host)
    found: list[DeletedManifest] = []
    stopped: str | None = None
    async with closing(registry.deleted(target.path or "")) as pages:
        async for page in pages:
            found += page.items
            stopped = page.stopped or stopped
    return tuple(found), stopped


def chosen(items: tuple[DeletedManifest, ...], name: str) -> DeletedManifest:
    """The one that a tag or digest names, the one deleted last when there are several. Raises NotFound."""
    fitting = [item for item in items if name in item.tags or name in {item.digest, item.locator}]
    if not fitting:
        raise NotFound(f"The registry keeps nothing deleted called {name[:140]!a}.", hint="Leave it out to list all.")
    dated = [item for item in fitting if item.deleted is not None]
    return max(dated, key=lambda item: str(item.deleted)) if dated else fitting[0]


async def restore_deleted(session: Session, target: Target, item: DeletedManifest) -> Restored:
    """Have the registry put it back, then look. Raises Refused where changes are not allowed, RegistryError."""
    if not session.writable(target.host):
        raise Refused(
            f"{target.host} is read-only here.", hint="Add --write, or set writable = true for it in the settings."
        )
    registry, path = await session.registry(target.host), target.path or ""
    await ask_for_restore(registry, path, item)
    session.refresh(target.host, path)
    there: dict[str, bool] = {}
    for locator in item.tags or ((item.digest,) if item.digest else ()):
        try:
            head = await registry.head_manifest(path, locator)
        except NotFound:
            there[locator] = False
        else:
            there[locator] = item.digest is None or head.digest == item.digest
    return Restored(item, there)
