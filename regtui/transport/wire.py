"""httpx's async transport seam over aiohttp, with URLs sent exactly as they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
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

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Raises aiohttp.ClientError, OSError and TimeoutError."""
        if not isinstance(self.client, aiohttp.ClientSession):
            self.client = self.get_client()
        try:
            data = request.content or None
        except httpx.RequestNotRead:
            data = request.stream  # type: ignore[assignment]  # aiohttp takes any async iterable
        timeout = request.extensions["timeout"]
        auth = self.proxy.auth if self.proxy is not None else None
        response = await self.client.request(
            request.method,
            yarl.URL(str(request.url), encoded=True),
            headers=request.headers,
            data=data,
            allow_redirects=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(sock_connect=timeout["connect"], sock_read=timeout["read"]),
            proxy=str(self.proxy.url) if self.proxy is not None else None,
            proxy_auth=aiohttp.BasicAuth(*auth) if auth is not None else None,
        )
        return httpx.Response(
            response.status, headers=response.raw_headers, stream=AiohttpResponseStream(response), request=request
        )
