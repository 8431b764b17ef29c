"""A real pseudo-terminal for tests: exact frames, and how many bytes they cost on the wire."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from pathlib import Path
from time import monotonic

ASKS_SYNC = b"\x1b[?2026$p"
HAS_SYNC = b"\x1b[?2026;2$y"
END_OF_FRAME = b"\x1b[?2026l"
QUIET = 0.25
"""Seconds without a byte after which a frame counts as the last one."""


class Terminal:
    """A program in a terminal of `size` columns and lines. Use it in a `with` statement."""

    def __init__(
        self, *arguments: str, size: tuple[int, int] = (120, 40), environ: dict[str, str] | None = None
    ) -> None:
        self._main, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        wanted = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8", "PYTHONPATH": _checkout()}
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=end,
            stdout=end,
            stderr=end,
            env=kept | wanted | (environ or {}),
            start_new_session=True,
        )
        os.close(end)
        self.seen = b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._main)

    def send(self, keys: bytes) -> None:
        """Type."""
        os.write(self._main, keys)

    def read(self, seconds: float) -> bytes:
        """What comes within `seconds`, at once when something does; empty when nothing does or all has ended."""
        if not select.select([self._main], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self._main, 65536)
        except OSError:  # Linux says so when the other end is closed
            return b""
        if ASKS_SYNC in data:
            self.send(HAS_SYNC)
        self.seen += data
        return data

    def wait_for(self, text: bytes, seconds: float = 20.0) -> None:
        """Read until `text` has come. Raises TimeoutError."""
        deadline = monotonic() + seconds
        while text not in self.seen:
            if monotonic() > deadline:
                raise TimeoutError(f"{text!r} did not come; the last was {self.seen[-2000:]!r}")
            self.read(0.1)

    def settle(self, seconds: float = 20.0) -> bytes:
        """Read until the terminal has been quiet for a moment; what came."""
        deadline, got = monotonic() + seconds, b""
        while (data := self.read(QUIET)) and monotonic() < deadline:
            got += data
        return got

    def press(self, keys: bytes, seconds: float = 10.0) -> bytes:
        """Type and give back everything that is drawn for it, down to the end of the last frame."""
        self.send(keys)
        deadline, got = monotonic() + seconds, b""
        while END_OF_FRAME not in got and monotonic() < deadline:
            got += self.read(0.1)
        return got + self.settle()


def _checkout() -> str:
    return str(Path(__file__).resolve().parents[2])
