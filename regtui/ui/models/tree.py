"""The state of a tree: the flat list of its visible lines, what is open, the cursor, a filter and a sort.

A node opens by putting a slice of lines in and closes by taking one out, so that a tree with 300,000 nodes
answers as fast as a small one. Where the nodes come from is the source's affair: objects, or rows of columns.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, runtime_checkable

from regtui.ui.models.filters import EVERYTHING, Filter, parse_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

Node = TypeVar("Node")

DEPTH_LIMIT = 1_000
"""Levels that are opened at most, whatever a hostile tree claims."""


class TreeSource(Protocol[Node]):
    """Where a tree's nodes come from. A node may be any value, also a plain number into columns."""

    def roots(self) -> Sequence[Node]:
        """The nodes of the first level."""

    def children(self, node: Node) -> Sequence[Node] | None:
        """What is under a node, None while it is not loaded. Quick: it is asked each time a node opens."""

    def has_children(self, node: Node) -> bool:
        """Whether a node can be opened, as far as is known before its children are loaded."""

    def key(self, node: Node) -> Hashable:
        """What names this node for good: a path, a digest, a number."""

    def text(self, node: Node) -> str:
        """What the filter looks in; empty for a node that is only found through those under it."""


@dataclass(frozen=True, slots=True)
class Matches:
    """What a filter found: the keys of nodes that match, and of all nodes above them."""

    nodes: frozenset[Hashable] | set[Hashable] = frozenset()
    above: frozenset[Hashable] | set[Hashable] = frozenset()


@runtime_checkable
class SearchableSource(Protocol):
    """A source that can look through its nodes faster than by walking them one by one."""

    def search(self, wanted: Filter) -> Matches:
        """All nodes that match. Called in a worker thread for large trees."""


@dataclass(frozen=True, slots=True)
class Note:
    """A line of the tree that is no node: its parent's children are loading, or can't be had. Not yet inert text."""

    parent: Hashable
    sentence: str
    kind: Literal["loading", "error"]


@dataclass(frozen=True)
class Sort(Generic[Node]):
    """How siblings are ordered: by `key` (None is unknown and comes last), then as the source gives them."""

    column: str
    key: Callable[[Node], Any]
    reverse: bool = False

    def __call__(self, nodes: Sequence[Node]) -> Sequence[Node]:
        """These siblings in order."""
        keyed = [(self.key(node), node) for node in nodes]
        known = sorted([pair for pair in keyed if pair[0] is not None], key=lambda pair: pair[0], reverse=self.reverse)
        return [node for _, node in known] + [node for value, node in keyed if value is None]


@dataclass(frozen=True)
class Lines(Generic[Node]):
    """Visible lines in order, each with its depth; and the view of the tree that they are made for."""

    nodes: list[Node | Note]
    depths: array[int]
    view: View[Node]


@dataclass(frozen=True)
class View(Generic[Node]):
    """Everything that decides which lines there are: a filter and what it found, a sort, and what is open."""

    wanted: Filter = EVERYTHING
    matches: Matches | None = None
    sort: Sort[Node] | None = None
    opened: set[Hashable] = field(default_factory=set)

    def shows_all_under(self, key: Hashable) -> bool:
        """Whether this node's whole content is shown because the node itself was looked for."""
        return self.matches is not None and not self.wanted.inverse and key in self.matches.nodes


def find_matches(source: TreeSource[Node], wanted: Filter) -> Matches:
    """The nodes that match and those above them, among all that are loaded. May run in a worker thread."""
    if isinstance(source, SearchableSource):
        return source.search(wanted)
    passes = wanted.test()
    nodes: set[Hashable] = set()
    above: set[Hashable] = set()
    path: list[Hashable] = []
    stack: list[Iterator[Node]] = [iter(source.roots())]
    while stack:
        node = next(stack[-1], None)
        if node is None:
            stack.pop()
            if path:
                path.pop()
            continue
        key = source.key(node)
        text = source.text(node)
        if text and passes(text.lower()):
            nodes.add(key)
            above.update(path)
        children = source.children(node) if len(stack) < DEPTH_LIMIT and source.has_children(node) else None
        if children:
            path.append(key)
            stack.append(iter(children))
    return Matches(nodes, above)


