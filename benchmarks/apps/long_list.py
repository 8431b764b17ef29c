"""The pane of tags with many rows: `python -m benchmarks.apps.long_list REPORT COUNT`.

The report (JSON) holds `shown`, the seconds from having the rows to having drawn them, and `memory`, the bytes
that the list took beyond the rows themselves.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.memory import resident
from regtui.registries.contract import TagSummary
from regtui.ui._textual import PlainCrash, stop_mouse_motion
from regtui.ui.facts.tags import TagRow
from regtui.ui.panes import tags_table
from regtui.ui.widgets.listing import Listing

if TYPE_CHECKING:
    from textual.app import App, ComposeResult

REPORT, COUNT = Path(sys.argv[1]), int(sys.argv[2])


class LongList(PlainCrash):
    """One pane over the whole screen."""

    def __init__(self) -> None:
        super().__init__()
        self.animation_level = "none"
        self.table = tags_table()
        self.rows = [TagRow(TagSummary(f"v{n // 100}.{n % 100}-alpine{n % 7}")) for n in range(COUNT)]

    def compose(self) -> ComposeResult:
        """The pane."""
        yield self.table

    def on_mount(self) -> None:
        """Fill it once the empty pane stands."""
        stop_mouse_motion(self)
        self.table.focus()
        self.call_after_refresh(self.fill)

    def fill(self) -> None:
        """The data is there."""
        before, started = resident(), perf_counter()
        self.table.append(self.rows)
        self.table.listing = Listing("complete")
        self.call_after_refresh(self.told, before, started)

    def told(self, before: int, started: float) -> None:
        """It stands on the screen."""
        shown = perf_counter() - started
        REPORT.write_text(json.dumps({"shown": shown, "memory": resident() - before}))
        self.sub_title = "filled"


if __name__ == "__main__":
    app: App[None] = LongList()
    app.run()
