"""Ways to a layer's listing that skip the download: its own table of contents, or a SOCI index that hangs on the image.

Whatever can't be had or does not fit means that the layer is streamed, which says what is wrong if anything is.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from regtui.contents.lazy import may_have_toc, toc_index_async
from regtui.contents.soci import INDEX_DIGEST, INDEX_TYPE, LARGEST, SMALLEST, index_of_ztoc, tables_of
from regtui.oci import Digest, ImageManifest, Index, RegtuiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from regtui.contents.layer_index import LayerIndex
    from regtui.oci import Descriptor
    from regtui.registries.contract import Registry
    from regtui.session.images import Image


class Shortcuts:
    """The shortcuts of one image. What hangs on it is asked for once, and only for a layer that is large enough."""

    def __init__(self, image: Image, open_registry: Callable[[str], Awaitable[Registry]]) -> None:
        self._image, self._open = image, open_registry
        self._path = image.reference.path
        self._tables: dict[str, Descriptor] | None = None
        self._lock = asyncio.Lock()

    async def index(self, layer: Descriptor) -> LayerIndex | None:
        """The layer's index without its download, None when there is no such way."""
        try:
            if may_have_toc(layer):
                return await self._own_table(layer)
            if layer.size >= SMALLEST:
                return await self._soci(layer)
        except RegtuiError:
            return None
        return None

    async def _own_table(self, layer: Descriptor) -> LayerIndex | None:
        registry = await self._open(self._image.reference.host)

        async def fetch(start: int, end: int) -> bytes:
            return await registry.blob_range(self._path, layer, start, end)

        return await toc_index_async(layer, fetch)

    async def _soci(self, layer: Descriptor) -> LayerIndex | None:
        registry = await self._open(self._image.reference.host)
        async with self._lock:
            if self._tables is None:
                # Whatever goes wrong, it is not asked for again for the next layer.
                self._tables = {}
                self._tables = await self._attached(registry)
        table = self._tables.get(layer.digest)
        if table is None or table.size > LARGEST:
            return None
        raw = await registry.small_blob(self._path, table, LARGEST)
        return await asyncio.to_thread(index_of_ztoc, raw, layer)

    async def _attached(self, registry: Registry) -> dict[str, Descriptor]:
        """The tables of the first SOCI index that has any."""
        manifest = self._image.manifest
        if manifest is None:
            return {}
        for digest in (*self._named(), *await self._referring(registry, manifest.digest)):
            found = await registry.manifest(self._path, digest)
            if isinstance(found, ImageManifest) and (tables := tables_of(found)):
                return tables
        return {}

    def _named(self) -> tuple[Digest, ...]:
        """The second version: the image's manifest names an entry of the index that it came from."""
        manifest, top = self._image.manifest, self._image.top
        named = manifest.annotations.get(INDEX_DIGEST) if manifest is not None else None
        if not isinstance(top, Index):
            return ()
        return tuple(entry.digest for entry in top.manifests if entry.digest == named)

    async def _referring(self, registry: Registry, subject: Digest) -> tuple[Digest, ...]:
        """The first version: an artifact that refers to the image."""
        found = await registry.referrers(self._path, subject, INDEX_TYPE)
        return tuple(entry.digest for entry in found.descriptors if entry.artifact_type == INDEX_TYPE)
