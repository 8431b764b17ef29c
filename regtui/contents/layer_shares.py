"""What becomes of each layer's bytes: how many the final image still shows, how many later layers hide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regtui.contents.tree import ImageTree


@dataclass(frozen=True, slots=True)
class LayerShare:
    """One layer, counted from 0. Bytes are uncompressed; `hidden` are those of `added` that the final image does not
    show, because a later layer overwrote or removed them, or the layer itself wrote them twice.
    """

    layer: int
    added: int
    left: int

    @property
    def hidden(self) -> int:
        """Bytes that are stored and can't be seen."""
        return self.added - self.left


def layer_shares(tree: ImageTree) -> tuple[LayerShare | None, ...]:
    """One for each layer, base first; None for a layer that could not be listed."""
    left = [0] * len(tree.layers)
    for number, index in enumerate(tree.layers):
        if index is not None:
            stop = tree.starts[number + 1] if number < tree.top else len(tree)
            left[number] += sum(map(index.columns.size.__getitem__, tree.source[tree.starts[number] : stop]))
    for node in tree.nodes_with_events():
        brought = tree.first_layer(node)
        left[brought] -= tree.index(brought).columns.size[tree.source[node]]
        here = tree.occurrence(node)
        if here is not None:
            left[here.layer] += tree.size(here)
    return tuple(
        None if index is None else LayerShare(number, sum(index.columns.size), left[number])
        for number, index in enumerate(tree.layers)
    )
