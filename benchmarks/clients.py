"""regtui's own classes, put together for a measurement as a session would, without anybody's credentials."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from regtui.credentials.values import ANONYMOUS, Credential
from regtui.registries.distribution import DistributionRegistry
from regtui.storage.cache import NullCache
from regtui.transport.client import RegistryClient
from regtui.transport.options import HostOptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.session.reader import Reader
    from regtui.storage.cache import Cache
    from regtui.transport.request_log import RequestLog

REPOSITORY = "bench/app"
"""Where the samples lie on every server."""


class Anonymous:
    """A credential source that has none."""

    async def find(self, host: str) -> Credential:
        """Nothing."""
        return ANONYMOUS

    def forget(self, host: str) -> None:
        """Nothing to forget."""


@asynccontextmanager
async def registry(
    host: str, *, connections: int = 16, log: RequestLog | None = None
) -> AsyncIterator[DistributionRegistry]:
    """A registry that was asked once already, as one on the screen was: connected, and known to speak plain HTTP."""
    options = HostOptions(host, plain_http=True, max_connections=connections)
    opened = DistributionRegistry(RegistryClient(options, Anonymous(), log=log))
    try:
        await opened.client.request("GET", "/v2/")
        yield opened
    finally:
        await opened.close()


def reader_of(opened: DistributionRegistry, cache: Cache | NullCache | None = None) -> Reader:
    """The session's reader over this registry."""
    from regtui.session.reader import Reader

    async def give(host: str) -> DistributionRegistry:
        return opened

    return Reader(give, cache or NullCache())
