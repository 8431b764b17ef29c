"""Several servers that are one product: entered and left together."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from tests.servers.oci11 import FakeRegistry


class Origins:
    """Serves until it is left."""

    def __init__(self, *servers: FakeRegistry) -> None:
        self._servers = servers
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for server in self._servers:
            self._stack.enter_context(server)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
