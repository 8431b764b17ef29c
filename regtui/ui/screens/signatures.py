"""The column of signatures in the list of tags: who vouches for many images, those in view first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Final

from textual import on, work

from regtui.oci import Reference, RegtuiError
from regtui.registries.contract import closing
from regtui.ui.safe_text import safe
from regtui.ui.screens.browsing import BATCH_SECONDS, MARGIN, Browsing
from regtui.ui.widgets.filter_input import FilterInput
from regtui.ui.words import count_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from regtui.registries.contract import TagSummary
    from regtui.session import Session
    from regtui.session.trust import TrustReader
    from regtui.trust.image_trust import ImageTrust
    from regtui.ui.facts.tags import TagBook

LISTING_FRESH_FOR: Final = 300.0
"""Seconds for which the tags of a listing count as all tags that there are."""
SIGNED_MATTERS: Final = 2
SIGNED_YIELDS: Final = 6
SIGNED_FIELD: Final = "signed:"
"""A filter that starts like this asks for the signatures of all tags."""


class Signatures(Browsing):
    """Fills the column, by itself where somebody is trusted, for all tags when asked."""

    def __init__(self, session: Session, now: datetime | None = None) -> None:
        super().__init__(session, now)
        self._told_problems = False
        self._checking: _Run | None = None
        """The check of all tags that is under way."""
        self._listed: tuple[TagBook, float] | None = None
        """The listing that came to its end last, and when (monotonic seconds)."""
        self._learned: TagBook | None = None
        """The listing whose tags the session has been told."""

    def details_shown(self) -> None:
        """The signatures of the tags in view come after everything else about them."""
        if self.tags.listing.state == "complete" and (self._listed is None or self._listed[0] is not self.book):
            self._listed = self.book, monotonic()
        if self._checking is None:
            self.load_signatures()

    async def trust_reader(self) -> TrustReader:
        """The trust floor. It is large: it is loaded in a thread, so that lists stay quick meanwhile."""
        await asyncio.to_thread(import_module, "regtui.session.trust")
        return self.session.trust

    def action_check_signatures(self) -> None:
        """V"""
        self.load_signatures(everything=True)

    @on(FilterInput.Changed)
    def _filter_signatures(self, event: FilterInput.Changed) -> None:
        if event.target is self.tags and event.source.lstrip("!").lower().startswith(SIGNED_FIELD):
            self.load_signatures(everything=True)

    @work(exclusive=True, group="signatures", exit_on_error=False)
    async def load_signatures(self, *, everything: bool = False) -> None:
        """Who vouches for the tags: those in view first, then, where asked for, the rest.

        By itself this only happens where the settings trust somebody for this repository, or where it costs nothing.
        """
        host, path, book = self.host, self.path, self.book
        if host is None or path is None:
            return
        is_free = host.startswith("/")
        if not everything and not is_free and not self.session.trusts_somebody:
            self.tags.rank_column("sign", SIGNED_YIELDS)
            return
        trust = await self.trust_reader()
        policy = await trust.policy(Reference(host, path))
        self._tell_problems()
        if not everything and not is_free and not policy.trusts_anyone:
            self.tags.rank_column("sign", SIGNED_YIELDS)
            return
        # A column of dashes gives way to all others; where somebody is trusted, it matters more than the platforms.
        matters = everything or policy.trusts_anyone
        self.tags.rank_column("sign", SIGNED_MATTERS if matters else SIGNED_YIELDS)
        wanted = self._unjudged(everything=everything)
        if not wanted:
            return
        await self.learn_tags(host, path)
        run = _Run(book, len(wanted))
        self._checking = run if everything else None
        try:
            async with closing(trust.statuses(host, path, wanted)) as statuses:
                async for tag, found in statuses:
                    if book is not self.book:
                        return
                    run.note(tag, found)
                    if run.is_due():
                        self._show_signatures(run.take(), run.words)
        finally:
            if self._checking is run:
                self._checking = None
            if book is self.book:
                # Other tags of the same images as well: only one of them was asked about.
                self._show_signatures([*run.take(), *(row.tag for row in self.tags.model.rows)], run.problem)

    async def learn_tags(self, host: str, path: str) -> None:
        """Say which tags there are, once, while their listing is new: then cosign's are not asked for in vain."""
        book = self.book
        if (host, path) != (self.host, self.path) or self._listed is None or self._learned is book:
            return
        listed, moment = self._listed
        if listed is book and monotonic() - moment < LISTING_FRESH_FOR:
            self._learned = book
            names = [row.name for row in self.tags.model.rows] + [tag.name for tag in book.attachments]
            await self.session.trust.learn_tags(host, path, names)

    def _unjudged(self, *, everything: bool) -> list[TagSummary]:
        """The tags whose signatures are not known, those in view first, each image once as far as digests are known."""
        model = self.tags.model
        first = max(0, self.tags.scroll_offset.y - (0 if everything else MARGIN))
        last = min(len(model), self.tags.scroll_offset.y + self.tags.page_size + (0 if everything else MARGIN))
        near = [model.at(position) for position in range(first, last)]
        rows = [*near, *model.rows] if everything else near
        found: dict[str, TagSummary] = {}
        for row in rows:
            if not everything and row.tag.signed is False:
                # The listing said so for free; V looks for itself.
                continue
            if row.signature is None and row.tag.digest not in self.book.signatures:
                found.setdefault(row.tag.digest or row.name, row.tag)
        return list(found.values())

    def _show_signatures(self, tags: Iterable[TagSummary], note: str) -> None:
        """Put what is known into the rows of these tags, and let a filter by signatures look again."""
        changed = []
        for tag in tags:
            row = self.tags.model.find(tag.name)
            digest = tag.digest if row is None else row.tag.digest or tag.digest
            if row is not None and row.signature is None and digest in self.book.signatures:
                changed.append(self.book.row(replace(row.tag, digest=digest)))
        self.tags.replace_all(changed)
        if self.tags.filter_source.lstrip("!").lower().startswith(SIGNED_FIELD):
            self.tags.set_filter(self.tags.filter_source)
        if note:
            self.tags.note = safe(note)
        else:
            self._note_attachments()

    def _tell_problems(self) -> None:
        """Mistakes in the trust settings, once."""
        problems = self.session.trust.problems
        if problems and not self._told_problems:
            self._told_problems = True
            for problem in problems[:5]:
                self.notify(safe(problem, 500), severity="warning", markup=False, timeout=15)


