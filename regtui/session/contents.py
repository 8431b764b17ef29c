"""What is inside an image, for screens and commands: its layers indexed by worker threads, kept by digest."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from regtui.contents.checkpoints import Checkpoints, CheckpointStore
from regtui.contents.errors import ContentsError, IndexCorrupted, NotBrowsable
from regtui.contents.layer_index import LayerIndex
from regtui.contents.merge import stack
from regtui.contents.stream import IndexOptions, index_layer, unbrowsable
from regtui.oci import RegtuiError
from regtui.session.shortcuts import Shortcuts
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence
    from typing import BinaryIO

    from regtui.contents.stream import Progress
    from regtui.contents.tree import ImageTree
    from regtui.oci import Descriptor, Digest, Reference
    from regtui.registries.contract import Registry
    from regtui.session.images import Image
    from regtui.storage.cache import Cache, NullCache

KIND: Final = "layer-index"
AT_ONCE: Final = 2
"""Layers that are read at the same time: more do not help on two cores (docs/performance.md D)."""
FIRST_PARTIAL: Final = 0.15
"""Seconds after which the tree is shown as far as it is known."""
KEPT: Final = 64
KEPT_ROWS: Final = 1_000_000
"""Indexes, and paths in all of them, that stay in memory: about 60 MB. The disk gives others back in milliseconds."""


@dataclass(frozen=True, slots=True)
class LayerProgress:
    """How far an image has been read. `done` and `layers` count layers, bytes are compressed."""

    layers: int
    done: int
    read: int
    total: int
    entries: int


@dataclass(frozen=True, slots=True)
class ImageContents:
    """The stacked layers of an image; `problems` says for each layer that is missing why, by its number from 0.

    `unread` are the layers, from 0, that were asked to be left out and that nothing on this disk knows.
    """

    image: Image
    tree: ImageTree
    problems: dict[int, str]
    unread: frozenset[int] = frozenset()

    @property
    def from_tables(self) -> int:
        """Layers that were listed from a table of contents: which packages they bring is not known."""
        return sum(index is not None and index.source != "stream" for index in self.tree.layers)

    @property
    def missing(self) -> int:
        """Layers that are not listed at all."""
        return sum(index is None for index in self.tree.layers)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a caller asks of the layers."""

    options: IndexOptions | None
    unread: Collection[Digest]
    shortcuts: Shortcuts | None

    def is_met_by(self, index: LayerIndex) -> bool:
        """Whether an index that was made for somebody else will do."""
        if self.options is not None and self.options.hash_files and index.columns.hashes is None:
            return False
        return self.shortcuts is not None or index.source == "stream"


