"""Every widget that shows foreign text, filled with text that wants to do something to the terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.app import ComposeResult


from regtui.ui._textual import PlainCrash
from regtui.ui.models.path_tree import PathSource
from regtui.ui.models.tree import TreeModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.bars import Part, ShareBar
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.json_pane import JsonPane
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.message_pane import MessagePane
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.status_bar import StatusBar
from regtui.ui.widgets.tree_table import TreeTable

EVIL = "evil\x1b]52;c;ZXZpbA==\x07\x1b]0;owned\x1b\\\x1b[2J\x9b31m\x00\x7f\u202e\u200b\ud800[/][@click=app.exit()]"


class Hostile(PlainCrash):
    """One of each."""

    CSS = "LineList, MessagePane { height: 1fr; border: round $panel; }"

    def compose(self) -> ComposeResult:
        """All of them, under one another."""
        text = safe(EVIL)
        columns = [Column[str]("name", text, safe, 20, flex=1), Column[str]("other", text, safe, 20)]
        source: PathSource[int] = PathSource()
        source.add([(EVIL, 1)])
        yield StatusBar()
        yield RowTable(columns, key=str, text=str, title=text)
        yield TreeTable(TreeModel(source), label=lambda node: safe(node.name), title=text)
        yield JsonPane(json.dumps({EVIL: EVIL}, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        yield MessagePane(text, text)
        yield ShareBar()
        yield FilterInput()

    def on_mount(self) -> None:
        """Fill them."""
        text = safe(EVIL)
        self.query_one(StatusBar).set_breadcrumb(text)
        self.query_one(StatusBar).set_state(text)
        self.query_one(ShareBar).show([Part(1, text)])
        table = self.query_one(RowTable)
        table.append([EVIL, EVIL + "2"])
        table.fail(EVIL + "2", EVIL)
        table.listing = Listing("stopped", None, text)
        table.note = text
        problem = table.set_filter(f"~(?P<{EVIL}")
        tree = self.query_one(TreeTable)
        tree.open_all()
        tree.note = SafeText(problem or "")
        self.notify(text, markup=False)
        table.focus()

    def on_row_table_opened(self) -> None:
        """Enter tells that all is drawn."""
        self.query_one(MessagePane).show(SafeText("all is drawn"))


app = Hostile()
app.run()
