"""A way forward through one layer's tar, for reading several of its files in order over few requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.contents.errors import DamagedLayer, NotReadable
from regtui.contents.inflate import Inflater, inflater
from regtui.contents.read import pieces_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from regtui.contents.layer_index import LayerIndex

_READ: Final = 64 << 10
"""Bytes that are asked for at once: less than while indexing, since a small file needs no more."""
_NEAR: Final = 16 << 20
"""Bytes of tar that are rather read over than jumped over with a new request."""


class TarCursor:
    """Reads files of a layer, best in ascending order of their offsets. Close it when done.

    `open_at(offset)` opens a blocking stream of the blob from a byte on.
    """

    def __init__(self, index: LayerIndex, open_at: Callable[[int], BinaryIO]) -> None:
        self.index = index
        self._open = open_at
        self._stream: BinaryIO | None = None
        self._inflater: Inflater | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._left = memoryview(b"")
        self._position = 0
        self._data = b""
        self._read = 0

    def content(self, row: int) -> Iterator[tuple[int, bytes | memoryview]]:
        """(offset in the file, bytes) in order; holes are left out. Raises DamagedLayer, NotReadable."""
        columns, start = self.index.columns, self.index.data_offset(row)
        size, sparse = columns.size[row], columns.sparse.get(row)
        if not size:
            return
        if columns.member is not None and columns.member[row]:
            self._go_to_member(columns.member[row])
            self._drop(columns.inner.get(row, 0))
        elif start is not None:
            self._go(start)
        else:
            raise NotReadable("Where the content lies is not known.")
        if sparse is None:
            offset = 0
            for piece in self._take(size):
                yield offset, piece
                offset += len(piece)
            return
        if sparse.pieces is None and not sparse.map_in_data:
            raise NotReadable("This sparse file has more holes than regtui keeps track of.")
        yield from pieces_of(sparse, map(bytes, self._take(sparse.stored)), size)

    def close(self) -> None:
        """Let go of the stream."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _go(self, offset: int) -> None:
        """Stand at this byte of the tar: by reading on when that is not far, else from a checkpoint."""
        stored = self.index.compression == "none"
        checkpoints = self.index.checkpoints
        point = checkpoints.before(offset) if checkpoints is not None and not stored else None
        begin = (offset, offset, None) if stored else (0, 0, None)
        if point is not None:
            begin = point.compressed, point.uncompressed, point.state
        if self._stream is None or self._position > offset or begin[1] > self._position + _NEAR:
            self._reopen(*begin)
        self._drop(offset - self._position)

    def _go_to_member(self, compressed: int) -> None:
        """Stand where a gzip member or zstd frame begins, over the same stream when it is not far ahead."""
        if self._stream is None or not self._read - len(self._data) <= compressed <= self._read + _NEAR:
            self._reopen(compressed, 0, None)
            return
        while self._read <= compressed:
            if not self._fill():
                raise DamagedLayer("The layer ends before this file does.")
        data = self._data[compressed - self._read :]
        self._position, self._left = 0, memoryview(b"")
        self._inflater = inflater(self.index.compression)
        self._pieces = self._inflater.feed(data)

    def _fill(self) -> bool:
        self._data = self._stream.read(_READ) if self._stream is not None else b""
        self._read += len(self._data)
        return bool(self._data)

    def _reopen(self, compressed: int, uncompressed: int, state: object) -> None:
        self.close()
        index = self.index
        self._stream = self._open(compressed)
        self._read, self._data = compressed, b""
        self._position = uncompressed
        self._left = memoryview(b"")
        self._pieces = iter(())
        self._inflater = inflater(index.compression, index.checkpoints, resume=state, at=(compressed, uncompressed))

    def _next(self) -> memoryview:
        """The next piece of tar, at least a byte. Raises DamagedLayer at the end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                if not self._fill() or self._inflater is None:
                    raise DamagedLayer("The layer ends before this file does.")
                self._pieces = self._inflater.feed(self._data)
                continue
            self._left = memoryview(piece)
        return self._left

    def _drop(self, count: int) -> None:
        while count:
            part = min(count, len(self._next()))
            self._left = self._left[part:]
            self._position += part
            count -= part

    def _take(self, count: int) -> Iterator[memoryview]:
        while count:
            piece = self._next()[:count]
            self._left = self._left[len(piece) :]
            self._position += len(piece)
            count -= len(piece)
            yield piece
