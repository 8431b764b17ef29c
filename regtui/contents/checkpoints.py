"""Checkpoints inside a compressed layer: where reading may begin, so that one file costs one short Range."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

FIRST_SPACING: Final = 7 << 19
"""Bytes of tar, 3.5 MiB: with up to one more by which a part goes on, a small file costs a Range of 1.5 MB at most."""
MOST: Final = 320
"""Checkpoints of one layer; those of a layer that is read alone are not thinned out further."""
FEW: Final = 16
"""Checkpoints of a layer below which thinning out is not worth it."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Reading may begin at byte `compressed` of the blob; it gives the tar from byte `uncompressed` on.

    `state` is the decompressor's state there, None where a gzip member or zstd frame begins.
    """

    compressed: int
    uncompressed: int
    state: Any


class Checkpoints:
    """The checkpoints of one layer, in order. At most MOST: when full, every other one goes and the spacing doubles.

    Several threads may read through the same layer at once.
    """

    def __init__(self, spacing: int = FIRST_SPACING) -> None:
        self._spacing = spacing
        self._points: list[Checkpoint] = []
        self._last = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._points)

    def due(self, compressed: int, uncompressed: int) -> bool:
        """Whether a checkpoint here is worth its memory (about 40 KiB where it holds a state)."""
        return uncompressed - self._last >= self._spacing and compressed > 0

    def add(self, compressed: int, uncompressed: int, state: Any) -> None:
        """Keep a checkpoint behind all others; one that comes too late is let go."""
        with self._lock:
            if uncompressed - self._last < self._spacing:
                return
            # One assignment, so that a reader in another thread sees the old list or the new one.
            self._points = [*self._points, Checkpoint(compressed, uncompressed, state)]
            self._last = uncompressed
        if len(self._points) > MOST:
            self.thin()

    def thin(self) -> None:
        """Let every other one go, and keep to twice the spacing from now on."""
        with self._lock:
            self._points = self._points[1::2]
            self._spacing *= 2

    def before(self, uncompressed: int) -> Checkpoint:
        """The last place at or before this byte of the tar where reading may begin."""
        points = self._points
        found = bisect_right(points, uncompressed, key=lambda point: point.uncompressed)
        return points[found - 1] if found else Checkpoint(0, 0, None)

    def after(self, uncompressed: int) -> int | None:
        """The byte of the blob by which everything up to this byte of the tar has been read; None: the blob's end."""
        points = self._points
        found = bisect_right(points, uncompressed - 1, key=lambda point: point.uncompressed)
        return points[found].compressed if found < len(points) else None

    def drop(self) -> None:
        """Let go of the memory; reading starts from the beginning again, and leaves new ones behind."""
        with self._lock:
            self._points = []
            self._last = 0
            self._spacing = FIRST_SPACING


class CheckpointStore:
    """The checkpoints of all layers of a session, those being read included.

    `most` bounds them together: 384 take about 16 MB. Beyond it the least recently used layers have every other one
    taken away, until few are left of each, and then all of them: reading a file of such a layer takes a longer Range.
    """

    def __init__(self, most: int = 384) -> None:
        self._most = most
        self._layers: OrderedDict[str, Checkpoints] = OrderedDict()
        self._lock = Lock()

    def get(self, digest: str) -> Checkpoints | None:
        """The checkpoints of this layer, if they are still there."""
        with self._lock:
            found = self._layers.get(digest)
            if found is not None:
                self._layers.move_to_end(digest)
            return found

    def put(self, digest: str, checkpoints: Checkpoints) -> None:
        """Count a layer's checkpoints from now on, as the most recently used."""
        with self._lock:
            known = self._layers.get(digest)
            if known is not None and known is not checkpoints:
                known.drop()
            self._layers[digest] = checkpoints
            self._layers.move_to_end(digest)
        self.balance()

    def balance(self) -> None:
        """Bring all of them under the bound; to be called while layers are being read."""
        with self._lock:
            while len(self._layers) > 1 and sum(map(len, self._layers.values())) > self._most:
                older = list(self._layers.values())[:-1]
                many = next((points for points in older if len(points) >= FEW), None)
                if many is not None:
                    many.thin()
                else:
                    self._layers.popitem(last=False)[1].drop()
