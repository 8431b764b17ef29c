"""Amazon ECR, for whoever has an account: REGTUI_LIVE_ECR=host/repository, with AWS credentials (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("ecr", told=("digest", "size", "pushed", "media_type"))
