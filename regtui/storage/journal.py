"""The journal: what was changed, with all that is needed to put it back. One append-only file per change, 0600.

Each line is a JSON object and is on the disk (fsync) before the writer goes on. A line that a crash cut short does
not count. Two processes never share a file: each begins its own, and continuing one takes its lock.
"""

from __future__ import annotations

import json
import os
import secrets
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from regtui.storage.errors import StorageError
from regtui.storage.files import make_private_folder, reason_of, sync_folder
from regtui.storage.locks import try_lock
from regtui.storage.paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SUFFIX: Final = ".journal"
LONGEST_LINE: Final = 256 << 20
DAYS: Final = 30
_STAMP: Final = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class Named:
    """An entry of the journal: `id` begins with the time (UTC) at which it was begun."""

    id: str
    begun: datetime
    path: Path


class Entry:
    """One entry being written. Safe to use from several threads; every append is on the disk when it returns."""

    def __init__(self, path: Path, handle: int) -> None:
        self.id = path.name.removesuffix(SUFFIX)
        self._path = path
        self._handle = handle
        self._lock = threading.Lock()

    def append(self, *records: Mapping[str, Any]) -> None:
        """Add records. Raises StorageError when the disk does not take them: then nothing may be changed."""
        lines = b"".join(json.dumps(r, separators=(",", ":"), ensure_ascii=True).encode() + b"\n" for r in records)
        try:
            with self._lock:
                view = memoryview(lines)
                while view:
                    view = view[os.write(self._handle, view) :]
                os.fsync(self._handle)
        except OSError as error:
            raise StorageError(
                f"The journal can't be written: {reason_of(error)}.",
                hint=f"Make room at {self._path.parent}; nothing more is changed until then.",
            ) from error

    def close(self) -> None:
        """Let go of the file and its lock."""
        with self._lock:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Journal:
    """All entries of this user."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else state_folder() / "journal"

    def begin(self, now: datetime | None = None) -> Entry:
        """A new entry. Raises StorageError."""
        moment = (now or datetime.now(UTC)).astimezone(UTC)
        path = self.folder / f"{moment.strftime(_STAMP)}-{secrets.token_hex(4)}{SUFFIX}"
        try:
            make_private_folder(self.folder)
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | _BINARY, 0o600)
        except OSError as error:
            raise StorageError(f"The journal can't be begun at {self.folder}: {reason_of(error)}.") from error
        try_lock(handle)
        sync_folder(self.folder)
        return Entry(path, handle)

    def resume(self, entry_id: str) -> Entry:
        """An entry that is to be continued. Raises StorageError when there is none, or another process writes it."""
        path = self._path(entry_id)
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND | _BINARY)
        except OSError as error:
            raise StorageError(f"The journal has no entry {entry_id[:80]!a}: {reason_of(error)}.") from error
        if not try_lock(handle):
            os.close(handle)
            raise StorageError(
                f"Another regtui is at work on {entry_id}.", hint="Wait until it has ended, then try again."
            )
        _end_torn_line(handle)
        return Entry(path, handle)

    def is_running(self, entry_id: str) -> bool:
        """Whether a process is at work on this entry."""
        try:
            self.resume(entry_id).close()
        except StorageError:
            return self._path(entry_id).is_file()
        return False

    def entries(self) -> tuple[Named, ...]:
        """All entries, the newest first."""
        found = []
        try:
            names = sorted((p.name for p in self.folder.iterdir() if p.name.endswith(SUFFIX)), reverse=True)
        except OSError:
            return ()
        for name in names:
            begun = _begun(name)
            if begun is not None:
                found.append(Named(name.removesuffix(SUFFIX), begun, self.folder / name))
        return tuple(found)

    def read(self, entry_id: str) -> Iterator[dict[str, Any]]:
        """The records of an entry, in order; what a crash cut short is left out. Raises StorageError."""
        try:
            with self._path(entry_id).open("rb") as file:
                while line := file.readline(LONGEST_LINE):
                    record = _record(line)
                    if record is not None:
                        yield record
        except OSError as error:
            raise StorageError(f"The journal has no entry {entry_id[:80]!a}: {reason_of(error)}.") from error

    def forget_older(self, days: int = DAYS, now: datetime | None = None) -> int:
        """Remove entries that are older and that nobody writes; how many went."""
        limit = (now or datetime.now(UTC)) - timedelta(days=days)
        gone = 0
        for entry in self.entries():
            if entry.begun < limit and not self.is_running(entry.id):
                try:
                    entry.path.unlink()
                except OSError:
                    continue
                gone += 1
        return gone

    def _path(self, entry_id: str) -> Path:
        if _begun(entry_id + SUFFIX) is None:
            raise StorageError(f"{entry_id[:80]!a} is no entry of the journal.", hint="`regtui undo --list` tells.")
        return self.folder / f"{entry_id}{SUFFIX}"


_BINARY: Final[int] = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def _begun(name: str) -> datetime | None:
    stamp, dash, rest = name.removesuffix(SUFFIX).partition("-")
    if not dash or not rest.isalnum() or not rest.isascii():
        return None
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None


def _record(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _end_torn_line(handle: int) -> None:
    """Close a line that a crash cut short, so that the next record has a line of its own."""
    size = os.lseek(handle, 0, os.SEEK_END)
    if size:
        os.lseek(handle, size - 1, os.SEEK_SET)
        if os.read(handle, 1) != b"\n":
            os.write(handle, b"\n")
