"""Puts one request on the wire and waits for it, for worker threads that read layers."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import regtui.transport.lean  # isort: skip  # noqa: F401 - it must come before httpx
import httpx

from regtui.transport.bodies import Body
from regtui.transport.direct import DirectTransport
from regtui.transport.exchange import Response
from regtui.transport.failures import WIRE_ERRORS, failure
from regtui.transport.guard import check
from regtui.transport.headers import Headers
from regtui.transport.refusals import BODY_LIMIT
from regtui.transport.routes import Route, route_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.transport.exchange import Request
    from regtui.transport.place import Place
    from regtui.transport.request_log import OpenRequest, RequestLog
    from regtui.transport.steps import Send


class BlockingLink:
    """The blocking connections of one client; any thread may use it."""

    def __init__(self, place: Place, log: RequestLog) -> None:
        self._place = place
        self._log = log
        self._lock = threading.Lock()
        self._transports: dict[Route, httpx.BaseTransport] = {}

    def __repr__(self) -> str:
        return f"<BlockingLink {self._place.host}: {', '.join(map(repr, self._transports)) or 'not connected'}>"

    def send(self, step: Send) -> Response:
        """One exchange. Raises Unreachable when there is no whole answer, BadAnswer when it is too long."""
        request, host = step.request, self._place.host
        check(request)
        headers_out = request.wire_headers
        noted = self._log.begin(request.method, request.url, headers_out.items(), step.retries)
        raw: httpx.Response | None = None
        is_open = False
        try:
            raw = self._transport(route_for(request, self._place)).handle_request(self._as_httpx(request, headers_out))
            noted.status = raw.status_code
            headers = Headers.decode(raw.headers.raw)
            if raw.status_code in request.stream_on:
                body = OpenBlockingBody(raw, noted, request.url, host)
                raw, is_open = None, True  # its reader closes it
                return Response(noted.status, headers, b"", request.url, body)
            content = _read(raw, request, headers, noted, host)
            noted.finish()
            return Response(noted.status, headers, content, request.url)
        except WIRE_ERRORS as error:
            found = failure(error, request.url, host=host, answered=raw is not None)
            noted.finish(found.sentence)
            raise found from None
        finally:
            if raw is not None:
                _stream_of(raw).close()
            if not is_open:
                noted.finish("not read to its end")

    def close(self) -> None:
        """Close every connection; the link can be used again afterwards."""
        with self._lock:
            transports, self._transports = list(self._transports.values()), {}
        for transport in transports:
            transport.close()

    def _as_httpx(self, request: Request, headers: dict[str, str]) -> httpx.Request:
        options = self._place.options
        timeout = {"connect": options.connect_timeout, "read": options.read_timeout, "write": options.read_timeout}
        assert request.can_repeat
        return httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=request.content,
            extensions={"timeout": {**timeout, "pool": None}},
        )

    def _transport(self, route: Route) -> httpx.BaseTransport:
        with self._lock:
            transport = self._transports.get(route)
            if transport is None:
                transport = self._transports[route] = self._made(route)
            return transport

    def _made(self, route: Route) -> httpx.BaseTransport:
        options = self._place.options
        if route.proxy is None:
            return DirectTransport(route.context(options.ca_file) if route.is_tls else None)
        most = options.max_connections
        return httpx.HTTPTransport(
            verify=route.context(options.ca_file),
            trust_env=False,
            limits=httpx.Limits(max_connections=most, max_keepalive_connections=most),
            proxy=httpx.Proxy(route.proxy),
        )


class OpenBlockingBody:
    """A body that is still on the wire. Close it in any case; another thread may abort it."""

    def __init__(self, raw: httpx.Response, noted: OpenRequest, url: str, host: str) -> None:
        self._raw = raw
        self._noted = noted
        self._url = url
        self._host = host

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they come, still encoded. Raises Unreachable when the connection breaks."""
        try:
            for chunk in _stream_of(self._raw):
                self._noted.bytes += len(chunk)
                yield chunk
        except WIRE_ERRORS as error:
            found = failure(error, self._url, host=self._host, answered=True)
            self._noted.finish(found.sentence)
            raise found from None
        self._noted.finish()

    def abort(self) -> None:
        """Wake a thread that waits for bytes here: its read fails at once. Closing is still its own task."""
        stream = self._raw.extensions.get("network_stream")
        found = stream.get_extra_info("socket") if stream is not None else None
        if isinstance(found, socket.socket):
            with suppress(OSError):  # it may be closed already
                socket.socket.shutdown(found, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back, or drop it when the body was not read to its end."""
        _stream_of(self._raw).close()
        self._noted.finish("not read to its end")


def _stream_of(raw: httpx.Response) -> httpx.SyncByteStream:
    """Its body: httpx types it as one for threads or for the loop, and a blocking transport gives the former."""
    assert isinstance(raw.stream, httpx.SyncByteStream)
    return raw.stream


def _read(raw: httpx.Response, request: Request, headers: Headers, noted: OpenRequest, host: str) -> bytes:
    is_error = raw.status_code >= 300
    limit = min(request.limit, BODY_LIMIT) if is_error else request.limit
    body = Body(limit, headers.get("content-encoding", ""), host=host, cut=is_error)
    if request.method == "HEAD":
        return b""
    body.expect(headers.number("content-length"))
    for chunk in _stream_of(raw):
        noted.bytes += len(chunk)
        if not body.add(chunk):
            break
    return body.finish()
