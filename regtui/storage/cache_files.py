"""The system calls below the cache: whole reads, exclusive writes, walks that follow no link."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from regtui.storage.files import reason_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BINARY: Final[int] = getattr(os, "O_BINARY", 0)
_NO_LINK: Final[int] = getattr(os, "O_NOFOLLOW", 0)
READ_FLAGS: Final = os.O_RDONLY | _BINARY | _NO_LINK | getattr(os, "O_NONBLOCK", 0)
WRITE_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY | _NO_LINK


def read_all(handle: int, size: int) -> bytes:
    """The bytes of an open file of this size; whatever is there when it changed meanwhile. Raises OSError."""
    content = os.read(handle, size)
    if len(content) == size:
        return content
    parts = [content]
    while parts[-1]:
        parts.append(os.read(handle, size))
    return b"".join(parts)


def write_all(handle: int, content: bytes) -> None:
    """Write all bytes. Raises OSError."""
    written = os.write(handle, content)
    while written < len(content):
        written += os.write(handle, memoryview(content)[written:])


def discard(path: str) -> bool:
    """Remove a file; whether it was there and could be removed."""
    try:
        os.unlink(path)
    except OSError:
        return False
    return True


def files_below(folder: str) -> Iterator[tuple[str, int, float]]:
    """Path, bytes and time of last use of every file; links are never followed."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from files_below(entry.path)
            elif entry.is_file(follow_symlinks=False):
                known = entry.stat(follow_symlinks=False)
                yield entry.path, known.st_size, known.st_mtime
        except OSError:
            continue


def doubt_about(folder: Path) -> str | None:
    """Why what lies in this folder can't be believed, None when it can (or is not there yet)."""
    try:
        known = folder.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        return f"Nothing is cached in {folder}: {reason_of(error)}."
    if not stat.S_ISDIR(known.st_mode):
        return f"Nothing is cached: {folder} is not a folder."
    if hasattr(os, "getuid") and (known.st_uid != os.getuid() or known.st_mode & 0o022):
        return f"Nothing is cached: {folder} belongs to another user, or others may write to it."
    return None
