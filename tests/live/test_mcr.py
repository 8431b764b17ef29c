"""MCR, for everybody: REGTUI_LIVE_MCR=mcr.microsoft.com/dotnet/sdk (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("mcr")
