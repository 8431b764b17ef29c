"""From the bytes of a layer to its index, in one pass: verify, inflate, walk.

Runs in a worker thread over a blocking stream. Neither the layer nor its tar is ever held as a whole.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from regtui.contents.checkpoints import Checkpoints
from regtui.contents.duplicates import shadow_duplicates
from regtui.contents.errors import ContentsError, DamagedLayer, IndexingCancelled, NotBrowsable
from regtui.contents.inflate import inflater, sniff
from regtui.contents.layer_index import LayerIndex
from regtui.contents.limits import DEFAULT, Limits
from regtui.contents.packages.capture import Capture
from regtui.contents.walk import TarWalker
from regtui.oci import RegtuiError, Verifier, media_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from regtui.contents.columns import Columns
    from regtui.contents.inflate import Inflater
    from regtui.oci import Descriptor, Digest

READ: Final = 512 << 10
"""Bytes that are asked for at once. Small pieces keep the threads of two layers waiting for each other."""
_PROGRESS_SECONDS: Final = 0.1
_TRAILING: Final = 64 << 20
"""Bytes behind the end of the archive that are still inflated, to know the tar's exact size."""
_NYDUS: Final = "containerd.io/snapshot/nydus-b"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far indexing has come. `read` and `total` are compressed bytes.

    `snapshot` gives what is listed so far as an index of its own; call it inside the callback only.
    """

    read: int
    total: int
    entries: int
    snapshot: Callable[[], LayerIndex]


@dataclass(frozen=True, slots=True)
class IndexOptions:
    """What indexing should do besides listing.

    `hash_files` adds a hash of each file's content (for duplicates; about half as fast on large layers).
    `checkpoints` keeps states for reading single files later. `packages` reads package databases on the way.
    """

    hash_files: bool = False
    checkpoints: bool = True
    packages: bool = True
    limits: Limits = field(default=DEFAULT)


def unbrowsable(descriptor: Descriptor) -> NotBrowsable | None:
    """Why this blob has no file tree that could be listed, or None. Foreign layers are named too: ask before trying."""
    kind = descriptor.media_type
    if media_types.is_encrypted(kind):
        return NotBrowsable(
            "This layer is encrypted.", reason="encrypted", hint="Only who holds its key can see what is in it."
        )
    if kind.endswith("squashfs"):
        return NotBrowsable("This layer is a squashfs file system, which regtui does not read.", reason="squashfs")
    if ".nydus." in kind or any(key.startswith(_NYDUS) for key in descriptor.annotations):
        return NotBrowsable("This is a Nydus image, which regtui does not read.", reason="nydus")
    if media_types.is_foreign(kind):
        return NotBrowsable(
            "This is a foreign layer, which its publisher does not let registries give out.",
            reason="foreign",
            hint="Its size counts, its files can't be listed unless the registry holds it.",
        )
    return None


def index_layer(
    stream: BinaryIO,
    descriptor: Descriptor,
    diff_id: Digest | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    *,
    options: IndexOptions | None = None,
    checkpoints: Checkpoints | None = None,
) -> LayerIndex:
    """Read a layer to its end and list it. The stream is left open. `checkpoints` are filled on the way, when given.

    Raises DigestMismatch or SizeMismatch when the bytes are not the descriptor's, or, with `diff_id`, the tar is
    not the config's; NotBrowsable for what is no tar; IndexingCancelled; and what the stream itself raises.
    A broken archive is no error: the index has what came before, and says so in `damage`.
    """
    reason = unbrowsable(descriptor)
    if reason is not None and reason.reason != "foreign":
        raise reason
    run = _Run(descriptor, diff_id, progress, cancelled or _never, options or IndexOptions())
    if checkpoints is not None:
        run.checkpoints = checkpoints
    try:
        run.read(stream)
    except (OSError, ValueError, RegtuiError) as error:
        # Closing the stream is how cancelling takes effect at once: whatever that makes it raise.
        if run.cancelled():
            raise IndexingCancelled("Indexing was cancelled.") from error
        if isinstance(error, OSError):
            raise ContentsError(f"The layer could not be read: {error.strerror or 'the stream failed'}.") from error
        raise
    return run.finish()


def _never() -> bool:
    return False


class _Run:
    """One pass over one layer."""

    def __init__(
        self,
        descriptor: Descriptor,
        diff_id: Digest | None,
        progress: Callable[[Progress], None] | None,
        cancelled: Callable[[], bool],
        options: IndexOptions,
    ) -> None:
        self.cancelled = cancelled
        self._descriptor, self._diff_id, self._progress, self._options = descriptor, diff_id, progress, options
        self._verifier = Verifier(descriptor.digest, descriptor.size)
        self._tar = Verifier(diff_id) if diff_id is not None else None
        self._walker = TarWalker(options.limits)
        self._capture = Capture(self._walker, options.packages, options.hash_files, options.limits.captured)
        self.checkpoints = Checkpoints()
        self._compression = "none"
        self._next_told = 0.0
        self._whole = True
        self._end: int | None = None

    def read(self, stream: BinaryIO) -> None:
        """Everything up to the stream's end."""
        data = self._first(stream)
        self._compression = sniff(data)
        unpack = inflater(self._compression, self.checkpoints if self._options.checkpoints else None)
        while data:
            self._verifier.update(data)
            if self._whole:
                self._take(unpack.feed(data))
            self._look_up()
            data = stream.read(READ)
        if self._whole:
            self._take(_closing(unpack))

    def _first(self, stream: BinaryIO) -> bytes:
        """Enough to tell the compression by."""
        data = b""
        while len(data) < 8:
            more = stream.read(READ)
            if not more:
                break
            data += more
        return data

    def _take(self, pieces: Iterator[bytes]) -> None:
        """Walk over what came out, until nothing more of the tar is of interest."""
        walker, tar = self._walker, self._tar
        try:
            for piece in pieces:
                if tar is not None:
                    tar.update(piece)
                walker.feed(piece)
                if walker.done and self._beyond(walker.offset):
                    self._whole = False
                    return
                # A bomb gives minutes of output for one piece of input.
                self._look_up()
        except DamagedLayer as error:
            walker.stop(error.sentence[0].lower() + error.sentence[1:].rstrip("."))
            self._whole = False

    def _beyond(self, offset: int) -> bool:
        if self._end is None:
            self._end = offset
        return offset > self._options.limits.tar_bytes or (self._tar is None and offset > self._end + _TRAILING)

    def _look_up(self) -> None:
        if self.cancelled():
            raise IndexingCancelled("Indexing was cancelled.")
        if self._progress is None:
            return
        now = time.monotonic()
        # The first entries are shown at once.
        if now >= self._next_told and self._walker.entries:
            self._next_told = now + _PROGRESS_SECONDS
            self._tell(self._progress)

    def _tell(self, progress: Callable[[Progress], None]) -> None:
        progress(Progress(self._verifier.seen, self._descriptor.size, self._walker.entries, self._snapshot))

    def _snapshot(self) -> LayerIndex:
        return self._index(self._walker.columns.snapshot(), 0)

    def _index(self, columns: Columns, duplicates: int, **known: Any) -> LayerIndex:
        descriptor, walker = self._descriptor, self._walker
        return LayerIndex(
            descriptor.digest,
            descriptor.size,
            self._compression,
            columns,
            walker.entries,
            duplicates,
            walker.offset,
            walker.damage,
            **known,
        )

    def finish(self) -> LayerIndex:
        """Check what went by, and close the index. Raises what `index_layer` says."""
        self._verifier.finish()
        walker = self._walker
        walker.finish()
        if walker.damage is not None and not walker.entries and not media_types.is_layer(self._descriptor.media_type):
            raise NotBrowsable("This blob is no archive of files.", reason="artifact")
        if self._tar is not None and self._whole:
            self._tar.finish()
        if self._progress is not None:
            self._tell(self._progress)
        duplicates = shadow_duplicates(walker.columns, walker.described) + walker.duplicates
        findings = self._capture.finish()
        walker.columns.trim()
        return self._index(
            walker.columns,
            duplicates,
            diff_id=self._diff_id if self._whole else None,
            findings=findings,
            checkpoints=self.checkpoints if self._options.checkpoints else None,
        )


def _closing(unpack: Inflater) -> Iterator[bytes]:
    """Closing as an empty run of pieces, so that it fails where feeding fails."""
    unpack.close()
    yield from ()
