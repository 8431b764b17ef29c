"""Registries over plain HTTP on loopback, closed behind each test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from regtui.credentials.values import ANONYMOUS, Credential, Secret
from regtui.registries.distribution import DistributionRegistry
from regtui.transport.client import RegistryClient
from regtui.transport.options import HostOptions
from tests.registries.recording import (  # noqa: F401 - pytest calls them
    pytest_collection_modifyitems,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from regtui.transport.patience import Patience


@dataclass
class OneCredential:
    """The same credential for one host, nothing for others; notes who was asked for."""

    host: str
    credential: Credential = ANONYMOUS

    async def find(self, host: str) -> Credential:
        return self.credential if host == self.host else ANONYMOUS

    def forget(self, host: str) -> None:
        return


@pytest.fixture(autouse=True)
def guarded_reading(request: pytest.FixtureRequest) -> None:
    """What only reads runs under the guard for every kind; the tests of what writes do without it."""
    if not request.function.__qualname__.startswith("ReadingContract."):
        request.getfixturevalue("writes_allowed")


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., RegistryClient]]:
    """Makes clients: connect("127.0.0.1:5000", user=…, password=…)."""
    made: list[RegistryClient] = []

    def make(host: str, user: str = "", password: str = "", patience: Patience | None = None) -> RegistryClient:
        credential = Credential(user, Secret(password), source="test") if user else ANONYMOUS
        options = HostOptions(host, plain_http=True)
        made.append(RegistryClient(options, OneCredential(host, credential), patience=patience))
        return made[-1]

    yield make
    for client in made:
        await client.close()


@pytest.fixture
def distribution(connect: Callable[..., RegistryClient]) -> Callable[..., DistributionRegistry]:
    """Makes registries of the plain kind, with the arguments of `connect`."""

    def make(host: str, **options: str) -> DistributionRegistry:
        return DistributionRegistry(connect(host, **options))

    return make
