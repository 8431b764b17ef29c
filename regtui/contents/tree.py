"""The image's tree: all layers stacked, each path once, with what every layer did to it.

A node is a path that any layer has; node 0 is the root, and a parent's number is smaller than its children's.
The first layer that has a path names it (`source`); whatever later layers do to it are events. Folders are matched
by their node, names only inside folders that two layers share, so no table of full paths is ever built.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from regtui.contents.columns import IMPLIED, KIND_MASK, Kind
from regtui.contents.walk import split_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from regtui.contents.layer_index import LayerIndex

NONE: Final = -1


class Change(IntEnum):
    """What became of a path. The values up to METADATA are of paths that exist."""

    UNCHANGED = 0
    ADDED = 1
    MODIFIED = 2
    METADATA = 3
    """Same content, other mode, owner or time."""
    REMOVED = 4
    GONE = 5
    """Removed because a folder above it was."""


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A path in one layer: `layer` counts from 0, `row` is the row of that layer's index."""

    layer: int
    row: int


@dataclass(frozen=True, slots=True)
class ImageTree:
    """The stacked layers. Made by `merge.stack`; a layer that could not be listed is None and adds nothing.

    Columns per node: `parent`, `source` (row in the layer that has it first), `latest` (last event, NONE), `first` and
    `following` (children, 0 ends). `starts[n]` is the first node that layer n brought. The root is of `root_layer`, the
    first layer that could be listed, NONE when there is none.
    Columns per event, in order of layers: node, layer, row (NONE for GONE), change, previous event of the same node.
    `hidden` gives, per event, the bytes below that it hides.
    """

    layers: tuple[LayerIndex | None, ...]
    root_layer: int
    starts: list[int] = field(default_factory=list)
    parent: array[int] = field(default_factory=lambda: array("i"))
    source: array[int] = field(default_factory=lambda: array("i"))
    latest: array[int] = field(default_factory=lambda: array("i"))
    first: array[int] = field(default_factory=lambda: array("i"))
    following: array[int] = field(default_factory=lambda: array("i"))
    event_node: array[int] = field(default_factory=lambda: array("i"))
    event_layer: array[int] = field(default_factory=lambda: array("H"))
    event_row: array[int] = field(default_factory=lambda: array("i"))
    event_previous: array[int] = field(default_factory=lambda: array("i"))
    event_change: bytearray = field(default_factory=bytearray)
    hidden: dict[int, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def top(self) -> int:
        """The number of the last layer, NONE for an image without any."""
        return len(self.layers) - 1

    def first_layer(self, node: int) -> int:
        """The layer that brought the node."""
        return bisect_right(self.starts, node) - 1

    def index(self, layer: int) -> LayerIndex:
        """The index of a layer that has rows."""
        found = self.layers[layer]
        if found is None:
            raise LookupError(layer)
        return found

    def name(self, node: int) -> bytes:
        """The base name; the root has none."""
        return self.index(self.first_layer(node)).columns.name(self.source[node]) if node else b""

    def path(self, node: int) -> bytes:
        """The path from the root, without a leading slash."""
        parts = []
        while node:
            parts.append(self.name(node))
            node = self.parent[node]
        return b"/".join(reversed(parts))

    def children(self, node: int) -> Iterator[int]:
        """Every path that any layer ever had in this folder."""
        child = self.first[node]
        while child:
            yield child
            child = self.following[child]

    def occurrence(self, node: int, layer: int | None = None) -> Occurrence | None:
        """Where the path comes from in the stack up to `layer` (default: the whole image); None when it isn't there."""
        upto = self.top if layer is None else layer
        event = self.latest[node]
        while event != NONE and self.event_layer[event] > upto:
            event = self.event_previous[event]
        if event == NONE:
            brought = self.first_layer(node) if node else self.root_layer
            return Occurrence(brought, self.source[node]) if brought > NONE and (brought <= upto or not node) else None
        if self.event_change[event] >= Change.REMOVED:
            return None
        return Occurrence(self.event_layer[event], self.event_row[event])

    def history(self, node: int) -> list[tuple[int, Change, int]]:
        """What each layer did to the path, oldest first: (layer, change, row there or NONE)."""
        found = []
        event = self.latest[node]
        while event != NONE:
            found.append((self.event_layer[event], Change(self.event_change[event]), self.event_row[event]))
            event = self.event_previous[event]
        found.append((self.first_layer(node), Change.ADDED, self.source[node]))
        return found[::-1]

    def kind(self, occurrence: Occurrence) -> Kind:
        """What it is in that layer."""
        return self.index(occurrence.layer).kind(occurrence.row)

    def size(self, occurrence: Occurrence) -> int:
        """Bytes of its content in that layer."""
        return self.index(occurrence.layer).columns.size[occurrence.row]

    def child(self, node: int, name: bytes) -> int | None:
        """The node of this name in a folder, whether it still exists or not."""
        return next((child for child in self.children(node) if self.name(child) == name), None)

    def find(self, path: bytes) -> int | None:
        """The node at a path that is in the final image; links are not followed."""
        node: int | None = 0
        for part in split_path(path)[0]:
            node = self.child(node, part) if node is not None else None
        return node if node is not None and self.occurrence(node) is not None else None

    def nodes_with_events(self) -> set[int]:
        """The nodes that more than one layer has something to say about."""
        return set(self.event_node)


def compare(layers: Sequence[LayerIndex | None], old: Occurrence, new: Occurrence) -> Change:
    """How a path differs between two layers that both have it."""
    before, after = layers[old.layer], layers[new.layer]
    if before is None or after is None:
        return Change.MODIFIED
    return compare_rows(before, old.row, after, new.row)


def compare_rows(before: LayerIndex, x: int, after: LayerIndex, y: int) -> Change:
    """How row `y` of one index differs from row `x` of another.

    Contents are the same when their hashes are; where nothing was hashed, when size and time are, which is what
    chmod, chown and their like leave behind.
    """
    a, b = before.columns, after.columns
    kind = a.kind[x] & KIND_MASK
    if kind != b.kind[y] & KIND_MASK:
        return Change.MODIFIED
    same_time = a.mtime[x] == b.mtime[y]
    if kind == Kind.REGULAR:
        known = same_hash(before, x, after, y)
        if a.size[x] != b.size[y] or (a.size[x] and not (same_time if known is None else known)):
            return Change.MODIFIED
    elif a.link(x) != b.link(y) or a.devices.get(x) != b.devices.get(y):
        return Change.MODIFIED
    elif a.kind[x] & IMPLIED or b.kind[y] & IMPLIED:
        return Change.UNCHANGED
    owned = a.mode[x] == b.mode[y] and a.uid[x] == b.uid[y] and a.gid[x] == b.gid[y]
    # A folder's time changes with whatever is done in it: no change of its own.
    return Change.UNCHANGED if owned and (same_time or kind == Kind.DIRECTORY) else Change.METADATA


def same_hash(before: LayerIndex, x: int, after: LayerIndex, y: int) -> bool | None:
    """Whether two files have the same content, None when one of them was not hashed."""
    a, b = before.columns.hashes, after.columns.hashes
    if a is None or b is None or not a[x] or not b[y]:
        return None
    return a[x] == b[y]
