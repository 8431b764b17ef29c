"""The request log: what was sent to registries in this run, secrets removed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from regtui.transport.request_log import as_curl
from regtui.ui.clipboard import copy_text
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from regtui.transport.request_log import RequestLog, RequestRecord


class RequestsScreen(ModalScreen[None]):
    """One row per request, newest last; `c` copies one as a curl command."""

    DEFAULT_CSS = """
    RequestsScreen { align: center middle; }
    RequestsScreen > RowTable { width: 96%; height: 90%; border: round $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,exclamation_mark", "dismiss", "Close", show=False),
        Binding("c", "copy_curl", "Copy as curl", show=False),
    ]

    def __init__(self, log: RequestLog) -> None:
        super().__init__()
        self._log = log
        self._table: RowTable[tuple[int, RequestRecord]] = RowTable(
            [
                Column("method", SafeText("method"), lambda row: safe(row[1].method), 6),
                Column("status", SafeText("status"), _status, 6, align="right", tone=_status_tone),
                Column("time", SafeText("time"), _seconds, 8, align="right"),
                Column(
                    "retries",
                    SafeText("tries"),
                    lambda row: safe(str(row[1].retries + 1)),
                    5,
                    align="right",
                    priority=2,
                ),
                Column("url", SafeText("address"), lambda row: safe(row[1].url, 1000), 30, flex=1),
                Column("error", SafeText("error"), lambda row: safe(row[1].error or ""), 20, tone="error", priority=1),
            ],
            key=lambda row: row[0],
            text=lambda row: f"{row[1].method} {row[1].url}",
            title=SafeText("Requests · c copies as curl · escape closes"),
        )

    def compose(self) -> ComposeResult:
        """One table."""
        yield self._table

    def on_mount(self) -> None:
        """Fill it, newest at the cursor."""
        self._table.append(list(enumerate(self._log.records)))
        self._table.focus()
        self._table.action_move_bottom()

    @work(exclusive=True, exit_on_error=False)
    async def action_copy_curl(self) -> None:
        """c"""
        current = self._table.current
        if current is not None:
            text = as_curl(current[1])
            self.notify(await asyncio.to_thread(copy_text, self.app, text), markup=False)


def _status(row: tuple[int, RequestRecord]) -> SafeText:
    return safe("—" if row[1].status is None else str(row[1].status))


def _status_tone(row: tuple[int, RequestRecord]) -> Tone:
    status = row[1].status
    return "error" if status is None or status >= 500 else "warning" if status >= 400 else ""


def _seconds(row: tuple[int, RequestRecord]) -> SafeText:
    return safe(f"{row[1].seconds * 1000:.0f} ms")