class ContentsReader:
    """Indexes layers once each. Threads are its own: the event loop and its pool stay free."""

    def __init__(self, open_registry: Callable[[str], Awaitable[Registry]], cache: Cache | NullCache) -> None:
        self._open = open_registry
        self._cache = cache
        self._indexes: dict[Digest, LayerIndex] = {}
        self._lock = threading.Lock()
        self._checkpoints = CheckpointStore()
        self._threads: ThreadPoolExecutor | None = None

    async def contents(
        self,
        image: Image,
        progress: Callable[[LayerProgress], object] | None = None,
        partial: Callable[[ImageTree], object] | None = None,
        *,
        options: IndexOptions | None = None,
        leave_out: Collection[Digest] = (),
        shortcuts: bool = True,
    ) -> ImageContents:
        """The stacked layers of an image. Cancelling stops the reading at once.

        `progress` and `partial`, which gets the tree as far as it is known, are called in worker threads.
        Layers in `leave_out` are not read unless their index is kept. `shortcuts=False` reads layers whole that have
        a table of contents (their own, or a SOCI index's): only so their packages are found.
        Raises NotBrowsable when there is no root file system, RegistryError
        and DigestMismatch when a layer can't be read as what it claims to be.
        """
        manifest = image.manifest
        if manifest is None or not manifest.is_image:
            raise NotBrowsable("This is not an image: it has no file tree.", reason="artifact")
        reading = _Reading(manifest.layers, progress, partial)
        wanted = _Wanted(options, leave_out, Shortcuts(image, self._open) if shortcuts else None)
        diff_ids = image.config.diff_ids if image.config is not None else ()
        known = diff_ids if len(diff_ids) == len(manifest.layers) else (None,) * len(manifest.layers)
        slots = asyncio.Semaphore(AT_ONCE)
        # The largest first: begun last, it would keep one thread busy long after the other has run out of layers.
        numbers = sorted(range(len(known)), key=lambda number: -manifest.layers[number].size)
        try:
            async with asyncio.TaskGroup() as group:
                tasks = {
                    number: group.create_task(
                        self._layer(
                            image.reference, number, manifest.layers[number], known[number], reading, slots, wanted
                        )
                    )
                    for number in numbers
                }
        except* RegtuiError as errors:
            raise _first(errors) from None
        finally:
            reading.cancel()
        indexes = [tasks[number].result() for number in range(len(known))]
        tree = await asyncio.get_running_loop().run_in_executor(self._pool(), stack, indexes)
        return ImageContents(image, tree, dict(reading.problems), frozenset(reading.left_out))

    async def _layer(
        self,
        reference: Reference,
        number: int,
        layer: Descriptor,
        diff_id: Digest | None,
        reading: _Reading,
        slots: asyncio.Semaphore,
        wanted: _Wanted,
    ) -> LayerIndex | None:
        reason = unbrowsable(layer)
        if reason is not None and reason.reason != "foreign":
            reading.give_up(number, str(reason))
            return None
        kept = await asyncio.get_running_loop().run_in_executor(self._pool(), self._kept, layer.digest)
        if kept is not None and wanted.is_met_by(kept):
            reading.finished(number, layer.size, kept)
            return kept
        if layer.digest in wanted.unread:
            reading.leave_out(number)
            return None
        async with slots:
            registry = await self._open(reference.host)
            try:
                index = await self._shortcut(wanted, number, layer, reading)
                if index is None:
                    index = await self._read(registry, reference, number, layer, diff_id, reading, wanted.options)
            except NotBrowsable as error:
                reading.give_up(number, str(error))
                return None
            except NotFound:
                if reason is None:
                    raise
                reading.give_up(number, str(reason))
                return None
        self._remember(index)
        return index

    async def _shortcut(self, wanted: _Wanted, number: int, layer: Descriptor, reading: _Reading) -> LayerIndex | None:
        """The index without the download, where there is a way; kept as any other."""
        if wanted.shortcuts is None or (wanted.options is not None and wanted.options.hash_files):
            return None
        index = await wanted.shortcuts.index(layer)
        if index is not None:
            await asyncio.get_running_loop().run_in_executor(self._pool(), self._store, index)
            reading.finished(number, layer.size, index)
        return index

    async def _read(
        self,
        registry: Registry,
        reference: Reference,
        number: int,
        layer: Descriptor,
        diff_id: Digest | None,
        reading: _Reading,
        options: IndexOptions | None,
    ) -> LayerIndex:
        await registry.prepare_blob(reference.path)
        stream: BinaryIO = registry.open_blob(reference.path, layer)
        reading.opened(stream)

        checkpoints = Checkpoints()
        self._checkpoints.put(layer.digest, checkpoints)
        tell = reading.listener(number)

        def listen(step: Progress) -> None:
            self._checkpoints.balance()
            tell(step)

        def work() -> LayerIndex:
            with stream:
                index = index_layer(
                    stream, layer, diff_id, listen, reading.is_cancelled, options=options, checkpoints=checkpoints
                )
            self._store(index)
            return index

        index = await asyncio.get_running_loop().run_in_executor(self._pool(), work)
        reading.finished(number, layer.size, index)
        return index

    def _kept(self, digest: Digest) -> LayerIndex | None:
        """An index in memory or on disk; a corrupted one is as good as none."""
        index = self._indexes.get(digest)
        if index is not None:
            return index
        stored = self._cache.get_derived(KIND, digest)
        if stored is None:
            return None
        try:
            index = LayerIndex.from_bytes(stored)
        except IndexCorrupted:
            return None
        if index.digest != digest:
            return None
        self._remember(index)
        return index

    def _store(self, index: LayerIndex) -> None:
        """Keep it on disk; where nothing is kept, it is not packed either."""
        if self._cache.off is None:
            self._cache.put_derived(KIND, index.digest, index.to_bytes())

    def _remember(self, index: LayerIndex) -> None:
        with self._lock:
            self._indexes.pop(index.digest, None)
            self._indexes[index.digest] = index
            rows = sum(map(len, self._indexes.values()))
            while len(self._indexes) > 1 and (len(self._indexes) > KEPT or rows > KEPT_ROWS):
                rows -= len(self._indexes.pop(next(iter(self._indexes))))
        if index.checkpoints is not None:
            self._checkpoints.put(index.digest, index.checkpoints)

    def _pool(self) -> ThreadPoolExecutor:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="regtui-layers")
        return self._threads

    def close(self) -> None:
        """End the threads; reading that is under way was cancelled by its owner."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._threads = None


class _Reading:
    """One image being read: what each layer has come to, shared with the threads."""

    def __init__(
        self,
        layers: Sequence[Descriptor],
        progress: Callable[[LayerProgress], object] | None,
        partial: Callable[[ImageTree], object] | None,
    ) -> None:
        self._partial = partial
        self._indexes: list[LayerIndex | None] = [None] * len(layers)
        self._next_partial = time.monotonic() + FIRST_PARTIAL
        self._pause = FIRST_PARTIAL
        self._lock = threading.Lock()
        self._read = [0] * len(layers)
        self._entries = [0] * len(layers)
        self._done = 0
        self._sizes = [layer.size for layer in layers]
        self._total = sum(self._sizes)
        self._progress = progress
        self._streams: list[BinaryIO] = []
        self._cancelled = threading.Event()
        self.problems: dict[int, str] = {}
        self.left_out: set[int] = set()

    def is_cancelled(self) -> bool:
        """Asked by the threads."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Stop: closing a stream ends a read that waits for the network."""
        self._cancelled.set()
        for stream in self._streams:
            stream.close()

    def opened(self, stream: BinaryIO) -> None:
        """A layer is being read from this stream."""
        self._streams.append(stream)

    def listener(self, number: int) -> Callable[[Progress], None]:
        """The progress callback of one layer."""

        def tell(step: Progress) -> None:
            with self._lock:
                self._read[number], self._entries[number] = step.read, step.entries
            self._tell()
            self._show_part(number, step)

        return tell

    def _show_part(self, number: int, step: Progress) -> None:
        """Stack what is there now and then, ever more seldom: stacking takes time from reading."""
        if self._partial is None or time.monotonic() < self._next_partial:
            return
        began = time.monotonic()
        self._indexes[number] = step.snapshot()
        self._partial(stack(list(self._indexes)))
        self._pause *= 2
        self._next_partial = time.monotonic() + max(self._pause, 10 * (time.monotonic() - began))

    def finished(self, number: int, read: int, index: LayerIndex) -> None:
        """A layer is complete."""
        with self._lock:
            self._indexes[number] = index
            self._read[number], self._entries[number] = read, index.entries
            self._done += 1
        self._tell()

    def give_up(self, number: int, reason: str) -> None:
        """A layer that can't be listed; the others are."""
        with self._lock:
            self.problems[number] = reason
            self._done += 1
        self._tell()

    def leave_out(self, number: int) -> None:
        """A layer that nobody wants read; it counts in no total."""
        with self._lock:
            self.left_out.add(number)
            self._total -= self._sizes[number]
            self._done += 1
        self._tell()

    def _tell(self) -> None:
        if self._progress is not None and not self.is_cancelled():
            state = LayerProgress(len(self._read), self._done, sum(self._read), self._total, sum(self._entries))
            self._progress(state)


def _first(errors: BaseExceptionGroup[Any]) -> BaseException:
    """The error to show: the first that is not just the echo of another's cancelling."""
    leaves = [_first(error) if isinstance(error, BaseExceptionGroup) else error for error in errors.exceptions]
    return next((e for e in leaves if not isinstance(e, ContentsError)), leaves[0])
