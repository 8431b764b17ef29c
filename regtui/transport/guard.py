"""Nothing that could change a registry leaves this process outside of a confirmed plan: checked at the wire itself.

A request that is neither GET nor HEAD goes out only while `writing` is in force in the task that sends it, which is for
the executor of confirmed plans to say. Signing in, and queries that an API wants as POST, are marked as reads.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from regtui.transport.errors import RegistryError
from regtui.transport.exchange import IDEMPOTENT
from regtui.transport.redact import redact_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.transport.exchange import Request

_PURPOSE: Final[ContextVar[str | None]] = ContextVar("what is being changed", default=None)


class WriteRefused(RegistryError):
    """A request that would change something, outside of a confirmed plan. It was not sent."""


@contextmanager
def writing(purpose: str) -> Iterator[None]:
    """Allow this task, and those that it starts, to change registries. `purpose` is what the audit log says of it."""
    token = _PURPOSE.set(purpose)
    try:
        yield
    finally:
        _PURPOSE.reset(token)


def purpose() -> str | None:
    """What changes are allowed for at this moment, None when nothing may be changed."""
    return _PURPOSE.get()


def check(request: Request) -> None:
    """Raises WriteRefused for a request that may not go out now."""
    if request.method in IDEMPOTENT or request.reads or purpose() is not None:
        return
    raise WriteRefused(
        f"regtui did not send {request.method} {redact_url(request.url)}: it belongs to no confirmed plan.",
        hint="Nothing was changed. This is a mistake in regtui: please report it.",
    )
