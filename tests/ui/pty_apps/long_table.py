"""A table of 100,000 rows, as a list of tags would show it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import ComposeResult


from regtui.ui._textual import PlainCrash, stop_mouse_motion
from regtui.ui.models.ordering import natural_key
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.row_table import RowTable


@dataclass(frozen=True, slots=True)
class Tag:
    """A row."""

    name: str
    digest: str
    size: int


COLUMNS = (
    Column[Tag]("tag", SafeText("tag"), lambda tag: safe(tag.name), 16, flex=1, sort=lambda tag: natural_key(tag.name)),
    Column[Tag]("digest", SafeText("digest"), lambda tag: safe(tag.digest), 20, tone="dim"),
    Column[Tag]("pushed", SafeText("pushed"), lambda _: SafeText("2 h"), 8, align="right"),
    Column[Tag](
        "size", SafeText("size"), lambda tag: safe(f"{tag.size:,}"), 12, align="right", sort=lambda tag: tag.size
    ),
    Column[Tag]("platforms", SafeText("platforms"), lambda _: SafeText("amd64 arm64"), 14, tone="dim"),
)


class LongTable(PlainCrash):
    """One table over the whole screen."""

    CSS = "RowTable { border: round $panel-lighten-2; } RowTable:focus { border: round $accent; }"

    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"

    def compose(self) -> ComposeResult:
        """The table."""
        yield RowTable(COLUMNS, key=lambda tag: tag.name, text=lambda tag: tag.name, title=SafeText("3 Tags"))

    def on_mount(self) -> None:
        """Fill it."""
        stop_mouse_motion(self)
        table = self.query_one(RowTable)
        count = int(sys.argv[1])
        table.append([Tag(f"v1.{number}-alpine", f"sha256:{number:012x}", number * 1000) for number in range(count)])
        table.listing = Listing("complete")


app = LongTable()
app.run()
