"""Usage of a repository or a registry: sums, a chart, and what each tag, layer and repository takes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final

from textual.content import Content
from textual.widgets import Static

from regtui.oci.times import is_reproducible
from regtui.registries.contract import closing
from regtui.ui.actions import Place
from regtui.ui.facts.tags import is_attachment
from regtui.ui.facts.usage import UsageFacts, registry_facts, repository_facts
from regtui.ui.safe_text import safe
from regtui.ui.screens.report import ReportScreen
from regtui.ui.usage.tables import usage_tables
from regtui.ui.widgets.charts import ColumnChart
from regtui.ui.widgets.key_footer import KeyFooter
from regtui.ui.widgets.listing import Listing
from regtui.ui.words import count_text

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.events import Resize

    from regtui.registries.contract import TagSummary
    from regtui.session import Session
    from regtui.session.usage import UsageProgress

TALL: Final = 30
"""Lines of the terminal from which on the chart gets its full height."""
TOLD_EVERY: Final = 0.25


class UsageScreen(ReportScreen):
    """Of one repository, or of all below a prefix of a registry."""

    PLACES = (Place.REPORT,)
    DEFAULT_CSS = "UsageScreen.-low ColumnChart { height: 4; }"

    def __init__(self, session: Session, host: str, path: str | None, prefix: str = "") -> None:
        super().__init__(session, usage_tables(whole=path is None), "usage")
        self.host, self.path, self.prefix = host, path, prefix
        self.chart = ColumnChart()
        self._title = Static(Content(""))
        self._told = float("-inf")

    def compose(self) -> ComposeResult:
        """Place, sums, chart, lists."""
        yield self.status
        yield self.summary
        yield self.chart
        yield self._title
        yield self.tabs
        with self.switcher:
            yield from self.tables.values()
        yield self.filter
        yield KeyFooter()

    def on_resize(self, event: Resize) -> None:
        """The chart gives way first."""
        self.set_class(event.size.height < TALL, "-low")

    async def work_out(self) -> None:
        """Read every tag's manifests, then add up off the loop."""
        name = self.host.rstrip("/").rpartition("/")[2] if self.host.startswith("/") else self.host
        inside = self.path or self.prefix
        self.status.set_breadcrumb(safe(f"Usage of {name}{f' > {inside}' if inside else ''}", 300))
        self.begin("reading the tags…")
        self._show(await self._read())

    async def _read(self) -> UsageFacts:
        usage = self.session.usage
        if self.path is not None:
            tags = await self._dated(self.path)
            one = await usage.repository(self.host, self.path, tags, self._progress)
            return await asyncio.to_thread(repository_facts, one)
        every = await usage.registry(self.host, self.prefix, self._progress)
        return await asyncio.to_thread(registry_facts, every)

    async def _dated(self, path: str) -> list[TagSummary]:
        """The tags with the moment of their push; where the registry does not tell, with that of their creation."""
        registry = await self.session.registry(self.host)
        tags: dict[str, TagSummary] = {}
        async with closing(registry.tags(path)) as pages:
            async for page in pages:
                tags.update((tag.name, tag) for tag in page.items)
        undated = [tag for tag in tags.values() if tag.pushed is None and not is_attachment(tag.name)]
        async with closing(self.session.tag_details(self.host, path, undated)) as details:
            async for detail in details:
                moment = detail.tag.created
                if moment is not None and not is_reproducible(moment):
                    tags[detail.tag.name] = replace(tags[detail.tag.name], pushed=moment)
        return list(tags.values())

    def _progress(self, step: UsageProgress) -> None:
        if monotonic() - self._told < TOLD_EVERY:
            return
        self._told = monotonic()
        where = "" if self.path is not None else f"{step.repository} (repository {count_text(step.repositories)}) · "
        self.say(f"{where}{count_text(step.read)} of {count_text(step.tags)} tags read · escape stops")

    def _show(self, facts: UsageFacts) -> None:
        for name, table in self.tables.items():
            table.reset(getattr(facts, name), Listing("complete"))
        self.chart.show(facts.series)
        self._title.update(Content(facts.title))
        self.say(facts.sums)

    def action_refresh_pane(self) -> None:
        """r: count again, past what is known of the tags."""
        self.session.refresh(self.host, self.path)
        self.fill()
