"""Stacks layers into one tree: whiteouts, opaque folders, replaced files and folders (OCI image-spec layer.md).

One running tree for all layers; nothing is rebuilt for a whiteout.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

from regtui.contents.columns import IMPLIED, KIND_MASK, SHADOWED, Kind
from regtui.contents.errors import NotReadable
from regtui.contents.links import resolve
from regtui.contents.tree import NONE, Change, ImageTree, Occurrence, compare

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from regtui.contents.layer_index import LayerIndex

_PREFIX: Final = b".wh."
OPAQUE: Final = b".wh..wh..opq"
_AUFS: Final = b".wh..wh."


def stack(layers: Sequence[LayerIndex | None]) -> ImageTree:
    """The tree of these layers, base first. A layer that can't be listed is None."""
    listed = next((number for number, index in enumerate(layers) if index is not None), NONE)
    tree = ImageTree(tuple(layers), listed)
    for column, value in (
        (tree.parent, 0),
        (tree.source, 0),
        (tree.latest, NONE),
        (tree.first, 0),
        (tree.following, 0),
    ):
        column.append(value)
    for number, index in enumerate(layers):
        tree.starts.append(len(tree) if number else 0)
        if index is not None:
            _Layer(tree, number, index).merge()
    return tree


def whiteouts(index: LayerIndex) -> Iterator[tuple[int, bytes]]:
    """Rows that remove something from lower layers, with their names: found in the joined names, not row by row."""
    names, ends = index.columns.names, index.columns.ends
    mark = b"\0" + _PREFIX
    position = names.find(mark)
    while position >= 0:
        row = bisect_left(ends, position) + 1
        yield row, bytes(names[position + 1 : ends[row]])
        position = names.find(mark, position + 1)


class _Layer:
    """One layer on its way into the tree."""

    def __init__(self, tree: ImageTree, number: int, index: LayerIndex) -> None:
        self._tree, self._number, self._index = tree, number, index
        self._fresh = len(tree)
        self._first_event = len(tree.event_node)
        self._names: dict[int, dict[bytes, int]] = {0: {}} if len(tree) == 1 else {}
        self._folders: dict[int, int] = {0: 0}

    def merge(self) -> None:
        """Removals first, wherever in the layer they stand: they are about lower layers only."""
        white = set()
        for row, name in whiteouts(self._index):
            white.add(row)
            if not self._index.columns.kind[row] & SHADOWED:
                self._remove_by(row, name)
        self._add_rows(white)

    def _remove_by(self, row: int, name: bytes) -> None:
        folder = self._folder(self._index.columns.parent[row])
        if folder == NONE:
            return
        if name == OPAQUE:
            for child in list(self._tree.children(folder)):
                self._remove(child, row)
        elif len(name) > len(_PREFIX) and not name.startswith(_AUFS):
            target = self._known(folder).get(name[len(_PREFIX) :], NONE)
            if target != NONE:
                self._remove(target, row)

    def _folder(self, row: int) -> int:
        """The node of a folder of this layer in the tree below, or NONE."""
        chain = []
        while row not in self._folders:
            chain.append(row)
            row = self._index.columns.parent[row]
        node = self._folders[row]
        for below in reversed(chain):
            if node != NONE:
                node = self._known(node).get(self._index.columns.name(below), NONE)
            if node != NONE and self._index.columns.kind[below] & IMPLIED:
                node = self._through(node)
            self._folders[below] = node
        return node

    def _through(self, node: int) -> int:
        """Where a path goes on behind this node: unpacking follows the symlinks of lower layers to folders."""
        here = self._tree.occurrence(node)
        if here is None or self._tree.kind(here) != Kind.SYMLINK:
            return node
        try:
            found = resolve(self._tree, self._tree.index(here.layer).link(here.row) or b"", self._tree.parent[node])
        except NotReadable:
            return node
        # What this very layer brings may not be finished yet.
        if found is None or found >= self._fresh:
            return node
        target = self._tree.occurrence(found)
        return found if target is not None and self._tree.kind(target) == Kind.DIRECTORY else node

    def _known(self, node: int) -> dict[bytes, int]:
        """The names in a folder of the tree below."""
        known = self._names.get(node)
        if known is None:
            tree = self._tree
            known = self._names[node] = {tree.name(child): child for child in tree.children(node)}
        return known

    def _alive(self, node: int) -> bool:
        event = self._tree.latest[node]
        return event == NONE or self._tree.event_change[event] < Change.REMOVED

    def _event(self, node: int, row: int, change: int) -> int:
        tree = self._tree
        tree.event_node.append(node)
        tree.event_layer.append(self._number)
        tree.event_row.append(row)
        tree.event_previous.append(tree.latest[node])
        tree.event_change.append(change)
        tree.latest[node] = len(tree.event_node) - 1
        return tree.latest[node]

    def _remove(self, node: int, row: int) -> None:
        if not self._alive(node):
            return
        size = self._size(node)
        event = self._event(node, row, Change.REMOVED)
        self._hides(event, size + self._clear(node))

    def _hides(self, event: int, size: int) -> None:
        if size:
            self._tree.hidden[event] = size

    def _clear(self, node: int) -> int:
        """Take everything in a folder away with it; the bytes that were in it."""
        total = 0
        pending = [node]
        while pending:
            for child in self._tree.children(pending.pop()):
                if self._alive(child):
                    total += self._size(child)
                    self._event(child, NONE, Change.GONE)
                    pending.append(child)
        return total

    def _size(self, node: int) -> int:
        found = self._tree.occurrence(node)
        return self._tree.size(found) if found is not None else 0

    def _add_rows(self, white: set[int]) -> None:
        tree, columns, fresh = self._tree, self._index.columns, self._fresh
        add_parent, add_source = tree.parent.append, tree.source.append
        add_following, add_latest, first = tree.following.append, tree.latest.append, tree.first
        parents, kinds, names = columns.parent, columns.kind, self._names
        where = array("i", (NONE,)) * len(parents)
        where[0] = 0
        if self._number > tree.root_layer and not kinds[0] & IMPLIED:
            self._again(0, 0, kinds[0])
        node = len(tree)
        for row in range(1, len(parents)):
            parent = where[parents[row]]
            if parent == NONE or kinds[row] & SHADOWED or row in white:
                continue
            if parent < fresh:
                siblings, name = names.get(parent) or self._known(parent), columns.name(row)
                known = siblings.setdefault(name, node)
                if known != node:
                    where[row] = self._again(known, row, kinds[row])
                    continue
            where[row] = node
            add_parent(parent)
            add_source(row)
            add_following(first[parent])
            first[parent] = node
            first.append(0)
            add_latest(NONE)
            node += 1

    def _again(self, node: int, row: int, kind: int) -> int:
        """A path that a lower layer has, or had; the node under which its children are to be found."""
        tree = self._tree
        if kind & IMPLIED:
            through = self._through(node)
            if through != node:
                return through
        present = tree.occurrence(node)
        folder = kind & KIND_MASK == Kind.DIRECTORY
        if present is not None and folder and kind & IMPLIED and tree.kind(present) == Kind.DIRECTORY:
            return node
        hidden = tree.size(present) if present is not None else 0
        if present is not None and not folder and tree.kind(present) == Kind.DIRECTORY:
            hidden += self._clear(node)
        below = tree.occurrence(node, self._number - 1)
        here = Occurrence(self._number, row)
        change = compare(tree.layers, below, here) if below is not None else Change.ADDED
        self._hides(self._event(node, row, change), hidden)
        return node
