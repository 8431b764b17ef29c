"""Puts one request on the wire, without blocking: httpx's transport seam over aiohttp, with connections kept."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import aiohttp

import regtui.transport.lean  # isort: skip  # noqa: F401 - it must come before httpx
import httpx

from regtui.transport.bodies import Body
from regtui.transport.exchange import Response
from regtui.transport.failures import WIRE_ERRORS, failure
from regtui.transport.guard import check
from regtui.transport.headers import Headers
from regtui.transport.refusals import BODY_LIMIT
from regtui.transport.routes import Route, route_for
from regtui.transport.wire import WireTransport

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from regtui.transport.exchange import Request
    from regtui.transport.place import Place
    from regtui.transport.request_log import OpenRequest, RequestLog
    from regtui.transport.steps import Send

_KEEP_ALIVE: Final = 60.0
_LONGEST_FIELD: Final = 32 << 10
_CHUNK: Final = 256 << 10


class Link:
    """The connections of one client. Cookies, environment and redirects are left alone: nothing is kept but sockets."""

    def __init__(self, place: Place, log: RequestLog) -> None:
        self._place = place
        self._log = log
        self._transports: dict[Route, httpx.AsyncBaseTransport] = {}
        self._building: dict[Route, asyncio.Lock] = {}

    def __repr__(self) -> str:
        return f"<Link {self._place.host}: {', '.join(map(repr, self._transports)) or 'not connected'}>"

    async def send(self, step: Send) -> Response:
        """One exchange. Raises Unreachable when there is no whole answer, BadAnswer when it is too long."""
        request, host = step.request, self._place.host
        check(request)
        headers_out = request.wire_headers
        noted = self._log.begin(request.method, request.url, headers_out.items(), step.retries)
        raw: httpx.Response | None = None
        is_open = False
        try:
            transport = await self._transport(route_for(request, self._place))
            raw = await transport.handle_async_request(self._as_httpx(request, headers_out))
            noted.status = raw.status_code
            headers = Headers.decode(raw.headers.raw)
            if raw.status_code in request.stream_on:
                body = OpenBody(raw, noted, request.url, host)
                raw, is_open = None, True  # its reader closes it
                return Response(noted.status, headers, b"", request.url, body)
            content = await _read(raw, request, headers, noted, host)
            noted.finish()
            return Response(noted.status, headers, content, request.url)
        except WIRE_ERRORS as error:
            found = failure(error, request.url, host=host, answered=raw is not None)
            noted.finish(found.sentence)
            raise found from None
        finally:
            if raw is not None:
                await raw.stream.aclose()  # type: ignore[union-attr]  # an async transport's stream is async
            if not is_open:
                noted.finish("not read to its end")

    async def close(self) -> None:
        """Close every connection; the link can be used again afterwards."""
        transports, self._transports = list(self._transports.values()), {}
        for transport in transports:
            await transport.aclose()

    def _as_httpx(self, request: Request, headers: dict[str, str]) -> httpx.Request:
        options = self._place.options
        timeout = {"connect": options.connect_timeout, "read": options.read_timeout, "write": None, "pool": None}
        return httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=request.content,
            extensions={"timeout": timeout},
        )

    async def _transport(self, route: Route) -> httpx.AsyncBaseTransport:
        transport = self._transports.get(route)
        if transport is None:
            async with self._building.setdefault(route, asyncio.Lock()):
                transport = self._transports.get(route)
                if transport is None:
                    context = await asyncio.to_thread(route.context, self._place.options.ca_file)
                    transport = self._transports[route] = self._build(route, context)
        return transport

    def _build(self, route: Route, context: ssl.SSLContext) -> WireTransport:
        def session() -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(
                limit=self._place.options.max_connections,
                ssl=context,
                force_close=route.is_single,
                keepalive_timeout=None if route.is_single else _KEEP_ALIVE,
            )
            made = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                max_line_size=_LONGEST_FIELD,
                max_field_size=_LONGEST_FIELD,
                read_bufsize=_CHUNK,
            )
            # aiohttp would send PUT and DELETE again by itself when a connection breaks; patience.py decides that here.
            made._retry_connection = False
            return made

        return WireTransport(session, route.proxy)


class OpenBody:
    """A body that is still on the wire. Close it in any case."""

    def __init__(self, raw: httpx.Response, noted: OpenRequest, url: str, host: str) -> None:
        self._raw = raw
        self._noted = noted
        self._url = url
        self._host = host
        # The transport reads in pieces of 16 KiB unless told otherwise.
        raw.stream.CHUNK_SIZE = _CHUNK  # type: ignore[union-attr]  # an attribute of httpx-aiohttp's stream

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes as they come, still encoded. Raises Unreachable when the connection breaks."""
        try:
            async for chunk in self._raw.stream:  # type: ignore[union-attr]  # httpx types it as sync or async
                self._noted.bytes += len(chunk)
                yield chunk
        except WIRE_ERRORS as error:
            found = failure(error, self._url, host=self._host, answered=True)
            self._noted.finish(found.sentence)
            raise found from None
        self._noted.finish()

    async def close(self) -> None:
        """Give the connection back, or drop it when the body was not read to its end."""
        await self._raw.stream.aclose()  # type: ignore[union-attr]  # httpx types it as sync or async
        self._noted.finish("not read to its end")


async def _read(raw: httpx.Response, request: Request, headers: Headers, noted: OpenRequest, host: str) -> bytes:
    is_error = raw.status_code >= 300
    limit = min(request.limit, BODY_LIMIT) if is_error else request.limit
    body = Body(limit, headers.get("content-encoding", ""), host=host, cut=is_error)
    if request.method == "HEAD":
        return b""
    body.expect(headers.number("content-length"))
    async for chunk in raw.stream:  # type: ignore[union-attr]  # httpx types it as sync or async
        noted.bytes += len(chunk)
        if not body.add(chunk):
            break
    return body.finish()
