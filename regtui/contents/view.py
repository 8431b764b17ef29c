"""The tree as it is looked at: up to one layer, marked against another, filtered, sorted, with totals per folder.

Node numbers are the tree's own, so a selection survives a change of view. Building a view of 200,000 paths takes
about a tenth of a second: do it off the event loop; asking a view is quick.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from heapq import nlargest
from typing import TYPE_CHECKING, Final

from regtui.contents.columns import Kind
from regtui.contents.search import matching
from regtui.contents.tree import Change, ImageTree, Occurrence, compare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.contents.layer_index import Entry

_ABSENT: Final = 255
_MOST: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Filter:
    """Which paths to show; folders that lead to one are shown with it.

    `glob` is matched against names, or against whole paths when it has a slash; text without wildcards may stand
    anywhere in the name. `layers` counts from 0: where the path comes from. None does not filter.
    """

    glob: str | None = None
    changes: frozenset[Change] | None = None
    layers: frozenset[int] | None = None


class View:
    """The stack up to layer `layer` (counted from 0; default: all), with changes since the stack up to `since`.

    `since=-1` compares with nothing (all is added), `since=layer - 1` shows what one layer did, `since=layer` marks
    nothing (the default). Removed paths are kept in the view, marked, and counted in no total.
    """

    def __init__(self, tree: ImageTree, layer: int | None = None, since: int | None = None) -> None:
        self.tree = tree
        self.layer = tree.top if layer is None else layer
        self.since = self.layer if since is None else since
        self._only: bytearray | None = None
        self._fits: bytearray | None = None
        self._count = max(1, tree.starts[self.layer + 1] if self.layer < tree.top else len(tree))
        self._sizes = self._own_sizes()
        self._marks = self._mark()
        self._totals = self._roll_up()
        self._inside = self._changed_inside()

    def filtered(self, wanted: Filter | None) -> View:
        """The same view showing only what the filter lets through."""
        view = object.__new__(View)
        view.__dict__.update(self.__dict__)
        view._only, view._fits = self._select(wanted) if wanted is not None else (None, None)
        return view

    # What a list of rows asks for

    def children(self, node: int, *, by: str = "name", folders_first: bool = False) -> list[int]:
        """The nodes in a folder that are shown, sorted `by` name or size (largest first)."""
        marks, only, count = self._marks, self._only, self._count
        found = [
            child
            for child in self.tree.children(node)
            if child < count and marks[child] != _ABSENT and (only is None or only[child])
        ]
        found.sort(key=self.tree.name)
        if by == "size":
            found.sort(key=self.size, reverse=True)
        if folders_first:
            found.sort(key=lambda child: self.kind(child) != Kind.DIRECTORY)
        return found

    def name(self, node: int) -> str:
        """The base name; bytes that are no UTF-8 are escaped as surrogates."""
        return self.tree.name(node).decode("utf-8", "surrogateescape")

    def path(self, node: int) -> str:
        """The path from the root, with a leading slash."""
        return "/" + self.tree.path(node).decode("utf-8", "surrogateescape")

    def kind(self, node: int) -> Kind:
        """What it is, or was before it was removed."""
        found = self.occurrence(node) if node else None
        return self.tree.kind(found) if found is not None else Kind.DIRECTORY

    def size(self, node: int) -> int:
        """Bytes of a file; of a folder, of everything in it; of something removed, what it had."""
        return self._totals[node]

    def change(self, node: int) -> Change:
        """The mark. A folder that only holds changes is modified."""
        mark = self._marks[node]
        return Change.MODIFIED if mark == Change.UNCHANGED and self._inside[node] else Change(mark)

    def own_change(self, node: int) -> Change:
        """The mark of the path itself, whatever happened inside of it."""
        return Change(self._marks[node])

    def is_shown(self, node: int) -> bool:
        """Whether the node is part of this view, removed ones included."""
        return node < self._count and self._marks[node] != _ABSENT and (self._only is None or bool(self._only[node]))

    def is_match(self, node: int) -> bool:
        """Whether the filter lets the node itself through; others are shown as they lead to one that it does."""
        return self._fits is None or bool(self._fits[node])

    def occurrence(self, node: int) -> Occurrence | None:
        """The layer and row that the path comes from; for a removed one, those that it came from."""
        return self.tree.occurrence(node, self.layer) or (
            self.tree.occurrence(node, self.since) if self.since >= 0 else None
        )

    def entry(self, node: int) -> Entry | None:
        """All attributes of the path."""
        found = self.occurrence(node)
        return self.tree.index(found.layer).entry(found.row) if found is not None else None

    def present(self) -> Iterator[int]:
        """Every node that exists in this view (not the removed ones), the filter left aside."""
        return (node for node, mark in enumerate(self._marks) if mark < Change.REMOVED)

    def largest(self, most: int = 50, inside: int = 0) -> list[int]:
        """The largest files that are shown, largest first; `inside` a folder and everything below it."""
        only, within = self._only, self._within(inside)
        files = (
            n for n in self.present() if self._sizes[n] and (only is None or only[n]) and (within is None or within[n])
        )
        return nlargest(most, files, key=self._sizes.__getitem__)

    def _within(self, folder: int) -> bytearray | None:
        """1 for a folder and everything below it; None for the root, where that is everything."""
        if not folder:
            return None
        within = bytearray(self._count)
        within[folder] = 1
        for node in range(folder + 1, self._count):
            within[node] = within[self.tree.parent[node]]
        return within

    # How the columns of the view are made

    def _own_sizes(self) -> array[int]:
        tree, sizes = self.tree, array("q")
        for number, index in enumerate(tree.layers[: self.layer + 1]):
            start = tree.starts[number]
            stop = tree.starts[number + 1] if number < tree.top else len(tree)
            if index is not None:
                sizes.extend(map(index.columns.size.__getitem__, tree.source[start:stop]))
            else:
                sizes.extend([0] * (stop - start))
        if not sizes:
            sizes.append(0)
        return sizes

    def _mark(self) -> bytearray:
        """Changes per node; sizes of nodes with events are set to what they are in this view on the way."""
        tree, sizes = self.tree, self._sizes
        known = min(self._count, tree.starts[self.since + 1] if self.since < tree.top else len(tree)) or 1
        marks = bytearray(known) + bytes((Change.ADDED,)) * (self._count - known)
        for node in tree.nodes_with_events():
            if node >= self._count:
                continue
            after = tree.occurrence(node, self.layer)
            before = tree.occurrence(node, self.since) if self.since >= 0 else None
            either = after or before
            sizes[node] = tree.size(either) if either is not None else 0
            if after is None:
                marks[node] = _ABSENT if before is None else Change.REMOVED
            elif before is None:
                marks[node] = Change.ADDED
            else:
                marks[node] = Change.UNCHANGED if before == after else compare(tree.layers, before, after)
        return marks

    def _roll_up(self) -> array[int]:
        parent, marks = self.tree.parent, self._marks
        totals = self._sizes[:]
        for node in range(self._count - 1, 0, -1):
            above = parent[node]
            if marks[node] < Change.REMOVED or (marks[node] != _ABSENT and marks[above] == Change.REMOVED):
                try:
                    totals[above] += totals[node]
                except OverflowError:
                    # Sizes are claims of the archive, and may be absurd.
                    totals[above] = _MOST
        return totals

    def _changed_inside(self) -> bytearray:
        parent, inside = self.tree.parent, bytearray(self._count)
        for node, mark in enumerate(self._marks):
            if mark and mark != _ABSENT:
                node = parent[node]
                while not inside[node]:
                    inside[node] = 1
                    node = parent[node]
        return inside

    def _select(self, wanted: Filter) -> tuple[bytearray, bytearray]:
        """1 for every node that is shown, and 1 for those that fit by themselves."""
        tree, parent = self.tree, self.tree.parent
        chosen: bytearray | None = None
        if wanted.glob:
            chosen = bytearray(self._count)
            for node in matching(tree, wanted.glob):
                if node < self._count:
                    chosen[node] = 1
            # Whatever lies in a folder that matches comes with it.
            for node in range(1, self._count):
                if chosen[parent[node]]:
                    chosen[node] = 1
        only, fits = bytearray(self._count), bytearray(self._count)
        for node in range(1, self._count):
            if (chosen is None or chosen[node]) and self._passes(node, wanted):
                fits[node] = 1
                while not only[node]:
                    only[node] = 1
                    node = parent[node]
        only[0] = 1
        return only, fits

    def _passes(self, node: int, wanted: Filter) -> bool:
        mark = self._marks[node]
        if mark == _ABSENT:
            return False
        if wanted.changes is not None and self.own_change(node) not in wanted.changes:
            return False
        if wanted.layers is None:
            return True
        found = self.occurrence(node)
        return found is not None and found.layer in wanted.layers
