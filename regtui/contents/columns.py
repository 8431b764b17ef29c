"""The columns of a layer index: one array per attribute, so that 100,000 entries take about 6 MB.

A row is one path of the layer (the root is row 0). A parent's row is always smaller than its children's.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.contents.headers import Header, Sparse


class Kind(IntEnum):
    """What an entry is. The values are stored in indexes."""

    REGULAR = 0
    HARDLINK = 1
    SYMLINK = 2
    CHARACTER = 3
    BLOCK = 4
    DIRECTORY = 5
    FIFO = 6
    OTHER = 7

    @property
    def letter(self) -> str:
        """The first letter of `ls -l`, with GNU tar's `h` for hard links."""
        return "-hlcbdp?"[self]


KIND_MASK: Final = 0x0F
IMPLIED: Final = 0x10
"""A folder that no header describes: it exists because something lies in it."""
ESCAPING: Final = 0x20
"""The name had `..` in it; what it names was kept inside the root."""
SHADOWED: Final = 0x80
"""A later entry of the same layer took this path: not part of the tree."""
NO_DATA: Final = 0xFFFFFFFF
_MOST_DEVICES: Final = 1 << 16
_GROWING: Final = (
    "names", "ends", "parent", "kind", "size", "mode", "uid", "gid", "mtime", "block", "link_row", "links", "link_end",
)  # fmt: skip


OFTEN_SMALL: Final = ("size", "uid", "gid", "mtime")
"""Columns whose numbers are seldom as large as they may be."""
_CODES: Final = {1: "B", 2: "H", 4: "I"}


@dataclass(slots=True)
class Columns:
    """The growing columns of one layer. Written by one thread; `snapshot` gives others a consistent part."""

    names: bytearray = field(default_factory=bytearray)
    """Base names, each closed by a NUL."""
    ends: array[int] = field(default_factory=lambda: array("I"))
    """Where in `names` each row's name ends (its NUL)."""
    parent: array[int] = field(default_factory=lambda: array("I"))
    kind: bytearray = field(default_factory=bytearray)
    """Kind in the low bits, IMPLIED, ESCAPING and SHADOWED above."""
    size: array[int] = field(default_factory=lambda: array("q"))
    mode: array[int] = field(default_factory=lambda: array("H"))
    uid: array[int] = field(default_factory=lambda: array("I"))
    """UNKNOWN_ID (headers.py) where the archive names one that no Linux has."""
    gid: array[int] = field(default_factory=lambda: array("I"))
    mtime: array[int] = field(default_factory=lambda: array("q"))
    block: array[int] = field(default_factory=lambda: array("I"))
    """Where in the tar the content begins, in blocks of 512 bytes; NO_DATA where there is none."""
    link_row: array[int] = field(default_factory=lambda: array("I"))
    """The rows that have a link target, ascending."""
    links: bytearray = field(default_factory=bytearray)
    """Their targets, each closed by a NUL."""
    link_end: array[int] = field(default_factory=lambda: array("I"))
    devices: dict[int, tuple[int, int]] = field(default_factory=dict)
    sparse: dict[int, Sparse] = field(default_factory=dict)
    hashes: array[int] | None = None
    """First 64 bits of each regular file's sha256, 0 where unknown; None when nothing was hashed."""
    member: array[int] | None = None
    """Where in the blob the compressed member or frame of each file begins, 0 where it has none; None for layers
    that were listed by streaming."""
    inner: dict[int, int] = field(default_factory=dict)
    """Bytes inside the member before the content, where there are any."""

    def __len__(self) -> int:
        return len(self.ends)

    def name(self, row: int) -> bytes:
        """The base name of a row; the root has none."""
        return bytes(self.names[self.ends[row - 1] + 1 : self.ends[row]]) if row else b""

    def link(self, row: int) -> bytes | None:
        """The target of a symlink or hard link."""
        at = bisect_left(self.link_row, row)
        if at == len(self.link_row) or self.link_row[at] != row:
            return None
        return bytes(self.links[self.link_end[at - 1] + 1 if at else 0 : self.link_end[at]])

    def add_link(self, row: int, target: bytes) -> None:
        """Keep the target of the newest row."""
        self.links += target
        self.link_row.append(row)
        self.link_end.append(len(self.links))
        self.links.append(0)

    def add(self, name: bytes, parent: int, kind: int, entry: Header, block: int) -> int:
        """Append a row; its number."""
        row = len(self.ends)
        self.names += name
        self.parent.append(parent)
        self.kind.append(kind)
        self.size.append(entry.size)
        self.mode.append(entry.mode)
        self.uid.append(entry.uid)
        self.gid.append(entry.gid)
        self.mtime.append(entry.mtime)
        self.block.append(block)
        self.ends.append(len(self.names))
        self.names.append(0)
        if kind & KIND_MASK in {Kind.SYMLINK, Kind.HARDLINK}:
            self.add_link(row, entry.link)
        elif entry.device is not None and len(self.devices) < _MOST_DEVICES:
            self.devices[row] = entry.device
        return row

    def appenders(self) -> tuple[Callable[[int], None], ...]:
        """The append methods of the columns of fixed width, for a loop that can't afford to look them up."""
        return (
            self.ends.append,
            self.parent.append,
            self.kind.append,
            self.size.append,
            self.mode.append,
            self.uid.append,
            self.gid.append,
            self.mtime.append,
            self.block.append,
        )

    def trim(self) -> None:
        """Give back the room that growing columns keep ahead, an eighth of them; nothing is appended afterwards.

        Sizes, owners and times seldom need all bytes of a number: that is another quarter.
        """
        for name in _GROWING:
            column = getattr(self, name)
            setattr(self, name, narrowed(column) if name in OFTEN_SMALL else column[:])

    def snapshot(self) -> Columns:
        """A copy of what is complete so far. To be called by the thread that writes, between two pieces."""
        return Columns(
            self.names[:],
            self.ends[:],
            self.parent[:],
            self.kind[:],
            self.size[:],
            self.mode[:],
            self.uid[:],
            self.gid[:],
            self.mtime[:],
            self.block[:],
            self.link_row[:],
            self.links[:],
            self.link_end[:],
            dict(self.devices),
            dict(self.sparse),
            self.hashes[:] if self.hashes is not None else None,
            self.member[:] if self.member is not None else None,
            dict(self.inner),
        )


def narrow_code(code: str, used: int) -> str:
    """The array type whose numbers have room for so many bytes, the lowest ones; `code` itself at most."""
    if sys.byteorder != "little":
        return code
    width = array(code).itemsize
    return next((narrow for size, narrow in _CODES.items() if used <= size < width), code)


def narrowed(column: array[int]) -> array[int]:
    """The same numbers, in as few bytes each as all of them need."""
    raw, width = column.tobytes(), column.itemsize
    used = width
    while used > 1 and raw[used - 1 :: width].count(0) == len(column):
        used -= 1
    code = narrow_code(column.typecode, used)
    if code == column.typecode:
        return column[:]
    made = array(code)
    lean = bytearray(len(column) * made.itemsize)
    for plane in range(made.itemsize):
        lean[plane :: made.itemsize] = raw[plane::width]
    made.frombytes(lean)
    return made


def children_of(columns: Columns) -> tuple[array[int], array[int]]:
    """First child and next sibling of every row, in the order of the archive; 0 ends."""
    parent, kind = columns.parent, columns.kind
    first, following = array("I", bytes(4 * len(parent))), array("I", bytes(4 * len(parent)))
    for row in range(len(parent) - 1, 0, -1):
        if kind[row] < SHADOWED:
            above = parent[row]
            following[row] = first[above]
            first[above] = row
    return first, following
