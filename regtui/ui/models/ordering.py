"""Sorting for long lists: pure functions that may run in a worker thread without stopping the screen.

One `list.sort` of 100,000 keys would hold the interpreter for tens of milliseconds; here runs of a few
thousand are sorted and then merged in Python, so that the event loop gets its turn in between.
"""

from __future__ import annotations

import heapq
import re
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_RUN = 4_096
_DIGITS = re.compile(r"([0-9]+)").split


def natural_key(text: str) -> str:
    """A key that puts v9 before v10: each run of digits is led by its length.

    One flat string, since comparing strings is several times faster than comparing tuples.
    """
    parts = _DIGITS(text.lower())
    if len(parts) == 1:
        return parts[0]
    parts[1::2] = [_number(part) for part in parts[1::2]]
    return "".join(parts)


def _number(digits: str) -> str:
    significant = digits.lstrip("0") or "0"
    # The length as a character keeps its order up to 0x10FFFF digits; it starts where digits stand in ASCII.
    return f"{chr(min(47 + len(significant), 0xD7FF))}{significant}"


@dataclass(frozen=True, slots=True)
class Order:
    """A finished sort: positions of rows in sorted order, those without a value at the end.

    `keys[i]` belongs to `indices[i]`, for the first `len(keys)` of them. `count` is how many rows were there,
    `basis` tells the model whether they are still the same ones.
    """

    column: str
    reverse: bool
    indices: array[int]
    keys: list[Any]
    count: int
    basis: tuple[int, int] = (0, 0)


def sort_order(
    rows: Sequence[Any],
    column: str,
    key: Callable[[Any], Any],
    *,
    reverse: bool = False,
    basis: tuple[int, int] = (0, 0),
) -> Order:
    """The order of `rows` by `key`; equal keys keep their order, rows whose key is None come last either way."""
    keys = [key(row) for row in rows]
    known = [index for index, value in enumerate(keys) if value is not None]
    unknown = [index for index, value in enumerate(keys) if value is None]
    runs = [
        sorted(known[start : start + _RUN], key=keys.__getitem__, reverse=reverse)
        for start in range(0, len(known), _RUN)
    ]
    whole = runs[0] if len(runs) == 1 else list(heapq.merge(*runs, key=keys.__getitem__, reverse=reverse))
    indices = array("I", whole)
    indices.extend(unknown)
    return Order(column, reverse, indices, [keys[index] for index in whole], len(keys), basis)


def merged(order: Order, rows: Sequence[Any], key: Callable[[Any], Any]) -> Order:
    """`order` with the rows after its `count` put in their places, without sorting the old ones again."""
    start = order.count
    added = sort_order(rows[start:], order.column, key, reverse=order.reverse)
    fresh = [start + index for index in added.indices]
    places = _places(order.keys, added.keys, reverse=order.reverse)
    bounds = [0, *places, len(order.keys)]
    indices = array("I")
    keys: list[Any] = []
    for turn, (low, high) in enumerate(pairwise(bounds)):
        if turn:
            indices.append(fresh[turn - 1])
            keys.append(added.keys[turn - 1])
        indices.extend(order.indices[low:high])
        keys.extend(order.keys[low:high])
    indices.extend(chain(order.indices[len(order.keys) :], fresh[len(added.keys) :]))
    return Order(order.column, order.reverse, indices, keys, start + added.count, order.basis)


def _places(keys: list[Any], added: list[Any], *, reverse: bool) -> list[int]:
    """Where each added key goes: after its equals, since it came later."""
    if not reverse:
        return [bisect_right(keys, value) for value in added]
    backwards = keys[::-1]
    return [len(keys) - bisect_left(backwards, value) for value in added]
