"""The real app over the demo: no server, every key works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from regtui.demo import build_demo
from regtui.session import Session, SessionOptions, parse_target
from regtui.ui.app import RegtuiApp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample layout, made once."""
    folder = tmp_path_factory.mktemp("sample") / "demo"
    build_demo(folder)
    return folder


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the developer's settings nor their credentials decide a test."""
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    for name in ("SSH_CONNECTION", "TMUX", "REGTUI_USERNAME", "REGTUI_PASSWORD", "REGTUI_CONFIG", "REGISTRY_AUTH_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def explore(demo: Path) -> Callable[..., RegtuiApp]:
    """Make the app over the demo, at a place inside of it."""

    def make(inside: str | None = "") -> RegtuiApp:
        target = None if inside is None else parse_target(f"{demo}{inside}")
        return RegtuiApp(Session.start(SessionOptions(use_cache=False)), target)

    return make
