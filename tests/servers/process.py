"""One server process: started, ready when it says its port, ended by its own handle."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

DEADLINE = 20.0
"""Seconds until a server must answer."""
_PORT = re.compile(r"(?:listening on|serving on port|\"address\":\"?)[^\d]*(?:127\.0\.0\.1:)?(\d{2,5})\b")


def free_port() -> int:
    """A port of loopback that nobody has at this moment, for a server that can't tell which one it took."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class ServerProcess:
    """A server that was told to take any free port and says in its log which one it got.

    `port` is for a server that was told a port and never says it: it is up when it answers there.
    """

    def __init__(self, command: Sequence[str], *, port: int = 0) -> None:
        self.log: deque[str] = deque(maxlen=500)
        self._port = port
        self._said = threading.Event()
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    @property
    def host(self) -> str:
        """`127.0.0.1:PORT`, as references write it."""
        return f"127.0.0.1:{self._port}"

    def stop(self) -> None:
        """End the process; harmless when it has ended."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
        self._reader.join(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.log.append(line.rstrip())
            found = None if self._port or self._said.is_set() else _PORT.search(line)
            if found:
                self._port = int(found.group(1))
                self._said.set()
        self._said.set()

    def _wait(self) -> None:
        if self._port:
            self._wait_for_port()
        else:
            self._said.wait(DEADLINE)
        if not self._port:
            raise AssertionError("the server did not come up:\n" + "\n".join(self.log))
        try:
            with urllib.request.urlopen(f"http://{self.host}/v2/", timeout=DEADLINE) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            error.close()
            if error.code != 401:
                raise

    def _wait_for_port(self) -> None:
        """Until somebody listens there; no port when the process ended (somebody else was faster to take it)."""
        until = time.monotonic() + DEADLINE
        while self._process.poll() is None and time.monotonic() < until:
            with socket.socket() as tried:
                tried.settimeout(1)
                if tried.connect_ex(("127.0.0.1", self._port)) == 0:
                    return
            self._said.wait(0.02)
        self._port = 0
