"""Tags of which the registry tells the names, and another API of the same product tells more.

The registry's own list decides which tags there are: an index or a portal beside it may lag behind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.registries.contract import Page, TagSummary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.transport.errors import RegistryError


async def joined(
    names: AsyncIterator[Page[TagSummary]],
    told: AsyncIterator[tuple[TagSummary, ...]],
    *,
    without: tuple[type[RegistryError], ...],
) -> AsyncIterator[Page[TagSummary]]:
    """The rows that are told of tags in the list, as they come; at the end the tags of which nothing was told.

    Raises what reading `names` raises. An error of a type in `without` only ends what is told.
    """
    listed: dict[str, TagSummary] = {}
    stopped = None
    async for page in names:
        listed |= {tag.name: tag for tag in page.items}
        stopped = page.stopped
    try:
        async for rows in told:
            fresh = tuple(row for row in rows if listed.pop(row.name, None) is not None)
            if fresh:
                yield Page(fresh)
    except without:
        pass
    yield Page(tuple(listed.values()), stopped=stopped)
