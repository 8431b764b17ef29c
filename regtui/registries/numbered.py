"""Lists that a vendor's own API gives in numbered pages: the first tells how many there are, the rest come together."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

AT_ONCE: Final = 4
"""Pages that are asked for at the same time."""
MOST_PAGES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Part:
    """One page: its rows as the API gave them, how many there are in all, or at least whether more follow.

    `stopped` says in words why the list ends here although there is more.
    """

    rows: list[dict[str, Any]]
    total: int | None = None
    more: bool = False
    stopped: str | None = None


async def numbered(
    ask: Callable[[int], Awaitable[Part]], *, size: int, at_once: int = AT_ONCE, most: int = MOST_PAGES
) -> AsyncIterator[Part]:
    """The pages in order, counted from 1, of `size` rows each; an empty one ends the list.

    Where the first tells the total, several are asked for ahead; else each after the other, while `more`. Left early,
    nothing goes on. Raises what `ask` raises.
    """
    part = await ask(1)
    total, number, asked = part.total, 1, 1
    last = most if total is None else min(most, -(-total // size))
    ahead: deque[asyncio.Task[Part]] = deque()
    try:
        while True:
            is_last = part.stopped is not None or not part.rows or number >= last or (total is None and not part.more)
            while not is_last and asked < last and len(ahead) < (at_once if total is not None else 1):
                asked += 1
                ahead.append(asyncio.ensure_future(ask(asked)))
            if number >= most and part.stopped is None and (part.more or (total or 0) > most * size):
                part = replace(part, stopped=f"The list was cut off after {most:,} pages.")
            yield part
            if is_last:
                return
            part = await ahead.popleft()
            number += 1
    finally:
        for task in ahead:
            task.cancel()
        await asyncio.gather(*ahead, return_exceptions=True)
