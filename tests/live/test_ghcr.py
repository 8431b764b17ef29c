"""GHCR, for whoever has a classic token: REGTUI_LIVE_GHCR=ghcr.io/owner/image, _USER and _PASSWORD (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("ghcr", told=("digest", "pushed"))
