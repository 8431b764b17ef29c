"""A static HTTP/1.1 server that answers late, or at a limited rate.

`python -m benchmarks.slow_server ROOT PORT DELAY RATE`, with seconds before each answer and bytes per second (0: all).
Loopback only, GET and HEAD only; a process of its own, so that it takes no time from the client that is measured.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from time import perf_counter
from urllib.parse import unquote, urlsplit

PIECE = 64 << 10
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Connection(asyncio.Protocol):
    """One client; requests are answered one after another."""

    def __init__(self, root: Path, delay: float, rate: float) -> None:
        self._root, self._delay, self._rate = root, delay, rate
        self._seen = b""
        self._transport: asyncio.Transport | None = None
        self._sending: asyncio.Task[None] | None = None
        self._free = asyncio.Event()
        self._free.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left."""
        if self._sending is not None:
            self._sending.cancel()

    def pause_writing(self) -> None:
        """The client reads slower than the server sends."""
        self._free.clear()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._free.set()

    def data_received(self, data: bytes) -> None:
        """Requests without bodies."""
        self._seen += data
        while b"\r\n\r\n" in self._seen:
            head, _, self._seen = self._seen.partition(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            asyncio.get_running_loop().call_later(self._delay, self._answer, method, target)

    def _answer(self, method: str, target: str) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        path = unquote(urlsplit(target).path)
        if path == "/v2/":
            self._reply(b"200 OK", b"application/json", b"{}")
            return
        file = self._root / path.lstrip("/")
        if ".." in file.parts or not file.is_file():
            self._reply(b"404 Not Found", b"application/json", b'{"errors":[{"code":"NOT_FOUND"}]}')
            return
        kind = _MANIFEST if "/manifests/" in path else "application/octet-stream"
        if self._rate and method == "GET":
            self._transport.write(_head(b"200 OK", kind.encode(), file.stat().st_size))
            self._sending = asyncio.ensure_future(self._send(file))
        else:
            self._reply(b"200 OK", kind.encode(), file.read_bytes(), with_body=method == "GET")

    def _reply(self, status: bytes, kind: bytes, body: bytes, *, with_body: bool = True) -> None:
        assert self._transport is not None
        self._transport.write(_head(status, kind, len(body)) + (body if with_body else b""))

    async def _send(self, file: Path) -> None:
        """The file at the rate: each piece has its time, and a client that was slow may catch up."""
        assert self._transport is not None
        started, sent = perf_counter(), 0
        with file.open("rb") as content:
            while piece := content.read(PIECE):
                await self._free.wait()
                self._transport.write(piece)
                sent += len(piece)
                early = started + sent / self._rate - perf_counter()
                if early > 0:
                    await asyncio.sleep(early)


def _head(status: bytes, kind: bytes, length: int) -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (status, kind, length)


async def serve(root: Path, port: int, delay: float, rate: float) -> None:
    """Serve until the process is ended."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(root, delay, rate), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
