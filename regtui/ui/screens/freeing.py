"""What the marked tags would free, told in the title of the list while one marks; and the way to the usage screen."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from textual import on, work

from regtui.oci import RegtuiError
from regtui.ui.safe_text import SafeText
from regtui.ui.screens.browsing import ALL_DETAILS, Browsing
from regtui.ui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from regtui.contents.usage import StoredTag
    from regtui.registries.contract import TagSummary
    from regtui.session.usage import UsageReader

AT_ONCE = 16
MOST_LOOKED_AT = 5_000
"""Tags of a repository up to which the unmarked ones are looked up, too; in a larger one the figure is a bound."""
IN_ONE_GO = 100
"""Tags that are looked up in the cache before the screen gets its turn."""


class Freeing(Browsing):
    """Counts what marks free."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._stored: dict[str, StoredTag] = {}
        self._stored_of: tuple[str | None, str | None] = (None, None)

    @on(RowTable.MarksChanged, "#tags")
    def _tags_marked(self) -> None:
        if self.tags.model.marks:
            self.count_freed()
        else:
            self.workers.cancel_group(self, "freed")
            self._note_attachments()

    @work(exclusive=True, group="freed", exit_on_error=False)
    async def count_freed(self) -> None:
        """Read what is missing where that is little, and tell what the marks would free."""
        host, path, marked = self.host or "", self.path or "", {str(key) for key in self.tags.model.marks}
        if self._stored_of != (host, path):
            self._stored, self._stored_of = {}, (host, path)
        known = {tag.name: tag for tag in (*(row.tag for row in self.tags.model.rows), *self.book.attachments)}
        self._forget_moved(known.values())
        usage = self.session.usage
        looked_at = known if len(known) <= MOST_LOOKED_AT else marked & known.keys()
        unread = [known[name] for name in looked_at if name not in self._stored]
        missing = await self._look_up(usage, host, path, unread)
        if missing:
            self.tags.note = SafeText("counting what they free…")
            wanted = missing if len(missing) <= ALL_DETAILS else [tag for tag in missing if tag.name in marked]
            await self._read(usage, host, path, wanted[:ALL_DETAILS])
        from regtui.ui.facts.usage import freed_words

        self.tags.note = await asyncio.to_thread(freed_words, dict(self._stored), marked, list(known))

    def _forget_moved(self, tags: Iterable[TagSummary]) -> None:
        """A tag that names another image now is read again; one that is gone keeps nothing alive."""
        digests = {tag.name: tag.digest for tag in tags}
        for name, stored in list(self._stored.items()):
            if name not in digests or digests[name] not in {None, stored.digest}:
                del self._stored[name]

    async def _look_up(self, usage: UsageReader, host: str, path: str, tags: list[TagSummary]) -> list[TagSummary]:
        """Take what is known without a request; the tags for which that is not enough."""
        missing = []
        for number, tag in enumerate(tags):
            found = usage.known_tag(host, path, tag)
            if found is None:
                missing.append(tag)
            else:
                self._stored[tag.name] = found
            if number % IN_ONE_GO == IN_ONE_GO - 1:
                await asyncio.sleep(0)
        return missing

    async def _read(self, usage: UsageReader, host: str, path: str, tags: list[TagSummary]) -> None:
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(tag: TagSummary) -> None:
            async with slots:
                try:
                    self._stored[tag.name] = await usage.stored_tag(host, path, tag)
                except RegtuiError:
                    return  # its row tells the error; here it counts as not read

        async with asyncio.TaskGroup() as group:
            for tag in tags:
                group.create_task(one(tag))

    def action_show_usage(self) -> None:
        """B: of the repository that is looked at, else of the registry."""
        from regtui.ui.usage.screen import UsageScreen

        host, path, prefix = self.host, self.path, ""
        node = self.repositories.current
        if self.pane_name == "registries":
            row = self.registries.current
            host, path = (row.known.host if row is not None else None), None
        elif self.pane_name == "repositories":
            path = node.path if node is not None and node.value is not None else None
            prefix = f"{node.path}/" if node is not None and node.value is None else ""
        if host is None:
            self.notify("Open a registry first.", severity="warning", markup=False)
            return
        self.app.push_screen(UsageScreen(self.session, host, path, prefix))

    @property
    def pane_name(self) -> str:
        """The pane that has the focus; the explorer knows."""
        return str(getattr(self, "pane", ""))
