"""Images on the local disk: an OCI image layout folder, an OCI archive, or a `docker save` archive.

A folder can be changed (layout_write.py), an archive is only read.
"""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from regtui.oci import Digest, DigestMismatch, ImageManifest, Verifier
from regtui.oci.manifest import parts_of
from regtui.oci.media_types import is_foreign
from regtui.registries.contract import (
    Capabilities,
    Capability,
    ManifestHead,
    Page,
    Referrers,
    Registry,
    RepositorySummary,
    Support,
    TagSummary,
    closing,
)
from regtui.registries.layout_content import open_content, stamp
from regtui.registries.layout_index import LayoutIndex
from regtui.registries.layout_write import GRACE, LayoutWriter
from regtui.transport.errors import NotFound, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import BinaryIO

    from regtui.oci import Descriptor, Index, Manifest
    from regtui.registries.layout_content import Content
    from regtui.registries.layout_write import Garbage

KIND: Final = "layout"
_ROWS: Final = 200
_CHUNK: Final = 1 << 20
_READ_ONLY: Final = Support(False, "An archive is only read: unpack it, or pull into an OCI layout folder.")


class LayoutRegistry(Registry):
    """A local place as a registry. `host` is its path as it was given.

    Names are explained in layout_index.py. Listings look at the disk again when the place was written anew.
    All work on files runs in threads; besides RegistryError, InvalidManifest and DigestMismatch can come.
    """

    kind = KIND

    def __init__(self, place: str | Path) -> None:
        self.host = str(place)
        self._place = Path(place).expanduser()
        self._lock = threading.Lock()
        self._loaded: LayoutIndex | None = None
        self._retired: list[Content] = []
        self._stamp: tuple[int, int, int] | None = None

    @classmethod
    def create(cls, place: str | Path) -> LayoutRegistry:
        """The layout folder of this path, made when it is not there; blocking. Raises InvalidLayout."""
        LayoutWriter.create(Path(place).expanduser())
        return cls.open(place)

    @classmethod
    def open(cls, place: str | Path) -> LayoutRegistry:
        """The place, read and found good; blocking. Raises NotFound, InvalidLayout, InvalidManifest."""
        made = cls(place)
        made._index()
        return made

    async def capabilities(self) -> Capabilities:
        """What a local place can do: everything that reads, and in a folder also what changes it."""
        yes = Support(True)
        reading = (Capability.LIST_REPOSITORIES, Capability.TAG_DETAILS, Capability.REFERRERS)
        writing = (Capability.PUSH, Capability.DELETE_TAG, Capability.DELETE_MANIFEST)
        can_write = yes if self._place.is_dir() else _READ_ONLY
        whole = Support(False, "Remove its tags; what nothing leads to is collected as garbage.")
        return Capabilities(
            dict.fromkeys(reading, yes) | dict.fromkeys(writing, can_write) | {Capability.DELETE_REPOSITORY: whole}
        )

    async def repositories(self, prefix: str = "") -> AsyncIterator[Page[RepositorySummary]]:
        """The repositories in one page. Raises NotFound, InvalidLayout, InvalidManifest."""
        index = await asyncio.to_thread(self._fresh)
        found = await asyncio.to_thread(index.repositories)
        items = tuple(RepositorySummary(path, tags=n) for path, n in found.items() if path.startswith(prefix))
        stopped = f"{index.unreadable} of its entries can't be read." if index.unreadable else None
        yield Page(items, len(items), stopped)

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """The tags with all their details; entries without a name have their digest for a tag. Raises NotFound."""
        index = await asyncio.to_thread(self._fresh)
        entries = await asyncio.to_thread(index.rows, repository)
        for start in range(0, len(entries), _ROWS):
            part = entries[start : start + _ROWS]
            yield Page(await asyncio.to_thread(index.summaries, part), len(entries))

    async def head_manifest(self, repository: str, locator: str) -> ManifestHead:
        """Digest, media type and size of the manifest at a tag or digest. Raises NotFound."""

        def look() -> ManifestHead:
            index = self._fresh()
            digest = index.digest_of(repository, locator)
            size = index.content.size(digest)
            return ManifestHead(digest, index.media_type(digest) or index.manifest(digest).media_type, size)

        return await asyncio.to_thread(look)

    async def manifest(self, repository: str, locator: str) -> ImageManifest | Index:
        """The manifest at a tag or digest, verified; one that is made up for a `docker save` archive, see there."""

        def read() -> ImageManifest | Index:
            index = self._fresh()
            return index.manifest(index.digest_of(repository, locator))

        return await asyncio.to_thread(read)

    async def blob(self, repository: str, descriptor: Descriptor, *, offset: int = 0) -> AsyncIterator[bytes]:
        """The bytes of a blob from `offset` on; a whole read is verified before the last chunk is given."""
        stream = await self._opened(repository, descriptor, offset)
        verifier = Verifier(descriptor.digest, descriptor.size) if offset == 0 else None
        try:
            held = b""
            while chunk := await asyncio.to_thread(stream.read, _CHUNK):
                if verifier is not None:
                    verifier.update(chunk)
                if held:
                    yield held
                held = chunk
            if verifier is not None:
                verifier.finish()
            if held:
                yield held
        finally:
            stream.close()

    async def _opened(self, repository: str, descriptor: Descriptor, offset: int) -> BinaryIO:
        """The stream of a blob. Whoever is cancelled while a thread opens it leaves no open file behind."""
        opening = asyncio.ensure_future(asyncio.to_thread(self.open_blob, repository, descriptor, offset=offset))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_close_late)
            raise

    async def blob_range(self, repository: str, descriptor: Descriptor, start: int, end: int) -> bytes:
        """Bytes `start` to `end` (exclusive) of a blob, fewer where it ends before."""

        def read() -> bytes:
            with self.open_blob(repository, descriptor, offset=start) as stream:
                return stream.read(max(0, min(end, descriptor.size) - start))

        return await asyncio.to_thread(read)

    def open_blob(self, repository: str, descriptor: Descriptor, *, offset: int = 0) -> BinaryIO:
        """A blocking, unverified stream. Raises NotFound."""
        return self._index().content.open(descriptor.digest, offset)

    async def put_manifest(self, repository: str, locator: str, manifest: Manifest) -> Digest:
        """Store a manifest, under a tag or for itself. Raises Unsupported, DigestMismatch, NotFound for missing parts.

        Like a registry it takes no image whose parts are not here; an index may leave platforms out.
        """
        writer = self._writer()
        tag = None if ":" in locator else locator
        if tag is None and locator != manifest.digest:
            raise DigestMismatch(f"These bytes are {manifest.digest}, not {locator[:120]}.")

        def put() -> None:
            index = self._fresh()
            for part in parts_of(manifest) if isinstance(manifest, ImageManifest) else ():
                if not is_foreign(part.media_type) and not index.has(part.digest):
                    raise NotFound(f"{part.digest.short}, which the manifest needs, is not in {self.host}.")
            writer.put(repository, tag, manifest)

        await asyncio.to_thread(put)
        return manifest.digest

    async def put_blob(self, repository: str, descriptor: Descriptor, content: AsyncIterator[bytes]) -> None:
        """Store a blob under its digest, once all of it is there and right. Raises Unsupported, DigestMismatch."""
        await self.receive_blob(repository, descriptor, lambda _: content, resume=False)

    async def receive_blob(
        self,
        repository: str,
        descriptor: Descriptor,
        content_from: Callable[[int], AsyncIterator[bytes]],
        *,
        resume: bool = True,
    ) -> None:
        """Store a blob, and go on where an earlier try broke off. Raises Unsupported, DigestMismatch."""
        writer = self._writer()
        incoming = await asyncio.to_thread(writer.begin, descriptor, resume=resume)
        try:
            async with closing(content_from(incoming.offset)) as chunks:
                async for chunk in chunks:
                    await asyncio.to_thread(incoming.write, chunk)
            await asyncio.to_thread(incoming.finish)
        finally:
            await asyncio.to_thread(incoming.close)

    async def mount_blob(self, repository: str, digest: Digest, source: str) -> bool:
        """Nothing to mount: the repositories of a layout share their blobs."""
        self._writer()
        return await asyncio.to_thread(self._index().has, digest)

    async def delete_tag(self, repository: str, tag: str) -> None:
        """Take one name away. Raises NotFound, Unsupported."""
        await asyncio.to_thread(self._writer().untag, repository, tag)

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Remove a manifest with its names; blobs stay until garbage is collected. Raises NotFound, Conflict."""
        await asyncio.to_thread(self._writer().remove, repository, digest)

    async def garbage(self, *, remove: bool = False, grace: float = GRACE) -> Garbage:
        """Blobs that nothing here leads to, and that are older than `grace` seconds; with `remove` they go.

        Raises Unsupported for an archive, InvalidLayout when the layout can't be read whole: then nothing goes.
        """
        writer = self._writer()

        def look() -> Garbage:
            def needed() -> set[str]:
                return {str(digest) for digest in self._fresh().needed()}

            return writer.garbage(needed, remove=remove, grace=grace)

        return await asyncio.to_thread(look)

    def has_referrers_api(self) -> bool | None:
        """The listing below is as complete as one."""
        return True

    async def referrers(self, repository: str, subject: Digest, artifact_type: str | None = None) -> Referrers:
        """Every manifest here that names this subject. The answer is complete, as the referrers API's is."""
        index = await asyncio.to_thread(self._index)
        found = await asyncio.to_thread(index.referrers, subject)
        wanted = tuple(d for d in found if artifact_type in {None, d.artifact_type})
        return Referrers(wanted, "api")

    async def has_blob(self, repository: str, descriptor: Descriptor) -> bool:
        """Whether the blob is here."""
        index = await asyncio.to_thread(self._index)
        return await asyncio.to_thread(index.has, descriptor.digest)

    async def close(self) -> None:
        """Let go of the archive."""
        with self._lock:
            if self._loaded is not None:
                self._retired.append(self._loaded.content)
            self._loaded = None
            while self._retired:
                self._retired.pop().close()

    def _writer(self) -> LayoutWriter:
        if not self._place.is_dir():
            raise Unsupported(_READ_ONLY.reason)
        return LayoutWriter(self._place)

    def _index(self) -> LayoutIndex:
        with self._lock:
            if self._loaded is None:
                self._stamp = stamp(self._place)
                content = open_content(self._place)
                try:
                    self._loaded = LayoutIndex(content, self.host)
                except BaseException:
                    content.close()
                    raise
            return self._loaded

    def _fresh(self) -> LayoutIndex:
        with self._lock:
            if self._loaded is not None and stamp(self._place) != self._stamp:
                self._retired.append(self._loaded.content)  # streams on it may still be open
                self._loaded = None
        return self._index()


def _close_late(opening: asyncio.Future[BinaryIO]) -> None:
    """Close what was opened for somebody who is gone."""
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()
