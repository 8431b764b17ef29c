"""How many requests a screen costs, counted at the session's log, against a real registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from regtui.session import Session, SessionOptions, parse_target
from regtui.ui._textual import screen_text, settled
from regtui.ui.app import RegtuiApp
from tests.servers import content
from tests.servers.upload import Uploader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.pilot import Pilot

pytestmark = pytest.mark.real


def requests(app: RegtuiApp) -> list[str]:
    return [f"{record.method} {record.url.partition('/v2/')[2]}" for record in app.session.log.records]


async def press(pilot: Pilot[None], keys: Sequence[str]) -> str:
    await pilot.press(*keys)
    await settled(pilot)
    return screen_text(pilot.app)


@pytest.fixture
def repository(docker_registry: str, namespace: str) -> str:
    uploader = Uploader(docker_registry)
    children = [content.image({name: name.encode()}, platform=name) for name in ("linux/amd64", "linux/arm64")]
    uploader.push(f"{namespace}/app", content.index(*children), "multi")
    uploader.push(f"{namespace}/app", content.image(labels={"one": "1"}), "single")
    return f"{docker_registry}/{namespace}/app"


@pytest.mark.parametrize("tag", ["multi", "single"])
async def test_opening_a_reference_costs_at_most_four(repository: str, tag: str) -> None:
    app = RegtuiApp(Session.start(SessionOptions(use_cache=False)), parse_target(f"{repository}:{tag}"))
    counted: list[int] = []
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        shown = screen.image_shown

        def count(image: object) -> None:
            shown(image)
            counted.append(app.session.log.total)

        screen.image_shown = count
        await settled(pilot, lambda: bool(counted))
        assert "linux/amd64" in screen_text(app)
        assert "2/2" in screen_text(app)
    assert counted[0] <= 4, requests(app)


async def test_coming_back_to_a_digest_costs_nothing(repository: str) -> None:
    app = RegtuiApp(Session.start(SessionOptions(use_cache=False)), parse_target(repository))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await press(pilot, ["g", "enter"])
        await press(pilot, ["escape", "j", "enter"])
        before = app.session.log.total
        await press(pilot, ["escape", "k", "enter"])
        await press(pilot, ["escape", "j", "enter"])
        assert app.session.log.total == before, requests(app)[before:]


async def test_titles_tell_the_true_totals(docker_registry: str, namespace: str) -> None:
    uploader = Uploader(docker_registry)
    image = content.image()
    uploader.push(f"{namespace}/many", image, *[f"v{n}" for n in range(120)])
    app = RegtuiApp(Session.start(SessionOptions(use_cache=False)), parse_target(f"{docker_registry}/{namespace}/many"))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        assert "3 Tags  120/120" in screen_text(app)
        before = app.session.log.total
        assert before < 2 * 120 + 6
        assert "11/120" in await press(pilot, ["slash", *"v11", "enter"])
