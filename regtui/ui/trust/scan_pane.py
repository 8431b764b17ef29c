"""The Scan tab: which report is shown and how old it is, findings by severity, and the findings themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from regtui.ui.actions import Place
from regtui.ui.models.tree import TreeModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.trust.findings import (
    GROUPINGS,
    ORDERS,
    THRESHOLDS,
    FindingNode,
    FindingSource,
    Wanted,
    finding_columns,
)
from regtui.ui.trust.severity_bar import SeverityBar
from regtui.ui.trust.words import scanned_text
from regtui.ui.widgets.message_pane import MessagePane
from regtui.ui.widgets.tree_table import TreeTable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from textual.app import ComposeResult

    from regtui.trust.findings import Finding
    from regtui.trust.image_reports import FoundReport, ImageReports
    from regtui.ui.trust.findings import LayerOf


class FindingsTree(TreeTable[FindingNode]):
    """The findings, with their keys."""

    PLACES: ClassVar[tuple[Place, ...]] = (Place.TREE, Place.FINDINGS)

    class Asked(Message):
        """A key that only the screen can answer: `what` is one of report, compare, layers, export."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    class Regrouped(Message):
        """Group, threshold or order was changed."""

    def __init__(self) -> None:
        before, behind = finding_columns()
        super().__init__(
            TreeModel(FindingSource()),
            label=lambda node: safe(node.title),
            before=before,
            columns=behind,
            heading=SafeText("id"),
            show_header=True,
            label_width=19,
            id="findings",
        )
        self.wanted = Wanted()

    def _change(self, **values: Any) -> None:
        self.wanted = replace(self.wanted, **values)
        self.post_message(self.Regrouped())

    def action_group_findings(self) -> None:
        """b"""
        self._change(grouping=_next(GROUPINGS, self.wanted.grouping))

    def action_cycle_severity(self) -> None:
        """f"""
        self._change(threshold=_next(THRESHOLDS, self.wanted.threshold))

    def action_sort_findings(self) -> None:
        """s"""
        self._change(order=_next(ORDERS, self.wanted.order))

    def action_choose_report(self) -> None:
        """R"""
        self.post_message(self.Asked("report"))

    def action_compare_findings(self) -> None:
        """m"""
        self.post_message(self.Asked("compare"))

    def action_find_layers(self) -> None:
        """L"""
        self.post_message(self.Asked("layers"))

    def action_export_findings(self) -> None:
        """e"""
        self.post_message(self.Asked("export"))


def _next(choices: Sequence[Any], now: Any) -> Any:
    return choices[(choices.index(now) + 1) % len(choices)]


