"""What a registry itself keeps of what was deleted, where it does so (soft delete, a trash can, a time machine)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.oci import RegtuiError
from regtui.registries.contract import Capability, closing

if TYPE_CHECKING:
    from regtui.oci import Digest
    from regtui.registries.contract import DeletedManifest, Registry

MOST: Final = 10_000


async def kept_by(registry: Registry, repository: str) -> dict[Digest, DeletedManifest]:
    """What the registry can restore in a repository, by digest; nothing where it can't or does not tell."""
    if not (await registry.capabilities()).has(Capability.SOFT_DELETE):
        return {}
    found: dict[Digest, DeletedManifest] = {}
    try:
        async with closing(registry.deleted(repository)) as pages:
            async for page in pages:
                for row in page.items:
                    if row.digest is not None:
                        found.setdefault(row.digest, row)
                if len(found) > MOST:
                    break
    except RegtuiError:
        return found  # without the registry's help an undo puts back what it has itself
    return found
