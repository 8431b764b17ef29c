"""When something was pushed, by a clock that goes on by a second at each push."""

from __future__ import annotations

import itertools


class Pushes(dict[tuple[str, str], str]):
    """(repository, tag or digest) → when it was pushed, in RFC 3339."""

    def __init__(self) -> None:
        super().__init__()
        self._clock = itertools.count(1)

    def stamp(self, repository: str, *names: str) -> None:
        """Note that these are pushed now."""
        for name in names:
            n = next(self._clock)
            self[repository, name] = f"2026-03-01T{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}.123Z"
