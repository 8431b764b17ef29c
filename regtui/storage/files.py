"""Small files of regtui's own: read within a bound, written whole or not at all, for this user's eyes only."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_bounded(path: Path, limit: int) -> bytes | None:
    """The bytes of a file, None when there is none. Raises OSError, or ValueError beyond `limit` bytes."""
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    if len(content) > limit:
        raise ValueError(f"it has more than {limit:,} bytes")
    return content


def make_private_folder(folder: Path) -> None:
    """Make a folder and the missing ones above it, each for this user alone (0700). Raises OSError."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder.parent == folder:
            break
        folder = folder.parent
    for step in reversed(missing):
        step.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file by these bytes at once (0600), or leave it as it was. A link stays a link. Raises OSError."""
    path = path.resolve()
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Make sure that a new name itself is on the disk; Windows has no such call. Raises OSError."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def reason_of(error: OSError) -> str:
    """Why the system refused, as a clause without the path."""
    return (error.strerror or type(error).__name__).lower()
