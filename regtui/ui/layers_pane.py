"""The Layers tab: how the layers share the image's bytes, over the list of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.bars import Part, ShareBar
from regtui.ui.widgets.glyphs import glyphs_for
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from regtui.ui.facts.layers import LayerRow
    from regtui.ui.widgets.row_table import RowTable


class LayersPane(Vertical):
    """A share bar over a table of layers."""

    DEFAULT_CSS = """
    LayersPane > RowTable { height: 1fr; }
    LayersPane > ShareBar { margin: 0 2; }
    """

    def __init__(self, table: RowTable[LayerRow], *, id: str) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.focus_list = table
        self._bar = ShareBar(glyphs=glyphs_for())

    def compose(self) -> ComposeResult:
        """The bar, the list."""
        yield self._bar
        yield self.focus_list

    def show(self, rows: Sequence[LayerRow] = ()) -> None:
        """Show other layers."""
        self.focus_list.reset(rows)
        self._bar.show([Part(row.size or 0, share_words(row)) for row in rows if row.layer is not None])


def share_words(row: LayerRow) -> SafeText:
    """`1: 28.2 MB`: the number leads to the line in the list."""
    return safe(f"{row.number}: {size_text(row.size)}")
