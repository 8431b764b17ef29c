"""The tree for repositories by path, referrers and files: lines with guides, columns beside them.

tree = TreeTable(TreeModel(source), label=lambda node: safe(node.name), columns=(COUNT,), id="repositories")
source.add(…); tree.rebuild()
def on_tree_table_children_wanted(self, event): …load, give them to the source…; tree.loaded(event.key)
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from rich.segment import Segment
from textual import work
from textual.actions import SkipAction
from textual.message import Message
from textual.strip import Strip

from regtui.ui.actions import Place
from regtui.ui.models.filters import InvalidFilter
from regtui.ui.models.tree import Note, Sort, TreeModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import GAP, Column, Placed, Tone, fit, header_line, place
from regtui.ui.widgets.line_list import LineList
from regtui.ui.widgets.listing import Listing, list_title, marks_note

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from regtui.ui.models.tree import Lines
    from regtui.ui.widgets.glyphs import Glyphs

Node = TypeVar("Node")

DRAWN_LEVELS = 24
"""Levels that guides are drawn for; deeper ones stand at the same indent with their level told."""
AT_ONCE = 5_000
"""Visible lines up to which a sort or a filter is quicker than starting a thread for it."""
_MARGIN = 2


class TreeTable(LineList, Generic[Node]):
    """A tree over a TreeModel. `columns` stand right of the label, `before` left of it."""

    PLACES: ClassVar[tuple[Place, ...]] = (Place.TREE,)

    class Highlighted(LineList.Highlighted):
        """The cursor stands on another node (`value`, `key`, `position`; value None on a note)."""

    class Opened(LineList.Opened):
        """Enter, or a second click on a node."""

    class ChildrenWanted(LineList.ListMessage):
        """A node was opened whose children have to be loaded: load them, then call `loaded` or `fail`."""

    class MarksChanged(Message):
        """Nodes were marked, or marks were taken away."""

        def __init__(self, tree: TreeTable[Any], count: int) -> None:
            super().__init__()
            self.tree = tree
            self.count = count

        @property
        def control(self) -> TreeTable[Any]:
            """The tree."""
            return self.tree

    def __init__(
        self,
        model: TreeModel[Node],
        *,
        label: Callable[[Node], SafeText],
        columns: Sequence[Column[Node]] = (),
        before: Sequence[Column[Node]] = (),
        tone: Callable[[Node], Tone] | Tone = "",
        heading: SafeText = SafeText("path"),  # noqa: B008 - a constant
        show_header: bool = False,
        label_width: int = 16,
        title: SafeText = SafeText(""),  # noqa: B008 - a constant
        id: str | None = None,  # noqa: A002 - Textual's own name
        classes: str | None = None,
        glyphs: Glyphs | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes, glyphs=glyphs)
        self.model = model
        trunk = Column("tree", heading, label, width=label_width, flex=1, tone=tone)
        self.columns: tuple[Column[Node], ...] = (*before, trunk, *columns)
        self.show_header = show_header
        self._title = title
        self._note = SafeText("")
        self._listing = Listing()
        self._counts: tuple[int, int] | None = None
        self._placed: tuple[int, list[Placed[Node]]] = (-1, [])
        self._sort_wish: Sort[Node] | None = None

    # what owners use

    def rebuild(self) -> None:
        """The source has changed."""
        self.model.rebuild()
        self.sync()

    def show(self, model: TreeModel[Node], listing: Listing | None = None) -> None:
        """Show another tree."""
        self.model = model
        if listing is not None:
            self._listing = listing
        self.forget_drawn()
        self.sync()

    def loaded(self, key: Hashable) -> None:
        """The source now has the children of this node."""
        self.model.loaded(key)
        self.sync()

    def fail(self, key: Hashable, sentence: str) -> None:
        """The children of this node can't be had."""
        self.model.fail(key, sentence)
        self.sync()

    def set_filter(self, source: str) -> SafeText | None:
        """Filter as it was typed; the sentence to show when it can't be used, and then the one before stays."""
        try:
            self._prepare(self.model.prepare_filter(source))
        except InvalidFilter as error:
            return safe(f"{error} {error.hint or ''}".rstrip())
        return None

    @property
    def filter_source(self) -> str:
        """The filter as it was typed."""
        return self.model.view.wanted.source

    def sort_by(self, column: str, *, reverse: bool | None = None) -> None:
        """Order siblings by a column, `""` for the source's own order."""
        found = next((each for each in self.columns if each.name == column and each.sort is not None), None)
        if found is None or found.sort is None:
            self._sort_wish = None
        else:
            self._sort_wish = Sort(column, found.sort, found.descending if reverse is None else reverse)
        self._prepare(self.model.prepare_sort(self._sort_wish))

    def open_all(self) -> None:
        """Open every node that is loaded."""
        self._prepare(self.model.prepare_open_all())

    @property
    def listing(self) -> Listing:
        """How far the listing has come; the title tells it."""
        return self._listing

    @listing.setter
    def listing(self, listing: Listing) -> None:
        self._listing = listing
        self._show_title()

    @property
    def title(self) -> SafeText:
        """The first words of the upper border."""
        return self._title

    @title.setter
    def title(self, title: SafeText) -> None:
        self._title = title
        self._show_title()

    @property
    def note(self) -> SafeText:
        """What the lower border says."""
        return self._note

    @note.setter
    def note(self, note: SafeText) -> None:
        self._note = note
        self._show_title()

    def set_counts(self, shown: int, known: int) -> None:
        """What the title counts (things, where lines also stand for folders)."""
        self._counts = (shown, known)
        self._show_title()

    @property
    def current(self) -> Node | None:
        """The node under the cursor."""
        return self.model.current

    # drawing

    @property
    def line_model(self) -> TreeModel[Node]:
        """The lines."""
        return self.model

    @property
    def header_lines(self) -> int:
        """One line of column titles when wanted and when there is room."""
        return int(self.show_header and self.size.height > 2)

    def identity(self, position: int) -> tuple[Node | None, Hashable]:
        """The node on a line and its key; a note has no node."""
        node = self.model.at(position)
        return (None, node) if isinstance(node, Note) else (node, self.model.source.key(node))

    def line_flags(self, position: int) -> bool:
        """Whether the node is marked."""
        node = self.model.at(position)
        return bool(self.model.marks) and not isinstance(node, Note) and self.model.is_marked(node)

    def draw_line(self, position: int, width: int, *, is_cursor: bool) -> Strip:
        """One line."""
        node = self.model.at(position)
        marked = self.line_flags(position)
        parts: list[tuple[str, str]] = [self.margin(is_cursor=is_cursor, is_marked=marked)]
        end = 0
        for spot in self._layout(width):
            parts.append((" " * (spot.start - end), ""))
            end = spot.start + spot.width
            if spot.column.name == "tree":
                parts += self._trunk(position, node, spot, is_marked=marked)
            elif isinstance(node, Note):
                parts.append((" " * spot.width, ""))
            else:
                text = fit(spot.column.cell(node), spot.width, right=spot.column.align == "right")
                parts.append((text, spot.column.tone_of(node)))
        return self.strip_of(parts, width, is_cursor=is_cursor)

    def draw_header(self, width: int) -> Strip:
        """The column titles, the sorted one with an arrow."""
        sort, signs = self.model.view.sort, self.glyphs
        arrow = signs.descending if sort is not None and sort.reverse else signs.ascending
        text = header_line(self._layout(width), _MARGIN, sort.column if sort is not None else "", arrow)
        return Strip([Segment(fit(text, width, ellipsis=""), self.line_style("header"))], width)

    def click_header(self, x: int) -> None:
        """Sort by the column that was clicked; a second click reverses."""
        for spot in self._layout(self.line_width):
            if spot.start <= x - _MARGIN < spot.start + spot.width + GAP and spot.column.sort is not None:
                again = self._sort_wish is not None and self._sort_wish.column == spot.column.name
                self.sort_by(
                    spot.column.name, reverse=not self._sort_wish.reverse if again and self._sort_wish else None
                )

    def sync(self) -> None:
        """Show the model as it is now, its counts in the title included."""
        super().sync()
        self._show_title()

    # actions

    def action_expand(self) -> None:
        """Open the node; on an open one go to its first child; where there is nothing to open, the next key's turn."""
        position, node = self.model.cursor, self.model.current
        if node is None or not self.model.source.has_children(node):
            raise SkipAction
        if self.model.is_open(node):
            self.place_cursor(position + 1)
            return
        self._open(position, node)

    def action_collapse(self) -> None:
        """Close the node, or go to its parent; on a root that is closed, the next key's turn."""
        position, node = self.model.cursor, self.model.current
        if node is not None and self.model.close(position):
            self.sync()
            return
        parent = self.model.parent(position) if len(self.model) else None
        if parent is None:
            raise SkipAction
        self.place_cursor(parent)

    def toggle(self) -> None:
        """Open or close the node under the cursor."""
        position, node = self.model.cursor, self.model.current
        if node is None:
            return
        if self.model.close(position):
            self.sync()
        else:
            self._open(position, node)

    def action_toggle_mark(self) -> None:
        """Mark or unmark, and go on to the next line."""
        self.model.toggle_mark()
        self.refresh_line(self.model.cursor)
        self.place_cursor(self.model.cursor + 1)
        self._tell_marks()

    def action_clear_marks(self) -> None:
        """Take all marks away."""
        self.model.clear_marks()
        self.refresh(self.size.region)
        self._tell_marks()

    # inside

    def _open(self, position: int, node: Node) -> None:
        wanted = self.model.open(position)
        self.sync()
        if wanted:
            self.post_message(self.ChildrenWanted(self, position, node, self.model.source.key(node)))

    def _layout(self, width: int) -> list[Placed[Node]]:
        if self._placed[0] != width:
            self._placed = (width, place(self.columns, width - _MARGIN))
        return self._placed[1]

    def _trunk(self, position: int, node: Node | Note, spot: Placed[Node], *, is_marked: bool) -> list[tuple[str, str]]:
        """Guides, the sign of a folder, and the label."""
        depth, signs = self.model.depth(position), self.glyphs
        guides = f"{signs.guide} " * min(depth, DRAWN_LEVELS)
        if depth > DRAWN_LEVELS:
            guides += f"+{depth - DRAWN_LEVELS} "
        if isinstance(node, Note):
            sign, label, tone = "  ", f"! {safe(node.sentence)}" if node.kind == "error" else safe(node.sentence), "dim"
            tone = "error" if node.kind == "error" else "dim"
        else:
            source = self.model.source
            sign = "  "
            if source.has_children(node):
                sign = f"{signs.opened if self.model.is_open(node) else signs.closed} "
            label, tone = spot.column.cell(node), "marked" if is_marked else spot.column.tone_of(node)
        room = max(spot.width - len(guides), 0)
        return [(guides[: spot.width], "dim"), (fit(f"{sign}{label}", room, ellipsis=signs.ellipsis), tone)]

    def _prepare(self, run: Callable[[], Lines[Node]]) -> None:
        """Run a change of the whole view at once, or in a thread when the tree is long."""
        if len(self.model) <= AT_ONCE or not self.is_running:
            self.model.apply(run())
            self.sync()
        else:
            self._in_thread(run)

    @work(exclusive=True, group="view")
    async def _in_thread(self, run: Callable[[], Lines[Node]]) -> None:
        model = self.model
        lines = await asyncio.to_thread(run)
        if model is self.model:
            model.apply(lines)
            self.sync()

    def _show_title(self) -> None:
        shown, known = self._counts or (0, 0)
        title = list_title(self._title, shown, known, self._listing, SafeText(""), safe(self.filter_source, 30))
        self.show_title(title, marks_note(len(self.model.marks), self._note))

    def _tell_marks(self) -> None:
        self._show_title()
        self.post_message(self.MarksChanged(self, len(self.model.marks)))
