"""What a JSON web token says of itself (RFC 7519).

Nothing is verified: the claims only steer when a token is renewed, and what the screen calls its owner.
"""

from __future__ import annotations

import base64
import json
from typing import Any, Final

_LONGEST: Final = 65_536


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
    found = claims(token).get("exp")
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) and found > 0 else None


def life(token: str) -> float | None:
    """For how many seconds it holds from when it was issued, by its issuer's clock; None when it does not say."""
    found = claims(token)
    start, end = found.get("iat", found.get("nbf")), ends(token)
    if end is None or isinstance(start, bool) or not isinstance(start, int | float):
        return None
    return max(end - start, 0.0)
