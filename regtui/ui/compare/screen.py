"""Two images compared: config, layers, files and packages in tabs; what needs no layer is there at once."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import TYPE_CHECKING

from textual import on
from textual.content import Content
from textual.widgets import Static

from regtui.contents.differences import Kind
from regtui.ui.actions import Place
from regtui.ui.compare.tables import COLUMNS, difference_table
from regtui.ui.facts import differences as facts
from regtui.ui.files.progress import ReadingProgress, Told
from regtui.ui.safe_text import UNKNOWN, SafeText, safe
from regtui.ui.screens.report import ReportScreen
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from regtui.session import Image, Session
    from regtui.session.contents import LayerProgress
    from regtui.session.differences import ImageDifferences
    from regtui.ui.compare.sides import Side
    from regtui.ui.facts.differences import DifferenceRow


class CompareScreen(ReportScreen):
    """From `before` to `after`."""

    PLACES = (Place.REPORT,)
    DEFAULT_CSS = "CompareScreen > .side { background: $panel; color: $foreground; }"

    def __init__(self, session: Session, before: Side, after: Side) -> None:
        super().__init__(session, {name: difference_table(name) for name in COLUMNS}, "a comparison")
        self.before, self.after = before, after
        self.is_full = False
        self._sides = Static(Content(""), classes="side"), Static(Content(""), classes="side")
        self._progress = ReadingProgress()

    def compose(self) -> ComposeResult:
        """Names, summary, tabs, the two sides of the row under the cursor."""
        yield self.status
        yield self.summary
        yield self.tabs
        with self.switcher:
            yield from self.tables.values()
        yield from self._sides
        yield self.filter
        yield KeyFooter()

    async def work_out(self) -> None:
        """Config and layers at once, then files and packages as soon as the layers that differ are read."""
        self.status.set_breadcrumb(safe(f"{self.before.words} → {self.after.words}", 300))
        self.begin("reading both images…")
        before, after = await asyncio.gather(
            self.session.image(self.before.reference, self.before.platform),
            self.session.image(self.after.reference, self.after.platform),
        )
        self._show_quick(before, after)
        await self._show(
            await self.session.differences(
                before, after, self._tell_progress, full=self.is_full, hash_files=self.is_full
            )
        )

    def _show_quick(self, before: Image, after: Image) -> None:
        config, layers = facts.quick_rows(before, after)
        self.tables["config"].reset(config or (), Listing("complete"))
        self.tables["layers"].reset(layers, Listing("complete"))
        if config is None:
            self.tables["config"].listing = Listing("stopped", None, SafeText("one image has no config to read"))
        self._progress = ReadingProgress()
        self.count_rows()

    def _tell_progress(self, step: LayerProgress) -> None:
        """Called in worker threads."""
        told = self._progress.step(step, monotonic(), slow=bool(getattr(self.app, "slow_line", False)))
        if told is not None:
            self.post_message(told)

    @on(Told)
    def _show_progress(self, event: Told) -> None:
        if self.is_loading:
            self.say(event.words)

    async def _show(self, found: ImageDifferences) -> None:
        files = await asyncio.to_thread(facts.file_rows, found.files)
        packages = facts.package_rows_of(found.packages.differences)
        self.tables["files"].reset(files, Listing("complete"))
        self.tables["packages"].reset(packages, Listing("complete"))
        config, layers = (self.tables[name].model.rows for name in ("config", "layers"))
        parts = [
            f"config {facts.counts(config)}",
            f"layers {facts.counts(layers, with_bytes=True)}",
            f"files {facts.counts(files, with_bytes=True)}",
            f"packages {facts.counts(packages)}",
        ]
        self.status.set_state(safe(_unsure(found, files), 200))
        self.say(" │ ".join(parts))
        for problem in found.problems:
            self.notify(safe(problem, 400), severity="warning", markup=False)

    @on(RowTable.Highlighted)
    def _move(self, event: RowTable.Highlighted) -> None:
        if event.list is self.table:
            self._show_sides(event.value)

    def switched(self) -> None:
        """The two sides are those of the list that is shown."""
        self._show_sides(self.table.current)

    def _show_sides(self, row: DifferenceRow | None) -> None:
        values = (None, None) if row is None else (row.before, row.after)
        for sign, value, line in zip("-+", values, self._sides, strict=True):
            line.update(Content(safe(f"{sign} {UNKNOWN if value is None else value}", 1000) if row else ""))

    def action_swap_sides(self) -> None:
        """w"""
        self.before, self.after = self.after, self.before
        self.fill()

    def action_compare_fully(self) -> None:
        """F"""
        self.is_full = True
        self.fill()


def _unsure(found: ImageDifferences, files: list[DifferenceRow]) -> str:
    """What was left out, and the key that reads it."""
    written = any(row.kind == Kind.WRITTEN for row in files)
    unknown = " and ".join(found.packages.unknown)
    if found.unread and (written or unknown):
        return f"{found.unread} shared layers were not read: ? may be new or changed · F reads them"
    if any(not difference.sure for difference in found.files):
        return "some files have another time only · F compares contents"
    return "all that differs was read"
