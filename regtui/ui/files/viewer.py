"""The list that shows a file line by line: numbers, colours, hexadecimal, hits of a search."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.actions import SkipAction

from regtui.ui.actions import Place
from regtui.ui.models.file_text import FileModel
from regtui.ui.widgets.filtering import FilteringList

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from textual.strip import Strip

    from regtui.ui.models.file_text import Piece

STEP: Final = 16
"""Characters that left and right scroll by."""


class FileView(FilteringList):
    """A FileModel as lines."""

    PLACES = (Place.VIEWER,)

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.model: FileModel = FileModel()

    def show(self, model: FileModel) -> None:
        """Show another file."""
        self.model = model
        self.forget_drawn()
        self.scroll_to(y=0, animate=False, force=True)
        self.sync()

    def paint(self, pieces: Sequence[Sequence[Piece]]) -> None:
        """The colours are there."""
        self.model.paint(pieces)
        self.sync()

    @property
    def line_model(self) -> FileModel:
        """The lines."""
        return self.model

    def identity(self, position: int) -> tuple[str, Hashable]:
        """The line and its number."""
        return self.model.text(position), position

    def draw_line(self, position: int, width: int, *, is_cursor: bool) -> Strip:
        """One line: its number, a sign where something was found, and what is in view of it."""
        model = self.model
        sign = self.glyphs.mark if model.is_hit(position) else self.glyphs.cursor if is_cursor else " "
        parts: list[tuple[str, str]] = [(f"{sign} ", "marked" if model.is_hit(position) else "")]
        if not model.is_hex and model.looked.kind == "text":
            parts.append((f"{position + 1:>{len(str(len(model)))}}  ", "dim"))
        parts += _in_view(model.pieces_of(position), model.left, width)
        return self.strip_of(parts, width, is_cursor=is_cursor)

    def action_scroll_text_left(self) -> None:
        """h, left"""
        self._scroll(-STEP)

    def action_scroll_text_right(self) -> None:
        """l, right"""
        self._scroll(STEP)

    def action_toggle_hex(self) -> None:
        """x"""
        if not self.model.data:
            raise SkipAction
        self.model.toggle_hex()
        self.scroll_to(y=0, animate=False, force=True)
        self.sync()

    def action_next_hit(self) -> None:
        """n"""
        self._jump(1)

    def action_previous_hit(self) -> None:
        """N"""
        self._jump(-1)

    def _jump(self, by: int) -> None:
        old = self.model.cursor
        if self.model.next_hit(by):
            new, self.model.cursor = self.model.cursor, old
            self.place_cursor(new)

    def _scroll(self, by: int) -> None:
        if self.model.scroll(by):
            self.sync()


def _in_view(pieces: Sequence[Piece], left: int, width: int) -> Iterator[tuple[str, str]]:
    """What is left of the pieces when `left` characters are scrolled out; never more than fits."""
    room = width
    for text, tone in pieces:
        if left >= len(text):
            left -= len(text)
            continue
        shown, left = text[left : left + room], 0
        room -= len(shown)
        yield shown, tone
        if room <= 0:
            return
