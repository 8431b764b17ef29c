"""Plain distribution, for whoever runs one: REGTUI_LIVE_DISTRIBUTION=host/repository (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("distribution")
