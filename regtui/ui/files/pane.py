"""The Files tab: one tree over all layers or one of them, with what is wasted beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from regtui.contents.tree import Change
from regtui.contents.view import Filter, View
from regtui.ui.actions import Place
from regtui.ui.files.source import FileSource, file_columns, file_label
from regtui.ui.models.tree import TreeModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.tree_table import TreeTable
from regtui.ui.words import count_text, size_text

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Resize

    from regtui.contents.tree import ImageTree
    from regtui.contents.waste import Waste
    from regtui.session.contents import ImageContents, LayerProgress

WIDE: Final = 104
CHANGED: Final = frozenset(Change) - {Change.UNCHANGED}


@dataclass(frozen=True, slots=True)
class WasteRow:
    """One line of the waste: how many bytes, where, and why they are wasted."""

    bytes: int
    path: str
    why: str


def waste_rows(waste: Waste, tree: ImageTree) -> list[WasteRow]:
    """The worst first: files stored more than once, and caches that package managers left behind."""
    view = View(tree)
    rows = [WasteRow(item.bytes, view.path(item.node), f"in {item.count} layers") for item in waste.worst]
    rows += [WasteRow(item.bytes, view.path(item.node), f"{item.manager} cache") for item in waste.leftovers]
    return sorted(rows, key=lambda row: -row.bytes)


class FileTree(TreeTable[int]):
    """The tree, with the keys of the files."""

    PLACES: ClassVar[tuple[Place, ...]] = (Place.TREE, Place.FILES)

    class ChangesWanted(Message):
        """Show only changes, or everything again."""

    class LayerWanted(Message):
        """The person wants to choose a layer."""

    def __init__(self) -> None:
        super().__init__(TreeModel(_Nothing()), label=lambda _: SafeText(""), show_header=True, id="file-tree")

    def show_view(self, view: View) -> None:
        """Show another view; what was open, the cursor and the sort stay where the nodes are the same."""
        source = FileSource(view)
        before, behind = file_columns(source)
        trunk: Column[int] = Column("tree", SafeText("path"), lambda node: file_label(view, node), 16, flex=1)
        opened, current = set(self.model.view.opened), self.model.current
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

    def action_sort_files(self) -> None:
        """s"""
        self.sort_by("" if self._sort_wish is not None else "size")

    def action_toggle_changes(self) -> None:
        """m"""
        self.post_message(self.ChangesWanted())

    def action_choose_layer(self) -> None:
        """L"""
        self.post_message(self.LayerWanted())


class _Nothing:
    """No tree yet."""

    def roots(self) -> tuple[int, ...]:
        return ()

    def children(self, node: int) -> tuple[int, ...]:
        return ()

    def has_children(self, node: int) -> bool:
        return False

    def key(self, node: int) -> int:
        return node

    def text(self, node: int) -> str:
        return ""


class FilesPane(Vertical):
    """The files of one image. The screen calls `begin`, `show_part`, `show`, or `tell`."""

    DEFAULT_CSS = """
    FilesPane > Static { height: 1; padding: 0 1; color: $text-muted; }
    FilesPane > Horizontal { height: 1fr; }
    FilesPane FileTree { width: 2fr; height: 1fr; }
    FilesPane #waste { width: 1fr; height: 1fr; border-left: vkey $panel-lighten-2; }
    FilesPane.-narrow #waste { display: none; }
    """

    class Progressed(Message):
        """More of the image was read; posted from worker threads."""

        def __init__(self, progress: LayerProgress) -> None:
            super().__init__()
            self.progress = progress

        def can_replace(self, message: Message) -> bool:
            """Only the last one counts."""
            return isinstance(message, FilesPane.Progressed)

    class Grown(Message):
        """The tree as far as it is known; posted from worker threads."""

        def __init__(self, tree: ImageTree) -> None:
            super().__init__()
            self.tree = tree

        def can_replace(self, message: Message) -> bool:
            """Only the last one counts."""
            return isinstance(message, FilesPane.Grown)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.file_tree = FileTree()
        self.contents: ImageContents | None = None
        self.waste: Waste | None = None
        self.only_layer: int | None = None
        """The layer that is looked at alone, from 0; None for all of them together."""
        self.only_changes = False
        self._line = Static(Content(""))
        self._waste = _waste_table()

    def compose(self) -> ComposeResult:
        """The state over the tree, the waste beside it."""
        yield self._line
        with Horizontal():
            yield self.file_tree
            yield self._waste

    def on_resize(self, event: Resize) -> None:
        """The waste gives way first."""
        self.set_class(event.size.width < WIDE, "-narrow")

    def begin(self) -> None:
        """An image is about to be read."""
        self.contents = None
        self.only_layer = None
        self.only_changes = False
        self._waste.reset()
        self.file_tree.show(TreeModel(_Nothing()))
        self.state(SafeText("asking for the layers…"))

    def state(self, text: SafeText) -> None:
        """The line over the tree."""
        self._line.update(Content(text))

    def on_files_pane_progressed(self, event: Progressed) -> None:
        """Tell how far it is."""
        step = event.progress
        if self.contents is None:
            layer = min(step.done + 1, step.layers)
            share = f"{step.read * 100 // step.total} %" if step.total else ""
            parts = [
                f"reading layer {layer} of {step.layers}",
                f"{size_text(step.read)} of {size_text(step.total)} {share}",
                f"{count_text(step.entries)} entries",
                "leaving the tab stops",
            ]
            self.state(safe(" · ".join(parts)))

    def on_files_pane_grown(self, event: Grown) -> None:
        """Show what is known so far."""
        if self.contents is None:
            self.file_tree.show_view(View(event.tree))

    def show(self, contents: ImageContents, waste: Waste) -> None:
        """The whole image is there."""
        self.contents, self.waste = contents, waste
        self._waste.reset(waste_rows(waste, contents.tree), Listing("complete"))
        self._show_view()

    def tell(self, sentence: str) -> None:
        """Why there are no files to see."""
        self.contents = None
        self.file_tree.show(TreeModel(_Nothing()))
        self.state(safe(sentence, 300))

    def look_at(self, layer: int | None) -> None:
        """One layer alone, with what it changed, or all layers."""
        self.only_layer = layer
        self._show_view()

    def on_file_tree_changes_wanted(self) -> None:
        """m"""
        self.toggle_changes()

    def toggle_changes(self) -> None:
        """Show only what was changed after the first layer, or by the layer looked at."""
        self.only_changes = not self.only_changes
        self._show_view()

    def _show_view(self) -> None:
        if self.contents is None:
            return
        tree = self.contents.tree
        if self.only_layer is None:
            view = View(tree, since=0 if self.only_changes else None)
        else:
            view = View(tree, self.only_layer, self.only_layer - 1)
        if self.only_changes or self.only_layer is not None:
            view = view.filtered(Filter(changes=CHANGED))
        self.file_tree.show_view(view)
        self.state(self._told(view))

    def _told(self, view: View) -> SafeText:
        assert self.contents is not None
        layers = len(self.contents.tree.layers)
        which = (
            f"all {layers} layers"
            if self.only_layer is None
            else f"layer {self.only_layer + 1} of {layers}: what it changed"
        )
        parts = [which, f"{count_text(sum(1 for _ in view.present()) - 1)} paths", size_text(view.size(0))]
        if self.only_changes and self.only_layer is None:
            parts.append("only what changed after the base layer")
        if self.waste is not None and self.only_layer is None:
            parts.append(f"waste {size_text(self.waste.avoidable)}, score {self.waste.efficiency:.2f}")
        if self.contents.problems:
            parts.append(f"{len(self.contents.problems)} layers can't be listed")
        damaged = sum(1 for index in self.contents.tree.layers if index is not None and index.damage)
        if damaged:
            parts.append(f"{damaged} layers are damaged")
        return safe(" · ".join(parts))


def _waste_table() -> RowTable[WasteRow]:
    return RowTable(
        [
            Column("bytes", SafeText("bytes"), lambda row: safe(size_text(row.bytes)), 9, align="right"),
            Column("path", SafeText("path"), lambda row: safe(row.path, 600), 12, flex=1),
            Column("why", SafeText("why"), lambda row: safe(row.why), 12, tone="dim", priority=1),
        ],
        key=lambda row: (row.why, row.path),
        text=lambda row: row.path,
        title=SafeText("waste"),
        id="waste",
    )
