"""What all tests of the screens share: a terminal with UTF-8, no deadlines on a busy machine."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("screens", deadline=None)
settings.load_profile("screens")


@pytest.fixture(autouse=True)
def terminal_with_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    """The locale of the machine does not decide what the lists draw with."""
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TERM", "xterm-256color")
