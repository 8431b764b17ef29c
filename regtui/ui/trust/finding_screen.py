"""One finding, whole: what it is, where it is, what fixes it, what VEX says, and where to read on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from regtui.ui.clipboard import copy_text
from regtui.ui.facts.overview import wrapped
from regtui.ui.safe_text import safe
from regtui.ui.trust.facts import finding_facts
from regtui.ui.trust.tables import VALUES_FROM, facts_table

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from regtui.session import Image
    from regtui.trust.findings import Finding


class FindingScreen(ModalScreen[None]):
    """Facts in a table; `c` copies the line, such as a link."""

    DEFAULT_CSS = """
    FindingScreen { align: center middle; }
    FindingScreen > RowTable { width: 90%; max-width: 140; height: 80%; border: round $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "Close", show=False),
        Binding("c", "copy_fact", "Copy the line", show=False),
    ]

    def __init__(self, finding: Finding, layer: int | None, image: Image | None) -> None:
        super().__init__()
        self.table = facts_table("finding", safe(f"{finding.id} · c copies a line · escape closes"))
        self._facts = finding_facts(finding, layer, image)

    def compose(self) -> ComposeResult:
        """One table."""
        yield self.table

    def on_mount(self) -> None:
        """The table scrolls; its width is known once it was laid out."""
        self.table.focus()
        self.call_after_refresh(lambda: self.table.reset(wrapped(self._facts, self.table.size.width - VALUES_FROM)))

    @work(exclusive=True, group="clipboard", exit_on_error=False)
    async def action_copy_fact(self) -> None:
        """c"""
        current = self.table.current
        if current is not None:
            self.notify(await asyncio.to_thread(copy_text, self.app, str(current.value)), markup=False)
