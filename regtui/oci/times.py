"""Times as registries write them (RFC 3339), told apart from constants that mean "no date"."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

_RFC3339: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(\.\d+)?\s*([Zz]|[+-]\d{2}:?\d{2})?", re.ASCII
)


def parse_time(value: Any) -> datetime | None:
    """A moment in UTC out of RFC 3339 text with any number of fraction digits; None when it is none."""
    if not isinstance(value, str):
        return None
    match = _RFC3339.fullmatch(value.strip())
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    offset = "+00:00" if zone is None or zone in "Zz" else zone
    try:
        return datetime.fromisoformat(f"{day}T{clock}{(fraction or '')[:7]}{offset}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_time(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC with seconds, as `--json` prints it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def is_reproducible(moment: datetime | None) -> bool:
    """Whether this is one of the constants that reproducible builds write instead of a date."""
    return moment is not None and (moment.year <= 1970 or (moment.year, moment.month, moment.day) == (1980, 1, 1))
