"""Ages and sizes as people type them: `30d`, `8w`, `500MB`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

_AGE: Final = re.compile(r"([0-9]{1,6}) ?([hdw])", re.ASCII)
_AGES: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_SIZE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?) ?(?:([kMGT])(i?))?B?", re.ASCII | re.IGNORECASE)
_POWERS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def age(text: str) -> timedelta:
    """An age such as 12h, 30d or 8w. Raises ValueError."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:40]!a} is no age: write 12h, 30d or 8w")
    return int(found[1]) * _AGES[found[2]]


def size(text: str) -> int:
    """Bytes from a size such as 500MB, 1.5 GB or 2GiB. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text[:40]!a} is no size: write 500MB or 2GiB")
    base = 1024 if found[3] else 1000
    return int(float(found[1]) * base ** _POWERS[(found[2] or "").lower()])
