"""Raw JSON, a manifest of a few lines or a report of a megabyte: laid out off the loop, folded, filtered by line.

pane = JsonPane(id="raw")
pane.show(manifest.raw)
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from textual import work
from textual.actions import SkipAction

from regtui.ui.actions import Place
from regtui.ui.models.json_view import JsonModel, lay_out, pieces
from regtui.ui.safe_text import LINE_LIMIT, safe
from regtui.ui.widgets.columns import fit
from regtui.ui.widgets.filtering import FilteringList
from regtui.ui.widgets.line_list import LineList

if TYPE_CHECKING:
    from collections.abc import Hashable

    from textual.strip import Strip

AT_ONCE = 32 * 1024
"""Bytes up to which a document is laid out at once (some milliseconds); larger ones in a thread."""
_TONES = {"key": "accent", "string": "", "literal": "", "punctuation": "", "text": ""}
_MARGIN = 2


class JsonPane(FilteringList):
    """A JSON document. `h` folds, `l` unfolds, `f` folds all, enter does either."""

    PLACES = (Place.JSON,)

    class Highlighted(LineList.Highlighted):
        """The cursor stands on another line."""

    class Opened(LineList.Opened):
        """Enter on a line that neither opens a part nor is folded; `value` is its text."""

    def __init__(self, document: bytes = b"", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, classes=classes)
        self.document = document
        self.model: JsonModel = JsonModel(lay_out(document))

    def show(self, document: bytes) -> None:
        """Show another document."""
        self.document = document
        if len(document) <= AT_ONCE or not self.is_running:
            self._show(JsonModel(lay_out(document)))
        else:
            self._lay_out(document)

    @property
    def line_model(self) -> JsonModel:
        """The lines."""
        return self.model

    def identity(self, position: int) -> tuple[str, Hashable]:
        """The line's text and number."""
        return self.model.text(position), self.model.line(position)

    def draw_line(self, position: int, width: int, *, is_cursor: bool) -> Strip:
        """One line, its keys coloured."""
        text = self.model.text(position)
        sign = self.glyphs.cursor if is_cursor else self.glyphs.closed if self.model.is_folded(position) else " "
        shown = fit(safe(text, LINE_LIMIT).rstrip(), max(0, width - _MARGIN), ellipsis=self.glyphs.ellipsis).rstrip()
        parts = [(f"{sign} ", "")] + [(piece, _TONES[kind]) for piece, kind in pieces(shown)]
        return self.strip_of(parts, width, is_cursor=is_cursor)

    def action_fold(self) -> None:
        """Fold the part here; where there is none, the next key's turn."""
        if not self.model.fold():
            raise SkipAction
        self.sync()

    def action_unfold(self) -> None:
        """Show what is folded here; where nothing is, the next key's turn."""
        if not self.model.unfold():
            raise SkipAction
        self.sync()

    def action_fold_all(self) -> None:
        """Fold all parts of the first level, or show all again."""
        self.model.toggle_all()
        self.sync()

    def action_open_line(self) -> None:
        """Fold or unfold where that is possible, else open the line."""
        if len(self.model) and self.model.line(self.model.cursor) in self.model.layout.ends:
            if self.model.unfold() or self.model.fold():
                self.sync()
        else:
            super().action_open_line()

    @work(exclusive=True, group="layout")
    async def _lay_out(self, document: bytes) -> None:
        layout = await asyncio.to_thread(lay_out, document)
        if document is self.document:
            self._show(JsonModel(layout))

    def _show(self, model: JsonModel) -> None:
        self.model = model
        self.forget_drawn()
        self.scroll_to(y=0, animate=False, force=True)
        self.sync()
