"""Serves the explorer on loopback: one process of the app for each open page, ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import shlex
import signal
import socket
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from textual_serve.server import Server

from regtui.web.guard import HEADERS, Guard, Refused, Welcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MOST_PAGES: Final = 4
"""Pages open at the same time; each has a process of the program."""


class GuardedServer(Server):
    """textual-serve's own pages below the guard's secret path."""

    def __init__(self, command: Sequence[str], guard: Guard) -> None:
        super().__init__(shlex.join(command), host="127.0.0.1", port=guard.port, title="regtui")
        self.guard = guard
        self.public_url = guard.origin
        self._pages = 0

    async def application(self) -> web.Application:
        """The whole web application, the guard in front."""
        outer = web.Application(middlewares=[self._guarded])
        inner = await self._make_app()
        outer.add_subapp(self.guard.prefix, inner)
        return outer

    async def on_startup(self, app: web.Application) -> None:
        """Nothing is printed here: the command says where to look."""

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One more page, when there are not too many. Raises HTTPServiceUnavailable."""
        if self._pages >= MOST_PAGES:
            raise web.HTTPServiceUnavailable(text=f"{MOST_PAGES} pages are open already: close one.")
        self._pages += 1
        try:
            return await super().handle_websocket(request)
        finally:
            self._pages -= 1

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        match self.guard.judge(request.method, request.raw_path, headers):
            case Refused(status, sentence):
                return web.Response(status=status, text=sentence + "\n", headers=HEADERS)
            case Welcome(path, cookie):
                return web.Response(status=303, headers={**HEADERS, "Location": path, "Set-Cookie": cookie})
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        if not response.prepared:
            response.headers.update(HEADERS)
        return response


async def serve(command: Sequence[str], port: int, tell: Callable[[str], Any]) -> None:
    """Serve until SIGINT or SIGTERM. `tell` is given the address to open. Port 0 takes a free one. Raises OSError."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        guard = Guard(listening.getsockname()[1])
        runner = web.AppRunner(await GuardedServer(command, guard).application(), access_log=None, shutdown_timeout=3)
        await runner.setup()
        try:
            await web.SockSite(runner, listening).start()
            tell(guard.address)
            await _ended()
        finally:
            await runner.cleanup()


async def _ended() -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: there ctrl+c ends the loop itself
            loop.add_signal_handler(number, ended.set)
    await ended.wait()
