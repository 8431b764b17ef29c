"""Asking again when a registry stumbles, for what may be repeated."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from regtui.transport.errors import ServerFault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Found = TypeVar("Found")

_PAUSES: Final = (0.1, 0.4, 1.6)
"""Seconds before what ended in a server's fault is tried again."""


async def steadily(call: Callable[[], Awaitable[Found]]) -> Found:
    """Ask again when the server stumbles (5xx). For what may be repeated: looks, and puts of the same bytes.

    distribution writes a link by emptying and filling it: who reads in between is told 500 "invalid checksum digest
    format", which says nothing about whether the manifest is there. Raises RegistryError.
    """
    for pause in _PAUSES:
        try:
            return await call()
        except ServerFault:
            await asyncio.sleep(pause)
    return await call()