class ScanPane(Vertical):
    """What is wrong with one image. The screen calls `begin`, `show`, `tell`, and `running` while a scanner works."""

    DEFAULT_CSS = """
    ScanPane > #scan-source { height: 1; padding: 0 1; color: $text-muted; }
    ScanPane > #scan-running { height: 1; padding: 0 1; color: $text-accent; display: none; }
    ScanPane > #scan-running.-running { display: block; }
    ScanPane > #scan-note { height: 1; padding: 0 1; color: $text-muted; display: none; }
    ScanPane > #scan-note.-told { display: block; }
    ScanPane > FindingsTree { height: 1fr; }
    ScanPane > MessagePane { display: none; }
    ScanPane.-empty > MessagePane { display: block; }
    ScanPane.-empty > FindingsTree, ScanPane.-empty > SeverityBar, ScanPane.-empty > #scan-source,
    ScanPane.-empty > #scan-note { display: none; }
    """

    class FindingWanted(Message):
        """A finding is to be shown whole."""

        def __init__(self, finding: Finding, layer: int | None) -> None:
            super().__init__()
            self.finding = finding
            self.layer = layer

    def __init__(self, *, id: str | None = None, now: datetime | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.now = now
        self.reports: ImageReports | None = None
        self.shown: FoundReport | None = None
        self.layer_of: LayerOf | None = None
        self.findings = FindingsTree()
        self._source = Static(Content(""), id="scan-source")
        self._scanning = Static(Content(""), id="scan-running")
        self._bar = SeverityBar()
        self._note = Static(Content(""), id="scan-note")
        self._message = MessagePane()

    def compose(self) -> ComposeResult:
        """Source and age, bars, findings; or a sentence."""
        yield self._source
        yield self._scanning
        yield self._bar
        yield self._note
        yield self._message
        yield self.findings

    @property
    def told(self) -> str:
        """The words over the findings, for tests and screen readers."""
        return f"{self._source.content}\n{self._bar.text}\n{self._note.content}\n{self._message.content}"

    def begin(self) -> None:
        """An image is about to be looked at."""
        self.tell("Looking for scan reports…")

    def tell(self, sentence: str, hint: str = "") -> None:
        """A sentence instead of findings."""
        self.reports, self.shown = None, None
        self.set_class(True, "-empty")
        self._message.show(safe(sentence, 1000), safe(hint, 1000))
        self._show_findings()

    def show(self, reports: ImageReports, found: FoundReport, layer_of: LayerOf | None = None) -> None:
        """Show one of the reports about the image."""
        self.reports, self.shown, self.layer_of = reports, found, layer_of
        self.set_class(False, "-empty")
        self._show_findings()

    def place_layers(self, layer_of: LayerOf) -> None:
        """Which layer brought each package is known now."""
        self.layer_of = layer_of
        self._show_findings()

    def running(self, sentence: str | None) -> None:
        """What a local scanner is doing; None when none runs."""
        self._scanning.set_class(sentence is not None, "-running")
        self._scanning.update(Content(safe(sentence or "", 300)))

    def on_findings_tree_regrouped(self, event: FindingsTree.Regrouped) -> None:
        """Group, threshold, order."""
        event.stop()
        self._show_findings()

    def _show_findings(self) -> None:
        report = self.shown.report if self.shown is not None else None
        wanted = self.findings.wanted
        source = FindingSource(report.findings if report is not None else (), wanted, self.layer_of)
        model = TreeModel(source)
        kept = self.findings.filter_source
        if kept:
            model.set_filter(kept)
        self.findings.show(model)
        if wanted.grouping:
            self.findings.open_all()
        if self.shown is None or report is None:
            self.findings.set_counts(0, 0)
            return
        self._source.update(Content(safe(self._source_words(self.shown), 600)))
        left_out = source.passed - len(source.shown)
        parts = [*self._wanted_words(report.findings)]
        if left_out:
            parts.append(f"{left_out:,} less bad ones are not listed")
        self._bar.show(report.counts)
        self._note.update(Content(safe(" · ".join(parts))))
        self._note.set_class(bool(parts), "-told")
        self.findings.set_counts(len(source.shown), len(report.findings))

    def _source_words(self, found: FoundReport) -> str:
        report = found.report
        scanner = " ".join(part for part in (report.scanner, report.scanner_version) if part) or "unknown scanner"
        parts = [scanner, scanned_text(report.scanned_at, self.now or datetime.now(UTC)), found.source]
        if report.database:
            parts.append(f"data of {report.database}")
        others = len(self.reports.reports) - 1 if self.reports is not None else 0
        if others > 0:
            parts.append(f"R: {others} more {'report' if others == 1 else 'reports'}")
        if report.end_of_life:
            parts.append("the distribution is past its end: more may be missing")
        return " · ".join(parts)

    def _wanted_words(self, findings: Sequence[Finding]) -> list[str]:
        """What is settled, and what of the findings is shown in which way."""
        wanted, parts = self.findings.wanted, []
        settled = sum(one.vex is not None and one.vex.settles for one in findings)
        if settled:
            parts.append(f"{settled:,} settled by VEX")
        if wanted.threshold is not None:
            worse = "" if wanted.threshold is THRESHOLDS[1] else " and worse"
            parts.append(f"only {wanted.threshold.value}{worse}")
        if wanted.grouping:
            parts.append(f"by {wanted.grouping}")
        if wanted.order != ORDERS[0]:
            parts.append(f"sorted by {wanted.order}")
        if not findings:
            parts.append("no findings in this report")
        return parts

    def on_tree_table_opened(self, event: TreeTable.Opened) -> None:
        """Enter: a finding is shown whole, a group opens and closes."""
        event.stop()
        node = event.value
        if node is None:
            return
        if node.finding is None:
            self.findings.toggle()
        else:
            self.post_message(self.FindingWanted(node.finding, node.layer))
