"""zot: OCI distribution 1.1 as it is, and tags with all their facts, CVEs and search where the extension is on.

Source: project-zot/zot (pkg/api, pkg/extensions/search, swagger/swagger.json). A minimal build has no extensions: it
is served as plain distribution then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest
from regtui.registries import fields as read
from regtui.registries.contract import (
    Capabilities,
    Capability,
    Page,
    RepositorySummary,
    ScanReport,
    Support,
    TagSummary,
)
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.pages import MOST_ITEMS
from regtui.registries.zot_search import PATH, ZotSearch, page_of, repository_of, tag_of, vulnerabilities
from regtui.transport.errors import BadAnswer, BadRequest, Conflict, Forbidden, NotFound, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.oci import Manifest
    from regtui.transport.exchange import Answer

_TAGS: Final = 1_000
_REPOSITORIES: Final = 500
_FOUND: Final = 100
_CVES: Final = 500
_MOST_CVES: Final = 20_000
_NO_SEARCH: Final = "The search extension of this zot is off: only names are listed."
_IN_FILE: Final = "zot's retention rules stand in its configuration file; no API tells them."
_BACKGROUND: Final = "zot scans by itself in the background; a scan can't be asked for."
_COLLECTED: Final = "zot restores nothing; pushing again works until its garbage collection (an hour by default)."
_RIGHTS: Final = "zot has no immutable tags; a user's rights may forbid moving one (create without update)."


class ZotRegistry(DistributionRegistry):
    """A zot, with or without its extensions."""

    kind = "zot"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.search_api = ZotSearch(self.client)
        self._endpoints: frozenset[str] | None = None
        self._cves: Support | None = None

    async def capabilities(self) -> Capabilities:
        """What is known so far; the list of extensions and the catalog are asked for once."""
        known = dict((await super().capabilities()).support)
        search = Support(True) if await self.has_search() else Support(False, _NO_SEARCH)
        scans = self._cves or Support(None, "Only asking for a report tells whether CVE scanning is on.")
        return Capabilities(
            known
            | {
                Capability.SEARCH: search,
                Capability.TAG_DETAILS: search,
                Capability.SCAN_REPORT: scans if search.available else search,
                Capability.TRIGGER_SCAN: Support(False, _BACKGROUND),
                Capability.RETENTION: Support(False, _IN_FILE),
                Capability.IMMUTABLE_TAGS: Support(False, _RIGHTS),
                Capability.SOFT_DELETE: Support(False, _COLLECTED),
            }
        )

    async def has_search(self) -> bool:
        """Whether the search extension is on, asked once; signs in before, where anonymous users are let in, too."""
        if self._endpoints is None:
            await self.check()
            try:
                answer = await self.client.request("GET", "/v2/_oci/ext/discover")
                listed = read.objects(read.fields(answer.json()).get("extensions"))
            except (NotFound, Unsupported, BadRequest, BadAnswer, Forbidden):
                listed = []
            self._endpoints = frozenset(place for one in listed for place in read.texts(one.get("endpoints")))
        return PATH in self._endpoints

    async def repository_pages(self, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        """By RepoListWithNewestImage, with size and last change; without search the catalog."""
        if not await self.has_search():
            async for page in super().repository_pages(prefix):
                yield page
            return
        async for found in self._listed("RepoListWithNewestImage", {}, "PaginatedReposResult", "Repositories"):
            rows = (repository_of(row) for row in found.items)
            kept = tuple(row for row in rows if row is not None and row.path.startswith(prefix))
            yield Page(kept, None if prefix else found.total, found.stopped)

    async def search(self, text: str) -> AsyncIterator[Page[RepositorySummary]]:
        """Repositories by GlobalSearch, best first. Raises Unsupported without the search extension."""
        if not await self.has_search():
            raise Unsupported(_NO_SEARCH, host=self.host)
        # A colon would search the tags of one repository.
        arguments = {
            "query": ("String!", text.replace(":", " ").strip()),
            "requestedPage": page_of(0, _FOUND, "RELEVANCE"),
        }
        result = await self.search_api.ask("GlobalSearch", arguments, "GlobalSearchResult")
        rows = (repository_of(row) for row in read.objects(result.get("Repos")))
        yield Page(tuple(row for row in rows if row is not None))

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """By ImageList, everything of 1,000 tags in one request, the newest first; without search by name."""
        self.path(repository)  # refuses what is no repository
        is_told = False
        if await self.has_search():
            arguments = {"repo": ("String!", repository)}
            async for found in self._listed("ImageList", arguments, "PaginatedImagesResult", "Results"):
                is_told = is_told or bool(found.items)
                if is_told:
                    yield Page(tuple(filter(None, map(tag_of, found.items))), found.total, found.stopped)
        if not is_told:  # the search does not tell an unknown repository from an empty one
            async for page in super().tags(repository):
                yield page

    async def scan_report(self, repository: str, digest: Digest) -> ScanReport:
        """zot's CVE list of a manifest. Raises Unsupported when CVE scanning is off, NotFound."""
        if not await self.has_search():
            raise Unsupported(_NO_SEARCH, host=self.host)
        self.path(repository)
        image = f"{repository}@{Digest.parse(digest)}"
        merged: dict[str, Any] = {}
        cves: list[dict[str, Any]] = []
        while len(cves) < _MOST_CVES:
            arguments = {"image": ("String!", image), "requestedPage": page_of(len(cves), _CVES, "SEVERITY")}
            try:
                found = await self.search_api.ask("CVEListForImage", arguments, "CVEResultForImage")
            except Unsupported as error:
                self._cves = Support(False, str(error))
                raise
            listed = read.objects(found.get("CVEList"))
            merged = merged or found
            cves += listed
            total = read.whole(read.fields(merged.get("Page")).get("TotalCount"))
            if not listed or total is None or len(cves) >= total:
                break
        self._cves = Support(True)
        was_scanned = bool(cves) or vulnerabilities(merged.get("Summary")) is not None
        if not was_scanned:
            return ScanReport("none", "zot", "Trivy", message="zot has not scanned it yet, or can't.")
        body = {"CVEListForImage": {**merged, "CVEList": cves}}
        return ScanReport("complete", "zot", "Trivy", media_type="application/json", body=body)

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Remove a manifest and its tags. Raises Conflict for what an index holds, and what the rights forbid."""
        try:
            await self._delete_at(repository, Digest.parse(digest))
        except Unsupported as error:
            if error.code != "DENIED":
                raise
            raise Conflict(
                f"An index of {repository} holds {digest.short}: {self.host} does not delete it.",
                hint="Delete the index first.",
                host=self.host,
                status=error.status,
                code=error.code,
            ) from error
        except Conflict as error:
            raise Conflict(
                f"Several tags point to {digest.short}, and this user may only delete manifests with one.",
                hint="Delete its tags one by one.",
                host=self.host,
                status=error.status,
                code=error.code,
            ) from error

    async def _delete_at(self, repository: str, locator: str) -> None:
        try:
            await super()._delete_at(repository, locator)
        except BadRequest as error:
            if error.code != "NAME_UNKNOWN":
                raise
            raise NotFound(
                f"{self.host} has no repository {repository}.", host=self.host, status=error.status, code=error.code
            ) from error

    async def _put(self, repository: str, locator: str, manifest: Manifest) -> Answer:
        try:
            return await super()._put(repository, locator, manifest)
        except BadRequest as error:
            if error.status != 415:
                raise
            raise Unsupported(
                f"{self.host} does not take {manifest.media_type}.",
                hint="This zot takes OCI media types only, until its configuration says http.compat: docker2s2.",
                host=self.host,
                status=error.status,
                code=error.code,
                detail=error.detail,
            ) from error
        except Forbidden as error:
            error.hint = "You may lack the right to push, or to move a tag that exists (create without update)."
            raise

    async def _listed(
        self, operation: str, arguments: dict[str, tuple[str, Any]], returned: str, member: str
    ) -> AsyncIterator[Page[dict[str, Any]]]:
        """The rows of a list, page by page, until the total is there or a page brings nothing new."""
        size = _TAGS if member == "Results" else _REPOSITORIES
        seen = 0
        previous: list[dict[str, Any]] = []
        while True:
            asked = arguments | {"requestedPage": page_of(seen, size, "UPDATE_TIME")}
            result = await self.search_api.ask(operation, asked, returned)
            rows = read.objects(result.get(member))
            if rows and rows == previous:
                yield Page((), stopped="zot sent the same page again: it does not page this list as it says.")
                return
            previous = rows
            seen += len(rows)
            total = read.whole(read.fields(result.get("Page")).get("TotalCount"))
            yield Page(tuple(rows), total)
            is_last = len(rows) < size if total is None else seen >= total
            if not rows or is_last or seen >= MOST_ITEMS:
                return
