"""Trying again: which failures pass by themselves, and how long to wait between tries."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from regtui.transport.errors import BadAnswer, TimedOut, TlsFailure, Unreachable
from regtui.transport.exchange import IDEMPOTENT
from regtui.transport.steps import Pause, Send

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.transport.exchange import Request, Response
    from regtui.transport.headers import Headers
    from regtui.transport.steps import Steps

PASSING: Final = frozenset({429, 502, 503, 504})
"""Statuses that say "not now"."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long. Pauses grow by `factor` from `first`, each between half and one and a half of that.

    A registry that asks for more than `longest` seconds is not waited for. All times are in seconds.
    """

    tries: int = 4
    first: float = 0.2
    factor: float = 3.0
    longest: float = 30.0
    chance: Callable[[], float] = random.random
    clock: Callable[[], float] = time.time

    def pause(self, failures: int) -> float:
        """How long to wait after so many failures, from 1 on."""
        return self.first * self.factor ** (failures - 1) * (0.5 + self.chance())

    def allows(self, request: Request, error: Unreachable, failures: int) -> bool:
        """Whether to try again. What changes something is repeated only when it can't have arrived."""
        if isinstance(error, TlsFailure) or not request.can_repeat:
            return False
        if request.method not in IDEMPOTENT and (error.sent or request.method not in {"PUT", "DELETE"}):
            return False
        # Another half minute of silence tells little that the first one did not.
        return failures < (2 if isinstance(error, TimedOut) else self.tries)


def patiently(request: Request, patience: Patience) -> Steps[Response]:
    """Send a request until it is answered or the patience ends. Raises Unreachable and BadAnswer."""
    failures = 0
    while True:
        try:
            response: Response = yield Send(request, failures)
        except Unreachable as error:
            failures += 1
            if not patience.allows(request, error, failures):
                raise
            wait = patience.pause(failures)
        else:
            failures += 1
            if response.status not in PASSING or request.method not in IDEMPOTENT or failures >= patience.tries:
                return response
            asked = retry_after(response.headers, patience.clock())
            if asked is not None and asked > patience.longest:
                return response
            wait = patience.pause(failures) if asked is None else asked
        yield Pause(wait)


def retry_after(headers: Headers, now: float) -> float | None:
    """Seconds that the answer asks to wait (RFC 9110, 10.2.3), None when it does not say. `now` is epoch seconds."""
    text = headers.get("retry-after", "").strip()
    seconds = headers.number("retry-after")
    if seconds is not None:
        return float(seconds)
    moment = headers.number("x-retry-after")  # Docker Hub's API: seconds since 1970, and no other field
    if moment is not None:
        return max(0.0, moment - now)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None


def check_answered(request: Request, response: Response | None) -> Response:
    """The response, or BadAnswer when an auth flow ended without one to the request itself."""
    if response is None:
        raise BadAnswer(f"Signing in ended before {request.method} was sent.")
    return response
