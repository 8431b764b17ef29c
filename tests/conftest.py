"""Fixtures for every folder: real registries (one of each per test process) and a fresh namespace per test."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

# A shared machine may pause a test for longer than any deadline; hangs are caught by faulthandler_timeout.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")

_ROOT = str(Path(__file__).resolve().parents[1])
if _ROOT not in sys.path:  # `tests.servers` and `tests.fakes` are imported by their full names
    sys.path.insert(0, _ROOT)

# Other folders use the contract's values, too: it must be rewritten before the first of them imports it.
pytest.register_assert_rewrite("tests.registries.contract")

from tests.servers import starting, tools  # noqa: E402 - the path above must come first

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """distribution 2.8.2 with delete enabled, as "127.0.0.1:PORT"."""
    with starting.start_docker_registry(tmp_path_factory.mktemp("docker-registry")) as server:
        yield server.host


@pytest.fixture(scope="session")
def registry_v3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """distribution 3 with delete enabled, as "127.0.0.1:PORT"."""
    with starting.start_registry_v3(tmp_path_factory.mktemp("registry-v3")) as server:
        yield server.host


@pytest.fixture(scope="session")
def crane_registry() -> Iterator[str]:
    """crane's in-memory registry, as "127.0.0.1:PORT"."""
    with starting.start_crane_registry() as server:
        yield server.host


@pytest.fixture(scope="session")
def olareg() -> Iterator[str]:
    """olareg in memory (referrers API, deletes by tag and digest), as "127.0.0.1:PORT"."""
    with starting.start_olareg() as server:
        yield server.host


@pytest.fixture
def writes_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what sends changes, without a plan around it (transport/guard.py refuses that elsewhere)."""
    monkeypatch.setattr("regtui.transport.guard.purpose", lambda: "test")


@pytest.fixture(scope="session")
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Gitea with one user, as "127.0.0.1:PORT"."""
    with starting.start_gitea(tmp_path_factory.mktemp("gitea")) as server:
        yield server.host


@pytest.fixture
def namespace() -> str:
    """A repository prefix that no other test uses."""
    return f"ns{uuid.uuid4().hex[:12]}"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared vectors; skips where it is absent."""
    return tools.shared_folder()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of our own tests."""
    parser.addoption("--update-goldens", action="store_true", help="write the text goldens of the screens anew")
