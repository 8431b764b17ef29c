"""One question about many things, some under way at a time: answers as they arrive, and none left behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterable

Item = TypeVar("Item")
Answer = TypeVar("Answer")


async def fan_out(
    items: Iterable[Item], ask: Callable[[Item], Coroutine[Any, Any, Answer]], at_once: int
) -> AsyncIterator[Answer]:
    """Answers in the order in which they arrive; questions begin in the order given, `at_once` under way.

    Leaving early cancels what is under way, and nothing more is asked.
    """
    waiting = iter(items)
    running: set[asyncio.Task[Answer]] = set()
    try:
        while True:
            for item in waiting:
                running.add(asyncio.ensure_future(ask(item)))
                if len(running) >= at_once:
                    break
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
