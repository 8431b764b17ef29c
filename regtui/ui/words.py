"""Sizes, counts and times in the words that screens and commands share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from humanize import intcomma, naturalsize

from regtui.oci.times import is_reproducible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from regtui.oci import Platform

UNKNOWN: Final = "—"
_STEPS: Final = ((60, "s"), (3600, "min"), (86400, "h"), (86400 * 30, "d"), (86400 * 365, "mo"))
_UNITS: Final = {"s": 1, "min": 60, "h": 3600, "d": 86400, "mo": 86400 * 30}


def size_text(size: int | None) -> str:
    """Bytes in decimal units, as registries bill them; a dash when unknown."""
    return UNKNOWN if size is None else naturalsize(size, format="%.1f").replace(" Bytes", " B").replace(" Byte", " B")


def count_text(count: int | None) -> str:
    """A count with thousands apart; a dash when unknown."""
    return UNKNOWN if count is None else intcomma(count)


def counted(count: int, noun: str) -> str:
    """`1 layer`, `2,048 layers`."""
    return f"{intcomma(count)} {noun}" if count == 1 else f"{intcomma(count)} {noun}s"


def time_text(moment: datetime | None) -> str:
    """A moment in UTC to the minute; constants that mean "no date" are named as such."""
    if moment is None:
        return UNKNOWN
    if is_reproducible(moment):
        return "reproducible (no date)"
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def age_text(moment: datetime | None, now: datetime) -> str:
    """How long ago, short enough for a column: `2 h`, `12 d`, `3 mo`, `4 y`."""
    if moment is None or is_reproducible(moment):
        return UNKNOWN
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return "ahead"
    for limit, unit in _STEPS:
        if seconds < limit:
            return f"{int(seconds // _UNITS[unit])} {unit}"
    return f"{int(seconds // (86400 * 365))} y"


def platforms_text(platforms: Iterable[Platform] | None) -> str:
    """Platforms in a few words: `amd64 arm64`; a dash when unknown."""
    if platforms is None:
        return UNKNOWN
    names = list(dict.fromkeys(platform.short for platform in platforms))
    return " ".join(names) if names else UNKNOWN
