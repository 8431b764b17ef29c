"""Gitea or Forgejo, for whoever has one: REGTUI_LIVE_GITEA=codeberg.org/owner/image (see smoke.py)."""

from __future__ import annotations

import pytest

from tests.live.smoke import look_around

pytestmark = pytest.mark.live


async def test_reading():
    await look_around("gitea")
