"""A headless Chromium, driven over its DevTools protocol: opens a page, presses keys, tells what came back."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

DEADLINE = 60.0
"""Seconds until something must have happened."""


class Page:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self.received = ""
        """What the program wrote to the page's terminal."""
        self.requested: list[str] = []
        """The addresses that the page asked for."""
        self._news = asyncio.Event()
        self.reading = asyncio.ensure_future(self._read())

    async def call(self, method: str, **parameters: Any) -> Any:
        """One command of the protocol."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        return await asyncio.wait_for(self._answers[number], DEADLINE)

    async def open(self, address: str) -> None:
        """Go there."""
        for domain in ("Page", "Network", "Runtime"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)

    async def evaluate(self, script: str) -> Any:
        """The value of an expression on the page."""
        found = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return found["result"].get("value")

    async def press(self, key: str, code: int) -> None:
        """A key with its virtual code; until the program has answered it."""
        before = len(self.received)
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            more = text if kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **more)
        await self.wait_for(lambda text: len(text) > before)

    async def wait_for(self, is_there: Callable[[str], bool]) -> None:
        """Until what was written satisfies this."""

        async def until() -> None:
            while not is_there(self.received):
                self._news.clear()
                await self._news.wait()

        try:
            await asyncio.wait_for(until(), DEADLINE)
        except TimeoutError:
            raise AssertionError(f"not seen; the end of what came: {self.received[-3000:]!r}") from None

    async def _read(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told.get("result", {}))
            elif told["method"] == "Network.webSocketFrameReceived":
                frame = told["params"]["response"]
                raw = frame["payloadData"]
                self.received += base64.b64decode(raw).decode("utf-8", "replace") if frame["opcode"] == 2 else raw
                self._news.set()
            elif told["method"] == "Network.requestWillBeSent":
                self.requested.append(told["params"]["request"]["url"])


@asynccontextmanager
async def browser(program: str, folder: Path) -> AsyncIterator[Page]:
    """A browser with a profile of its own and one page; ended by its handle."""
    process = await asyncio.create_subprocess_exec(
        program,
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--window-size=1280,800",
        "--remote-debugging-port=0",
        f"--user-data-dir={folder}",
        "about:blank",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        port = await asyncio.wait_for(_port(process.stderr), DEADLINE)
        draining = asyncio.ensure_future(process.stderr.read())
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = await answer.json()
            address = next(page["webSocketDebuggerUrl"] for page in pages if page["type"] == "page")
            async with session.ws_connect(address, max_msg_size=0) as socket:
                page = Page(socket)
                yield page
                page.reading.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
    await draining


async def _port(log: asyncio.StreamReader) -> int:
    async for line in log:
        if b"DevTools listening on ws://" in line:
            return int(line.partition(b"127.0.0.1:")[2].partition(b"/")[0])
    raise AssertionError("the browser ended before it listened")
