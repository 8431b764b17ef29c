"""Members of a vendor's JSON as values of the right type, None for anything else: what a registry sends is untrusted.

Every function takes whatever `json.loads` gave, never raises, and never makes a value up.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from regtui.oci import Digest, InvalidDigest
from regtui.oci.times import parse_time

LONGEST_TEXT: Final = 4096
"""Characters of one text that are kept."""
MOST_OBJECTS: Final = 200_000
"""Entries of one list that are read."""
_MOST: Final = 1 << 63


def text(value: Any) -> str | None:
    """A text that says something, cut to a bounded length. It is not inert yet."""
    return value[:LONGEST_TEXT] if isinstance(value, str) and value.strip() else None


def texts(value: Any) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(entry[:LONGEST_TEXT] for entry in _listed(value) if isinstance(entry, str) and entry.strip())


def whole(value: Any) -> int | None:
    """A count or a size: a whole number from 0 on, also in decimal digits, as some products write sizes."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST else None


def flag(value: Any) -> bool | None:
    """True or false."""
    return value if isinstance(value, bool) else None


def fields(value: Any) -> dict[str, Any]:
    """An object; empty for anything else."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list."""
    return [entry for entry in _listed(value) if isinstance(entry, dict)]


def digest(value: Any) -> Digest | None:
    """A digest that can be verified."""
    try:
        found = Digest.parse(value) if isinstance(value, str) else None
    except InvalidDigest:
        return None
    return found if found is not None and found.is_verifiable else None


def moment(value: Any) -> datetime | None:
    """A moment, in UTC, that the registry's own clock told; the zero times of some products are None."""
    found = parse_time(value)
    return found if found is not None and found.year > 1970 else None


def claim(value: Any) -> datetime | None:
    """A moment that an image claims for itself: 1970 is a claim, the zero time of the servers' language is none."""
    found = parse_time(value)
    return found if found is not None and found.year > 1 else None


def moment_of_ms(value: Any) -> datetime | None:
    """A moment told in milliseconds since 1970; None for 0, which stands for never."""
    number = whole(value)
    if not number:
        return None
    try:
        return datetime.fromtimestamp(number / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return None


def _listed(value: Any) -> list[Any]:
    return value[:MOST_OBJECTS] if isinstance(value, list) else []
