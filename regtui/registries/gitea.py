"""Gitea and Forgejo: images by plain distribution; times of push, and whole packages, by the REST API of packages.

Source: go-gitea/gitea, routers/api/packages/container and its swagger, and a Gitea 1.26 that was run; Forgejo shares
the lineage. A version of a package is a tag, or the digest of what was pushed without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from regtui.oci.reference import is_repository_path
from regtui.registries import fields as read
from regtui.registries.contract import Capabilities, Capability, Page, Support, TagSummary
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.joining import joined
from regtui.transport.auth import CredentialAuth
from regtui.transport.errors import BadAnswer, BadRequest, Forbidden, NotFound, Unauthorized, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.oci import Manifest
    from regtui.transport.exchange import Answer

API: Final = "/api/v1/packages"
_PAGE: Final = 50
"""Entries of one page; more is cut to this by default."""
_MOST_PAGES: Final = 2_000
_DELETED: Final = frozenset({204})
_NO_SCANS: Final = "Gitea does not scan images."
_MISSING: Final = {
    Capability.SEARCH: "Gitea finds packages of one owner at a time; the list is filtered here.",
    Capability.TAG_DETAILS: "Only the time of push comes with the list; details are read one by one.",
    Capability.SCAN_REPORT: _NO_SCANS,
    Capability.TRIGGER_SCAN: _NO_SCANS,
    Capability.RETENTION: "Cleanup rules are an owner's settings in the web page only.",
    Capability.IMMUTABLE_TAGS: "Gitea has no immutable tags.",
    Capability.SOFT_DELETE: "Gitea restores nothing: layers go with the last version that holds them.",
}


class GiteaRegistry(DistributionRegistry):
    """A Gitea or a Forgejo."""

    kind = "gitea"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._api = self.client.beside(self.settings.api, auth=CredentialAuth(host=self.client.host))

    async def capabilities(self) -> Capabilities:
        """What Gitea offers; who may do it, only trying tells."""
        known = dict((await super().capabilities()).support)
        known |= {capability: Support(False, reason) for capability, reason in _MISSING.items()}
        known[Capability.DELETE_REPOSITORY] = Support(None, "Every version of the package is deleted.")
        return Capabilities(known)

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """Names by the registry, times of push by the package's versions, 50 a page. Raises NotFound."""
        self.path(repository)  # refuses what is no repository
        # Some versions have no such call, and who may pull may not be allowed to ask.
        without = (Unauthorized, Forbidden, NotFound, Unsupported, BadRequest, BadAnswer)
        async for page in joined(super().tags(repository), self._told(repository), without=without):
            yield page

    async def delete_repository(self, repository: str) -> None:
        """Remove every version of a package. Raises NotFound, Forbidden."""
        names = [name async for rows in self._versions(repository) for name, _ in rows]
        if not names:
            raise NotFound(f"{self.host} has no package {repository}.", host=self.host)
        for name in names:
            try:
                await self._api.request("DELETE", f"{_package(repository)}/{quote(name, safe='')}", expect=_DELETED)
            except NotFound:
                continue  # it went with another one

    async def _put(self, repository: str, locator: str, manifest: Manifest) -> Answer:
        try:
            return await super()._put(repository, locator, manifest)
        except NotFound as error:
            if error.code != "BLOB_UNKNOWN":
                raise
            raise BadRequest(
                f"{self.host} has not all that {manifest.digest.short} is made of.",
                hint="Gitea drops layers with the last version that holds them: push the image anew.",
                host=self.host,
                status=error.status,
                code=error.code,
            ) from error

    async def _told(self, repository: str) -> AsyncIterator[tuple[TagSummary, ...]]:
        async for rows in self._versions(repository):
            yield tuple(TagSummary(name, pushed=read.moment(created)) for name, created in rows)

    async def _versions(self, repository: str) -> AsyncIterator[list[tuple[str, Any]]]:
        """(tag or digest, time of creation) of a package, page by page."""
        if not is_repository_path(repository) or "/" not in repository:
            raise NotFound(f"{self.host} has no package {repository[:120]!a}.", host=self.host)
        for number in range(1, _MOST_PAGES + 1):
            query = {"page": str(number), "limit": str(_PAGE)}
            answer = await self._api.request("GET", _package(repository), params=query)
            rows = [(read.text(row.get("version")), row.get("created_at")) for row in read.objects(answer.json())]
            yield [(name, created) for name, created in rows if name is not None]
            if len(rows) < _PAGE:
                return


def _package(repository: str) -> str:
    owner, _, name = repository.partition("/")
    return f"{API}/{quote(owner, safe='')}/container/{quote(name, safe='')}"
