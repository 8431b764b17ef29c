"""Clients that never really wait, and credentials that tests hand out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from regtui.credentials.values import ANONYMOUS, Credential, Secret
from regtui.transport.client import RegistryClient
from regtui.transport.options import HostOptions
from regtui.transport.patience import Patience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PASSWORD = "wonderland"
ALICE = Credential("alice", Secret(PASSWORD), source="the test")


Connect = Callable[..., RegistryClient]
"""What the fixture `connect` is: connect(host, credential, plain_http=…, auth=…) makes a client."""


@dataclass
class Source:
    """A credential source that counts."""

    credential: Credential = ANONYMOUS
    asked: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)

    async def find(self, host: str) -> Credential:
        self.asked.append(host)
        return self.credential

    def forget(self, host: str) -> None:
        self.forgotten.append(host)


@dataclass
class Naps:
    """Instead of sleeping: how long it would have been."""

    seconds: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture(autouse=True)
def unguarded(request: pytest.FixtureRequest) -> None:
    """The wire is tested without plans; test_guard.py tests the guard."""
    if request.path.name != "test_guard.py":
        request.getfixturevalue("writes_allowed")


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def patience() -> Patience:
    """Never waits, except as long as a registry asks."""
    return Patience(first=0.0)


@pytest.fixture
async def connect(naps: Naps, patience: Patience) -> AsyncIterator[Connect]:
    """Makes clients, and closes them at the end: connect(host, credential, plain_http=…, auth=…)."""
    clients: list[RegistryClient] = []

    def make(host: str, credential: Credential = ANONYMOUS, **more: Any) -> RegistryClient:
        source = more.pop("source", None) or Source(credential)
        auth, log = more.pop("auth", None), more.pop("log", None)
        more.setdefault("plain_http", True)
        options = HostOptions(host, **more)
        clients.append(RegistryClient(options, source, auth=auth, log=log, patience=patience, sleep=naps))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()


@pytest.fixture(autouse=True)
def no_proxy_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxies of the machine that runs the tests decide nothing."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
