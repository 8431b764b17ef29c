"""The base of screens that work something out and show it as lists in tabs: comparison, usage."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from textual import on, work
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from regtui.oci import RegtuiError
from regtui.ui.actions import Bound
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.exporting import Exporting
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.listing import Listing, list_title
from regtui.ui.widgets.status_bar import StatusBar
from regtui.ui.widgets.tab_strip import TabStrip

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.session import Session
    from regtui.ui.widgets.row_table import RowTable

WORK: Final = "report"
"""The group of the worker that fills the lists."""


class ReportScreen(Bound, Exporting):
    """Names over a sentence over tabs. Subclasses set PLACES, compose the parts and fill the tables."""

    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    ReportScreen { layout: vertical; }
    ReportScreen > Static { height: 1; padding: 0 1; color: $text-muted; }
    ReportScreen > #summary { height: auto; max-height: 2; }
    ReportScreen > ContentSwitcher { height: 1fr; }
    ReportScreen > ContentSwitcher > RowTable { height: 1fr; }
    """

    def __init__(self, session: Session, tables: Mapping[str, RowTable[Any]], pane: str) -> None:
        super().__init__()
        self.session = session
        self.pane = pane
        """What help calls this screen."""
        self.tables = dict(tables)
        self.status = StatusBar()
        self.summary = Static(Content(""), id="summary")
        self.tabs = TabStrip([(name, SafeText(name.capitalize())) for name in tables])
        self.switcher = ContentSwitcher(initial=self.table.id)
        self.filter = FilterInput()

    def on_mount(self) -> None:
        """Begin."""
        self.filter.display = False
        self.table.focus()
        self.fill()

    @work(exclusive=True, group=WORK, exit_on_error=False)
    async def fill(self) -> None:
        """Work it out; what goes wrong is the sentence over the tabs."""
        try:
            await self.work_out()
        except RegtuiError as error:
            self.stop(str(error))
        except asyncio.CancelledError:
            self.stop("Stopped. r reads on.")
            raise

    async def work_out(self) -> None:
        """Fill the lists. Raises RegtuiError."""
        raise NotImplementedError

    @property
    def table(self) -> RowTable[Any]:
        """The list that is shown."""
        return self.tables[self.tabs.active]

    @property
    def is_loading(self) -> bool:
        """Whether the lists are still being filled."""
        return any(worker.is_running for worker in self.workers if worker.node is self and worker.group == WORK)

    # for subclasses

    def begin(self, sentence: str) -> None:
        """Nothing is known yet."""
        for table in self.tables.values():
            table.reset((), Listing("loading"))
        self.say(sentence)

    def stop(self, sentence: str) -> None:
        """What is not there will not come."""
        for table in self.tables.values():
            if table.listing.state == "loading":
                table.listing = Listing("stopped")
        self.say(sentence)

    def say(self, sentence: str) -> None:
        """The sentence over the tabs."""
        self.summary.update(Content(safe(sentence, 400)))
        self.count_rows()

    def switched(self) -> None:
        """Another list is shown."""

    # keys and clicks

    @on(FilterInput.Changed)
    def count_rows(self) -> None:
        """Beside the tabs: how many rows are shown of how many, and whether all are there."""
        table, wanted = self.table, safe(self.table.filter_source, 30)
        model, empty = table.model, SafeText("")
        self.tabs.note = list_title(empty, model.shown, model.known, table.listing, empty, wanted)

    @on(TabStrip.Chosen)
    def _choose_tab(self, event: TabStrip.Chosen) -> None:
        self.switch(event.tab)

    def switch(self, tab: str) -> None:
        """Show one of the lists."""
        self.tabs.active = tab
        self.switcher.current = self.table.id
        self.table.focus()
        self.count_rows()
        self.switched()

    def action_next_tab(self) -> None:
        """]"""
        self._step(1)

    def action_previous_tab(self) -> None:
        """["""
        self._step(-1)

    def _step(self, by: int) -> None:
        names = list(self.tables)
        self.switch(names[(names.index(self.tabs.active) + by) % len(names)])

    def action_refresh_pane(self) -> None:
        """r: go on, or again."""
        self.fill()

    def action_filter_list(self) -> None:
        """/"""
        self.filter.open_for(self.table)

    def action_cancel(self) -> None:
        """Stop what is under way."""
        self.workers.cancel_group(self, WORK)

    def action_step_back(self) -> None:
        """escape: what is under way first, then the filter, then the marks, then back."""
        if self.is_loading:
            self.action_cancel()
        elif self.filter.source_of(self.table):
            self.filter.clear_for(self.table)
        elif self.table.model.marks:
            self.table.action_clear_marks()
        else:
            self.dismiss(None)
