"""From the paths in a package database to rows of the layer that the database lies in."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from regtui.contents.columns import KIND_MASK, Kind, children_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from regtui.contents.columns import Columns

_MERGED: Final = (b"lib/", b"bin/", b"sbin/", b"lib64/", b"lib32/", b"libx32/", b"libexec/")
_MOST_NAMES: Final = 20_000


def rows_of(columns: Columns, folders: Mapping[bytes, int], packages: Sequence[bytes]) -> Iterator[array[int]]:
    """For each package's paths, joined by NULs, the rows of this layer that they name, ascending.

    Folders belong to nobody.

    `folders` are the layer's folders by path. Paths that this layer does not have are left out: files lie in the layer
    whose database first lists them.
    """
    if not any(packages):
        yield from (array("I") for _ in packages)
        return
    places = _Places(columns, folders)
    for paths in packages:
        found = {row for path in paths.split(b"\0") if (row := places.row(path))}
        yield array("I", sorted(found))


class _Places:
    """Finds rows by path, a folder's names at a time: a table of all names would take more than the index itself."""

    def __init__(self, columns: Columns, folders: Mapping[bytes, int]) -> None:
        self._columns, self._folders = columns, folders
        self._first, self._following = children_of(columns)
        self._names: dict[int, dict[bytes, int]] = {}
        self._room = _MOST_NAMES

    def row(self, path: bytes) -> int:
        """The row of a file, 0 when there is none. Systems with merged /usr list some files by their old place."""
        found = self._row(path)
        return found or (self._row(b"usr/" + path) if path.startswith(_MERGED) else 0)

    def _row(self, path: bytes) -> int:
        folder, _, name = path.rpartition(b"/")
        parent = self._folders.get(folder)
        return self._names_in(parent).get(name, 0) if parent is not None else 0

    def _names_in(self, folder: int) -> dict[bytes, int]:
        known = self._names.get(folder)
        if known is None:
            columns, known = self._columns, {}
            row = self._first[folder]
            while row:
                if columns.kind[row] & KIND_MASK != Kind.DIRECTORY:
                    known[columns.name(row)] = row
                row = self._following[row]
            self._room -= len(known)
            if self._room < 0:
                self._names.clear()
                self._room = _MOST_NAMES
            self._names[folder] = known
        return known
