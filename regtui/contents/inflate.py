"""Decompression of layers piece by piece: bounded output, members in a row, checkpoints for random access.

gzip is inflated by zlib-ng when it is installed, else by the standard library's zlib: both can copy their
state. zstd frames can't be resumed in their middle, only at their beginnings.
"""

from __future__ import annotations

import bz2
import importlib
import lzma
import zlib
from typing import TYPE_CHECKING, Any, Final, Protocol

from regtui.contents.errors import DamagedLayer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from regtui.contents.checkpoints import Checkpoints

PIECE: Final = 512 << 10
"""Bytes of output at once: it stays in the processor's cache, and no bomb can make it more."""
_ZSTD_WINDOW_LOG: Final = 27
_GZIP: Final = 31


def _zlib() -> tuple[Any, tuple[type[Exception], ...]]:
    try:
        fast = importlib.import_module("zlib_ng.zlib_ng")
    except ImportError:
        return zlib, (zlib.error,)
    return fast, (fast.error, zlib.error)


engine, _GZIP_ERRORS = _zlib()


def zstd_module() -> Any:
    """The standard library's zstd (3.14) or its backport. Raises DamagedLayer when neither is there."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise DamagedLayer(
        "This layer is compressed with zstd, which this Python can't read.", hint="Install backports.zstd."
    )


def sniff(head: bytes) -> str:
    """`gzip`, `zstd`, `bzip2`, `xz` or `none` by the magic number, which is trusted over any media type."""
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith(b"\x28\xb5\x2f\xfd") or (head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50):
        return "zstd"
    if head.startswith(b"BZh"):
        return "bzip2"
    if head.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    return "none"


class Inflater(Protocol):
    """Takes compressed pieces in order, gives what they decompress to. Raises DamagedLayer."""

    finished: bool
    """Whether the compressed data came to its own end; what is fed after it is ignored."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The output of the next compressed piece, at most PIECE bytes at a time. Run it to its end."""

    def close(self) -> None:
        """Raise DamagedLayer when the compressed data stops in its middle."""


def inflater(
    compression: str, checkpoints: Checkpoints | None = None, *, resume: Any = None, at: tuple[int, int] = (0, 0)
) -> Inflater:
    """The decompressor of one layer, by the word that `sniff` gives.

    `resume` is the state of a checkpoint and `at` its compressed and uncompressed offsets. `checkpoints`
    collects new ones on the way.
    """
    if compression == "gzip":
        return GzipInflater(checkpoints, resume, at)
    if compression == "none":
        return StoredInflater()
    if compression == "zstd":
        module = zstd_module()
        options = {module.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
        return FrameInflater(
            "zstd", lambda: module.ZstdDecompressor(options=options), module.ZstdError, checkpoints, at
        )
    if compression == "bzip2":
        return FrameInflater("bzip2", bz2.BZ2Decompressor, OSError, None, at)
    # Without a bound, an xz header may ask for 4 GiB of dictionary.
    return FrameInflater("xz", lambda: lzma.LZMADecompressor(memlimit=128 << 20), lzma.LZMAError, None, at)


class StoredInflater:
    """Plain tar: nothing to decompress."""

    def __init__(self) -> None:
        self.finished = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The piece itself."""
        yield data

    def close(self) -> None:
        """A tar has its own end."""


class GzipInflater:
    """gzip with any number of members, zero padding and rubbish behind them (RFC 1952)."""

    def __init__(self, checkpoints: Checkpoints | None, resume: Any, at: tuple[int, int]) -> None:
        self.finished = False
        self._checkpoints = checkpoints
        self._in, self._out = at
        self._state = resume.copy() if resume is not None else None
        self._head = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The output of the next compressed piece."""
        total = self._in + len(data)
        full = False
        # A full piece may leave output behind although all input is taken: ask again.
        while (data or full) and not self.finished:
            if self._state is None:
                data = self._next_member(data, total)
                continue
            state = self._state
            try:
                piece = state.decompress(data, PIECE)
            except _GZIP_ERRORS as error:
                raise DamagedLayer(f"The gzip data is broken near byte {total - len(data):,}.") from error
            self._out += len(piece)
            full = len(piece) == PIECE
            data = state.unconsumed_tail
            if state.eof:
                data, full = state.unused_data, False
                self._state = None
            if piece:
                yield piece
        self._in = total
        if self._checkpoints is not None and self._state is not None and self._checkpoints.due(total, self._out):
            self._checkpoints.add(total, self._out, self._state.copy())

    def _next_member(self, data: bytes, total: int) -> bytes:
        """Start a member, over the zero padding before it; what is no gzip any more ends the data."""
        data = self._head + data
        self._head = b""
        padded = data.lstrip(b"\0") if self._out else data
        if len(padded) < 2:
            self._head = padded
            return b""
        if not padded.startswith(b"\x1f\x8b"):
            self.finished = True
            return b""
        self._state = engine.decompressobj(_GZIP)
        start = total - len(padded)
        if self._checkpoints is not None and self._out and self._checkpoints.due(start, self._out):
            self._checkpoints.add(start, self._out, None)
        return padded

    def close(self) -> None:
        """Raise DamagedLayer when the last member is not complete."""
        if self._state is not None and not self._state.eof:
            raise DamagedLayer("The gzip data stops before its end.")


class FrameInflater:
    """zstd, bzip2 and xz: independent frames one after another, each read by an object of its own."""

    def __init__(
        self,
        name: str,
        make: Callable[[], Any],
        error: type[Exception],
        checkpoints: Checkpoints | None,
        at: tuple[int, int],
    ) -> None:
        self.finished = False
        self._name, self._make, self._error = name, make, error
        self._checkpoints = checkpoints
        self._in, self._out = at
        self._state: Any = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The output of the next compressed piece."""
        total = self._in + len(data)
        while data and not self.finished:
            begins = self._state is None
            if begins:
                self._state = self._make()
                self._mark(total - len(data))
            state = self._state
            try:
                piece = state.decompress(data, PIECE)
                while piece:
                    self._out += len(piece)
                    yield piece
                    if state.eof or state.needs_input:
                        break
                    piece = state.decompress(b"", PIECE)
            except (self._error, EOFError, MemoryError) as error:
                if begins and self._out and sniff(data) != self._name:
                    # Rubbish behind the last frame: the frames themselves were whole.
                    self.finished = True
                    self._state = None
                    break
                raise DamagedLayer(f"The {self._name} data is broken near byte {total - len(data):,}.") from error
            data = b""
            if state.eof:
                data = state.unused_data.lstrip(b"\0") if self._name == "xz" else state.unused_data
                self._state = None
        self._in = total

    def _mark(self, position: int) -> None:
        if self._checkpoints is not None and self._out and self._checkpoints.due(position, self._out):
            self._checkpoints.add(position, self._out, None)

    def close(self) -> None:
        """Raise DamagedLayer when the last frame is not complete."""
        if self._state is not None and not self._state.eof:
            raise DamagedLayer(f"The {self._name} data stops before its end.")
