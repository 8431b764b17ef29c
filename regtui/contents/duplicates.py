"""Paths that one layer describes twice: the later entry wins, the earlier leaves the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.contents.columns import IMPLIED, KIND_MASK, SHADOWED, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from regtui.contents.columns import Columns

_ROWS_AT_ONCE: Final = 250_000


def shadow_duplicates(columns: Columns, described_again: Mapping[int, int]) -> int:
    """Mark the rows whose path a later row of the layer takes; how many there are.

    `described_again` gives, for folders whose own row was updated, how many rows there were at that time: it is
    what decides between such a folder and a file of the same name. What lay in a folder that lost its path is
    unreachable from then on, as its parent is marked.
    """
    names = bytes(columns.names).split(b"\0")
    # A huge layer is taken in slices, by hash, so that the sets stay small.
    slices = len(columns) // _ROWS_AT_ONCE + 1
    shadowed = 0
    for number in range(slices):
        twice = _met_twice(columns, names, slices, number)
        if not twice:
            continue
        latest: dict[tuple[int, bytes], int] = {}
        for row, found in enumerate(_hashes(columns, names)):
            if found not in twice or not row:
                continue
            other = latest.setdefault((columns.parent[row], names[row]), row)
            if other == row:
                continue
            stays, goes = (other, row) if _prevails(columns, other, row, described_again) else (row, other)
            latest[columns.parent[row], names[row]] = stays
            columns.kind[goes] |= SHADOWED
            shadowed += 1
    return shadowed


def _prevails(columns: Columns, first: int, second: int, described_again: Mapping[int, int]) -> bool:
    """Whether the earlier of two rows stays: the later does, but a folder that is only implied gives way to a file.

    Such are the whiteouts that some tools write for what lay in a folder that the layer replaces by a file.
    """
    one, two = columns.kind[first], columns.kind[second]
    if (one ^ two) & IMPLIED and Kind.SYMLINK not in {one & KIND_MASK, two & KIND_MASK}:
        return bool(two & IMPLIED)
    return described_again.get(first, first) > described_again.get(second, second)


def _hashes(columns: Columns, names: list[bytes]) -> Iterator[int]:
    return map(hash, zip(columns.parent, names, strict=False))


def _met_twice(columns: Columns, names: list[bytes], slices: int, number: int) -> set[int]:
    if slices == 1 and len(set(_hashes(columns, names))) == len(columns):
        return set()
    seen: set[int] = set()
    twice: set[int] = set()
    for found in _hashes(columns, names):
        if found % slices == number:
            (twice if found in seen else seen).add(found)
    return twice
