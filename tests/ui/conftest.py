"""What all tests of the screens share: no deadlines on a busy machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("screens", deadline=None)
settings.load_profile("screens")
