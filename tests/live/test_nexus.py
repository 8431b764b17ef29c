"""Nexus 3, for whoever has one: REGTUI_LIVE_NEXUS=host/repository/image, and _API for a connector (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("nexus", told=("digest", "pushed"))
