"""The Files tab: one tree over all layers or one of them, with what is wasted beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from regtui.ui.facts.waste import waste_words
from regtui.ui.files.beside import Beside, BesideTable
from regtui.ui.files.looking import Looking, doubts
from regtui.ui.files.place import place_of
from regtui.ui.files.tree import FileTree
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import DescendantFocus, Resize

    from regtui.contents.view import View
    from regtui.session.contents import ImageContents
    from regtui.ui.facts.waste import Findings
    from regtui.ui.files.place import FilePlace
    from regtui.ui.files.progress import Told
    from regtui.ui.widgets.line_list import LineList

WIDE: Final = 104


class FilesPane(Vertical):
    """The files of one image. The screen calls `begin`, `show`, `show_view`, or `tell`; it makes the views."""

    DEFAULT_CSS = """
    FilesPane > Static { height: 1; padding: 0 1; color: $text-muted; }
    FilesPane > Horizontal { height: 1fr; }
    FilesPane FileTree { width: 3fr; height: 1fr; }
    FilesPane Beside { width: 2fr; height: 1fr; border-left: vkey $panel-lighten-2; }
    FilesPane.-beside FileTree { width: 2fr; }
    FilesPane.-beside Beside { width: 3fr; }
    FilesPane.-narrow Beside { display: none; border-left: none; width: 1fr; }
    FilesPane.-narrow.-beside Beside { display: block; }
    FilesPane.-narrow.-beside FileTree { display: none; }
    """

    class Grown(Message):
        """The tree as far as it is known; posted from worker threads."""

        def __init__(self, view: View) -> None:
            super().__init__()
            self.view = view

        def can_replace(self, message: Message) -> bool:
            """Only the last one counts."""
            return isinstance(message, FilesPane.Grown)

    class ViewWanted(Message):
        """The image is to be looked at in another way: make the view and call `show_view`."""

        def __init__(self, looking: Looking) -> None:
            super().__init__()
            self.looking = looking

    class LayerWanted(Message):
        """The person wants to choose a layer."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.file_tree = FileTree()
        self.beside = Beside()
        self.contents: ImageContents | None = None
        self.findings: Findings | None = None
        self.looking = Looking()
        self._asked = self.looking
        """The view that was asked for last: `looking` follows once it is made."""
        self._reveal_later: int | None = None
        self._line = Static(Content(""))

    def compose(self) -> ComposeResult:
        """The state over the tree, the lists beside it."""
        yield self._line
        with Horizontal():
            yield self.file_tree
            yield self.beside

    def on_resize(self, event: Resize) -> None:
        """The lists give way first."""
        self.set_class(event.size.width < WIDE, "-narrow")

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Where there is room for one, the one with the focus is shown."""
        self.set_class(self.beside in event.widget.ancestors, "-beside")

    @property
    def focus_list(self) -> LineList:
        """The list that gets the focus."""
        return self.beside.current if self.has_class("-beside") else self.file_tree

    # what the screen calls

    def begin(self) -> None:
        """An image is about to be read."""
        self.contents = self.findings = self._reveal_later = None
        self.looking = self._asked = Looking()
        self.beside.clear()
        self.file_tree.clear()
        self.state(SafeText("asking for the layers…"))

    def state(self, text: SafeText) -> None:
        """The line over the tree."""
        self._line.update(Content(text))

    def show(self, contents: ImageContents, findings: Findings, view: View) -> None:
        """The whole image is there."""
        self.contents, self.findings, self._asked = contents, findings, self.looking
        self.beside.show(findings)
        self.show_view(view, self.looking)

    def show_view(self, view: View, looking: Looking) -> None:
        """A view that was wanted."""
        self.looking = looking
        self.file_tree.show_view(view)
        self.state(self._told(view))
        node, self._reveal_later = self._reveal_later, None
        if node is not None:
            self.file_tree.reveal(node)

    def tell(self, sentence: str, hint: str = "") -> None:
        """Why there are no files to see; one line, so that a hint is left to the overview."""
        del hint
        self.contents = None
        self.file_tree.clear()
        self.beside.clear()
        self.state(safe(sentence, 300))

    @property
    def is_complete(self) -> bool:
        """Whether the whole image is there."""
        return self.contents is not None

    def file_here(self) -> FilePlace | None:
        """The path that a key is about: under the cursor of the tree, or of the list beside it."""
        view = self.file_tree.view
        if self.contents is None or view is None:
            return None
        if not self.has_class("-beside"):
            node = self.file_tree.current
        else:
            node = getattr(self.beside.current.current, "node", None)
        return None if node is None else place_of(self.contents, view, node)

    def look_at(self, looking: Looking) -> None:
        """Look at the image in another way."""
        if self.contents is not None and looking != self._asked:
            self._asked = looking
            self.post_message(self.ViewWanted(looking))

    # what happens inside

    def on_told(self, event: Told) -> None:
        """Tell how far it is."""
        event.stop()
        if self.contents is None:
            self.state(event.words)

    def on_files_pane_grown(self, event: Grown) -> None:
        """Show what is known so far."""
        if self.contents is None:
            self.file_tree.show_view(event.view)

    def on_file_tree_wanted(self, event: FileTree.Wanted) -> None:
        """A key of the files."""
        event.stop()
        now = self._asked
        if event.what == "beside" and self.has_class("-beside"):
            self.beside.next()  # typed ahead, before the focus had gone there
            self.beside.current.focus()
        elif event.what == "beside":
            self.set_class(True, "-beside")
            self.beside.current.focus()
        elif event.what == "layer":
            self.post_message(self.LayerWanted())
        elif event.what == "changes":
            self.look_at(now.next_changes())
        elif event.what == "mode":
            self.look_at(now.next_mode() if now.layer is not None else now.at_layer(0))
        elif self.contents is not None:
            last = self.contents.tree.top
            step = 1 if event.what == "next layer" else -1
            number = (-1 if now.layer is None else now.layer) + step
            self.look_at(now.at_layer(number if 0 <= number <= last else None if step < 0 else last))

    def on_beside_next_wanted(self) -> None:
        """b, again"""
        self.beside.next()

    def on_beside_table_left(self) -> None:
        """Back to the tree."""
        self.set_class(False, "-beside")
        self.file_tree.focus()

    def on_row_table_opened(self, event: BesideTable.Opened) -> None:
        """Enter in a list: go to the path, or look at the layer."""
        event.stop()
        self.on_beside_table_left()
        layer, node = getattr(event.value, "layer", None), getattr(event.value, "node", None)
        if node is not None:
            self.go_to_node(node)
        elif event.list.id == "by-layer":
            self.look_at(Looking(layer))

    def go_to_node(self, node: int) -> None:
        """Put the cursor on a path; what the whole image does not have any more is shown as the last layer had it."""
        if self.contents is None or self.file_tree.reveal(node):
            return
        tree = self.contents.tree
        looking = Looking()
        if tree.occurrence(node) is None:
            gone = max(layer for layer, _, _ in tree.history(node))
            looking = Looking(max(0, gone - 1), "stacked")
        if looking != self.looking:
            self._reveal_later = node
            self.look_at(looking)

    def _told(self, view: View) -> SafeText:
        assert self.contents is not None
        layers = len(self.contents.tree.layers)
        parts = [self.looking.words(layers), f"{size_text(view.size(0))} unpacked", *doubts(self.contents)]
        if self.findings is not None:
            parts.append(waste_words(self.findings.waste))
        return safe(" · ".join(parts))
