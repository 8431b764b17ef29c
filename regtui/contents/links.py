"""Following symlinks and hard links inside an image, never out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.contents.columns import Kind
from regtui.contents.errors import NotReadable
from regtui.contents.tree import Occurrence

if TYPE_CHECKING:
    from regtui.contents.tree import ImageTree

_MOST_HOPS: Final = 40
"""Links on one way; Linux gives up after as many (MAXSYMLINKS)."""


def resolve(
    tree: ImageTree, path: bytes, start: int = 0, layer: int | None = None, *, follow_last: bool = True
) -> int | None:
    """The node that a path leads to, symlinks followed within the image, or None when there is nothing.

    A relative path begins at the folder `start`, `..` stops at the root. Raises NotReadable for a loop of links.
    """
    node = 0 if path.startswith(b"/") else start
    todo = [part for part in reversed(path.split(b"/")) if part not in {b"", b"."}]
    hops = 0
    while todo:
        part = todo.pop()
        if part == b"..":
            node = tree.parent[node]
            continue
        child = tree.child(node, part)
        here = tree.occurrence(child, layer) if child is not None else None
        if child is None or here is None:
            return None
        if tree.kind(here) == Kind.SYMLINK and (todo or follow_last):
            hops += 1
            if hops > _MOST_HOPS:
                raise NotReadable("Too many symlinks lead to one another.")
            target = tree.index(here.layer).link(here.row) or b""
            if target.startswith(b"/"):
                node = 0
            todo += [piece for piece in reversed(target.split(b"/")) if piece not in {b"", b"."}]
            continue
        node = child
    return node


def content_of(tree: ImageTree, node: int, layer: int | None = None) -> Occurrence:
    """Where the content of a file lies: symlinks and hard links followed.

    Raises NotReadable for what has no content: folders, devices, dangling links, loops.
    """
    for _ in range(_MOST_HOPS):
        here = tree.occurrence(node, layer)
        if here is None:
            raise NotReadable("This path is not in the image any more.")
        kind = tree.kind(here)
        if kind == Kind.REGULAR:
            return here
        target = tree.index(here.layer).link(here.row)
        if target is None:
            raise NotReadable("This is no file with content.")
        if kind == Kind.SYMLINK:
            found = resolve(tree, target, tree.parent[node], layer)
        else:
            own = _in_same_layer(tree, here, target)
            if own is not None:
                return own
            found = resolve(tree, b"/" + target, 0, layer, follow_last=False)
        if found is None:
            raise NotReadable("The link leads to nothing in this image.")
        node = found
    raise NotReadable("Too many links lead to one another.")


def _in_same_layer(tree: ImageTree, here: Occurrence, target: bytes) -> Occurrence | None:
    """A hard link means the file of its own layer, even when a later layer replaced that one."""
    index = tree.index(here.layer)
    row = index.find(target)
    hops = 0
    while row is not None and index.kind(row) == Kind.HARDLINK and hops < _MOST_HOPS:
        row = index.find(index.link(row) or b"")
        hops += 1
    return Occurrence(here.layer, row) if row is not None and index.kind(row) == Kind.REGULAR else None
