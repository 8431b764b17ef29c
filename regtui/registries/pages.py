"""Paging of tag lists, catalogs and referrers: which question comes next, and when to stop asking.

Source: OCI distribution-spec, "Listing Tags" and "Link" headers (RFC 8288), and what real registries do with
them: targets with a wrong host or prefix, ignored parameters, a Link on the last page, pages that repeat.
Pure functions and one small state; the requests are made elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_PAGES: Final = 10_000
MOST_ITEMS: Final = 1_000_000
_LONGEST_HEADER: Final = 16_384
_MOST_PARAMETERS: Final = 32
_TARGET: Final = re.compile(r"\s*,?\s*<([^>]*)>", re.ASCII)
_PARAMETER: Final = re.compile(r"\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,]*)))?")


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of a Link header: where it points and which relations it has (lower case)."""

    target: str
    relations: frozenset[str]


def parse_links(header: str | None) -> tuple[Link, ...]:
    """Read a Link header, several values joined by commas. What can't be read ends the reading, never raises."""
    text = (header or "")[:_LONGEST_HEADER]
    found: list[Link] = []
    position = 0
    while match := _TARGET.match(text, position):
        position = match.end()
        relations: frozenset[str] = frozenset()
        while parameter := _PARAMETER.match(text, position):
            position = parameter.end()
            if parameter.group(1).lower() == "rel":
                value = parameter.group(2) if parameter.group(2) is not None else parameter.group(3) or ""
                relations |= frozenset(value.lower().split())
        found.append(Link(match.group(1).strip(), relations))
    return tuple(found)


def next_target(header: str | None) -> str | None:
    """Where the relation `next` points, or None. Of a Link without any relation, it is meant."""
    links = parse_links(header)
    for link in links:
        if "next" in link.relations:
            return link.target
    return links[0].target if len(links) == 1 and not links[0].relations else None


def next_query(header: str | None, last: str | None) -> dict[str, str] | None:
    """The parameters of the next page, for one's own path; None when there is no next page.

    Only the query of the Link is trusted: its host, scheme and path are often wrong behind proxies. Without a
    usable query, the page goes on behind `last`, the last item seen.
    """
    target = next_target(header)
    if target is None:
        return None
    try:
        pairs = parse_qsl(urlsplit(target).query, keep_blank_values=False, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        pairs = []
    if pairs:
        return dict(pairs)
    return {"last": last} if last else None


@dataclass(slots=True)
class Pager:
    """Walks a listing: told of every page, it says what to ask next, and why it stopped early if it did.

    After `take`, `query` holds the parameters of the next page or None, and `stopped` a sentence when the
    listing ended before it was complete.
    """

    query: dict[str, str] | None
    most_pages: int = MOST_PAGES
    most_items: int = MOST_ITEMS
    stopped: str | None = None
    pages: int = 0
    items: int = 0
    _asked: list[dict[str, str]] = field(default_factory=list)
    _previous: tuple[str, ...] = ()

    def take(self, page: Sequence[str], link: str | None) -> tuple[str, ...]:
        """Note a page and its Link header; the items that are new, none when the page repeats the one before."""
        found = tuple(page)
        self.pages += 1
        if self.query is not None:
            self._asked = [*self._asked[-7:], self.query]
        following = next_query(link, found[-1] if found else None)
        self.query = None
        if found and found == self._previous:
            self.stopped = "The registry sent the same page again: it does not page this list as it says."
            return ()
        self._previous = found
        self.items += len(found)
        if not found or following is None:
            return found
        if following in self._asked:
            self.stopped = "The registry's pages go in a circle."
        elif self.pages >= self.most_pages or self.items >= self.most_items:
            self.stopped = f"The list was cut off after {self.items:,} entries."
        else:
            self.query = following
        return found
