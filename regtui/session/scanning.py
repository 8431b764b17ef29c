"""Has a registry scan an image itself: looked at first, then asked after a yes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.operations.asking import ask_for_scan
from regtui.operations.errors import Refused
from regtui.registries.contract import Capability
from regtui.transport.errors import Unsupported

if TYPE_CHECKING:
    from regtui.oci import Digest, Reference
    from regtui.session.session import Session


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What would be asked, for the person to confirm."""

    reference: Reference
    digest: Digest

    @property
    def question(self) -> str:
        """The request in words."""
        return f"Ask {self.reference.host} to scan {self.reference.path}@{self.digest.short}?"


async def prepare_scan(session: Session, reference: Reference) -> ScanRequest:
    """Look whether the registry can be asked, and what exactly would be scanned. Nothing is changed.

    Raises Refused where changes are not allowed, Unsupported where the registry does not scan, NotFound.
    """
    if not session.writable(reference.host):
        raise Refused(
            f"{reference.host} is read-only here, and starting a scan is a request that writes.",
            hint="Add --write, or set writable = true for it in the settings.",
        )
    registry = await session.registry(reference.host)
    support = (await registry.capabilities())[Capability.TRIGGER_SCAN]
    if support.available is False:
        raise Unsupported(support.reason, hint="--scanner NAME runs a scanner of this machine.", host=reference.host)
    image = await session.image(reference)
    return ScanRequest(reference, image.top.digest)


async def start_scan(session: Session, request: ScanRequest) -> None:
    """Ask for it; the report comes later, at `session.trust.reports`. Raises RegistryError."""
    registry = await session.registry(request.reference.host)
    await ask_for_scan(registry, request.reference.path, request.digest)
