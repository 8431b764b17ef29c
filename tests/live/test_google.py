"""Google, for who has a project: REGTUI_LIVE_GOOGLE=europe-docker.pkg.dev/project/repository/image (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("google", told=("digest", "size", "pushed"))
