"""A small HTTP/1.1 server on loopback that answers by the book, or breaks it exactly as told."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    import ssl
    from types import TracebackType


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class _TlsGreetingError(Exception):
    """Someone speaks TLS to a server that does not."""


@dataclass(frozen=True)
class Seen:
    """A request as it came. Names of headers are in lower case; `target` is raw, `path` decoded."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    connection: int = 0
    """Which connection it came on, counted from 1."""

    @property
    def path(self) -> str:
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def authorization(self) -> str | None:
        return self.headers.get("authorization")


@dataclass(frozen=True)
class Reply:
    """An answer, and how it is broken.

    `announce` claims another Content-Length (None: the true one; -1: none at all, the end of the connection ends the
    body). `cut` breaks the connection after so many bytes of the body, `stall` falls silent there instead (until
    the client leaves). `raw` is sent as it is and nothing else.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    announce: int | None = None
    cut: int | None = None
    stall: bool = False
    raw: bytes | None = None


Handler = Callable[[Seen], Reply | Awaitable[Reply]]


@dataclass
class Server:
    """Answers on 127.0.0.1 as long as it is entered. `host` is "127.0.0.1:PORT", `seen` every request so far."""

    handler: Handler = lambda _: Reply(404)
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    host: str = ""
    connections: int = 0

    @property
    def base_url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}"

    def paths(self, method: str | None = None) -> list[str]:
        """The paths that were asked for, in order."""
        return [seen.path for seen in self.seen if method in (None, seen.method)]

    async def answer(self, seen: Seen) -> Reply:
        """The reply to a request; subclasses override it."""
        reply = self.handler(seen)
        return await reply if inspect.isawaitable(reply) else reply

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self.tls, limit=1 << 20)
        self.host = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """Close every connection, as a server does with idle ones."""
        for writer in self._writers:
            writer.close()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer, self.connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        self._writers.add(writer)
        try:
            while (seen := await _read_request(reader, number)) is not None:
                self.seen.append(seen)
                if not await _write(reader, writer, seen, await self.answer(seen)):
                    break
        except _TlsGreetingError:
            writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")  # as plain servers in the world do
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            # An aborted connection is what a broken one looks like; what was written before still arrives.
            self._writers.discard(writer)
            writer.close()


async def _read_request(reader: asyncio.StreamReader, number: int) -> Seen | None:
    first = await reader.read(1)
    if first == b"\x16":
        raise _TlsGreetingError
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    start, *lines = head.decode("latin-1").split("\r\n")
    words = start.split(" ")
    if len(words) != 3:
        return None
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    if headers.get("expect", "").lower() == "100-continue":
        raise AssertionError("nothing here answers Expect: 100-continue")
    if "chunked" in headers.get("transfer-encoding", ""):
        body = await _read_chunked(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(words[0], words[1], headers, body, number)


async def _read_chunked(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readline()).strip() or b"0", 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    await reader.readline()
    return b"".join(parts)


async def _write(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: Seen, reply: Reply) -> bool:
    """Send a reply; False when the connection ends with it."""
    if reply.raw is not None:
        writer.write(reply.raw)
        await writer.drain()
        return False
    length = len(reply.body) if reply.announce is None else reply.announce
    phrase = _PHRASES.get(reply.status, "Odd")
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in reply.headers)]
    if length >= 0 and reply.status not in {204, 304}:
        lines.append(f"Content-Length: {length}")
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if seen.method != "HEAD":
        writer.write(reply.body if reply.cut is None else reply.body[: reply.cut])
    await writer.drain()
    if reply.stall:
        await reader.read(1)  # ends when the client leaves
        return False
    return reply.cut is None and length == len(reply.body)
