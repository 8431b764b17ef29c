"""Harbor, for whoever has one: REGTUI_LIVE_HARBOR=host/project/repository (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("harbor", told=("digest", "size", "pushed", "platforms", "immutable"))
