"""The audit log: every request that could have changed something, one JSON object a line, for this user alone (0600).

It is there to look things up in long afterwards; what undoing needs is in the journal. Nothing secret is in it: URLs
come without secrets, and no header field or body is written.
"""

from __future__ import annotations

import json
import os
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from regtui.storage.errors import StorageError
from regtui.storage.files import make_private_folder, reason_of
from regtui.storage.paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LARGEST: Final = 16 << 20
"""Bytes; a larger log becomes `audit.log.1`, which replaces the one before."""
_MODE: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class AuditLog:
    """Appends to one file. Safe from several threads, and beside other processes: each line is one write."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path if path is not None else state_folder() / "audit.log"
        self._lock = threading.Lock()

    def __call__(self, record: Mapping[str, object]) -> None:
        """Add a line with the time. Raises StorageError: then the request must not be sent."""
        line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **record}, ensure_ascii=True)
        try:
            with self._lock:
                make_private_folder(self.path.parent)
                handle = os.open(self.path, _MODE, 0o600)
                try:
                    os.write(handle, line.encode() + b"\n")
                    is_full = os.fstat(handle).st_size > LARGEST
                finally:
                    os.close(handle)
                if is_full:
                    self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        except OSError as error:
            raise StorageError(
                f"The audit log can't be written: {reason_of(error)}.",
                hint=f"Make room at {self.path.parent}; nothing is changed until then.",
            ) from error
