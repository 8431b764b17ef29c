"""How fast something arrives and how long the rest will take, over the last seconds."""

from __future__ import annotations

from collections import deque

WINDOW = 5.0
"""Seconds that the speed is measured over."""
LEAST = 0.5
"""Seconds after which a speed means something."""


class Pace:
    """Note `(moment, done)` as it comes, moments in seconds of any clock."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, moment: float, done: int) -> None:
        """So much was done at this moment."""
        self._seen.append((moment, done))
        while self._seen[-1][0] - self._seen[0][0] > WINDOW:
            self._seen.popleft()

    @property
    def speed(self) -> float | None:
        """Per second; None as long as nobody can tell."""
        if len(self._seen) < 2:
            return None
        seconds = self._seen[-1][0] - self._seen[0][0]
        return (self._seen[-1][1] - self._seen[0][1]) / seconds if seconds >= LEAST else None

    def left(self, total: int) -> float | None:
        """Seconds until `total` is done at this speed; None when nobody can tell."""
        speed = self.speed
        return None if not speed or speed <= 0 else max(0, total - self._seen[-1][1]) / speed


def left_text(seconds: float) -> str:
    """`0:07 left`, `1:02:30 left`."""
    whole = int(seconds + 0.5)
    hours, rest = divmod(whole, 3600)
    minutes, last = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{last:02} left" if hours else f"{minutes}:{last:02} left"
