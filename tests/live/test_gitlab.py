"""GitLab, for whoever has an account: REGTUI_LIVE_GITLAB=registry.gitlab.com/group/project (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("gitlab", told=("digest", "size", "pushed", "media_type"))
