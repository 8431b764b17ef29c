"""Which files differ between two images: two trees walked side by side, shared layers skipped.

Trees that begin with the same layers number their nodes alike, so whatever neither image touched above those layers
is never looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.contents import columns
from regtui.contents.differences import Kind
from regtui.contents.merge import OPAQUE, whiteouts
from regtui.contents.tree import Change, ImageTree, compare_rows, same_hash

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHITEOUT: Final = len(b".wh.")


@dataclass(frozen=True, slots=True)
class FileDifference:
    """One path, with a leading slash. Bytes are None where the image has not got it (or its layer was not read).

    A folder that only one image has is one difference: `files` counts what is in it, bytes are all of it. `sure` is
    False when contents of the same size were never hashed, and only their times differ.
    """

    kind: Kind
    path: str
    before: int | None
    after: int | None
    files: int = 1
    sure: bool = True


def file_differences(before: ImageTree, after: ImageTree, shared: int = 0) -> Iterator[FileDifference]:
    """What differs in the final images, folder by folder.

    `shared` layers from the base on are the same in both (`differences.shared_base`). They may be None in both trees,
    which is why nobody needs to read them; then files above them are WRITTEN, and removals have no bytes.
    """
    yield from _Walk(before, after, shared).run()


class _Walk:
    """Two trees side by side."""

    def __init__(self, before: ImageTree, after: ImageTree, shared: int) -> None:
        self._before, self._after, self._shared = before, after, shared
        known = [tree.starts[shared] if shared <= tree.top else len(tree) for tree in (before, after)]
        self._common = known[0] if shared and known[0] == known[1] else 0
        self._touched = _touched(before, shared), _touched(after, shared)
        layers = [*before.layers[:shared], *after.layers[:shared]]
        self._unread = shared > 0 and None in layers

    def run(self) -> Iterator[FileDifference]:
        """All differences."""
        pending: list[tuple[int, int]] = [(0, 0)]
        while pending:
            old, new = pending.pop()
            folders: list[tuple[int, int]] = []
            here, there = self._children(0, old), self._children(1, new)
            for name in sorted(here.keys() | there.keys()):
                one, two = here.get(name), there.get(name)
                if one is None or two is None:
                    yield from self._single(one, two)
                elif self._differs(one, two):
                    yield from self._pair(one, two, folders)
            pending += reversed(folders)
        if self._unread:
            yield from self._unseen_removals()

    def _children(self, side: int, node: int) -> dict[bytes, int]:
        tree = (self._before, self._after)[side]
        return {tree.name(child): child for child in tree.children(node) if tree.occurrence(child) is not None}

    def _differs(self, old: int, new: int) -> bool:
        """Whether anything at or below these nodes can differ."""
        if old != new or old >= self._common:
            return True
        return bool(self._touched[0][old] or self._touched[1][new])

    def _pair(self, old: int, new: int, folders: list[tuple[int, int]]) -> Iterator[FileDifference]:
        here, there = self._before.occurrence(old), self._after.occurrence(new)
        if here is None or there is None:
            return
        one, two = self._before.index(here.layer), self._after.index(there.layer)
        both_folders = one.kind(here.row) == two.kind(there.row) == columns.Kind.DIRECTORY
        if both_folders:
            folders.append((old, new))
        change = compare_rows(one, here.row, two, there.row)
        if change == Change.UNCHANGED:
            return
        sizes = one.columns.size[here.row], two.columns.size[there.row]
        sure = sizes[0] != sizes[1] or one.kind(here.row) != columns.Kind.REGULAR
        sure = sure or same_hash(one, here.row, two, there.row) is not None or change == Change.METADATA
        kind = Kind.METADATA if change == Change.METADATA else Kind.CHANGED
        yield FileDifference(kind, self._path(self._after, new), *sizes, sure=sure)

    def _single(self, old: int | None, new: int | None) -> Iterator[FileDifference]:
        """A path that one image has: a whole folder at once, unless the other's may stand in layers nobody read."""
        if new is not None:
            for node in _files(self._after, new) if self._unread else (new,):
                size, files = _total(self._after, node)
                kind = Kind.WRITTEN if self._unread else Kind.ADDED
                yield FileDifference(kind, self._path(self._after, node), None, size, files)
        elif old is not None:
            for node in _files(self._before, old) if self._unread else (old,):
                size, files = _total(self._before, node)
                kind = Kind.WRITTEN if self._unread else Kind.REMOVED
                yield FileDifference(kind, self._path(self._before, node), size, None, files)

    def _unseen_removals(self) -> Iterator[FileDifference]:
        """Whiteouts of the first image's or second image's own layers that hit nothing that was read."""
        gone = _hidden(self._before, self._shared), _hidden(self._after, self._shared)
        for path in sorted(gone[1] - gone[0]):
            yield FileDifference(Kind.REMOVED, f"/{path}", None, None)
        for path in sorted(gone[0] - gone[1]):
            yield FileDifference(Kind.ADDED, f"/{path}", None, None)

    def _path(self, tree: ImageTree, node: int) -> str:
        return "/" + tree.path(node).decode("utf-8", "surrogateescape")


def _touched(tree: ImageTree, shared: int) -> bytearray:
    """1 for every node at or below which a layer above the shared ones has something."""
    touched = bytearray(len(tree))
    known = tree.starts[shared] if shared <= tree.top else len(tree)
    changed = [node for node, layer in zip(tree.event_node, tree.event_layer, strict=True) if layer >= shared]
    for node in (*changed, *range(max(known, 1), len(tree))):
        while not touched[node]:
            touched[node] = 1
            node = tree.parent[node]
    return touched


def _files(tree: ImageTree, node: int) -> Iterator[int]:
    """Everything but folders at and below a node of the final image."""
    pending = [node]
    while pending:
        inside = pending.pop()
        here = tree.occurrence(inside)
        if here is None:
            continue
        if tree.kind(here) == columns.Kind.DIRECTORY:
            pending += sorted(tree.children(inside), key=tree.name, reverse=True)
        else:
            yield inside


def _total(tree: ImageTree, node: int) -> tuple[int, int]:
    """Bytes and files at and below a node of the final image; a folder without files counts as one."""
    size = files = 0
    for inside in _files(tree, node):
        here = tree.occurrence(inside)
        size += tree.size(here) if here is not None else 0
        files += 1
    return size, files or 1


def _hidden(tree: ImageTree, shared: int) -> set[str]:
    """Paths that layers above the shared ones remove and none of those layers brought."""
    found = set()
    for index in tree.layers[shared:]:
        if index is None:
            continue
        for row, name in whiteouts(index):
            folder = index.path(index.columns.parent[row])
            path = folder if name == OPAQUE else folder + b"/" + name[_WHITEOUT:]
            node = tree.find(path)
            if name == OPAQUE or (node is None and _never_seen(tree, path)):
                found.add(path.lstrip(b"/").decode("utf-8", "surrogateescape"))
    return found


def _never_seen(tree: ImageTree, path: bytes) -> bool:
    node: int | None = 0
    for part in path.split(b"/"):
        if part:
            node = tree.child(node, part) if node is not None else None
    return node is None
