"""ECR Public, for everybody with a network: REGTUI_LIVE_ECR_PUBLIC=public.ecr.aws/alias/repository (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("ecr-public")
