"""What a conversation with a registry asks its driver to do; the driver is async or blocking, the conversation neither.

Auth flows, retries and redirects are generators that yield steps. The driver carries a step out, sends back what
came of it, or throws the RegistryError that it ended in.
"""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from regtui.transport.exchange import Request

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeVar

    Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Send:
    """Put a request on the wire, once. Comes back as a Response. `retries` counts the failures before."""

    request: Request
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds. Comes back as None."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NeedCredential:
    """Look up who the user is at this registry. Comes back as a Credential."""


Step: TypeAlias = Request | Send | Pause | NeedCredential | Future[Any]
"""A Future is waited for, and its result comes back. A bare Request is sent with retries; see auth.py."""

if TYPE_CHECKING:
    Steps: TypeAlias = Generator[Step, Any, Result]
