"""The look around itself, at fakes: what it says of a place that is right, and of one that is not named."""

from __future__ import annotations

import pytest

from tests.fakes.ghcr import GhcrFake
from tests.fakes.zot import ZotFake
from tests.live.smoke import look_around
from tests.registries.contract import fill_fake


async def test_a_place_that_is_right(monkeypatch):
    with ZotFake(user=("alice", "zak_secret")) as fake:
        fill_fake(fake, "shop/cart", referrers_api=True)
        monkeypatch.setenv("REGTUI_LIVE_ZOT", f"{fake.host}/shop/cart")
        monkeypatch.setenv("REGTUI_LIVE_ZOT_USER", "alice")
        monkeypatch.setenv("REGTUI_LIVE_ZOT_PASSWORD", "zak_secret")
        found = await look_around("zot", told=("digest", "size", "pushed", "platforms"))
    assert (found.repository, found.listed, found.referrers, found.scan) == ("shop/cart", ("shop/cart",), "api", "none")


async def test_a_place_of_another_kind_or_none(monkeypatch):
    with GhcrFake() as fake:
        monkeypatch.setenv("REGTUI_LIVE_ZOT", f"{fake.host}/octo-org/app")
        with pytest.raises(AssertionError, match="another kind"):
            await look_around("zot")
    monkeypatch.delenv("REGTUI_LIVE_ZOT")
    with pytest.raises(pytest.skip.Exception, match="REGTUI_LIVE_ZOT names no host"):
        await look_around("zot")
