"""`regtui serve` as a whole: a real browser opens it and drills down, strangers are refused."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from regtui.demo import build_demo
from tests.servers import tools
from tests.web.chromium import browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def serving(home: Path, *arguments: str) -> AsyncIterator[str]:
    """The address that a running `regtui serve` printed; ended as ctrl+c does, and it must end well."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "regtui", "serve", *arguments,
        env=environ, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 30)
        yield line.decode().strip()
    finally:
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample layout."""
    folder = tmp_path_factory.mktemp("web") / "demo"
    build_demo(folder)
    return folder


@pytest.mark.real
async def test_a_browser_opens_it_and_drills_down(layout: Path, tmp_path: Path) -> None:
    chromium = tools.require("chromium")
    settings = tmp_path / "settings.toml"
    settings.write_text('[registries."registry.test"]\nwritable = true\n')
    async with serving(tmp_path, str(layout), "--config", str(settings)) as address:
        async with browser(chromium, tmp_path / "profile") as page:
            await page.open(address)
            await page.wait_for(lambda text: "Repositories" in text and "15/15" in text)
            assert "read-only" in page.received
            assert "token=" not in await page.evaluate("location.href")
            await page.evaluate("document.querySelector('textarea').focus()")
            for letter in "jj/cart":  # down to the first repository, then the filter
                await page.press(letter, ord(letter.upper()))
            await page.press("Enter", 13)
            await page.wait_for(lambda text: "2/15" in text)
            await page.press("Enter", 13)
            await page.wait_for(lambda text: "3 Tags  4/4" in text and "charts/cart" in text)
            strangers = [url for url in page.requested if not url.startswith(("http://127.0.0.1:", "data:", "about:"))]
            # Chromium tells of a request before the page's policy stops it: it must not have been answered.
            assert all("fonts" in url for url in strangers)
        async with aiohttp.ClientSession() as other, other.get(address) as again:
            assert again.status == 403


async def test_strangers_are_refused(layout: Path, tmp_path: Path) -> None:
    async with serving(tmp_path, str(layout)) as address, aiohttp.ClientSession() as client:
        origin, _, token = address.partition("/?")
        async with client.get(origin + "/") as answer:
            assert answer.status == 403
        async with client.get(origin + "/ws") as answer:
            assert answer.status == 404
        async with client.get(f"{origin}/?{token}", headers={"Origin": "http://evil.test"}) as answer:
            assert answer.status == 403
        async with client.get(f"{origin}/?{token}", allow_redirects=False) as answer:
            assert answer.status == 303
            inside, cookie = answer.headers["Location"], answer.headers["Set-Cookie"].partition(";")[0]
        for headers in ({"Origin": origin}, {"Cookie": cookie, "Origin": "http://evil.test"}, {"Cookie": cookie}):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(f"{origin}{inside}ws", headers=headers)
            assert refused.value.status == 403
        async with client.get(origin + inside, headers={"Cookie": cookie}) as answer:
            assert answer.status == 200
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        async with client.ws_connect(f"{origin}{inside}ws", headers={"Cookie": cookie, "Origin": origin}) as socket:
            assert (await socket.receive(timeout=60)).data