class _Run:
    """One check of many tags: what was found out since the rows were last drawn, and how far it is."""

    def __init__(self, book: TagBook, total: int) -> None:
        self._book = book
        self._total = total
        self._done = 0
        self._failed: list[str] = []
        self._new: list[TagSummary] = []
        self._since = monotonic()

    def note(self, tag: TagSummary, found: ImageTrust | RegtuiError) -> None:
        """One answer. What could not be looked at stays unknown: it is neither present nor unsigned."""
        self._done += 1
        problem = found.sentence if isinstance(found, RegtuiError) else found.verdict.unknown
        if problem is not None:
            self._failed.append(problem)
        elif not isinstance(found, RegtuiError) and tag.digest is not None:
            self._book.signatures[tag.digest] = found.verdict.status
            self._new.append(tag)

    def is_due(self) -> bool:
        """Whether it is time to draw again."""
        return monotonic() - self._since >= BATCH_SECONDS

    def take(self) -> list[TagSummary]:
        """The tags that were answered since the last time."""
        taken, self._new, self._since = self._new, [], monotonic()
        return taken

    @property
    def words(self) -> str:
        """How far it is."""
        return f"signatures of {count_text(self._done)} of {count_text(self._total)} checked, ctrl+c stops"

    @property
    def problem(self) -> str:
        """What stayed unknown, and why, for the first of them."""
        if not self._failed:
            return ""
        return f"signatures of {count_text(len(self._failed))} tags are not known: {self._failed[0]}"
