"""Paths that one layer describes twice: the later entry wins, the earlier leaves the tree."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from regtui.contents.columns import IMPLIED, KIND_MASK, SHADOWED, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.contents.columns import Columns

_NAMES_AT_ONCE: Final = 1 << 13
_HASHES_AT_ONCE: Final = 1 << 15
"""Names, and hashes, that are Python objects at the same time: they take a multiple of what they take in columns."""


def shadow_duplicates(columns: Columns, described: Mapping[int, int]) -> int:
    """Mark the rows whose path a later row of the layer takes; how many there are.

    `described` gives, for folders whose own row was updated, how many rows there were at that time: it is what
    decides between such a folder and a file of the same name. What lay in a folder that lost its path is
    unreachable from then on, as its parent is marked.
    """
    hashes = _hashes(columns)
    slices = len(columns) // _HASHES_AT_ONCE + 1
    shadowed = 0
    for number in range(slices):
        twice = _met_twice(hashes, slices, number)
        if not twice:
            continue
        latest: dict[tuple[int, bytes], int] = {}
        for row, found in enumerate(hashes):
            if found not in twice or not row:
                continue
            key = columns.parent[row], columns.name(row)
            other = latest.setdefault(key, row)
            if other == row:
                continue
            stays, goes = (other, row) if _prevails(columns, other, row, described) else (row, other)
            latest[key] = stays
            columns.kind[goes] |= SHADOWED
            shadowed += 1
    return shadowed


def _prevails(columns: Columns, first: int, second: int, described: Mapping[int, int]) -> bool:
    """Whether the earlier of two rows stays: the later does, but a folder that is only implied gives way to a file.

    Such are the whiteouts that some tools write for what lay in a folder that the layer replaces by a file.
    """
    one, two = columns.kind[first], columns.kind[second]
    if (one ^ two) & IMPLIED and Kind.SYMLINK not in {one & KIND_MASK, two & KIND_MASK}:
        return bool(two & IMPLIED)
    return described.get(first, first) > described.get(second, second)


def _hashes(columns: Columns) -> array[int]:
    """A hash of each row's folder and name, the names taken apart a part at a time."""
    hashes = array("q")
    ends, start = columns.ends, 0
    for row in range(0, len(columns), _NAMES_AT_ONCE):
        parents = columns.parent[row : row + _NAMES_AT_ONCE]
        end = ends[row + len(parents) - 1]
        hashes.extend(map(hash, zip(parents, bytes(columns.names[start:end]).split(b"\0"), strict=True)))
        start = end + 1
    return hashes


def _met_twice(hashes: array[int], slices: int, number: int) -> set[int]:
    """The hashes that more than one row has, of one slice."""
    mine = hashes if slices == 1 else [found for found in hashes if found % slices == number]
    if len(set(mine)) == len(mine):
        return set()
    seen: set[int] = set()
    twice: set[int] = set()
    for found in mine:
        (twice if found in seen else seen).add(found)
    return twice
