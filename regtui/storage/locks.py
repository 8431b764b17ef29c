"""Locks between processes: on an open file, given back by the system when its holder ends, however it ends."""

from __future__ import annotations

import os
import sys
import time
from typing import Final

_FAR: Final = 1 << 40
"""The byte that Windows locks: behind every content, since its locks keep others from reading."""
_PAUSE: Final = 0.02


if sys.platform == "win32":
    import msvcrt

    def try_lock(handle: int) -> bool:
        """Take the lock of an open file; False when somebody has it."""
        os.lseek(handle, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
else:
    import fcntl

    def try_lock(handle: int) -> bool:
        """Take the lock of an open file; False when somebody has it."""
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


def wait_for_lock(handle: int, seconds: float) -> bool:
    """Take the lock of an open file, waiting for its holder; False when that takes longer. Blocking."""
    until = time.monotonic() + seconds
    while not try_lock(handle):
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE)
    return True
