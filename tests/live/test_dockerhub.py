"""Docker Hub, for everybody: REGTUI_LIVE_DOCKERHUB=docker.io/library/alpine (see smoke.py)."""

from __future__ import annotations

import pytest

from regtui.registries.contract import closing
from tests.live.smoke import look_around, opened

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("dockerhub", told=("digest", "size", "pushed", "platforms"))


async def test_search():
    async with (
        opened("dockerhub") as (registry, repository, _),
        closing(registry.search(repository.rpartition("/")[2])) as pages,
    ):
        assert (await anext(pages)).items
