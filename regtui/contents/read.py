"""One file out of a layer that is indexed: one short Range of the blob where a checkpoint allows it.

The reading itself knows no network: it says which bytes of the blob it wants next, and is fed with them.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.contents.columns import NO_DATA, Kind
from regtui.contents.errors import DamagedLayer, NotReadable
from regtui.contents.headers import BLOCK, BadHeader, Sparse, checked_pieces
from regtui.contents.inflate import Inflater, inflater
from regtui.oci import DigestMismatch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from regtui.contents.layer_index import LayerIndex

MOST: Final = 8 << 20
"""Bytes of a file that are read for looking at it, unless asked otherwise."""
_STEP: Final = 16 << 20
"""Bytes of the blob that are asked for at once; without checkpoints several steps may be needed."""
_LONGEST_MAP: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class FileContent:
    """The beginning of a file, or all of it. `size` is the whole file's.

    `verified` is True when the content's hash is known and fits, None when nothing is known to compare with: a
    Range of a blob can't be checked against the blob's digest.
    """

    data: bytes
    size: int
    verified: bool | None = None

    @property
    def truncated(self) -> bool:
        """Whether there is more of the file."""
        return len(self.data) < self.size


class Reading:
    """Reads one file. While `wanted()` names bytes of the blob, get them and `feed` them; then ask for `content()`.

    Raises NotReadable for a row without content and for a sparse file whose map was not kept.
    """

    def __init__(self, index: LayerIndex, row: int, most: int = MOST) -> None:
        columns = index.columns
        if index.kind(row) != Kind.REGULAR:
            raise NotReadable("Only regular files have content of their own.")
        self._index, self._row, self._most = index, row, most
        self._size = columns.size[row]
        self._sparse = columns.sparse.get(row)
        self._skip = 0
        self._need = 0
        self._gathered = bytearray()
        self._inflater: Inflater | None = None
        if columns.member is not None and columns.member[row]:
            self._locate_member(columns.member[row], index.member_end(row))
        elif columns.block[row] != NO_DATA:
            self._locate(columns.block[row] * BLOCK)
        elif self._size and self._sparse is None:
            raise NotReadable("Where the content lies is not known.")

    def _locate_member(self, start: int, end: int) -> None:
        """Tables of contents say where each file begins in the blob."""
        self._need = min(self._size, self._most)
        self._skip = self._index.columns.inner.get(self._row, 0)
        self._next, self._end = start, end
        self._inflater = inflater(self._index.compression)

    def _locate(self, offset: int) -> None:
        index, sparse = self._index, self._sparse
        stored = self._size if sparse is None else sparse.stored
        if sparse is not None and sparse.pieces is None and not sparse.map_in_data:
            raise NotReadable("This sparse file has more holes than regtui keeps track of.")
        self._need = min(stored, self._most + (_LONGEST_MAP if sparse is not None and sparse.map_in_data else 0))
        if index.compression == "none":
            self._next, self._end = offset, offset + self._need
            self._inflater = inflater("none")
            return
        checkpoints = index.checkpoints
        begin, after = (0, 0, None), None
        if checkpoints is not None:
            point = checkpoints.before(offset)
            begin = point.compressed, point.uncompressed, point.state
            after = checkpoints.after(offset + self._need)
        self._next = begin[0]
        self._end = after if after is not None else index.size
        self._skip = offset - begin[1]
        self._inflater = inflater(index.compression, checkpoints, resume=begin[2], at=(begin[0], begin[1]))

    def wanted(self) -> tuple[int, int] | None:
        """The bytes of the blob to get next: from, and up to but not including. None: there is enough."""
        if len(self._gathered) >= self._need or self._next >= self._end:
            return None
        return self._next, min(self._end, self._next + _STEP)

    def feed(self, data: bytes) -> None:
        """The bytes that were wanted, whole or their beginning. Raises DamagedLayer."""
        assert self._inflater is not None
        if not data:
            self._next = self._end
        self._next += len(data)
        for start in range(0, len(data), 64 << 10):
            for piece in self._inflater.feed(data[start : start + (64 << 10)]):
                self._take(piece)
            if len(self._gathered) >= self._need:
                return

    def _take(self, piece: bytes) -> None:
        if self._skip >= len(piece):
            self._skip -= len(piece)
            return
        self._gathered += memoryview(piece)[self._skip : self._skip + self._need - len(self._gathered)]
        self._skip = 0

    def content(self) -> FileContent:
        """What was read. Raises DamagedLayer when the layer ended too early, DigestMismatch for a wrong hash."""
        if len(self._gathered) < self._need:
            raise DamagedLayer("The layer ends before this file does.")
        if self._sparse is None:
            data = bytes(self._gathered)
        else:
            data = expanded(self._sparse, bytes(self._gathered), self._size, self._most)
        return FileContent(data, self._size, self._verified(data))

    def _verified(self, data: bytes) -> bool | None:
        hashes = self._index.columns.hashes
        known = hashes[self._row] if hashes is not None else 0
        if not known or len(data) != self._size:
            return None
        if int.from_bytes(hashlib.sha256(data).digest()[:8], "big") != known:
            raise DigestMismatch("The file is not what the layer's index says.", hint="Read the layer again.")
        return True


def read_file(index: LayerIndex, row: int, fetch: Callable[[int, int], bytes], *, most: int = MOST) -> FileContent:
    """The first `most` bytes of a file. `fetch(start, end)` gives bytes of the blob, `end` not included.

    With checkpoints it is asked once; without (zstd, an index from the cache), from the beginning of the layer in
    steps of 16 MB, which leaves checkpoints behind. Raises NotReadable, DamagedLayer, and what `fetch` raises.
    """
    reading = Reading(index, row, most)
    while (wanted := reading.wanted()) is not None:
        reading.feed(fetch(*wanted))
    return reading.content()


async def read_file_async(
    index: LayerIndex, row: int, fetch: Callable[[int, int], Awaitable[bytes]], *, most: int = MOST
) -> FileContent:
    """`read_file` over an asynchronous `fetch`; decompression happens in a thread."""
    reading = Reading(index, row, most)
    while (wanted := reading.wanted()) is not None:
        await asyncio.to_thread(reading.feed, await fetch(*wanted))
    return await asyncio.to_thread(reading.content)


def expanded(sparse: Sparse, stored: bytes, size: int, most: int) -> bytes:
    """The beginning of a sparse file with its holes filled by zeros, `most` bytes at most."""
    made = bytearray(min(size, most))
    for offset, piece in pieces_of(sparse, iter((stored,)), size):
        if offset < len(made):
            made[offset : offset + len(piece)] = piece[: len(made) - offset]
    return bytes(made)


def pieces_of(sparse: Sparse, stored: Iterator[bytes], size: int) -> Iterator[tuple[int, bytes]]:
    """(offset in the file, bytes) of what a sparse file stores. Raises DamagedLayer for a broken map."""
    pending = bytearray()
    pieces = sparse.pieces
    if sparse.map_in_data:
        pieces, pending = _leading_map(stored, size, sparse.stored)
    for offset, length in zip((pieces or ())[::2], (pieces or ())[1::2], strict=True):
        done = 0
        while done < length:
            if not pending:
                pending += next(stored, b"")
                if not pending:
                    return
            part = bytes(pending[: length - done])
            del pending[: length - done]
            yield offset + done, part
            done += len(part)


def _leading_map(stored: Iterator[bytes], size: int, total: int) -> tuple[tuple[int, ...] | None, bytearray]:
    """The map before the data of a PAX 1.0 sparse file: decimal lines, padded to a block; and what follows it."""
    head = bytearray()
    while True:
        lines = head.split(b"\n", 1)
        if len(lines) > 1 and lines[0].isdigit() and len(lines[0]) < 8:
            count = 1 + 2 * int(lines[0])
            found = head.split(b"\n", count)
            if len(found) > count:
                break
        more = next(stored, b"")
        if not more or len(head) > _LONGEST_MAP or (len(lines) > 1 and not lines[0].isdigit()):
            raise DamagedLayer("The map of this sparse file is broken.")
        head += more
    try:
        numbers = [int(line) for line in found[1:count]]
        pieces = checked_pieces(numbers, size, total)
    except (BadHeader, ValueError) as error:
        raise DamagedLayer("The map of this sparse file is broken.") from error
    length = -(-sum(len(line) + 1 for line in found[:count]) // BLOCK) * BLOCK
    while len(head) < length and (more := next(stored, b"")):
        head += more
    return pieces, head[length:]
