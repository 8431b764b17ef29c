"""Quay, for everybody: REGTUI_LIVE_QUAY=quay.io/prometheus/busybox (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("quay", told=("digest", "pushed"))
