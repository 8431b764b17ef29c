"""One file of an image for screens and commands: links followed, read by Range; files and folders put on this disk."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.contents.columns import Kind
from regtui.contents.errors import NotReadable
from regtui.contents.extract import Extraction
from regtui.contents.links import content_of, resolve
from regtui.contents.read import MOST, read_file_async

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from typing import BinaryIO

    from regtui.contents.extract import Extracted
    from regtui.contents.read import FileContent
    from regtui.contents.tree import ImageTree
    from regtui.oci import Descriptor
    from regtui.registries.contract import Registry
    from regtui.session.contents import ImageContents


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read. `path` and `layer` (from 0) tell where its content lies once links are followed;
    `fetched` are the bytes of the layer that it cost, in `requests` requests.
    """

    content: FileContent
    path: str
    layer: int
    fetched: int
    requests: int


class FileReader:
    """Reads and extracts what `ContentsReader` has listed."""

    def __init__(self, open_registry: Callable[[str], Awaitable[Registry]]) -> None:
        self._open = open_registry

    async def read(self, contents: ImageContents, node: int, *, layer: int | None = None, most: int = MOST) -> FileRead:
        """The first `most` bytes of a file, as the stack up to `layer` has it; links are followed inside the image.

        Raises NotReadable for what has no content, DamagedLayer, DigestMismatch, RegistryError.
        """
        found = content_of(contents.tree, node, layer)
        index, image = contents.tree.index(found.layer), contents.image
        blob = _layers(contents)[found.layer]
        registry = await self._open(image.reference.host)
        fetched: list[int] = []

        async def fetch(start: int, end: int) -> bytes:
            data = await registry.blob_range(image.reference.path, blob, start, end)
            fetched.append(len(data))
            return data

        content = await read_file_async(index, found.row, fetch, most=most)
        path = "/" + index.path(found.row).decode("utf-8", "surrogateescape")
        return FileRead(content, path, found.layer, sum(fetched), len(fetched))

    async def extract(
        self,
        contents: ImageContents,
        node: int,
        destination: Path,
        *,
        layer: int | None = None,
        keep_special_bits: bool = False,
        progress: Callable[[Extracted], None] | None = None,
    ) -> Extracted:
        """Put a file or folder at `destination`, which must not exist yet. Cancelling stops at once; what was written
        stays.

        `progress` is called in a worker thread. Raises UnsafeExtraction, NotReadable, ContentsError, RegistryError.
        """
        image = contents.image
        registry = await self._open(image.reference.host)
        await registry.prepare_blob(image.reference.path)
        layers, stopped = _layers(contents), threading.Event()
        streams: list[BinaryIO] = []

        def open_layer(number: int, offset: int) -> BinaryIO:
            stream = registry.open_blob(image.reference.path, layers[number], offset=offset)
            streams.append(stream)
            return stream

        extraction = Extraction(
            contents.tree,
            open_layer,
            layer=layer,
            keep_special_bits=keep_special_bits,
            progress=progress,
            cancelled=stopped.is_set,
        )
        top = extractable(contents.tree, node, layer)
        try:
            return await asyncio.to_thread(extraction.run, top, destination)
        finally:
            stopped.set()
            for stream in streams:
                stream.close()


def extractable(tree: ImageTree, node: int, layer: int | None = None) -> int:
    """The node that extracting this one is about: a symlink stands for what it leads to. Raises NotReadable."""
    here = tree.occurrence(node, layer)
    if here is None or tree.kind(here) != Kind.SYMLINK:
        return node
    found = resolve(tree, b"/" + tree.path(node), 0, layer)
    if found is None:
        raise NotReadable("The link leads to nothing in this image.")
    return found


def _layers(contents: ImageContents) -> tuple[Descriptor, ...]:
    assert contents.image.manifest is not None
    return tuple(contents.image.manifest.layers)
