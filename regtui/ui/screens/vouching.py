"""The explorer's workers for trust: verdicts, what hangs on images, reports, local scans."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual import on, work

from regtui.oci import RegtuiError
from regtui.ui.detail import DetailPane
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.choose import ChooseScreen
from regtui.ui.screens.go_to import GoToScreen
from regtui.ui.screens.signatures import Signatures
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from regtui.session import Image, Session
    from regtui.session.contents import LayerProgress
    from regtui.trust.image_reports import FoundReport, ImageReports
    from regtui.trust.local_scanners import Scanner
    from regtui.trust.referrers_tree import ReferrersTree
    from regtui.ui.trust.pane import TrustPane
    from regtui.ui.trust.scan_pane import FindingsTree, ScanPane

MOST_OPENED: Final = 16
"""Attached things that are opened by themselves, to tell in a line what they hold."""
LARGEST_OPENED: Final = 4 << 20
GROUPS: Final = ("trust", "scan", "signatures", "local scan", "layers of packages")
"""Workers that a cancel stops."""


class Vouching(Signatures):
    """Trust and Scan tabs, local scanners."""

    def __init__(self, session: Session, now: datetime | None = None) -> None:
        super().__init__(session, now)
        self.scanned: dict[str, FoundReport] = {}
        """What was scanned here in this run, by the digest that the report is about."""

    @on(DetailPane.TrustWanted)
    def _fill_trust(self, event: DetailPane.TrustWanted) -> None:
        if event.tab == "trust":
            self.load_trust(event.image)
        else:
            self.load_reports(event.image)

    @on(DetailPane.TabLeft)
    def _stop_trust(self, event: DetailPane.TabLeft) -> None:
        if event.tab in {"trust", "scan"}:
            self.workers.cancel_group(self, event.tab)

    # who vouches

    @work(exclusive=True, group="trust", exit_on_error=False)
    async def load_trust(self, image: Image) -> None:
        """The verdict first, then what hangs on the image, then what that holds; leaving the tab stops it."""
        pane = self.detail.trust
        pane.begin()
        try:
            trust = await self.trust_reader()
            await self.learn_tags(image.reference.host, image.reference.path)
            pane.show_verdict(await trust.judge(image))
            self._tell_problems()
            tree = await trust.tree(image)
            shown = image.manifest if image.manifest is not None else image.top
            pane.show_tree(tree, shown.digest)
            await self._open_documents(image, tree)
        except RegtuiError as error:
            pane.tell(str(error))
        except asyncio.CancelledError:
            self.detail.stopped("trust")
            raise

    async def _open_documents(self, image: Image, tree: ReferrersTree) -> None:
        """Say in a line what each thing holds that hangs on the image shown, as far as it is small."""
        shown = image.manifest.digest if image.manifest is not None else None
        attached = [*tree.attached, *(one for inner in tree.images if inner.subject == shown for one in inner.attached)]
        for one in attached[:MOST_OPENED]:
            try:
                documents = await self.session.trust.documents(
                    image.reference, one.descriptor.digest, limit=LARGEST_OPENED
                )
            except RegtuiError:
                # Whoever opens it is told why it can't be read, and may read a large one then.
                continue
            self.detail.trust.tell_documents(one.descriptor.digest, documents)

    def on_trust_pane_document_wanted(self, event: TrustPane.DocumentWanted) -> None:
        """By its name, like all messages of these tabs: their modules are not loaded before the first frame."""
        self._open_document(event)

    @work(exclusive=True, group="document", exit_on_error=False)
    async def _open_document(self, event: TrustPane.DocumentWanted) -> None:
        from regtui.ui.trust.document_screen import DocumentScreen

        image = self.detail.image
        if image is None:
            return
        try:
            documents = await self.session.trust.documents(image.reference, event.attached.descriptor.digest)
        except RegtuiError as error:
            self.notify(safe(str(error), 500), severity="error", markup=False)
            return
        self.app.push_screen(DocumentScreen(self.session, image, documents, event.position, event.result))

    # what is wrong with it

    @work(exclusive=True, group="scan", exit_on_error=False)
    async def load_reports(self, image: Image) -> None:
        """The reports about an image; where there is none, what can be done. Leaving the tab stops it."""
        pane = self.detail.scan
        pane.begin()
        try:
            trust = await self.trust_reader()
            await self.learn_tags(image.reference.host, image.reference.path)
            reports = await trust.reports(image)
            for one in (image.top, image.manifest):
                if one is not None and one.digest in self.scanned:
                    reports = reports.with_report(self.scanned[one.digest])
            await self._show_reports(image, reports)
        except RegtuiError as error:
            pane.tell(str(error))
        except asyncio.CancelledError:
            self.detail.stopped("scan")
            raise

    async def _show_reports(self, image: Image, reports: ImageReports) -> None:
        from regtui.session.brought import find_layers

        if reports.best is None:
            notes = f" {'; '.join(reports.notes[:3])}" if reports.notes else ""
            self.detail.scan.tell(
                f"There is no scan report for this image: whether it has faults is not known.{notes}",
                await _what_scans(),
            )
            return
        layer_of = await find_layers(self.session.contents, image, only_known=True)
        self.detail.scan.show(reports, reports.best, layer_of)

    def on_scan_pane_finding_wanted(self, event: ScanPane.FindingWanted) -> None:
        """Show a finding whole."""
        from regtui.ui.trust.finding_screen import FindingScreen

        self.app.push_screen(FindingScreen(event.finding, event.layer, self.detail.image))

    def on_findings_tree_asked(self, event: FindingsTree.Asked) -> None:
        """A key of the findings that only the screen can answer."""
        image, found = self.detail.image, self.detail.scan.shown
        if image is None or found is None:
            self.notify("There is no report to do that with.", severity="warning", markup=False)
            return
        if event.what == "report":
            self._choose_report(image)
        elif event.what == "compare":
            self._compare_findings(image, found)
        elif event.what == "layers":
            self._find_layers(image)
        else:
            self._export_findings(image, found)

    @work(exclusive=True, group="report", exit_on_error=False)
    async def _choose_report(self, image: Image) -> None:
        """R: another report about the same image."""
        pane = self.detail.scan
        reports = pane.reports
        if reports is None or len(reports.reports) < 2:
            self.notify("This is the only report about the image.", markup=False)
            return
        from regtui.ui.trust.telling import report_text

        lines = [safe(f"{one.source} · {report_text(one.report)}") for one in reports.reports]
        now = next((n for n, one in enumerate(reports.reports) if one is pane.shown), 0)
        chosen = await self.app.push_screen_wait(ChooseScreen(SafeText("Report"), lines, now))
        if chosen >= 0 and self.detail.image is image:
            pane.show(reports, reports.reports[chosen], pane.layer_of)

    @work(exclusive=True, group="report", exit_on_error=False)
    async def _compare_findings(self, image: Image, found: FoundReport) -> None:
        """m: what is new and what is gone against another image."""
        from regtui.trust.findings import diff
        from regtui.ui.trust.differences import DifferencesScreen, finding_changes

        reference = image.reference
        question = f"Compare with the findings of which tag of {reference.path} (or any reference)"
        answer = await self.app.push_screen_wait(GoToScreen(safe(question)))
        if not answer:
            return
        try:
            other = await self.session.trust.beside(reference, answer, image.platform)
            before = (await self.session.trust.reports(other)).best
        except RegtuiError as error:
            self.notify(safe(str(error), 500), severity="error", markup=False)
            return
        if before is None:
            self.notify(safe(f"There is no scan report for {other.reference}."), severity="warning", markup=False)
            return
        changes = await asyncio.to_thread(diff, before.report.findings, found.report.findings)
        title = f"Findings · {other.reference.tag or other.reference} → {reference.tag or 'this image'}"
        self.app.push_screen(DifferencesScreen(self.session, title, finding_changes(changes), changes.kept))

    @work(exclusive=True, group="layers of packages", exit_on_error=False)
    async def _find_layers(self, image: Image) -> None:
        """L: read all layers to tell which one brought each package."""
        from regtui.session.brought import find_layers

        pane = self.detail.scan
        loop = asyncio.get_running_loop()

        def tell(step: LayerProgress) -> None:  # called in worker threads
            words = f"reading layers for their packages · {size_text(step.read)} of {size_text(step.total)}"
            loop.call_soon_threadsafe(pane.running, f"{words} · ctrl+c stops")

        try:
            layer_of = await find_layers(self.session.contents, image, tell)
            if self.detail.image is image:
                pane.place_layers(layer_of)
        except RegtuiError as error:
            self.notify(safe(str(error), 500), severity="error", markup=False)
        finally:
            loop.call_soon(pane.running, None)

    @work(exclusive=True, group="report", exit_on_error=False)
    async def _export_findings(self, image: Image, found: FoundReport) -> None:
        """e: the whole report as JSON, CSV or SARIF."""
        reference = image.reference
        name = f"{reference.path.rpartition('/')[2]}-{reference.tag or image.top.digest.short}-findings.json"
        answer = await self.app.push_screen_wait(GoToScreen("Save all findings as (.json, .csv or .sarif)", name))
        if answer:
            from regtui.ui.changes.saving import save_new

            path = Path(answer)
            told, done = await asyncio.to_thread(lambda: save_new(path, _written(path, found)))
            self.notify(told, severity="information" if done else "error", markup=False)

    # local scanners

    @work(exclusive=True, group="ask scanner", exit_on_error=False)
    async def action_scan_image(self) -> None:
        """x: scan with a scanner of this machine, in the background; once more stops it."""
        from regtui.trust.local_scanners import find_scanners

        if any(worker.group == "local scan" and worker.is_running for worker in self.workers):
            self.workers.cancel_group(self, "local scan")
            self.notify("The scan was stopped.", markup=False)
            return
        image = self.detail.image
        if image is None:
            self.notify("No image is chosen yet.", severity="warning", markup=False)
            return
        scanners = await find_scanners()
        if not scanners:
            self.notify(await _what_scans(), severity="warning", markup=False)
            return
        chosen = 0
        if len(scanners) > 1:
            lines = [safe(f"{one.name}   {one.program}") for one in scanners]
            chosen = await self.app.push_screen_wait(ChooseScreen(SafeText("Scan with"), lines))
        if chosen >= 0:
            self.run_scanner(image, scanners[chosen])

    @work(exclusive=True, group="local scan", exit_on_error=False)
    async def run_scanner(self, image: Image, scanner: Scanner) -> None:
        """Scan in the background: the person may go on and look at other images."""
        pane, name = self.detail.scan, image.reference.tag or image.top.digest.short
        since = f"{datetime.now(UTC):%H:%M} UTC"

        def tell(line: str) -> None:
            pane.running(f"{scanner.name} scans {name} since {since} · x stops it · {line}")

        tell("starting")
        try:
            found = await self.session.trust.scan(image, scanner, tell)
        except RegtuiError as error:
            self.notify(safe(str(error), 800), severity="error", markup=False, timeout=15)
            return
        finally:
            self.call_later(pane.running, None)
        self.scanned[found.subject] = found
        counts = " ".join(f"{number:,} {step.value}" for step, number in found.report.counts.items() if number)
        self.notify(safe(f"{scanner.name} on {name}: {counts or 'no findings'}."), markup=False)
        if self.detail.image is not None and self.detail.image.top.digest == image.top.digest:
            self.detail.stopped("scan")
            if self.detail.tab == "scan":
                self.load_reports(self.detail.image)


def _written(path: Path, found: FoundReport) -> str:
    import json

    from regtui import __version__
    from regtui.trust.export import report_json, to_csv, to_sarif

    if path.suffix.lower() == ".csv":
        return to_csv(found.report.findings)
    if path.suffix.lower() == ".sarif":
        return to_sarif(found.report, version=__version__)
    return json.dumps(report_json(found.report), indent=2, ensure_ascii=False) + "\n"


async def _what_scans() -> str:
    """What to do where there is no report."""
    from regtui.trust.local_scanners import find_scanners

    scanners = await find_scanners()
    if scanners:
        return f"x scans it with {' or '.join(one.name for one in scanners)}."
    return "No scanner is on PATH: install trivy, grype or osv-scanner, then x scans. An attached report is found too."
