"""httpx's async transport seam over aiohttp, with URLs sent exactly as they are written."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import aiohttp

import regtui.transport.lean  # isort: skip  # noqa: F401 - it must come before httpx
import httpx
import yarl
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream

if TYPE_CHECKING:
    from collections.abc import Callable


class WireTransport(AiohttpTransport):
    """httpx-aiohttp's transport with two differences.

    It leaves every escape in a URL alone: storage services sign the text of a URL, and aiohttp by itself would turn
    `%2F` in a query into a slash. And it raises aiohttp's own errors before the answer, which tell more.
    """

    def __init__(self, session: Callable[[], aiohttp.ClientSession], proxy: str | None) -> None:
        """`session` makes the session, on the event loop, at the first request; it holds the SSL context."""
        super().__init__(verify=False, client=session, proxy=httpx.Proxy(proxy) if proxy else None)
        auth = self.proxy.raw_auth if self.proxy is not None else None
        pair = b":".join(auth) if auth is not None else b""
        self._proxy_headers = {"Proxy-Authorization": f"Basic {b64encode(pair).decode('ascii')}"} if pair else {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises aiohttp.ClientError, OSError and TimeoutError."""
        if not isinstance(self.client, aiohttp.ClientSession):
            self.client = self.get_client()
        try:
            data = request.content or None
        except httpx.RequestNotRead:
            data = request.stream  # type: ignore[assignment]  # aiohttp takes any async iterable
        timeout = request.extensions["timeout"]
        is_tls = request.url.scheme == "https"
        # Without TLS the proxy reads the request itself; with it, only the CONNECT before.
        headers = request.headers if is_tls else {**request.headers, **self._proxy_headers}
        response = await self.client.request(
            request.method,
            yarl.URL(str(request.url), encoded=True),
            headers=headers,
            data=data,
            allow_redirects=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(sock_connect=timeout["connect"], sock_read=timeout["read"]),
            proxy=str(self.proxy.url) if self.proxy is not None else None,
            proxy_headers=self._proxy_headers or None,
        )
        return httpx.Response(
            response.status, headers=response.raw_headers, stream=AiohttpResponseStream(response), request=request
        )
