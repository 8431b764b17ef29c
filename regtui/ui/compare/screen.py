"""Two images compared: config, layers, files and packages in tabs; what needs no layer is there at once."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING, Final

from textual import on, work
from textual.content import Content
from textual.widgets import ContentSwitcher, Static

from regtui.contents.differences import Kind
from regtui.oci import RegtuiError
from regtui.ui.actions import Bound, Place
from regtui.ui.compare.tables import COLUMNS, Differences, difference_table
from regtui.ui.facts import differences as facts
from regtui.ui.files.progress import ReadingProgress, Told
from regtui.ui.safe_text import UNKNOWN, SafeText, safe
from regtui.ui.screens.exporting import Exporting
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.listing import Listing, list_title
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.status_bar import StatusBar
from regtui.ui.widgets.tab_strip import TabStrip

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from regtui.session import Image, Session
    from regtui.session.contents import LayerProgress
    from regtui.session.differences import ImageDifferences
    from regtui.ui.compare.sides import Side
    from regtui.ui.facts.differences import DifferenceRow

TABS: Final = tuple((name, SafeText(name.capitalize())) for name in COLUMNS)


class CompareScreen(Bound, Exporting):
    """From `before` to `after`."""

    PLACES = (Place.REPORT,)
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    CompareScreen { layout: vertical; }
    CompareScreen > Static { height: 1; padding: 0 1; color: $text-muted; }
    CompareScreen > ContentSwitcher { height: 1fr; }
    CompareScreen > ContentSwitcher > RowTable { height: 1fr; }
    CompareScreen > .side { background: $panel; color: $foreground; }
    """

    def __init__(self, session: Session, before: Side, after: Side) -> None:
        super().__init__()
        self.session = session
        self.before, self.after = before, after
        self.is_full = False
        self.pane = "a comparison"
        self.tables = {name: difference_table(name) for name in COLUMNS}
        self.status = StatusBar()
        self.tabs = TabStrip(TABS)
        self.switcher = ContentSwitcher(initial="config")
        self.filter = FilterInput()
        self._summary = Static(Content(""))
        self._sides = Static(Content(""), classes="side"), Static(Content(""), classes="side")
        self._progress = ReadingProgress()

    def compose(self) -> ComposeResult:
        """Names, summary, tabs, the two sides of the row under the cursor."""
        yield self.status
        yield self._summary
        yield self.tabs
        with self.switcher:
            yield from self.tables.values()
        yield from self._sides
        yield self.filter
        yield KeyFooter()

    def on_mount(self) -> None:
        """Read both."""
        self.filter.display = False
        self.tables["files"].sort_by("")
        self.table.focus()
        self.compare()

    @property
    def table(self) -> Differences:
        """The list that is shown."""
        return self.tables[self.switcher.current or "config"]

    @property
    def is_loading(self) -> bool:
        """Whether something is being read."""
        return any(worker.is_running for worker in self.workers if worker.node is self and worker.group == "compare")

    @work(exclusive=True, group="compare", exit_on_error=False)
    async def compare(self) -> None:
        """Config and layers at once, then files and packages as soon as the layers that differ are read."""
        self.status.set_breadcrumb(safe(f"{self.before.words} → {self.after.words}", 300))
        for table in self.tables.values():
            table.reset((), Listing("loading"))
        self._say("reading both images…")
        try:
            before, after = await asyncio.gather(
                self.session.image(self.before.reference, self.before.platform),
                self.session.image(self.after.reference, self.after.platform),
            )
            self._show_quick(before, after)
            found = await self.session.differences(
                before, after, self._tell_progress, full=self.is_full, hash_files=self.is_full
            )
            await self._show(found)
        except RegtuiError as error:
            self._stop(str(error))
        except asyncio.CancelledError:
            self._stop("Stopped. r reads on.")
            raise

    def _show_quick(self, before: Image, after: Image) -> None:
        config, layers = facts.quick_rows(before, after)
        self.tables["config"].reset(config or (), Listing("complete"))
        self.tables["layers"].reset(layers, Listing("complete"))
        if config is None:
            self.tables["config"].listing = Listing("stopped", None, SafeText("one image has no config to read"))
        self._progress = ReadingProgress()

    def _tell_progress(self, step: LayerProgress) -> None:
        """Called in worker threads."""
        told = self._progress.step(step, monotonic(), slow=bool(getattr(self.app, "slow_line", False)))
        if told is not None:
            self.post_message(told)

    @on(Told)
    def _show_progress(self, event: Told) -> None:
        if self.is_loading:
            self._say(event.words)

    async def _show(self, found: ImageDifferences) -> None:
        files = await asyncio.to_thread(facts.file_rows, found.files)
        packages = facts.package_rows_of(found.packages.differences)
        self.tables["files"].reset(files, Listing("complete"))
        self.tables["packages"].reset(packages, Listing("complete"))
        parts = [
            f"config {facts.counts(list(self.tables['config'].model.rows))}",
            f"layers {facts.counts(list(self.tables['layers'].model.rows), with_bytes=True)}",
            f"files {facts.counts(files, with_bytes=True)}",
            f"packages {facts.counts(packages)}",
        ]
        self.status.set_state(safe(_unsure(found, files), 200))
        self._say(" │ ".join(parts))
        for problem in found.problems:
            self.notify(safe(problem, 400), severity="warning", markup=False)

    def _stop(self, sentence: str) -> None:
        for table in self.tables.values():
            if table.listing.state == "loading":
                table.listing = Listing("stopped")
        self._say(sentence)

    def _say(self, sentence: str) -> None:
        self._summary.update(Content(safe(sentence, 400)))
        self._count()

    def _count(self) -> None:
        """Beside the tabs: how many rows are shown of how many, and whether all are there."""
        table = self.table
        title = list_title(
            SafeText(""),
            table.model.shown,
            table.model.known,
            table.listing,
            SafeText(""),
            safe(table.filter_source, 30),
        )
        self.tabs.note = title

    @on(FilterInput.Changed)
    def _count_again(self) -> None:
        self._count()

    @on(RowTable.Highlighted)
    def _show_sides(self, event: RowTable.Highlighted) -> None:
        if event.list is self.table:
            row: DifferenceRow | None = event.value
            values = (None, None) if row is None else (row.before, row.after)
            for sign, value, line in zip("-+", values, self._sides, strict=True):
                shown = safe(f"{sign} {UNKNOWN if value is None else value}", 1000) if row is not None else ""
                line.update(Content(shown))

    @on(TabStrip.Chosen)
    def _choose_tab(self, event: TabStrip.Chosen) -> None:
        self.switch(event.tab)

    def switch(self, tab: str) -> None:
        """Show one part."""
        self.switcher.current = self.tabs.active = tab
        self.table.focus()
        self._count()
        model = self.table.model
        self._show_sides(RowTable.Highlighted(self.table, model.cursor, model.current, None))

    def action_next_tab(self) -> None:
        """]"""
        self._step(1)

    def action_previous_tab(self) -> None:
        """["""
        self._step(-1)

    def _step(self, by: int) -> None:
        names = list(COLUMNS)
        self.switch(names[(names.index(self.switcher.current or "config") + by) % len(names)])

    def action_refresh_pane(self) -> None:
        """r: read on, or again."""
        self.compare()

    def action_swap_sides(self) -> None:
        """w"""
        self.before, self.after = self.after, self.before
        self.compare()

    def action_compare_fully(self) -> None:
        """F"""
        self.is_full = True
        self.compare()

    def action_filter_list(self) -> None:
        """/"""
        self.filter.open_for(self.table)

    def action_cancel(self) -> None:
        """Stop reading."""
        self.workers.cancel_group(self, "compare")

    def action_step_back(self) -> None:
        """escape: the reading first, then the filter, then back."""
        if self.is_loading:
            self.action_cancel()
        elif self.filter.source_of(self.table):
            self.filter.clear_for(self.table)
        elif self.table.model.marks:
            self.table.action_clear_marks()
        else:
            self.dismiss(None)


def _unsure(found: ImageDifferences, files: list[DifferenceRow]) -> str:
    """What was left out, and the key that reads it."""
    written = any(row.kind == Kind.WRITTEN for row in files)
    unknown = " and ".join(found.packages.unknown)
    if found.unread and (written or unknown):
        return f"{found.unread} shared layers were not read: ? may be new or changed · F reads them"
    if any(not difference.sure for difference in found.files):
        return "some files have another time only · F compares contents"
    return "all that differs was read"
