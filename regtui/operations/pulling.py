"""Pull: an image from a registry into an OCI layout folder, an OCI archive or a docker archive on this disk.

A layout is written where it lies, blob by blob. An archive is gathered in a hidden layout beside it first, which a
second try takes up again, and is packed under its own name at the end.
"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from regtui.oci import Digest, Index, Reference
from regtui.operations.confirming import confirm
from regtui.operations.errors import Cancelled, OperationError, Refused
from regtui.operations.executor import Executor
from regtui.operations.gather import gather_image
from regtui.operations.plan import Place, Plan
from regtui.operations.platforms import narrowed
from regtui.operations.tagging import Target, plan_copy
from regtui.operations.work import BlobProgress, Progress
from regtui.registries.archive_write import ArchiveNames, pack
from regtui.registries.layout import LayoutRegistry
from regtui.registries.layout_names import default_repository
from regtui.registries.layout_write import LayoutWriter
from regtui.storage.journal import Journal
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from regtui.oci import ImageManifest, Platform
    from regtui.operations.executor import Run
    from regtui.operations.gather import ManifestReader
    from regtui.registries.contract import Registry

_SUFFIXES: Final = (".tar",)


class Form(StrEnum):
    """What is written."""

    LAYOUT = "layout"
    OCI = "oci-archive"
    DOCKER = "docker-archive"


@dataclass(frozen=True, slots=True)
class Destination:
    """A path on this disk and what is to stand there."""

    path: Path
    form: Form

    @classmethod
    def of(cls, text: str, form: Form | None = None) -> Destination:
        """Read `PATH`, `oci:PATH`, `oci-archive:PATH` or `docker-archive:PATH`; a bare *.tar is an OCI archive.

        Raises OperationError when the path stands for something else already.
        """
        schemes = {"oci:": Form.LAYOUT, "oci-archive:": Form.OCI, "docker-archive:": Form.DOCKER}
        scheme = next((s for s in schemes if text.startswith(s)), "")
        path = Path(text[len(scheme) :]).expanduser().absolute()
        guessed = Form.OCI if path.suffix in _SUFFIXES and not path.is_dir() else Form.LAYOUT
        form = schemes.get(scheme) or form or guessed
        if not text[len(scheme) :].strip() or not path.name:
            raise OperationError("The destination has no name.", hint="Name a folder, or a file that ends in .tar.")
        if form is Form.LAYOUT and path.exists() and not path.is_dir():
            raise OperationError(f"{path} is a file, not a layout folder.", hint="Name a folder.")
        if form is not Form.LAYOUT and path.is_dir():
            raise OperationError(f"{path} is a folder, not an archive.", hint="Name a file.")
        return cls(path, form)

    @property
    def layout(self) -> Path:
        """The layout folder that is written: the destination itself, or the one that an archive is made from."""
        return self.path if self.form is Form.LAYOUT else self.path.with_name(f".{self.path.name}.pull")


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull as it was planned. `plan` copies into the layout; an archive is packed afterwards."""

    plan: Plan
    source: Reference
    destination: Destination
    top: Digest
    names: ArchiveNames


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came of a pull. `bytes` came over the network, `skipped` blobs were there before.

    `entry` is the journal's entry that can undo it, None for an archive: deleting the file undoes it.
    """

    digest: Digest
    path: Path
    bytes: int
    fetched: int
    skipped: int
    entry: str | None


async def plan_pull(
    registry: Registry,
    reader: ManifestReader,
    reference: Reference,
    destination: Destination,
    *,
    platforms: tuple[Platform, ...] = (),
    own_platform: Platform | None = None,
    referrers: bool = False,
    tag: str | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Pull:
    """Look, by GET and HEAD only, what has to be fetched. `platforms` () means all of them.

    Docker loads one platform: the one asked for, else `own_platform`. `tag` is the name in the layout or archive.
    Raises RegistryError, OperationError, and Refused when something stands there and `overwrite` is not given.
    """
    place = Place(str(destination.layout), default_repository(str(destination.layout)))
    if destination.form is not Form.LAYOUT and destination.path.exists() and not overwrite:
        raise Refused(f"{destination.path} exists.", hint="Add --overwrite to replace it.")
    top = await registry.manifest(reference.path, reference.locator)
    wanted = platforms
    if destination.form is Form.DOCKER and not wanted and isinstance(top, Index):
        wanted = _one_of(top, own_platform)
    chosen = narrowed(top, wanted)
    made = chosen if isinstance(chosen, Index) else None
    digest = top.digest if isinstance(chosen, Index) else chosen
    if destination.form is Form.DOCKER and (made is not None or (isinstance(top, Index) and digest == top.digest)):
        raise OperationError("Docker loads a single image, no index.", hint="Choose one with --platform.")
    graph = await gather_image(registry, reader, reference.path, digest, attached=referrers, progress=progress)
    name = tag or reference.tag or digest.short
    now, held = await _there(destination, name)
    plan = plan_copy(
        graph,
        digest,
        Target(place, name, now, None, held),
        referrers=referrers,
        overwrite=overwrite or destination.form is not Form.LAYOUT,
        made=made,
        kind="pull",
    )
    full = f"{reference.host}/{reference.path}:{name}" if tag or reference.tag else None
    top_digest = made.digest if made is not None else digest
    return Pull(plan, reference.pinned(top_digest), destination, top_digest, ArchiveNames(name, full))


class Puller:
    """Carries out one pull. `cancel` breaks off; a second pull goes on from there."""

    def __init__(
        self,
        open_registry: Callable[[str], Awaitable[Registry]],
        reader: ManifestReader,
        journal: Journal,
        *,
        progress: Callable[[Progress], object] | None = None,
    ) -> None:
        self._open = open_registry
        self._reader = reader
        self._journal = journal
        self._progress = progress
        self._executor: Executor | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """Break off the blobs under way, and pack nothing."""
        self._cancelled = True
        if self._executor is not None:
            self._executor.cancel()

    async def run(self, pull: Pull) -> Pulled:
        """Fetch, check and store. Raises RegistryError, OperationError; Cancelled when it was broken off."""
        destination, host = pull.destination, str(pull.destination.layout)
        local = await asyncio.to_thread(LayoutRegistry.create, destination.layout)
        is_archive = destination.form is not Form.LAYOUT
        journal = Journal(destination.layout / ".journal") if is_archive else self._journal
        if is_archive:
            await asyncio.to_thread(_forget_names, destination.layout)

        async def opened(name: str) -> Registry:
            return local if name == host else await self._open(name)

        try:
            confirmed = confirm(
                pull.plan, writable=lambda name: name == host, production=lambda _: False, yes=True
            )  # a folder on this disk that was named for it, no registry
            self._executor = Executor(opened, self._reader, journal, progress=self._progress)
            run = await self._executor.run(confirmed)
            self._check(run)
            if is_archive:
                await asyncio.to_thread(self._pack, pull)
        finally:
            await local.close()
        if is_archive:
            await asyncio.to_thread(shutil.rmtree, destination.layout, ignore_errors=True)
        traffic = run.traffic
        entry = None if is_archive else run.entry
        return Pulled(pull.top, destination.path, traffic.bytes, traffic.uploaded, traffic.skipped, entry)

    def _check(self, run: Run) -> None:
        if self._cancelled:
            raise Cancelled("The pull was broken off.", hint="Pull again to go on from there.")
        failed = next((result for result in run.results if result.outcome != "done"), None)
        if failed is not None:
            raise OperationError(f"The pull failed: {failed.says}", hint="Pull again to go on from there.")

    def _pack(self, pull: Pull) -> None:
        steps = len(pull.plan.steps)

        def told(done: int, size: int) -> None:
            if self._cancelled:
                raise Cancelled("The pull was broken off.", hint="Pull again to go on from there.")
            if self._progress is not None:
                self._progress(Progress(steps, steps, blob=BlobProgress(pull.top, size, done, "packing")))

        docker = pull.destination.form is Form.DOCKER
        pack(pull.destination.layout, pull.destination.path, pull.top, pull.names, docker=docker, progress=told)


async def _there(destination: Destination, tag: str) -> tuple[Digest | None, tuple[Digest, ...]]:
    """What the tag is in the layout now, with all below it; nothing for a layout or archive that is yet to be made."""
    if destination.form is not Form.LAYOUT or not (destination.layout / "index.json").is_file():
        return None, ()
    layout = await asyncio.to_thread(LayoutRegistry.open, destination.layout)
    repository = default_repository(layout.host)
    try:
        now = (await layout.head_manifest(repository, tag)).digest
        if now is None:
            return None, ()
        graph = await gather_image(layout, _Local(layout), repository, now)
        return now, graph.below([now])
    except NotFound:
        return None, ()
    finally:
        await layout.close()


def _forget_names(layout: Path) -> None:
    """The blobs of an earlier, broken pull count; what it was of does not."""
    with LayoutWriter(layout).entries() as entries:
        entries.clear()


class _Local:
    """Reads a layout's manifests from the layout itself."""

    def __init__(self, layout: LayoutRegistry) -> None:
        self._layout = layout

    async def manifest(self, reference: Reference) -> ImageManifest | Index:
        """The manifest at a reference."""
        return await self._layout.manifest(reference.path, reference.locator)


def _one_of(top: Index, own: Platform | None) -> tuple[Platform, ...]:
    found = top.select(own) if own is not None else None
    chosen = found or next(iter(top.platforms), None)
    return (chosen.platform,) if chosen is not None and chosen.platform is not None else ()
