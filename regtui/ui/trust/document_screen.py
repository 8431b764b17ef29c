"""One document that hangs on an image, readable: its facts, its packages, statements or findings, and its raw JSON."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on, work
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from regtui.oci import RegtuiError
from regtui.trust.sbom import diff as sbom_diff
from regtui.ui.actions import Bound, Place
from regtui.ui.changes.saving import save_new
from regtui.ui.clipboard import copy_text
from regtui.ui.facts.overview import Fact, wrapped
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.screens.go_to import GoToScreen
from regtui.ui.trust.differences import DifferencesScreen, package_changes
from regtui.ui.trust.facts import document_facts
from regtui.ui.trust.tables import VALUES_FROM, facts_table, findings_table, packages_table, statements_table
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.widgets.json_pane import JsonPane
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.line_list import LineList
from regtui.ui.widgets.listing import Listing
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.widgets.tab_strip import TabStrip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from regtui.session import Image, Session
    from regtui.trust.documents import Document
    from regtui.trust.verdict import SignatureResult


class DocumentScreen(Bound, Screen[None]):
    """Shows one of `documents`; `n` shows the next. `result` is what was found out about the signature."""

    PLACES = (Place.DOCUMENT,)
    AUTO_FOCUS = ""
    DEFAULT_CSS = """
    DocumentScreen ContentSwitcher { height: 1fr; }
    DocumentScreen LineList { height: 1fr; border: round $accent; border-title-color: $text-accent; }
    """
    pane: ClassVar[str] = "a document"

    def __init__(
        self,
        session: Session,
        image: Image,
        documents: Sequence[Document],
        position: int = 0,
        result: SignatureResult | None = None,
    ) -> None:
        super().__init__()
        self._session = session
        self._image = image
        self._documents = tuple(documents)
        self._result = result
        self.position = min(position, len(documents) - 1)
        self.filter = FilterInput()
        self.views: list[tuple[str, SafeText]] = []
        self._switcher = ContentSwitcher()
        self._strip = TabStrip([("about", SafeText("About"))])

    @property
    def document(self) -> Document:
        """The document that is shown."""
        return self._documents[self.position]

    @property
    def current_list(self) -> LineList:
        """The list of the view that is shown."""
        return self.query_one(f"#{self._switcher.current}", LineList)

    def compose(self) -> ComposeResult:
        """Views, filter line, footer; which views there are depends on the document."""
        tables = self._tables()
        self.views = [(str(table.id), name) for name, table in tables]
        self._strip = TabStrip(self.views, id="views")
        self._strip.note = self._note()
        self._switcher = ContentSwitcher(initial=self.views[0][0])
        yield self._strip
        with self._switcher:
            for _, table in tables:
                yield table
        yield self.filter
        yield KeyFooter()

    def on_mount(self) -> None:
        """The first view takes the keys."""
        self.filter.display = False
        self.query_one("#raw", JsonPane).show(self.document.inside)
        self.set_focus(self.current_list)

    def _tables(self) -> list[tuple[SafeText, LineList]]:
        document = self.document
        title = safe(document.title)
        about = facts_table("about", title)
        width = self.app.size.width - VALUES_FROM
        about.reset(wrapped(document_facts(document, self._result), width), Listing("complete"))
        found: list[tuple[SafeText, LineList]] = []
        if document.sbom is not None:
            packages = packages_table(title)
            packages.reset(document.sbom.packages, Listing("complete"))
            found.append((SafeText("Packages"), packages))
        if document.vex is not None:
            statements = statements_table(title)
            statements.reset(document.vex.statements, Listing("complete"))
            found.append((SafeText("Statements"), statements))
        if document.report is not None:
            findings = findings_table(title)
            findings.reset(document.report.findings, Listing("complete"))
            found.append((SafeText("Findings"), findings))
        return [*found, (SafeText("About"), about), (SafeText("Raw"), JsonPane(id="raw"))]

    def _note(self) -> SafeText:
        count = len(self._documents)
        return safe(f"document {self.position + 1} of {count}" if count > 1 else self.document.digest.short)

    def show_view(self, name: str) -> None:
        """Show a view, with the keys on it."""
        self._switcher.current = name
        self._strip.active = name
        self.set_focus(self.current_list)

    @on(TabStrip.Chosen)
    def _choose(self, event: TabStrip.Chosen) -> None:
        self.show_view(event.tab)

    # actions of the action table

    def action_next_view(self) -> None:
        """], tab"""
        self._step(1)

    def action_previous_view(self) -> None:
        """[, shift+tab"""
        self._step(-1)

    def _step(self, by: int) -> None:
        names = [name for name, _ in self.views]
        self.show_view(names[(names.index(self._strip.active) + by) % len(names)])

    def action_show_document(self) -> None:
        """y"""
        self.show_view("raw")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No next document where there is one alone."""
        if action == "next_document" and len(self._documents) < 2:
            return False
        return super().check_action(action, parameters)

    async def action_next_document(self) -> None:
        """n"""
        self.position = (self.position + 1) % len(self._documents)
        await self.recompose()
        self.on_mount()

    def action_filter_list(self) -> None:
        """/"""
        self.filter.open_for(self.current_list)

    def action_step_back(self) -> None:
        """escape, q: the filter first."""
        if self.filter.source_of(self.current_list):
            self.filter.clear_for(self.current_list)
        else:
            self.dismiss()

    @work(exclusive=True, group="clipboard", exit_on_error=False)
    async def action_copy_line(self) -> None:
        """c"""
        text = _line_of(self.current_list)
        if text:
            self.notify(await asyncio.to_thread(copy_text, self.app, text), markup=False)

    @work(exclusive=True, group="export", exit_on_error=False)
    async def action_export_document(self) -> None:
        """e"""
        name = f"{self.document.digest.short}.json"
        answer = await self.app.push_screen_wait(GoToScreen("Save this document as", name))
        if answer:
            told, done = await asyncio.to_thread(save_new, Path(answer), self.document.raw)
            self.notify(told, severity="information" if done else "error", markup=False)

    @work(exclusive=True, group="compare", exit_on_error=False)
    async def action_compare_sboms(self) -> None:
        """m"""
        ours = self.document.sbom
        if ours is None:
            self.notify("This is no SBOM: there is nothing to compare.", severity="warning", markup=False)
            return
        reference = self._image.reference
        answer = await self.app.push_screen_wait(
            GoToScreen(safe(f"Compare with the SBOM of which tag of {reference.path} (or any reference)"))
        )
        if not answer:
            return
        try:
            other = await self._session.trust.beside(reference, answer, self._image.platform)
            found = await self._session.trust.sbom(other)
        except RegtuiError as error:
            self.notify(safe(str(error), 500), severity="error", markup=False)
            return
        if found is None or found.sbom is None:
            self.notify(safe(f"No SBOM hangs on {other.reference}."), severity="warning", markup=False)
            return
        changes = await asyncio.to_thread(sbom_diff, found.sbom, ours)
        title = f"Packages · {other.reference.tag or other.reference} → {reference.tag or 'this image'}"
        await self.app.push_screen(DifferencesScreen(self._session, title, package_changes(changes), changes.kept))


def _line_of(current: Any) -> str:
    """What the line under the cursor says."""
    if isinstance(current, RowTable):
        row = current.current
        if isinstance(row, Fact):
            return str(row.value)
        return "" if row is None else "  ".join(str(column.cell(row)) for column in current.columns)
    if isinstance(current, JsonPane) and len(current.model):
        return current.model.text(current.model.cursor).strip()
    return ""
