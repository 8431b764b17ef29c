"""What the steps of a run share: registries, the journal's entry, saved manifests, and looks at the present."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from regtui.oci import Digest, Reference
from regtui.operations.gather import gather
from regtui.operations.kept import kept_by
from regtui.operations.plan import Action
from regtui.operations.steadily import steadily
from regtui.registries.contract import Capability
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from regtui.oci import Descriptor, ImageManifest, Index
    from regtui.operations.gather import ManifestReader
    from regtui.operations.graph import Graph
    from regtui.operations.plan import Place, Plan, Step
    from regtui.operations.record import StepResult
    from regtui.registries.contract import DeletedManifest, Registry, Support
    from regtui.storage.journal import Entry

SWEEP_FRESH: Final = 2.0
"""Seconds for which a look at all tags counts; longer where the look itself takes long."""


@dataclass(frozen=True, slots=True)
class BlobProgress:
    """Bytes of one blob that were copied so far. `state` is "copying", "mounted", "there" or "done"."""

    digest: Digest
    size: int
    copied: int
    state: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. `step` and `result` tell of the step that just ended, `blob` of a copy under way."""

    done: int
    total: int
    step: Step | None = None
    result: StepResult | None = None
    blob: BlobProgress | None = None


@dataclass
class Traffic:
    """What a copy moved, in bytes and blobs."""

    bytes: int = 0
    uploaded: int = 0
    mounted: int = 0
    skipped: int = 0


@dataclass
class _Sweep:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    graph: Graph | None = None
    until: float = 0.0


class Work:
    """One run. The steps use nothing else."""

    def __init__(
        self,
        plan: Plan,
        entry: Entry,
        open_registry: Callable[[str], Awaitable[Registry]],
        reader: ManifestReader,
        manifests: dict[Digest, ImageManifest | Index],
        tell: Callable[[BlobProgress], object],
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.plan = plan
        self.entry = entry
        self.manifests = manifests
        self.tell = tell
        self.stopping = stopping
        """Whether the run is to end: a blob under way is broken off then."""
        self.traffic = Traffic()
        self.started: frozenset[int] = frozenset()
        """Steps that an earlier, interrupted run had started."""
        self.placeholders: dict[int, Digest] = {}
        self.doomed = frozenset(step.digest for step in plan.steps if step.action is Action.DELETE)
        self.blob_slots = asyncio.Semaphore(4)
        self._open = open_registry
        self._reader = reader
        self._sweeps: dict[Place, _Sweep] = {}
        self._probes: dict[Place, Support] = {}
        self._kept: dict[Place, dict[Digest, DeletedManifest]] = {}
        self._locks: dict[object, asyncio.Lock] = {}

    async def registry(self, host: str) -> Registry:
        """The registry of this name."""
        return await self._open(host)

    def lock(self, key: object) -> asyncio.Lock:
        """A lock of this run for whatever must not be done twice at once."""
        return self._locks.setdefault(key, asyncio.Lock())

    def putting(self, step: Step) -> asyncio.Lock:
        """Held while a manifest is put and read back: a second put of it would disturb the first one's look."""
        return self.lock(("put", step.place, step.digest))

    async def write(self, *records: dict[str, object]) -> None:
        """Put records on the disk before anything goes on. Raises StorageError."""
        await asyncio.to_thread(self.entry.append, *records)

    async def digest_at(self, place: Place, locator: str) -> Digest | None:
        """What a tag or digest is now, None when there is nothing. Always asked anew."""
        registry = await self._open(place.host)

        async def look() -> Digest:
            head = await registry.head_manifest(place.repository, locator)
            return head.digest or (await registry.manifest(place.repository, locator)).digest

        try:
            return await steadily(look)
        except NotFound:
            return None

    async def manifest(self, place: Place, digest: Digest) -> ImageManifest | Index:
        """A manifest from the journal, else from the registry (or the cache by digest). Raises RegistryError."""
        kept = self.manifests.get(digest)
        if kept is not None:
            return kept
        return await self._reader.manifest(Reference(place.host, place.repository, None, digest))

    async def kept(self, place: Place) -> dict[Digest, DeletedManifest]:
        """What the registry itself can restore there, asked once per run."""
        async with self.lock(("kept", place)):
            if place not in self._kept:
                self._kept[place] = await kept_by(await self._open(place.host), place.repository)
            return self._kept[place]

    async def sweep(self, place: Place) -> Graph:
        """All tags of a repository as they are now, with what they hold. Not older than a few seconds."""
        sweep = self._sweeps.setdefault(place, _Sweep())
        async with sweep.lock:
            if sweep.graph is None or time.monotonic() > sweep.until:
                began = time.monotonic()
                registry = await self._open(place.host)
                sweep.graph = await gather(registry, self._reader, place.repository, of=())
                took = time.monotonic() - began
                sweep.until = time.monotonic() + max(SWEEP_FRESH, 5 * took)
            return sweep.graph

    async def referrers(self, place: Place, digest: Digest) -> tuple[Descriptor, ...]:
        """What hangs on a digest now, as the referrers API tells; () where there is none: tags tell there."""
        registry = await self._open(place.host)
        if not (await registry.capabilities()).has(Capability.REFERRERS):
            return ()
        try:
            found = await registry.referrers(place.repository, digest)
        except NotFound:
            return ()
        return found.descriptors if found.source == "api" else ()

    async def can_delete(self, place: Place) -> Support | None:
        """Whether manifests can be deleted, proven once per run; None where that can't be proven beforehand."""
        async with self.lock(("probe", place)):
            if place not in self._probes:
                probe = getattr(await self._open(place.host), "probe_delete", None)
                if probe is None:
                    return None
                self._probes[place] = await probe(place.repository)
            return self._probes[place]
