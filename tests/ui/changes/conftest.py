"""The real app over a real registry that may be changed."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from regtui.session import Session, SessionOptions, parse_target
from regtui.ui._textual import screen_text, settled
from regtui.ui.app import RegtuiApp
from tests.servers.content import image, index
from tests.servers.upload import Uploader
from tests.ui.screens.conftest import own_folders

__all__ = ["own_folders"]  # a fixture, for every test here

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from textual.pilot import Pilot

WIDE, NARROW = (120, 40), (80, 24)


class Shop:
    """One repository with tags that share digests, and the app over it."""

    def __init__(self, host: str, repository: str) -> None:
        self.host = host
        self.repository = repository
        self.uploader = Uploader(host)

    def push(self, *tags: str, content: Any = None, of: str = "") -> str:
        """Push one image under these tags; its digest."""
        made = content if content is not None else image({"etc/name": (of or tags[0]).encode()})
        return self.uploader.push(self.repository, made, *tags)

    def tags(self) -> dict[str, str | None]:
        """Every tag and its digest, as another client sees them."""
        return {tag: self.uploader.digest_at(self.repository, tag) for tag in self.uploader.tags(self.repository)}

    def app(self, inside: str = "", *, write: bool = True, settings: Path | None = None) -> RegtuiApp:
        """The app, at the repository or a tag of it."""
        options = SessionOptions(
            config=settings, plain_http=frozenset({self.host}), write=write, use_cache=False, host=self.host
        )
        return RegtuiApp(Session.start(options), parse_target(f"{self.host}/{self.repository}{inside}"))


@pytest.fixture
def shop(docker_registry: str, namespace: str) -> Shop:
    """distribution 2.8: it deletes by digest only, which is the hard case."""
    return Shop(docker_registry, f"{namespace}/cart")


@pytest.fixture
def filled(shop: Shop) -> Shop:
    """Three tags on one digest, one of its own, an index, and a protected tag."""
    shop.push("1.0", "1", "stable")
    shop.push("0.9")
    shop.push("0.8", content=index(image({"a": b"1"}), image({"a": b"2"}, platform="linux/arm64")))
    shop.push("latest")
    return shop


class Driver:
    """Presses keys and reads the screen."""

    def __init__(self, pilot: Pilot[Any]) -> None:
        self.pilot = pilot

    @property
    def app(self) -> Any:
        """The app."""
        return self.pilot.app

    @property
    def screen(self) -> Any:
        """The screen on top."""
        return self.pilot.app.screen

    @property
    def text(self) -> str:
        """What is on it."""
        return screen_text(self.pilot.app)

    async def press(self, *keys: str, until: str | Callable[[], bool] | None = None) -> str:
        """Press keys, wait until a text or a condition is there; the screen."""
        await self.pilot.press(*keys)
        return await self.wait(until)

    async def wait(self, until: str | Callable[[], bool] | None = None) -> str:
        """Wait until a text or a condition is there; a screen that waits for an answer does not settle."""
        wanted = until
        if isinstance(wanted, str):
            words = wanted
            await shown(self.pilot, lambda: words in screen_text(self.pilot.app))
        elif wanted is not None:
            await shown(self.pilot, wanted)
        else:
            await self.pilot.pause()
        return self.text


async def shown(pilot: Pilot[Any], condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition. Raises AssertionError."""
    from time import monotonic

    deadline = monotonic() + seconds
    while not condition():
        assert monotonic() < deadline, f"it did not come:\n{screen_text(pilot.app)}"
        await pilot.pause(0.02)
    await pilot.pause()


@asynccontextmanager
async def driven(app: RegtuiApp, size: tuple[int, int] = WIDE) -> AsyncIterator[Driver]:
    """The app, running."""
    async with app.run_test(size=size, notifications=True) as pilot:
        await settled(pilot)
        yield Driver(pilot)
