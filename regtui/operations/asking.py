"""Two requests that write and are no plans, since they remove and overwrite nothing: a scan, a registry's restore.

There is nothing that a journal could keep of them; the audit log notes both, as every request that writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.transport.guard import writing

if TYPE_CHECKING:
    from regtui.oci import Digest
    from regtui.registries.contract import DeletedManifest, Registry


async def ask_for_scan(registry: Registry, repository: str, digest: Digest) -> None:
    """Have the registry scan an image; its report comes later. Only after a yes. Raises RegistryError."""
    with writing(f"scan of {repository}@{digest.short}"):
        await registry.trigger_scan(repository, digest)


async def ask_for_restore(registry: Registry, repository: str, item: DeletedManifest) -> None:
    """Have the registry put back what it keeps of a deleted manifest. Only after a yes. Raises RegistryError."""
    with writing(f"restore of {repository}@{item.digest.short if item.digest else item.locator}"):
        await registry.restore(repository, item)
