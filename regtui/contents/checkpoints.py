"""Checkpoints inside a compressed layer: where reading may begin, so that one file costs one short Range."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

FIRST_SPACING: Final = 4 << 20
MOST: Final = 256


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
            points = [*self._points, Checkpoint(compressed, uncompressed, state)]
            if len(points) > MOST:
                points = points[1::2]
                self._spacing *= 2
            # One assignment, so that a reader in another thread sees the old list or the new one.
            self._points = points
            self._last = uncompressed

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
    """The checkpoints of several layers, the least recently used given up first.

    `most` bounds the checkpoints of all layers together: 768 take about 35 MB.
    """

    def __init__(self, most: int = 3 * MOST) -> None:
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
        """Keep a layer's checkpoints, and give up the oldest layers' beyond the bound."""
        with self._lock:
            known = self._layers.get(digest)
            if known is not None and known is not checkpoints:
                known.drop()
            self._layers[digest] = checkpoints
            self._layers.move_to_end(digest)
            while len(self._layers) > 1 and sum(map(len, self._layers.values())) > self._most:
                self._layers.popitem(last=False)[1].drop()
