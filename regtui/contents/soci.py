"""SOCI tables of contents (ztoc): a layer's listing out of an index that hangs on the image.

A ztoc is a FlatBuffer (awslabs/soci-snapshotter, ztoc/fbs/ztoc.fbs) that somebody made from the layer and pushed
beside it. Nothing in the layer vouches for it: it names the layer's digest and size, which have to fit, and the
listing is marked as not verified. What it says of the content's place is checked when a file is read.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from regtui.contents.columns import NO_DATA, Kind
from regtui.contents.duplicates import shadow_duplicates
from regtui.contents.errors import ContentsError, DamagedLayer
from regtui.contents.headers import BLOCK, BadHeader
from regtui.contents.layer_index import LayerIndex
from regtui.contents.limits import DEFAULT
from regtui.contents.toc import KINDS, header_of
from regtui.contents.walk import TarWalker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.oci import Descriptor, ImageManifest

INDEX_TYPE: Final = "application/vnd.amazon.soci.index.v1+json"
"""The artifact type of an index that refers to the image; the second version stands in the image's own index."""
INDEX_TYPES: Final = frozenset({INDEX_TYPE, "application/vnd.amazon.soci.index.v2+json"})
INDEX_DIGEST: Final = "com.amazon.soci.index-digest"
"""The image manifest's annotation that names its index, in the second version."""
LAYER_DIGEST: Final = "com.amazon.soci.image-layer-digest"
SMALLEST: Final = 10 << 20
"""Bytes of a layer below which the tools make no ztoc."""
LARGEST: Final = 64 << 20
"""Bytes of a ztoc that are read at most: about 150 bytes per entry, and 32 KiB per 4 MiB of tar."""
_LONGEST_TEXT: Final = 8192
_MOST_FIELDS: Final = 32
_COMPRESSIONS: Final = {1: "gzip", 2: "none"}


def tables_of(index: ImageManifest) -> dict[str, Descriptor]:
    """Digest of a layer → its ztoc, of one SOCI index."""
    if index.artifact_type not in INDEX_TYPES and index.config.media_type not in INDEX_TYPES:
        return {}
    return {layer.annotations[LAYER_DIGEST]: layer for layer in index.layers if LAYER_DIGEST in layer.annotations}


def index_of_ztoc(raw: bytes, descriptor: Descriptor) -> LayerIndex | None:
    """The layer's index out of its ztoc; None when it is none, or none of this layer: stream the layer then."""
    try:
        return _index(_Buffer(raw), descriptor)
    except (ContentsError, BadHeader, ValueError, OverflowError):
        return None


def _index(buffer: _Buffer, descriptor: Descriptor) -> LayerIndex:
    root = buffer.root()
    packed, unpacked = root.number(2), root.number(3)
    about, toc = root.table(5), root.table(4)
    compression = _COMPRESSIONS.get(about.number(0, "b", 1))
    if compression is None or packed != descriptor.size:
        raise DamagedLayer("The table of contents is not of this layer.")
    walker = TarWalker()
    for entry in toc.tables(0):
        _place(walker, _entry(entry), entry.number(2), unpacked)
    duplicates = shadow_duplicates(walker.columns, walker.described) + walker.duplicates
    return LayerIndex(
        descriptor.digest,
        descriptor.size,
        compression,
        walker.columns,
        walker.entries,
        duplicates,
        unpacked,
        source="soci",
        verified=False,
    )


def _entry(table: _Table) -> dict[str, Any]:
    """A FileMetadata table in the words of the other tables of contents."""
    return {
        "name": table.text(0),
        "type": table.text(1),
        "size": table.number(3),
        "linkName": table.text(4),
        "mode": table.number(5),
        "uid": table.number(6, "I"),
        "gid": table.number(7, "I"),
        "modtime": table.text(10),
        "devMajor": table.number(11),
        "devMinor": table.number(12),
    }


def _place(walker: TarWalker, entry: dict[str, Any], offset: int, tar_size: int) -> None:
    name, kind = entry["name"], KINDS.get(entry["type"])
    if kind is None or not name or "\0" in name or len(name) > DEFAULT.path:
        raise DamagedLayer("An entry of the table of contents is of no known type, or has no usable name.")
    block = NO_DATA
    if kind == Kind.REGULAR and entry["size"]:
        if offset % BLOCK or not 0 < offset <= tar_size:
            raise DamagedLayer("An entry of the table of contents lies outside of the layer.")
        block = offset // BLOCK
    walker.place(header_of(entry, name, kind), kind, block)
    walker.entries += 1
    if len(walker.columns) > DEFAULT.entries:
        raise DamagedLayer("The table of contents has more entries than regtui lists.")


class _Buffer:
    """A FlatBuffer that nobody trusts: every read is bounds-checked. Raises DamagedLayer, struct.error as such."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def read(self, code: str, position: int) -> int:
        """A little-endian number."""
        try:
            value: int = struct.unpack_from(f"<{code}", self.raw, position)[0]
        except struct.error as error:
            raise DamagedLayer("The table of contents is cut short.") from error
        return value

    def follow(self, position: int) -> int:
        """Where the offset at this position leads: always forward, so that nothing can run in circles."""
        target = position + self.read("I", position)
        if not position < target < len(self.raw):
            raise DamagedLayer("The table of contents leads out of itself.")
        return target

    def root(self) -> _Table:
        """The root table."""
        return _Table(self, self.follow(0))


class _Table:
    """One table: where its fields stand comes from its vtable, which lies before or behind it."""

    def __init__(self, buffer: _Buffer, position: int) -> None:
        self._buffer, self._position = buffer, position
        vtable = position - buffer.read("i", position)
        if not 0 <= vtable < len(buffer.raw):
            raise DamagedLayer("The table of contents leads out of itself.")
        length = min(buffer.read("H", vtable) // 2 - 2, _MOST_FIELDS)
        self._fields = [buffer.read("H", vtable + 4 + 2 * number) for number in range(length)]

    def _at(self, field: int) -> int | None:
        offset = self._fields[field] if field < len(self._fields) else 0
        return self._position + offset if offset else None

    def number(self, field: int, code: str = "q", default: int = 0) -> int:
        """A number; one that is left out has its default."""
        position = self._at(field)
        return default if position is None else self._buffer.read(code, position)

    def text(self, field: int) -> str:
        """A text; empty when it is left out. Bytes that are no UTF-8 are escaped as surrogates."""
        position = self._at(field)
        if position is None:
            return ""
        start = self._buffer.follow(position)
        length = self._buffer.read("I", start)
        if length > _LONGEST_TEXT or start + 4 + length > len(self._buffer.raw):
            raise DamagedLayer("A text of the table of contents is too long.")
        return self._buffer.raw[start + 4 : start + 4 + length].decode("utf-8", "surrogateescape")

    def table(self, field: int) -> _Table:
        """A table inside of this one. Raises DamagedLayer when it is left out."""
        position = self._at(field)
        if position is None:
            raise DamagedLayer("The table of contents lacks a part.")
        return _Table(self._buffer, self._buffer.follow(position))

    def tables(self, field: int) -> Iterator[_Table]:
        """The tables of a vector."""
        position = self._at(field)
        if position is None:
            return
        start = self._buffer.follow(position)
        count = self._buffer.read("I", start)
        if count > DEFAULT.entries:
            raise DamagedLayer("The table of contents has more entries than regtui lists.")
        for number in range(count):
            yield _Table(self._buffer, self._buffer.follow(start + 4 + 4 * number))
