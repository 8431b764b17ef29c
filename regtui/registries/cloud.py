"""What the clouds' registries share: their libraries are loaded late, asked in a thread, and their credentials end.

Nothing of a cloud's library is imported before a registry of that cloud is opened, and none opens a socket for a
registry's call: it gives a credential or a signature, `transport/` sends.
"""

from __future__ import annotations

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from concurrent.futures import Future
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

from regtui.credentials.values import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.credentials.values import Credential, CredentialSource

Result = TypeVar("Result")

SHORTEST: Final = 60.0
"""Seconds for which a credential is used at least, whatever its end says: asking in a loop helps nobody."""
_MARGIN: Final = 300.0
"""Seconds before its end from which on a credential is renewed."""


def library(name: str) -> Any | None:
    """A module of a cloud's library, None where it is not installed. It takes a while: call it in a thread."""
    try:
        return import_module(name)
    except ImportError:
        return None


def in_thread(work: Callable[[], Result]) -> Future[Result]:
    """Run something that blocks in a thread of its own, which never keeps the program from ending."""
    future: Future[Result] = Future()
    future.set_running_or_notify_cancel()  # who stops waiting does not stop the thread

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name="cloud credentials", daemon=True).start()
    return future


async def apart(work: Callable[[], Result]) -> Result:
    """Wait for something that blocks, as `in_thread` runs it: the program can end meanwhile."""
    return await asyncio.wrap_future(in_thread(work))


def good_until(ends: float | None, *, now: float | None = None) -> float | None:
    """Until when a credential that ends at `ends` is used (both in seconds since 1970)."""
    if ends is None:
        return None
    now = time.time() if now is None else now
    return max(ends - min(_MARGIN, (ends - now) / 4), now + SHORTEST)


class CloudCredentials(ABC):
    """A CredentialSource for one host: what the user's own sources know, else what the cloud gives this user.

    Clouds subclass it with `obtain`, and with `adapt` where a kept credential is to be used in a way of their own.
    What the cloud gave is used until shortly before it ends, or until it is refused.
    """

    def __init__(self, host: str, known: CredentialSource) -> None:
        self._host = host
        self._known = known
        self._given: Credential = ANONYMOUS
        self._asking: asyncio.Task[Credential] | None = None

    @abstractmethod
    async def obtain(self) -> Credential:
        """Ask the cloud; ANONYMOUS when it knows nobody here. Raises RegistryError."""

    def adapt(self, credential: Credential) -> Credential:
        """The credential that somebody kept for this host, as this cloud wants it; ANONYMOUS when it has ended."""
        return credential

    async def find(self, host: str) -> Credential:
        """The credential for this host, ANONYMOUS when there is none. Raises RegistryError, CredentialError."""
        kept = await self._known.find(host)
        if host != self._host:
            return kept
        adapted = self.adapt(kept)
        if not adapted.is_anonymous:
            return adapted
        if not self._given.is_anonymous and not self._given.is_over(time.time()):
            return self._given
        if self._asking is None or self._asking.done() or self._asking.get_loop() is not asyncio.get_running_loop():
            self._asking = asyncio.ensure_future(self.obtain())
            self._asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        # Whoever leaves must not cancel it for the others that wait.
        self._given = await asyncio.shield(self._asking)
        return kept if self._given.is_anonymous else self._given

    def forget(self, host: str) -> None:
        """Ask anew next time."""
        self._known.forget(host)
        if host == self._host:
            self._given = ANONYMOUS
            self._asking = None
