"""A blob as a file that is read in a worker thread, and that survives a broken connection."""

from __future__ import annotations

import io
import threading
from typing import TYPE_CHECKING

from regtui.transport.blocking_link import OpenBlockingBody
from regtui.transport.errors import BadAnswer, Unreachable
from regtui.transport.resume import TRIES, Position

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from typing_extensions import Buffer

    from regtui.transport.exchange import Response
    from regtui.transport.patience import Patience

    Open = Callable[[Position, Callable[[float], object]], Response]


class BlockingStream(io.RawIOBase):
    """The raw bytes of a blob, read by one thread at a time.

    Nothing is asked before the first read, so that opening never blocks; a refusal shows there as RegistryError.
    `close` may be called from any thread: a read that waits elsewhere then ends with ValueError, as on any closed
    file (while it is still connecting, after the connect timeout at the latest). Reads may be short: up to what has
    come. Nothing is verified here.
    """

    def __init__(self, position: Position, open_at: Open, patience: Patience) -> None:
        super().__init__()
        self._position = position
        self._open_at = open_at
        self._patience = patience
        self._aborted = threading.Event()
        self._turn = threading.Lock()
        self._body: OpenBlockingBody | None = None
        self._chunks: Iterator[bytes] | None = None
        self._left = memoryview(b"")
        self._failures = 0
        self._told = position.offset

    def __repr__(self) -> str:
        return f"<BlockingStream {self._position!r}>"

    def readable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Offset in the blob of the next byte that a read gives."""
        return self._told

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes, b"" at the end; all that is left without a size. Raises RegistryError."""
        if size is None or size < 0:
            return self.readall()
        with self._turn:
            if not size or not self._fill():
                return b""
            part = self._take(size)
            whole = part.obj
            # A piece that fits is handed on as it came, not copied.
            return whole if isinstance(whole, bytes) and len(whole) == len(part) else bytes(part)

    def readall(self) -> bytes:
        """All that is left."""
        parts = []
        while part := self.read(1 << 20):
            parts.append(part)
        return b"".join(parts)

    def readinto(self, buffer: Buffer) -> int:
        """Fill a buffer with what has come; the number of bytes, 0 at the end. Raises RegistryError."""
        target = memoryview(buffer).cast("B")
        with self._turn:
            if not len(target) or not self._fill():
                return 0
            part = self._take(len(target))
            target[: len(part)] = part
            return len(part)

    def close(self) -> None:
        """End it, from any thread."""
        self._aborted.set()
        body = self._body
        if body is not None:
            body.abort()
        if self._turn.acquire(blocking=False):  # else the thread that reads closes the body on its way out
            try:
                self._drop()
            finally:
                self._turn.release()
        super().close()

    def _take(self, size: int) -> memoryview:
        part, self._left = self._left[:size], self._left[size:]
        self._told += len(part)
        return part

    def _fill(self) -> bool:
        """Have bytes at hand; False at the end."""
        while not self._left:
            if self._aborted.is_set():
                self._drop()
                raise ValueError("read of closed file")
            try:
                chunk = next(self._open(), None)
            except Unreachable as error:
                self._break_off(error)
                continue
            if chunk is not None:
                fresh = self._position.take(chunk)
                self._failures = 0 if fresh else self._failures
                self._left = memoryview(fresh)
            elif not self._aborted.is_set():
                if self._position.is_complete:
                    return False
                self._break_off(None)
        return True

    def _open(self) -> Iterator[bytes]:
        if self._chunks is None:
            try:
                response = self._open_at(self._position, self._aborted.wait)
            except Unreachable as error:
                self._failures = TRIES  # it has been tried with patience already
                raise error from None
            assert isinstance(response.stream, OpenBlockingBody)
            self._body = response.stream
            self._position.accept(response.status, response.headers)
            self._chunks = self._body.chunks()
        return self._chunks

    def _break_off(self, error: Unreachable | None) -> None:
        self._drop()
        if self._aborted.is_set():
            return
        self._failures += 1
        if self._failures >= TRIES:
            raise error or BadAnswer(f"The content keeps ending early ({self._position!r}).")
        self._aborted.wait(self._patience.pause(min(self._failures, self._patience.tries)))

    def _drop(self) -> None:
        body, self._body, self._chunks = self._body, None, None
        if body is not None:
            body.close()
