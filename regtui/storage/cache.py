"""What a digest names is kept on disk and fetched once; a byte that changed is noticed and fetched again.

One file per digest, no lock, no index, no fsync: a torn or altered file fails its digest and counts as a miss,
which also makes two processes safe beside each other (docs/performance.md G).
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final

from regtui.storage.cache_files import (
    READ_FLAGS,
    WRITE_FLAGS,
    discard,
    doubt_about,
    files_below,
    read_all,
    write_all,
)
from regtui.storage.errors import StorageError
from regtui.storage.files import make_private_folder, reason_of
from regtui.storage.paths import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEFAULT_LIMIT: Final = 1 << 30

_HASHES: Final = {"sha256": hashlib.sha256, "sha512": hashlib.sha512}
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII)
_KIND: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_MAGIC: Final = b"regtui-derived-1"
_HEADER: Final = len(_MAGIC) + 32
_TOUCH_AFTER: Final = 3600.0
_SWEEP_AFTER: Final = 3600.0
# A sweep makes more room than needed, so that the next one is not due at once.
_SWEPT_TO: Final = 0.8
_LARGEST_SHARE: Final = 4
_DUE_SHARE: Final = 16
_DRAFT: Final = ".tmp"
_TAG_NAME: Final = "CACHEDIR.TAG"
# The signature that backup programs look for (bford.info/cachedir).
_TAG: Final = b"Signature: 8a477f597d28d172789f06886806bc55\n# Made by regtui; everything here can be fetched again.\n"


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What the cache holds: `size` and `limit` in bytes; `off` says why it keeps nothing new, None when it does."""

    folder: Path | None
    files: int
    size: int
    limit: int
    off: str | None


