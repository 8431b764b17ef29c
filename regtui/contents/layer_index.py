"""The index of one layer: all of its paths with their attributes, as one frozen value."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from regtui.contents.codec import pack, unpack
from regtui.contents.columns import ESCAPING, IMPLIED, KIND_MASK, NO_DATA, Columns, Kind, children_of
from regtui.contents.headers import BLOCK, UNKNOWN_ID
from regtui.contents.walk import split_path

if TYPE_CHECKING:
    from array import array

    from regtui.contents.checkpoints import Checkpoints
    from regtui.contents.packages.records import Finding
    from regtui.oci import Digest


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a layer, as it is shown. Sizes in bytes, `mtime` in seconds since 1970.

    `implied` folders have no header of their own: their mode, owner and time are unknown.
    """

    row: int
    path: str
    kind: Kind
    size: int
    mode: int | None
    uid: int | None
    gid: int | None
    mtime: int | None
    link: str | None
    device: tuple[int, int] | None
    implied: bool
    escaping: bool


@dataclass(frozen=True)
class LayerIndex:
    """What lies in one layer. Rows count from 0, the root; a row's parent is always a smaller row.

    `digest` names the compressed blob, `size` its bytes, `tar_size` the bytes of the tar as far as they were read
    (None where only a table of contents was).
    `entries` counts the archive's entries, `duplicates` those that a later one of the same path replaced.
    `damage` says in words why the list ends early, None when it does not.
    `source` is `stream`, `estargz`, `zstd:chunked` or `soci`; `verified` whether the bytes that the list came from
    hang on the layer's digest; `diff_id` the digest of the tar, when it was computed and fits.
    """

    digest: Digest
    size: int
    compression: str
    columns: Columns
    entries: int
    duplicates: int
    tar_size: int | None
    damage: str | None = None
    source: str = "stream"
    verified: bool = True
    diff_id: Digest | None = None
    findings: tuple[Finding, ...] = ()
    checkpoints: Checkpoints | None = field(default=None, compare=False, repr=False)

    def __len__(self) -> int:
        return len(self.columns.ends)

    def name(self, row: int) -> bytes:
        """The base name of a row, as it stands in the archive; the root has none."""
        return self.columns.name(row)

    def path(self, row: int) -> bytes:
        """The path from the root, without a leading slash."""
        columns, parts = self.columns, []
        while row:
            parts.append(columns.name(row))
            row = columns.parent[row]
        return b"/".join(reversed(parts))

    def kind(self, row: int) -> Kind:
        """What the row is."""
        return Kind(self.columns.kind[row] & KIND_MASK)

    def is_implied(self, row: int) -> bool:
        """Whether no header describes this folder."""
        return bool(self.columns.kind[row] & IMPLIED)

    def link(self, row: int) -> bytes | None:
        """The target of a symlink or hard link, as it stands in the archive."""
        return self.columns.link(row)

    def data_offset(self, row: int) -> int | None:
        """The byte of the tar where the content begins; None when the row has none of its own."""
        block = self.columns.block[row]
        return None if block == NO_DATA else block * BLOCK

    def entry(self, row: int) -> Entry:
        """The row as it is shown."""
        columns, link = self.columns, self.columns.link(row)
        implied = self.is_implied(row)
        return Entry(
            row,
            self.path(row).decode("utf-8", "surrogateescape"),
            self.kind(row),
            columns.size[row],
            None if implied else columns.mode[row],
            None if implied or columns.uid[row] == UNKNOWN_ID else columns.uid[row],
            None if implied or columns.gid[row] == UNKNOWN_ID else columns.gid[row],
            None if implied else columns.mtime[row],
            link.decode("utf-8", "surrogateescape") if link is not None else None,
            columns.devices.get(row),
            implied,
            bool(columns.kind[row] & ESCAPING),
        )

    @cached_property
    def _members(self) -> list[int]:
        return sorted(set(self.columns.member or ()))

    def member_end(self, row: int) -> int:
        """The byte of the blob by which a file of a table of contents has ended: where the next file begins."""
        members = self._members
        at = bisect_right(members, self.columns.member[row] if self.columns.member is not None else 0)
        return members[at] if at < len(members) else self.size

    @cached_property
    def _linked(self) -> tuple[array[int], array[int]]:
        """First child and next sibling of every row (0: none), built when somebody first looks at a folder."""
        return children_of(self.columns)

    def children(self, row: int) -> list[int]:
        """The rows in a folder, in the order of the archive."""
        first, following = self._linked
        found = []
        child = first[row]
        while child:
            found.append(child)
            child = following[child]
        return found

    def find(self, path: bytes | str) -> int | None:
        """The row at a path (links are not followed), or None."""
        wanted = path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path
        row = 0
        for part in split_path(wanted)[0]:
            for child in self.children(row):
                if self.columns.name(child) == part:
                    row = child
                    break
            else:
                return None
        return row

    def to_bytes(self) -> bytes:
        """The index as the cache keeps it: compressed columns behind a small header."""
        return pack(self)

    @classmethod
    def from_bytes(cls, stored: bytes) -> LayerIndex:
        """Read a stored index. Raises IndexCorrupted: index the layer again then."""
        return unpack(stored)
