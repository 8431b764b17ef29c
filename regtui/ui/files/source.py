"""An image's tree as the list widgets want it: plain numbers into columns, no node objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.contents.columns import Kind
from regtui.contents.search import matching
from regtui.contents.tree import Change
from regtui.ui.models.tree import Matches
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from regtui.contents.view import View
    from regtui.ui.models.filters import Filter


class FileSource:
    """A TreeSource over a View: node numbers are the view's."""

    def __init__(self, view: View) -> None:
        self.view = view

    def roots(self) -> Sequence[int]:
        """What lies in the root folder."""
        return self.view.children(0)

    def children(self, node: int) -> Sequence[int]:
        """What lies in a folder."""
        return self.view.children(node)

    def has_children(self, node: int) -> bool:
        """Whether it is a folder."""
        return self.view.kind(node) == Kind.DIRECTORY

    def key(self, node: int) -> int:
        """The node itself."""
        return node

    def text(self, node: int) -> str:
        """The path, for the filter."""
        return self.view.path(node)

    def search(self, wanted: Filter) -> Matches:
        """The nodes whose name matches (whose path does, when a slash was typed), and the folders above them.

        `*`, `?`, `**` and `[a-z]` make it a glob: `*.pyc`, `/usr/**/*.so`.
        """
        parent = self.view.tree.parent
        nodes: set[Hashable] = set()
        above: set[Hashable] = set()
        for node in self._found(wanted):
            nodes.add(node)
            folder = parent[node]
            while folder and folder not in above:
                above.add(folder)
                folder = parent[folder]
        return Matches(nodes, above)

    def _found(self, wanted: Filter) -> Iterator[int]:
        view, passes = self.view, wanted.test()
        shown = (node for node in range(1, len(view.tree)) if view.is_shown(node))
        if wanted.pattern is None:
            is_glob = not _WILD.isdisjoint(wanted.needle)
            if is_glob or "/" not in wanted.needle:
                # Through the joined names of the layers, which takes milliseconds.
                hits = set(filter(view.is_shown, matching(view.tree, wanted.needle)))
                yield from (node for node in shown if node not in hits) if wanted.inverse else hits
                return
        named = view.path if "/" in wanted.source else view.name
        yield from (node for node in shown if passes(named(node).lower()))


_WILD: Final = frozenset("*?[")
_MARKS: dict[Change, tuple[SafeText, Tone]] = {
    Change.UNCHANGED: (SafeText(" "), ""),
    Change.ADDED: (SafeText("+"), "success"),
    Change.MODIFIED: (SafeText("~"), "warning"),
    Change.METADATA: (SafeText("m"), "warning"),
    Change.REMOVED: (SafeText("-"), "error"),
    Change.GONE: (SafeText("-"), "error"),
}


def file_columns(source: FileSource) -> tuple[list[Column[int]], list[Column[int]]]:
    """(columns before the names, columns behind them)."""
    view = source.view

    def tone(node: int) -> Tone:
        return _MARKS[view.change(node)][1]

    before: list[Column[int]] = [
        Column(
            "size",
            SafeText("size"),
            lambda node: safe(size_text(view.size(node))),
            9,
            align="right",
            sort=view.size,
            descending=True,
        ),
        Column("change", SafeText(" "), lambda node: _MARKS[view.change(node)][0], 1, tone=tone),
    ]
    behind: list[Column[int]] = [
        Column("mode", SafeText("mode"), lambda node: mode_text(view, node), 10, tone="dim", priority=2),
        Column("owner", SafeText("owner"), lambda node: _owner(view, node), 11, tone="dim", priority=3),
    ]
    return before, behind


def file_label(view: View, node: int) -> SafeText:
    """The name as `ls` shows it: a slash behind folders, an arrow to where links point."""
    name = view.name(node)
    if view.kind(node) == Kind.DIRECTORY:
        return safe(f"{name}/")
    entry = view.entry(node) if view.kind(node) in {Kind.SYMLINK, Kind.HARDLINK} else None
    return safe(name if entry is None or entry.link is None else f"{name} → {entry.link}")


def mode_text(view: View, node: int) -> SafeText:
    """The mode as `ls -l` writes it; a dash when the archive does not tell."""
    entry = view.entry(node)
    if entry is None or entry.mode is None:
        return SafeText("—")
    bits = "".join(letter if entry.mode >> (8 - place) & 1 else "-" for place, letter in enumerate("rwxrwxrwx"))
    special = ((0o4000, 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t"))
    letters = list(bits)
    for bit, place, letter in special:
        if entry.mode & bit:
            letters[place] = letter if letters[place] == "x" else letter.upper()
    return SafeText(entry.kind.letter + "".join(letters))


def _owner(view: View, node: int) -> SafeText:
    entry = view.entry(node)
    if entry is None or entry.uid is None:
        return SafeText("—")
    return SafeText(f"{entry.uid}:{entry.gid if entry.gid is not None else '—'}")
