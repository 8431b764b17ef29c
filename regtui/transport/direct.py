"""httpx's blocking transport without a proxy, over the standard library's HTTP client.

Layers are read at full speed by threads that also hash and inflate: httpx's own transport parses every piece of a
body once more, which takes three times the processor time (docs/performance.md D2).
"""

from __future__ import annotations

import selectors
import socket
import threading
from contextlib import contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING, Any, Final

import regtui.transport.lean  # isort: skip  # noqa: F401 - it must come before httpx
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from http.client import HTTPResponse

CHUNK: Final = 512 << 10
"""Bytes that are read at once at most: fewer, larger pieces keep threads from waiting for each other."""
_Place = tuple[bytes, int]


class DirectTransport(httpx.BaseTransport):
    """One exchange at a time on each connection; idle ones are kept for the next. Any thread may use it."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        """`context` is None for plain HTTP."""
        self._context = context
        self._lock = threading.Lock()
        self._idle: dict[_Place, list[HTTPConnection]] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send it, and read the head of the answer. Raises httpx.TransportError."""
        place = request.url.raw_host, request.url.port or (443 if self._context else 80)
        timeout = request.extensions["timeout"]
        connection = self._take(place) or _connected(place, self._context, timeout["connect"])
        wire = connection.sock  # which the connection forgets when it is not to be used again
        try:
            wire.settimeout(timeout["read"])
            answer = _exchange(connection, request)
        except BaseException:
            connection.close()
            raise
        body = _Body(self, place, connection, answer, wire)
        # As httpx reads them: bytes in Latin-1, in the order they came.
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
        return httpx.Response(answer.status, headers=headers, stream=body, extensions={"network_stream": body})

    def close(self) -> None:
        """Close the idle connections; the others are their readers'."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for connection in connections:
                connection.close()

    def keep(self, place: _Place, connection: HTTPConnection) -> None:
        """Put a connection aside whose answer was read to its end."""
        with self._lock:
            self._idle.setdefault(place, []).append(connection)

    def _take(self, place: _Place) -> HTTPConnection | None:
        while True:
            with self._lock:
                waiting = self._idle.get(place)
                if not waiting:
                    return None
                connection = waiting.pop()
            if _is_silent(connection):
                return connection
            connection.close()


class _Body(httpx.SyncByteStream):
    """The body of one answer. Gives the connection back when it was read to its end, else closes it."""

    def __init__(
        self,
        transport: DirectTransport,
        place: _Place,
        connection: HTTPConnection,
        answer: HTTPResponse,
        wire: socket.socket,
    ) -> None:
        self._transport, self._place = transport, place
        self._connection: HTTPConnection | None = connection
        self._answer = answer
        self._wire = wire
        self._is_whole = False

    def __iter__(self) -> Iterator[bytes]:
        """The pieces as they come."""
        answer = self._answer
        with _reading():
            while piece := answer.read1(CHUNK):
                yield piece
            if answer.length:
                raise IncompleteRead(b"", answer.length)
        self._is_whole = True

    def close(self) -> None:
        """Be done with it."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        self._answer.close()
        if self._is_whole and not self._answer.will_close:
            self._transport.keep(self._place, connection)
        else:
            connection.close()

    def get_extra_info(self, name: str) -> Any:
        """The socket, as httpcore's network streams give it."""
        return self._wire if name == "socket" else None


def _is_silent(connection: HTTPConnection) -> bool:
    """Whether nothing has come since the last answer, not even the other side's goodbye."""
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(connection.sock, selectors.EVENT_READ)
            return not selector.select(0)
    except (OSError, ValueError):
        return False


def _connected(place: _Place, context: ssl.SSLContext | None, patience: float | None) -> HTTPConnection:
    name, port = place[0].decode("ascii"), place[1]
    connection = HTTPConnection(name, port)
    connection.auto_open = 0  # one that was closed stays closed
    with _connecting():
        connection.sock = wire = socket.create_connection((name, port), patience)
        try:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                connection.sock = context.wrap_socket(wire, server_hostname=name)
        except BaseException:
            connection.close()
            raise
    return connection


def _exchange(connection: HTTPConnection, request: httpx.Request) -> HTTPResponse:
    with _sending():
        connection.putrequest(
            request.method, request.url.raw_path.decode("ascii"), skip_host=True, skip_accept_encoding=True
        )
        for name, value in request.headers.raw:
            connection.putheader(name, value)
        connection.endheaders(request.content or None)
    with _reading():
        return connection.getresponse()


@contextmanager
def _as_httpx(
    late: type[httpx.TimeoutException], broken: type[httpx.TransportError], odd: type[httpx.TransportError]
) -> Iterator[None]:
    """Raise what httpx would: when nothing came for too long, when the connection broke, for what is no HTTP."""
    try:
        yield
    except TimeoutError as error:
        raise late("Nothing came for too long.") from error
    except RemoteDisconnected as error:  # an OSError as well
        raise odd("Server disconnected without sending a response.") from error
    except OSError as error:  # ssl.SSLError is one, too
        raise broken("The connection broke, or none was made.") from error
    except (HTTPException, ValueError) as error:
        raise odd("That is no proper HTTP.") from error


_connecting: Final = partial(_as_httpx, httpx.ConnectTimeout, httpx.ConnectError, httpx.ConnectError)
_sending: Final = partial(_as_httpx, httpx.WriteTimeout, httpx.WriteError, httpx.LocalProtocolError)
_reading: Final = partial(_as_httpx, httpx.ReadTimeout, httpx.ReadError, httpx.RemoteProtocolError)