class Cache:
    """Bytes by digest, and data derived from them by kind and key. No method raises for what the disk does.

    `limit` in bytes is kept approximately: what is over it goes, least recently used first, once an hour or
    after a sixteenth of the limit was written. When the disk refuses, the cache keeps nothing new, and `off` says why.
    """

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT, *, clock: Callable[[], float] = time.time) -> None:
        self.folder = folder
        self.limit = limit
        self.off: str | None = None
        self._blobs = os.path.join(folder, "blobs")
        self._derived = os.path.join(folder, "derived")
        self._marker = os.path.join(folder, "swept")
        self._clock = clock
        self._draft_names = (f"{secrets.token_hex(6)}-{number}{_DRAFT}" for number in count())
        self._names_lock = threading.Lock()
        self._written: int | None = None
        self._sweeping: threading.Thread | None = None

    @classmethod
    def open(cls, limit: int = DEFAULT_LIMIT, folder: Path | None = None) -> Cache | NullCache:
        """The cache of this user; one that keeps nothing when it is switched off or its folder is not this user's own.

        Nothing is written before the first `put`.
        """
        if limit <= 0:
            return NullCache("The cache is switched off (cache_size = 0).")
        try:
            folder = folder or cache_folder()
        except StorageError as error:
            return NullCache(f"Nothing is cached: {error}")
        doubt = doubt_about(folder)
        return cls(folder, limit) if doubt is None else NullCache(doubt)

    def get(self, digest: str) -> bytes | None:
        """The bytes that this digest names, verified; None when they are not here (or were, and had changed)."""
        if _DIGEST.fullmatch(digest) is None:
            return None
        algorithm, _, encoded = digest.partition(":")
        path = f"{self._blobs}{os.sep}{algorithm}{os.sep}{encoded[:2]}{os.sep}{encoded}"
        content = self._read(path)
        if content is None:
            return None
        if _HASHES[algorithm](content).hexdigest() != encoded:
            discard(path)
            return None
        return content

    def put(self, digest: str, content: bytes) -> None:
        """Keep these bytes. Digests that can't be verified, and bytes above a quarter of the limit, are not kept."""
        if _DIGEST.fullmatch(digest) is None:
            return
        algorithm, _, encoded = digest.partition(":")
        self._write(os.path.join(self._blobs, algorithm, encoded[:2]), encoded, (content,))

    def get_derived(self, kind: str, key: str) -> bytes | None:
        """Data of this kind that was derived for this key, checked against its own hash; None when it is not here."""
        folder, name = self._derived_place(kind, key)
        path = os.path.join(folder, name)
        stored = self._read(path)
        if stored is None:
            return None
        content = stored[_HEADER:]
        if stored[:_HEADER] != _MAGIC + _bound(kind, key, content):
            discard(path)
            return None
        return content

    def put_derived(self, kind: str, key: str, content: bytes) -> None:
        """Keep data that was derived for this key. `kind` is a word of the program, with its format's version in it."""
        folder, name = self._derived_place(kind, key)
        self._write(folder, name, (_MAGIC + _bound(kind, key, content), content))

    def clear(self) -> int:
        """Remove everything kept; the bytes that this freed."""
        freed = 0
        for path, size, used in self._files():
            # A young draft is one that another process is about to finish.
            young_draft = path.endswith(_DRAFT) and self._clock() - used < _SWEEP_AFTER
            if not young_draft and discard(path):
                freed += size
        return freed

    def stats(self) -> CacheStats:
        """Count what is kept (reads every folder: off the event loop)."""
        sizes = [size for _, size, _ in self._files()]
        return CacheStats(self.folder, len(sizes), sum(sizes), self.limit, self.off)

    def sweep(self) -> int:
        """Bring the cache under its limit, least recently used first; the bytes that this freed."""
        now = self._clock()
        kept: list[tuple[float, int, str]] = []
        for path, size, used in self._files():
            if not path.endswith(_DRAFT):
                kept.append((used, size, path))
            elif now - used > _SWEEP_AFTER:
                discard(path)
        total = sum(size for _, size, _ in kept)
        freed = 0
        if total > self.limit:
            kept.sort()
            for _, size, path in kept:
                if total - freed <= self.limit * _SWEPT_TO:
                    break
                if discard(path):
                    freed += size
        with suppress(OSError), open(self._marker, "wb"):
            os.utime(self._marker, (now, now))
        return freed

    def close(self) -> None:
        """Wait for a sweep that is under way."""
        if self._sweeping is not None:
            self._sweeping.join()

    def _derived_place(self, kind: str, key: str) -> tuple[str, str]:
        if _KIND.fullmatch(kind) is None:
            raise ValueError(f"{kind!r} is no kind of derived data")
        name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return os.path.join(self._derived, kind, name[:2]), name

    def _read(self, path: str) -> bytes | None:
        try:
            handle = os.open(path, READ_FLAGS)
        except OSError:
            return None
        try:
            known = os.fstat(handle)
            if not stat.S_ISREG(known.st_mode) or known.st_size > self.limit:
                return None
            content = read_all(handle, known.st_size)
        except OSError:
            return None
        finally:
            os.close(handle)
        now = self._clock()
        if now - known.st_mtime > _TOUCH_AFTER:
            with suppress(OSError):
                os.utime(path, (now, now))
        return content

    def _write(self, folder: str, name: str, parts: tuple[bytes, ...]) -> None:
        size = sum(map(len, parts))
        if self.off is not None or size > self.limit // _LARGEST_SHARE:
            return
        with self._names_lock:
            draft = os.path.join(folder, next(self._draft_names))
        try:
            try:
                handle = os.open(draft, WRITE_FLAGS, 0o600)
            except FileNotFoundError:
                self._make_folder(folder)
                handle = os.open(draft, WRITE_FLAGS, 0o600)
            try:
                for part in parts:
                    write_all(handle, part)
            finally:
                os.close(handle)
            os.replace(draft, os.path.join(folder, name))
        except OSError as error:
            discard(draft)
            # Windows refuses to replace a file that another process reads; it holds the same bytes.
            beaten = isinstance(error, PermissionError) and os.path.exists(os.path.join(folder, name))
            # The folder may be taken away while a draft is written: the next write makes it anew.
            if not beaten and not isinstance(error, FileNotFoundError):
                self.off = f"Nothing new is cached in {self.folder}: {reason_of(error)}."
            return
        self._account(size)

    def _make_folder(self, folder: str) -> None:
        make_private_folder(Path(folder))
        tag = os.path.join(self.folder, _TAG_NAME)
        if not os.path.exists(tag):
            with suppress(OSError), open(tag, "wb") as file:
                file.write(_TAG)

    def _account(self, size: int) -> None:
        first = self._written is None
        self._written = (self._written or 0) + size
        due = self._written > self.limit // _DUE_SHARE or (first and self._marker_is_old())
        if due and (self._sweeping is None or not self._sweeping.is_alive()):
            self._written = 0
            self._sweeping = threading.Thread(target=self.sweep, name="regtui-cache-sweep", daemon=True)
            self._sweeping.start()

    def _marker_is_old(self) -> bool:
        try:
            return self._clock() - os.stat(self._marker).st_mtime > _SWEEP_AFTER
        except OSError:
            return True

    def _files(self) -> Iterator[tuple[str, int, float]]:
        for top in (self._blobs, self._derived):
            yield from files_below(top)


class NullCache:
    """Keeps nothing, for `--no-cache` and where there is no usable folder."""

    def __init__(self, off: str = "The cache is switched off for this run.") -> None:
        self.off: str | None = off

    def get(self, digest: str) -> bytes | None:
        """Never there."""
        return None

    def put(self, digest: str, content: bytes) -> None:
        """Not kept."""

    def get_derived(self, kind: str, key: str) -> bytes | None:
        """Never there."""
        return None

    def put_derived(self, kind: str, key: str, content: bytes) -> None:
        """Not kept."""

    def clear(self) -> int:
        """Nothing to free."""
        return 0

    def sweep(self) -> int:
        """Nothing to free."""
        return 0

    def stats(self) -> CacheStats:
        """Nothing, and why."""
        return CacheStats(None, 0, 0, 0, self.off)

    def close(self) -> None:
        """Nothing to wait for."""


def _bound(kind: str, key: str, content: bytes) -> bytes:
    """A hash that ties content to what it was derived for."""
    hashed = hashlib.sha256(f"{kind}\0{key}\0".encode("utf-8", "surrogatepass"))
    hashed.update(content)
    return hashed.digest()
