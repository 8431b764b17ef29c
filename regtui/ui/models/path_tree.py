"""Slashed names as a tree: repositories by path, filled page by page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from regtui.ui.models.ordering import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Value = TypeVar("Value")

LEVELS = 64
"""Levels that a name is split into at most; the rest stays one name."""


@dataclass(slots=True)
class PathNode(Generic[Value]):
    """One step of a path. `value` is there when the path is itself a thing, `below` counts the things under it."""

    path: str
    name: str
    value: Value | None = None
    below: int = 0
    children: dict[str, PathNode[Value]] = field(default_factory=dict)
    ordered: list[PathNode[Value]] | None = None


class PathSource(Generic[Value]):
    """A TreeSource over slashed paths. After `add`, call the model's `rebuild`."""

    def __init__(self) -> None:
        self._top: PathNode[Value] = PathNode("", "")
        self.count = 0

    def add(self, items: Iterable[tuple[str, Value]]) -> None:
        """Put things at their paths; a path that is there already gets the newer value."""
        for path, value in items:
            self._add(path, value)

    def clear(self) -> None:
        """Forget everything."""
        self._top = PathNode("", "")
        self.count = 0

    def remove(self, path: str) -> bool:
        """Take the thing at a path out, with steps that then lead nowhere; False when there is none."""
        trail = self.trail(path)
        if not trail or trail[-1].value is None:
            return False
        trail[-1].value = None
        self.count -= 1
        for node in trail[:-1]:
            node.below -= 1
        parents = [self._top, *trail[:-1]]
        for parent, node in zip(reversed(parents), reversed(trail), strict=True):
            if node.value is None and not node.children:
                del parent.children[node.name]
                parent.ordered = None
        return True

    def trail(self, path: str) -> list[PathNode[Value]]:
        """The nodes from the root to a path, for `TreeModel.reveal`; empty when there is no such path."""
        node, trail = self._top, []
        for name in path.split("/", LEVELS):
            found = node.children.get(name)
            if found is None:
                return []
            node = found
            trail.append(node)
        return trail

    def roots(self) -> Sequence[PathNode[Value]]:
        """The first steps."""
        return self._ordered(self._top)

    def children(self, node: PathNode[Value]) -> Sequence[PathNode[Value]]:
        """The next steps, natural order."""
        return self._ordered(node)

    def has_children(self, node: PathNode[Value]) -> bool:
        """Whether there are next steps."""
        return bool(node.children)

    def key(self, node: PathNode[Value]) -> str:
        """The path."""
        return node.path

    def text(self, node: PathNode[Value]) -> str:
        """What the filter looks in: the whole path of a thing; a step that is only a folder matches through those."""
        return node.path if node.value is not None else ""

    def _add(self, path: str, value: Value) -> None:
        node, trail = self._top, [self._top]
        for name in path.split("/", LEVELS):
            found = node.children.get(name)
            if found is None:
                found = PathNode(f"{node.path}/{name}" if node is not self._top else name, name)
                node.children[name] = found
                node.ordered = None
            node = found
            trail.append(node)
        if node.value is None:
            self.count += 1
            for above in trail[1:-1]:
                above.below += 1
        node.value = value

    def _ordered(self, node: PathNode[Value]) -> list[PathNode[Value]]:
        if node.ordered is None:
            node.ordered = sorted(node.children.values(), key=lambda child: natural_key(child.name))
        return node.ordered
