"""From a row of a layer to the node of the image's tree, and over all files that the final image has."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from regtui.contents.columns import KIND_MASK, Kind
from regtui.contents.tree import NONE, Occurrence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.contents.tree import ImageTree


class Places:
    """Looks a tree up from its layers' side."""

    def __init__(self, tree: ImageTree) -> None:
        self._tree = tree
        self._repeated = {
            (layer, row): node
            for node, layer, row in zip(tree.event_node, tree.event_layer, tree.event_row, strict=True)
            if row != NONE
        }

    def node(self, layer: int, row: int) -> int | None:
        """The node of a row, None for what is not part of the tree (whiteouts, entries that a later one replaced)."""
        found = self._repeated.get((layer, row))
        if found is not None:
            return found
        start, stop = self._range(layer)
        node = bisect_left(self._tree.source, row, start, stop)
        return node if node < stop and self._tree.source[node] == row else None

    def is_live(self, node: int, layer: int, row: int) -> bool:
        """Whether the final image has this very row."""
        return self._tree.occurrence(node) == Occurrence(layer, row)

    def size(self, node: int) -> int:
        """Bytes of the node in the final image."""
        here = self._tree.occurrence(node)
        return self._tree.size(here) if here is not None else 0

    def files(self) -> Iterator[tuple[int, int, int, int]]:
        """(node, layer, row, bytes) of every regular file of the final image."""
        tree = self._tree
        for layer, index in enumerate(tree.layers):
            if index is None:
                continue
            kinds, sizes = index.columns.kind, index.columns.size
            start, stop = self._range(layer)
            for node in range(start, stop):
                if tree.latest[node] == NONE:
                    row = tree.source[node]
                    if kinds[row] & KIND_MASK == Kind.REGULAR:
                        yield node, layer, row, sizes[row]
        for node in tree.nodes_with_events():
            here = tree.occurrence(node)
            if here is not None and tree.kind(here) == Kind.REGULAR:
                yield node, here.layer, here.row, tree.size(here)

    def _range(self, layer: int) -> tuple[int, int]:
        """The nodes that a layer brought, without the root."""
        tree = self._tree
        return max(tree.starts[layer], 1), tree.starts[layer + 1] if layer < tree.top else len(tree)
