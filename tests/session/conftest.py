"""A session in a home of its own, and the sample layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from regtui.demo import build_demo
from regtui.session import Session, SessionOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample layout, made once."""
    folder = tmp_path_factory.mktemp("sample") / "demo"
    build_demo(folder)
    return folder


@pytest.fixture
async def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Session]:
    """A session of a user who has nothing yet."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    made = Session.start(SessionOptions())
    yield made
    await made.close()
