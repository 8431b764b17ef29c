"""What a registry says about how many more requests it will take."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from regtui.transport.headers import Headers

_LIMIT: Final = re.compile(r"\s*([0-9]{1,12})(?:\s*;\s*w=([0-9]{1,9}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """`remaining` of `limit` requests are left in a window of `window` seconds; None where it does not say."""

    limit: int | None
    remaining: int | None
    window: int | None = None


def read_rate(headers: Headers) -> RateLimit | None:
    """The rate fields of an answer (RateLimit-*, X-RateLimit-*); None when there are none."""
    limit, window = _field(headers, "limit")
    remaining, other_window = _field(headers, "remaining")
    if limit is None and remaining is None:
        return None
    return RateLimit(limit, remaining, window or other_window)


def _field(headers: Headers, name: str) -> tuple[int | None, int | None]:
    for prefix in ("ratelimit-", "x-ratelimit-"):
        match = _LIMIT.match(headers.get(prefix + name, ""))
        if match:
            return int(match[1]), int(match[2]) if match[2] else None
    return None, None
