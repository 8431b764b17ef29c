"""The workers of the explorer: they fetch from the session and put what arrives into the lists."""

from __future__ import annotations

import asyncio
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from textual import work
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from regtui.oci import Index, RegtuiError
from regtui.registries.contract import closing
from regtui.ui.detail import DetailPane
from regtui.ui.facts.tags import TagBook, TagRow
from regtui.ui.models.path_tree import PathSource
from regtui.ui.models.tree import TreeModel
from regtui.ui.panes import FlatSource, RegistryRow, registries_table, repositories_tree, tags_table
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from regtui.oci import ImageManifest, Platform, Reference
    from regtui.registries.contract import RepositorySummary, TagSummary
    from regtui.session import Image, Session

MARGIN: Final = 20
"""Rows around the visible ones whose details are asked for as well."""
ALL_DETAILS: Final = 150
"""Repositories with up to this many tags get all their details without scrolling."""
BATCH_SECONDS: Final = 0.08


class Browsing(Screen[None]):
    """What the explorer knows of where it is, and the workers that fill its lists."""

    def __init__(self, session: Session, now: datetime | None = None) -> None:
        super().__init__()
        self.session = session
        self.faults: list[BaseException] = []
        self.host: str | None = None
        self.path: str | None = None
        self.listed: str | None = None
        """The registry whose repositories are in the list; opening an image straight away leaves it for later."""
        self.wanted_platform: Platform | None = None
        self.tags_later: str | None = None
        """The tag of an image that is opened straight away: the list of tags waits until it is shown."""
        self.is_opening = False
        self.source: PathSource[RepositorySummary] = PathSource()
        self.is_flat = False
        self.shows_attachments = False
        self.book = TagBook()
        self.registries = registries_table()
        self.repositories = repositories_tree(self.source)
        self.tags = tags_table(now)
        self.detail = DetailPane(now=now)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """A worker that failed for another reason than a registry's is a fault of ours: say so, and go on."""
        error = event.worker.error
        if event.state is not WorkerState.ERROR or error is None:
            return
        self.faults.append(error)
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{last.filename.rpartition('/')[2]}:{last.lineno}"
        text = (
            f"A fault in regtui: {type(error).__name__} at {where}. What you see may be incomplete; please report it."
        )
        self.notify(safe(text), severity="error", markup=False, timeout=15)

    # registries

    @work(exclusive=True, group="registries", exit_on_error=False)
    async def load_registries(self) -> None:
        """List what is known: settings and auth files are read off the loop."""
        known = await asyncio.to_thread(self.session.known_registries)
        rows = [RegistryRow(entry, entry.kind, "open" if self.session.opened(entry.host) else "") for entry in known]
        self.registries.reset(rows, Listing("complete"))
        if self.host is not None:
            self.registries.model.move_to_key(self.host)
            self.registries.sync()

    def mark_registry(self, host: str, state: str, kind: str | None = None) -> None:
        """Show in the list how a registry is doing."""
        row = self.registries.model.find(host)
        if row is not None:
            self.registries.replace_all([replace(row, state=state, kind=kind or row.kind)])

    # repositories

    def open_host(self, host: str) -> None:
        """Show another registry."""
        self.host, self.path = host, None
        self.wanted_platform = None
        self.source.clear()
        self.repositories.rebuild()
        self.tags.reset((), Listing("idle"))
        self.load_repositories(host)

    @work(exclusive=True, group="repositories", exit_on_error=False)
    async def load_repositories(self, host: str) -> None:
        """Open a registry and list its repositories, page by page."""
        self.listed = host
        self.repositories.listing = Listing("loading")
        self.mark_registry(host, "opening")
        try:
            registry = await self.session.registry(host)
            self.mark_registry(host, "open", registry.kind)
            async with closing(registry.repositories()) as pages:
                async for page in pages:
                    self.source.add((item.path, item) for item in page.items)
                    self._show_repositories(Listing("loading", page.total))
                    stopped = page.stopped
                    if stopped:
                        self.repositories.listing = Listing("stopped", page.total, safe(stopped))
                        return
            self._show_repositories(Listing("complete"))
        except RegtuiError as error:
            if self.session.opened(host) is None:
                self.mark_registry(host, "failed")
                self.listed = None
            self.repositories.listing = Listing("stopped", None, safe(error.sentence, 60))
            if self.path is None:
                self.detail.tell(error.sentence, error.hint or "r tries again, o opens an image by name.", tone="warn")
        else:
            if self.path is None:
                self.detail.tell(*_after_repositories(self.source.count))

    def _show_repositories(self, listing: Listing) -> None:
        self.repositories.rebuild()
        if self.source.count <= 60:
            self.repositories.open_all()
        self.count_repositories()
        self.repositories.listing = listing
        if self.path is not None and self.repositories.model.cursor == 0:
            self.reveal_repository(self.path)

    def count_repositories(self) -> None:
        """The title counts repositories, not the folders above them."""
        matches = self.repositories.model.view.matches
        self.repositories.set_counts(self.source.count if matches is None else len(matches.nodes), self.source.count)

    def toggle_flat(self) -> None:
        """Show repositories as a flat list, or as a tree again."""
        self.is_flat = not self.is_flat
        current = self.repositories.current
        source = FlatSource(self.source) if self.is_flat else self.source
        self.repositories.show(TreeModel(source))
        if current is not None:
            self.reveal_repository(current.path)

    def reveal_repository(self, path: str) -> None:
        """Put the cursor on a repository, opening what is above it."""
        trail = self.source.trail(path)
        if trail:
            self.repositories.model.reveal(trail[-1:] if self.is_flat else trail)
            self.repositories.sync()

    # tags

    def open_repository(self, path: str) -> None:
        """Show the tags of another repository."""
        if path == self.path:
            return
        self.path = path
        self.wanted_platform = None
        self.load_tags(path)

    @work(exclusive=True, group="tags", exit_on_error=False)
    async def load_tags(self, path: str, keep: str | None = None) -> None:
        """List the tags of a repository, page by page; `keep` is the tag to stay on."""
        host = self.host or ""
        self.book = TagBook()
        self.tags.reset((), Listing("loading"))
        self.tags.note = SafeText("")
        try:
            registry = await self.session.registry(host)
            listing = Listing("complete")
            async with closing(registry.tags(path)) as pages:
                async for page in pages:
                    for tag in page.items:
                        if tag.digest is not None:
                            self.session.reader.learn(host, path, tag.name, tag.digest)
                    self.tags.append(self.book.rows(page.items, with_attachments=self.shows_attachments))
                    self.tags.listing = Listing("loading", page.total)
                    if keep is not None and self.tags.model.move_to_key(keep):
                        keep = None
                        self.tags.sync()
                    if page.stopped:
                        listing = Listing("stopped", page.total, safe(page.stopped))
        except RegtuiError as error:
            self.tags.listing = Listing("stopped", None, safe(error.sentence, 60))
            self.detail.tell(error.sentence, error.hint or "2 shows the repositories, o goes elsewhere.", tone="warn")
            return
        self.tags.listing = listing
        self._note_attachments()
        if not self.tags.model.known:
            self.detail.tell("This repository has no tags.", "Untagged manifests may still be there: o opens a digest.")
        self.load_details()

    def _note_attachments(self) -> None:
        count = len(self.book.attachments)
        self.tags.note = (
            safe(f"{count} tags of signatures and the like are folded: a shows them") if count else SafeText("")
        )

    @work(exclusive=True, group="details", exit_on_error=False)
    async def load_details(self) -> None:
        """Fill in what the listing did not tell: the rows on screen first, then, where few, the rest."""
        host, path = self.host, self.path
        if host is None or path is None:
            return
        wanted = self._undetailed()
        if not wanted:
            self.details_shown()
            return
        loop = asyncio.get_running_loop()
        batch: list[TagRow] = []
        since = loop.time()
        async with closing(self.session.tag_details(host, path, wanted)) as details:
            async for detail in details:
                if detail.error is not None:
                    self.tags.fail(detail.tag.name, detail.error.sentence)
                    continue
                batch.append(self.book.row(detail.tag))
                if loop.time() - since >= BATCH_SECONDS:
                    self.tags.replace_all(batch)
                    batch, since = [], loop.time()
        self.tags.replace_all(batch)
        self.details_shown()

    def details_shown(self) -> None:
        """What could be found out about the tags in view is in the list now."""

    def _undetailed(self) -> list[TagSummary]:
        model = self.tags.model
        first = max(0, self.tags.scroll_offset.y - MARGIN)
        last = min(len(model), self.tags.scroll_offset.y + self.tags.page_size + MARGIN)
        near = range(first, last)
        rest: Sequence[int] = () if len(model) > ALL_DETAILS else [*range(first), *range(last, len(model))]
        rows = (model.at(position) for position in (*near, *rest))
        return [row.tag for row in rows if row.needs_details and row.name not in model.errors]

    # one image

    @work(exclusive=True, group="image", exit_on_error=False)
    async def load_image(self, reference: Reference, *, wait: float = 0.0) -> None:
        """Show what stands at a reference; `wait` seconds first, so that passing by costs nothing."""
        if wait:
            await asyncio.sleep(wait)
        if self.session.reader.known_digest(reference) is None or self.detail.image is None:
            self.detail.tell(f"Reading {reference}…")
        try:
            image = await self.session.image(reference, self.wanted_platform)
            self.detail.show(image)
            self.image_shown(image)
            self._list_tags_now()
            await self._measure_platforms(image)
        except RegtuiError as error:
            self._list_tags_now()
            self.detail.tell(error.sentence, error.hint or "3 shows the tags, o goes elsewhere.", tone="error")

    def _list_tags_now(self) -> None:
        if self.is_opening and self.path is not None:
            self.is_opening = False
            self.load_tags(self.path, keep=self.tags_later)

    async def _measure_platforms(self, image: Image) -> None:
        """The sizes of the other platforms, once the image is on the screen."""
        if not isinstance(image.top, Index):
            return
        sizes: dict[str, int | None] = {}
        for entry in image.platforms:
            child = await self._quietly(image.reference.with_digest(entry.digest))
            sizes[entry.digest] = None if child is None else child.content_size
        self.detail.show_sizes(sizes)

    async def _quietly(self, reference: Reference) -> ImageManifest | None:
        try:
            manifest = await self.session.reader.manifest(reference)
        except RegtuiError:
            return None
        return None if isinstance(manifest, Index) else manifest

    def image_shown(self, image: Image) -> None:
        """An image is in the detail pane now."""


def _after_repositories(count: int) -> tuple[str, str]:
    if count:
        return "Choose a repository to see its tags.", "enter opens, / filters, o goes to any reference."
    return "This registry lists no repositories.", "o opens one by name; some registries only list what you may see."
