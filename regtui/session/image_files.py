"""Single files and folders of an image whose layers are listed: read by Range, or extracted by a worker thread."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.contents.errors import NotInImage, NotReadable
from regtui.contents.extract import Extraction
from regtui.contents.links import content_of, resolve
from regtui.contents.read import MOST, read_file_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import BinaryIO

    from regtui.contents.extract import Extracted
    from regtui.contents.read import FileContent
    from regtui.oci import Descriptor
    from regtui.registries.contract import Registry
    from regtui.session.contents import ImageContents

LARGEST: Final = 256 << 20
"""Bytes of one file that are read into memory at most."""


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read, and what it cost. `path` and `layer` (from 0) tell where its content lies once links are
    followed; `fetched` are the bytes of the layer that were asked for, in `requests` requests.
    """

    content: FileContent
    path: str
    layer: int
    fetched: int
    requests: int


class ImageFiles:
    """What can be taken out of one image."""

    def __init__(self, contents: ImageContents, open_registry: Callable[[str], Awaitable[Registry]]) -> None:
        self._contents = contents
        self._open = open_registry

    def locate(self, path: str, *, layer: int | None = None, follow: bool = True) -> int:
        """The node at a path, symlinks followed inside the image when `follow`. Raises NotInImage, NotReadable."""
        tree = self._contents.tree
        raw = b"/" + path.encode("utf-8", "surrogateescape").lstrip(b"/")
        node = resolve(tree, raw, layer=layer, follow_last=follow)
        if node is None or tree.occurrence(node, layer) is None:
            raise NotInImage(f"{path!a} is not in this image.", hint="regtui files lists what is.")
        return node

    async def read(self, node: int, *, most: int = MOST) -> FileContent:
        """The first `most` bytes of a file: one Range request where a checkpoint allows it.

        Links to the node's content are followed. Raises NotReadable, DamagedLayer, RegistryError.
        """
        return (await self.look_into(node, most=most)).content

    async def look_into(self, node: int, *, layer: int | None = None, most: int = MOST) -> FileRead:
        """As `read`, of the stack up to `layer` (default: all), with what it cost."""
        found = content_of(self._contents.tree, node, layer)
        index, blob = self._contents.tree.index(found.layer), self._layer(found.layer)
        registry, path = await self._registry()
        fetched: list[int] = []

        async def fetch(start: int, end: int) -> bytes:
            data = await registry.blob_range(path, blob, start, end)
            fetched.append(len(data))
            return data

        content = await read_file_async(index, found.row, fetch, most=most)
        place = "/" + index.path(found.row).decode("utf-8", "surrogateescape")
        return FileRead(content, place, found.layer, sum(fetched), len(fetched))

    async def read_whole(self, node: int, *, most: int = LARGEST) -> bytes:
        """All bytes of a file. Raises NotReadable when it has more than `most`, and what `read` raises."""
        found = content_of(self._contents.tree, node)
        size = self._contents.tree.size(found)
        if size > most:
            raise NotReadable(
                f"The file has {size:,} bytes; {most:,} are read at most.", hint="regtui extract has no such bound."
            )
        return (await self.read(node, most=most)).data

    async def extract(
        self,
        node: int,
        destination: Path,
        *,
        layer: int | None = None,
        keep_special_bits: bool = False,
        progress: Callable[[Extracted], None] | None = None,
    ) -> Extracted:
        """Extract a file or folder to `destination`, which must not exist, in a worker thread.

        `progress` is called in that thread. Cancelling stops it between two pieces; what was written stays. Raises
        what `Extraction.run` raises, and RegistryError.
        """
        registry, path = await self._registry()
        await registry.prepare_blob(path)
        cancelled = threading.Event()
        streams: list[BinaryIO] = []

        def open_layer(number: int, offset: int) -> BinaryIO:
            stream = registry.open_blob(path, self._layer(number), offset=offset)
            streams.append(stream)
            return stream

        work = Extraction(
            self._contents.tree,
            open_layer,
            layer=layer,
            keep_special_bits=keep_special_bits,
            progress=progress,
            cancelled=cancelled.is_set,
        )
        try:
            return await asyncio.to_thread(work.run, node, destination)
        finally:
            cancelled.set()
            for stream in streams:
                stream.close()

    async def _registry(self) -> tuple[Registry, str]:
        reference = self._contents.image.reference
        return await self._open(reference.host), reference.path

    def _layer(self, number: int) -> Descriptor:
        manifest = self._contents.image.manifest
        assert manifest is not None
        return manifest.layers[number]