class TreeModel(Generic[Node]):
    """The visible lines of a tree. Positions count them from 0; `version` grows when what they show may differ."""

    def __init__(self, source: TreeSource[Node]) -> None:
        self.source = source
        self.version = 0
        self.cursor = 0
        self.view: View[Node] = View()
        self.marks: set[Hashable] = set()
        self.errors: dict[Hashable, str] = {}
        """A sentence for each node whose children could not be loaded."""
        self._nodes: list[Node | Note] = []
        self._depths = array("H")
        self._opened_before: set[Hashable] = set()
        """What was open before the filter began."""
        self.rebuild()

    # what is there

    def __len__(self) -> int:
        return len(self._nodes)

    def at(self, position: int) -> Node | Note:
        """The node, or the note, on a visible line. Raises IndexError."""
        return self._nodes[position]

    def depth(self, position: int) -> int:
        """How deep the line stands; 0 for roots."""
        return self._depths[position]

    @property
    def current(self) -> Node | None:
        """The node under the cursor; None on a note or when there are no lines."""
        if not self._nodes:
            return None
        node = self._nodes[self.cursor]
        return None if isinstance(node, Note) else node

    def is_open(self, node: Node) -> bool:
        """Whether the node's children are shown."""
        return self.source.key(node) in self.view.opened

    def position(self, key: Hashable) -> int | None:
        """Where the node with this key is visible."""
        name = self.source.key
        for position, node in enumerate(self._nodes):
            if not isinstance(node, Note) and name(node) == key:
                return position
        return None

    def parent(self, position: int) -> int | None:
        """The position of the line above that holds this one; None for roots."""
        depth = self._depths[position]
        for above in range(position - 1, -1, -1):
            if self._depths[above] < depth:
                return above
        return None

    def end(self, position: int) -> int:
        """The position after the last line under this one."""
        depth = self._depths[position]
        end = position + 1
        while end < len(self._depths) and self._depths[end] > depth:
            end += 1
        return end

    # open and close

    def open(self, position: int) -> bool:
        """Show what is under a line. True when its children have to be loaded first: a note says so meanwhile."""
        node = self._nodes[position]
        if isinstance(node, Note) or not self.source.has_children(node):
            return False
        key = self.source.key(node)
        children = self.source.children(node)
        if key not in self.view.opened:
            self.view.opened.add(key)
            self.errors.pop(key, None)
            self._splice(position, position + 1, node)
        return children is None

    def close(self, position: int) -> bool:
        """Hide what is under a line; False when nothing was shown. What was open inside is remembered."""
        node = self._nodes[position]
        if isinstance(node, Note) or self.source.key(node) not in self.view.opened:
            return False
        end = self.end(position)
        self.view.opened.discard(self.source.key(node))
        del self._nodes[position + 1 : end]
        del self._depths[position + 1 : end]
        if self.cursor > position:
            self.cursor = position if self.cursor < end else self.cursor - (end - position - 1)
        self.version += 1
        return True

    def loaded(self, key: Hashable) -> None:
        """The source now has the children of this node: show them if it is open."""
        self.errors.pop(key, None)
        self._renew(key)

    def fail(self, key: Hashable, sentence: str) -> None:
        """The children of this node can't be had: say so under it."""
        self.errors[key] = sentence
        self._renew(key)

    def reveal(self, path: Sequence[Node]) -> bool:
        """Open all nodes of a path but the last and put the cursor on that; False when it can't be shown."""
        if not path:
            return False
        self.view.opened.update([self.source.key(node) for node in path[:-1]])
        self.rebuild()
        position = self.position(self.source.key(path[-1]))
        if position is not None:
            self.move_to(position)
        return position is not None

    # cursor and marks

    def move_to(self, position: int) -> int:
        """Put the cursor on a line, or as near as there are lines; where it is now."""
        self.cursor = max(0, min(position, len(self._nodes) - 1))
        return self.cursor

    def move_to_key(self, key: Hashable) -> bool:
        """Put the cursor on the node with this key; False when it is not visible."""
        position = self.position(key)
        if position is not None:
            self.move_to(position)
        return position is not None

    def toggle_mark(self) -> None:
        """Mark the node under the cursor, or take its mark away."""
        node = self.current
        if node is not None:
            self.marks ^= {self.source.key(node)}

    def clear_marks(self) -> None:
        """Take all marks away."""
        self.marks = set()

    def is_marked(self, node: Node) -> bool:
        """Whether this node is marked."""
        return bool(self.marks) and self.source.key(node) in self.marks

    # the whole view

    def rebuild(self) -> None:
        """Work out all lines anew, after the source has changed. The cursor stays on its node if it can."""
        self.apply(self._flatten(self.view))

    def set_filter(self, source: str) -> None:
        """Show only nodes that match, what is above and under them. Raises InvalidFilter and keeps the one before."""
        self.apply(self.prepare_filter(source)())

    def set_sort(self, sort: Sort[Node] | None) -> None:
        """Order siblings; None is the source's own order."""
        self.apply(self.prepare_sort(sort)())

    def prepare_filter(self, source: str) -> Callable[[], Lines[Node]]:
        """A filter to run in any thread; give its result to `apply`. Raises InvalidFilter."""
        wanted, view = parse_filter(source), self.view
        opened = self._opened_without_filter() | self._above_cursor()

        def run() -> Lines[Node]:
            if wanted.is_empty:
                return self._flatten(View(wanted, None, view.sort, opened))
            matches = find_matches(self.source, wanted)
            return self._flatten(View(wanted, matches, view.sort, set(matches.above)))

        return run

    def prepare_sort(self, sort: Sort[Node] | None) -> Callable[[], Lines[Node]]:
        """A sort to run in any thread; give its result to `apply`."""
        view = View(self.view.wanted, self.view.matches, sort, set(self.view.opened))
        return lambda: self._flatten(view)

    def prepare_open_all(self) -> Callable[[], Lines[Node]]:
        """Open every node that is loaded; to run in any thread. Give its result to `apply`."""
        view = View(self.view.wanted, self.view.matches, self.view.sort, {*self.view.opened})
        return lambda: self._flatten(view, everything=True)

    def apply(self, lines: Lines[Node]) -> None:
        """Show lines that were prepared."""
        current, position = self.current, self.cursor
        if not lines.view.wanted.is_empty and self.view.wanted.is_empty:
            self._opened_before = self.view.opened
        self.view, self._nodes, self._depths = lines.view, lines.nodes, lines.depths
        self.version += 1
        found = None if current is None else self.position(self.source.key(current))
        self.move_to(position if found is None and self.view.matches is None else found or 0)

    # inside

    def _opened_without_filter(self) -> set[Hashable]:
        return self.view.opened if self.view.wanted.is_empty else self._opened_before

    def _above_cursor(self) -> set[Hashable]:
        """What has to be open for the node under the cursor to be seen."""
        keys: set[Hashable] = set()
        above = self.parent(self.cursor) if self._nodes else None
        while above is not None:
            node = self._nodes[above]
            if not isinstance(node, Note):
                keys.add(self.source.key(node))
            above = self.parent(above)
        return keys

    def _renew(self, key: Hashable) -> None:
        position = self.position(key)
        if position is None or key not in self.view.opened:
            return
        node = self._nodes[position]
        if not isinstance(node, Note):
            self._splice(position, self.end(position), node)

    def _splice(self, position: int, end: int, node: Node) -> None:
        """Put the lines under an open node in the place of those up to `end`."""
        nodes: list[Node | Note] = []
        depths = array("H")
        self._walk(nodes, depths, [node], self._depths[position], self.view, inside=self._is_inside(position))
        self._nodes[position + 1 : end] = nodes[1:]
        self._depths[position + 1 : end] = depths[1:]
        if self.cursor >= end:
            self.cursor += len(nodes) - (end - position)
        elif self.cursor > position:
            self.cursor = min(self.cursor, position + len(nodes) - 1)
        self.version += 1

    def _is_inside(self, position: int) -> bool:
        """Whether a line stands under a node that matches, so that all of it is shown."""
        above = self.parent(position)
        while self.view.matches is not None and above is not None:
            node = self._nodes[above]
            if not isinstance(node, Note) and self.view.shows_all_under(self.source.key(node)):
                return True
            above = self.parent(above)
        return False

    def _flatten(self, view: View[Node], *, everything: bool = False) -> Lines[Node]:
        lines = Lines[Node]([], array("H"), view)
        self._walk(lines.nodes, lines.depths, self.source.roots(), 0, view, inside=False, everything=everything)
        return lines

    def _walk(
        self,
        nodes: list[Node | Note],
        depths: array[int],
        first: Sequence[Node],
        depth: int,
        view: View[Node],
        *,
        inside: bool,
        everything: bool = False,
    ) -> None:
        """Add the lines of these siblings and of all that is open under them. No recursion: trees may be deep."""
        source, opened = self.source, view.opened
        stack = [(iter(self._siblings(first, view, inside=inside)), inside)]
        while stack:
            siblings, inside = stack[-1]
            node = next(siblings, None)
            if node is None:
                stack.pop()
                continue
            nodes.append(node)
            depths.append(depth + len(stack) - 1)
            if not everything and not opened:
                continue
            key = source.key(node)
            if (not everything and key not in opened) or not source.has_children(node) or len(stack) >= DEPTH_LIMIT:
                continue
            opened.add(key)
            children = source.children(node)
            if children is None:
                nodes.append(self._note(key))
                depths.append(depth + len(stack))
                continue
            inside = inside or view.shows_all_under(key)
            stack.append((iter(self._siblings(children, view, inside=inside)), inside))

    def _siblings(self, nodes: Sequence[Node], view: View[Node], *, inside: bool) -> Sequence[Node]:
        matches, key = view.matches, self.source.key
        if matches is not None and not inside:
            nodes = [node for node in nodes if (name := key(node)) in matches.nodes or name in matches.above]
        return nodes if view.sort is None else view.sort(nodes)

    def _note(self, key: Hashable) -> Note:
        sentence = self.errors.get(key)
        return Note(key, "loading…", "loading") if sentence is None else Note(key, sentence, "error")
