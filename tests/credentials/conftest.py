"""A home without credentials, helper programs made on the spot, and a keyring in memory."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VARIABLES = (
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "XDG_RUNTIME_DIR",
    "DOCKER_CONFIG",
    "REGISTRY_AUTH_FILE",
    "REGTUI_USERNAME",
    "REGTUI_PASSWORD",
    "REGTUI_TOKEN",
    "REGTUI_REGISTRY",
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home folder; no variable points anywhere else."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def docker_config(home: Path) -> Callable[[Any], Path]:
    """Writes ~/.docker/config.json."""

    def write(content: Any) -> Path:
        path = home / ".docker" / "config.json"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    return write


@pytest.fixture
def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts a program docker-credential-NAME on PATH; each call of it adds a line "ACTION SERVER" to its log."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, body: str) -> Path:
        log = tmp_path / f"{name}.log"
        program = folder / f"docker-credential-{name}"
        program.write_text(
            f'#!/bin/sh\nif [ "$1" = get ]; then read server || true; fi\necho "$1 $server" >> \'{log}\'\n{body}\n'
        )
        program.chmod(0o755)
        return log

    return make


@pytest.fixture
def memory_keyring() -> Iterator[Any]:
    """A keyring that keeps secrets in memory, as the chosen backend of this process."""
    import keyring
    from keyring.backend import KeyringBackend
    from keyring.errors import PasswordDeleteError

    class Memory(KeyringBackend):
        priority = 1

        def __init__(self) -> None:
            super().__init__()
            self.kept: dict[tuple[str, str], str] = {}

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            if self.kept.pop((service, username), None) is None:
                raise PasswordDeleteError("not there")

    before = keyring.get_keyring()
    chosen = Memory()
    keyring.set_keyring(chosen)
    yield chosen
    keyring.set_keyring(before)


@pytest.fixture
def no_keyring_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes any import of keyring an error."""
    monkeypatch.setitem(sys.modules, "keyring", None)
