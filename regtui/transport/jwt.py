"""What a JSON web token says of itself (RFC 7519).

Nothing is verified: the claims only steer when a token is renewed, and what the screen calls its owner.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

_LONGEST: Final = 65_536
_LATEST: Final = 1e12


def claims(token: str) -> dict[str, Any]:
    """The claims of a token; empty for what is no JSON web token. Never raises."""
    parts = token[:_LONGEST].split(".")
    if len(parts) != 3:
        return {}
    try:
        found = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def ends(token: str) -> float | None:
    """When a token ends, in seconds since 1970; None when it does not say."""
    return _moment(claims(token).get("exp"))


def life(token: str) -> float | None:
    """For how many seconds it holds from when it was issued, by its issuer's clock; None when it does not say."""
    found = claims(token)
    start, end = _moment(found.get("iat", found.get("nbf"))), _moment(found.get("exp"))
    return None if start is None or end is None else max(end - start, 0.0)


def _moment(value: Any) -> float | None:
    """Seconds since 1970 (a NumericDate); None for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 < value < _LATEST else None
