"""ACR, for who has one: REGTUI_LIVE_ACR=name.azurecr.io/repository, with `az login` or a password (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("acr", told=("digest", "size", "pushed", "platforms"))
