"""Artifactory, for whoever has one: REGTUI_LIVE_ARTIFACTORY=host/key/image (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("artifactory", told=("digest", "pushed"))
