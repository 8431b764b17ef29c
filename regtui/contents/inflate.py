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

PIECE: Final = 1 << 20
"""Bytes of output at once: few enough for the processor's cache, and no bomb can make it more."""
_ZSTD_WINDOW_LOG: Final = 27
_GZIP: Final = 31
_FIRST_STEP: Final = 64 << 10
_LEAST_STEP: Final = 4 << 10
_MOST_STEP: Final = 512 << 10
"""Compressed bytes of a gzip layer that are inflated at once. A checkpoint can stand between two such parts only."""
_CAREFUL_STEP: Final = 256


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
        self._step = _FIRST_STEP

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The output of the next compressed piece."""
        total, at = self._in + len(data), 0
        while at < len(data) and not self.finished:
            if self._state is None:
                data, at = self._next_member(data, at, total)
                continue
            state, part = self._state, memoryview(data)[at : at + self._step]
            for piece in self._inflated(state, part, total - len(data) + at):
                self._out += len(piece)
                yield piece
            at += len(part)
            if state.eof:
                at -= len(state.unused_data)
                self._state, self._step = None, _FIRST_STEP
            elif self._checkpoints is not None and self._checkpoints.due(total - len(data) + at, self._out):
                self._checkpoints.add(total - len(data) + at, self._out, state.copy())
        self._in = total

    def _inflated(self, state: Any, part: memoryview, position: int) -> Iterator[bytes]:
        """What a part decompresses to. The next part is as large as gives a piece."""
        before, given = state.copy(), 0
        try:
            piece = state.decompress(part, PIECE)
            while piece:
                yield piece
                given += len(piece)
                # A full piece may leave output behind although all input is taken: ask again.
                if state.eof or len(piece) < PIECE:
                    break
                piece = state.decompress(state.unconsumed_tail, PIECE)
        except _GZIP_ERRORS as error:
            yield from _up_to_damage(before, part, given)
            raise DamagedLayer(f"The gzip data is broken near byte {position:,}.") from error
        if given > PIECE:
            self._step = max(self._step // 2, _LEAST_STEP)
        elif given < PIECE // 2:
            self._step = min(self._step * 2, _MOST_STEP)

    def _next_member(self, data: bytes, at: int, total: int) -> tuple[bytes, int]:
        """Start a member, over the zero padding before it; what is no gzip any more ends the data."""
        if self._head:
            data, at, self._head = self._head + data[at:], 0, b""
        if self._out and not data[at]:
            at = len(data) - len(data[at:].lstrip(b"\0"))
        if len(data) - at < 2:
            self._head = data[at:]
            return data, len(data)
        if data[at : at + 2] != b"\x1f\x8b":
            self.finished = True
            return data, at
        self._state = engine.decompressobj(_GZIP)
        start = total - len(data) + at
        if self._checkpoints is not None and self._out and self._checkpoints.due(start, self._out):
            self._checkpoints.add(start, self._out, None)
        return data, at

    def close(self) -> None:
        """Raise DamagedLayer when the last member is not complete."""
        if self._state is not None and not self._state.eof:
            raise DamagedLayer("The gzip data stops before its end.")


def _up_to_damage(state: Any, part: memoryview, given: int) -> Iterator[bytes]:
    """What a part holds before it breaks, beyond the bytes that were given: the call that failed kept it to itself."""
    for at in range(0, len(part), _CAREFUL_STEP):
        try:
            piece = state.decompress(part[at : at + _CAREFUL_STEP])
        except _GZIP_ERRORS:
            return
        if len(piece) > given:
            yield piece[given:]
        given = max(given - len(piece), 0)


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
        # In parts: where the data breaks, what came out of the same part is lost.
        for at in range(0, len(data), _FIRST_STEP):
            yield from self._feed(data[at : at + _FIRST_STEP])

    def _feed(self, data: bytes) -> Iterator[bytes]:
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
