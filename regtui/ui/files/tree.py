"""The tree of an image's files as a list, with the keys of the files."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.message import Message

from regtui.ui.actions import Place
from regtui.ui.files.keys import FileKeys
from regtui.ui.files.source import FileSource, file_columns, file_label
from regtui.ui.models.tree import TreeModel
from regtui.ui.safe_text import SafeText
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.tree_table import TreeTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.contents.view import View


class FileTree(FileKeys, TreeTable[int]):
    """The tree; node numbers are those of the image's tree, so the cursor survives a change of view."""

    PLACES: ClassVar[tuple[Place, ...]] = (Place.FILES,)

    class Wanted(Message):
        """A key of the files: `what` is the name of its action."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def __init__(self) -> None:
        super().__init__(TreeModel(_Nothing()), label=lambda _: SafeText(""), show_header=True, id="file-tree")
        self.view: View | None = None

    def show_view(self, view: View) -> None:
        """Show another view; what was open, the cursor, the filter and the sort stay where the nodes are the same."""
        source = FileSource(view)
        before, behind = file_columns(source)
        trunk: Column[int] = Column("tree", SafeText("path"), lambda node: file_label(view, node), 16, flex=1)
        opened, wanted = set(self.model.view.opened), self.filter_source
        # On the first line nobody has gone anywhere yet: it stays the first while more arrives.
        current = self.model.current if self.model.cursor else None
        self.view = view
        self.columns = (*before, trunk, *behind)
        self._placed = (-1, [])
        model: TreeModel[int] = TreeModel(source)
        model.view.opened.update(opened)
        model.rebuild()
        if current is not None:
            model.move_to_key(current)
        self.show(model)
        if self._sort_wish is not None:
            self.sort_by(self._sort_wish.column, reverse=self._sort_wish.reverse)
        if wanted:
            self.set_filter(wanted)

    def clear(self) -> None:
        """There is no tree."""
        self.view = None
        self.show(TreeModel(_Nothing()))

    def reveal(self, node: int) -> bool:
        """Put the cursor on a path and open the folders above it; False when the view does not show it."""
        view = self.view
        if view is None or not node or not view.is_shown(node):
            return False
        if self.filter_source:
            self.model.set_filter("")
        trail: list[int] = []
        while node:
            trail.append(node)
            node = view.tree.parent[node]
        found = self.model.reveal(trail[::-1])
        self.sync()
        return found

    def action_sort_files(self) -> None:
        """s"""
        self.sort_by("" if self._sort_wish is not None else "size")

    def action_next_change(self) -> None:
        """m"""
        self.post_message(self.Wanted("changes"))

    def action_choose_layer(self) -> None:
        """L"""
        self.post_message(self.Wanted("layer"))

    def action_next_layer(self) -> None:
        """>"""
        self.post_message(self.Wanted("next layer"))

    def action_previous_layer(self) -> None:
        """<"""
        self.post_message(self.Wanted("previous layer"))

    def action_change_layer_view(self) -> None:
        """A"""
        self.post_message(self.Wanted("mode"))

    def action_show_beside(self) -> None:
        """b"""
        self.post_message(self.Wanted("beside"))


class _Nothing:
    """No tree yet."""

    def roots(self) -> Sequence[int]:
        return ()

    def children(self, node: int) -> Sequence[int]:
        return ()

    def has_children(self, node: int) -> bool:
        return False

    def key(self, node: int) -> int:
        return node

    def text(self, node: int) -> str:
        return ""
