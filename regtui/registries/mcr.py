"""Microsoft Artifact Registry (mcr.microsoft.com): public, anonymous, read-only; one catalog for everybody.

Source: microsoft/containerregistry (README, client guidance), and what others report of the portal's API, which is
undocumented: where it does not answer as expected, names are listed by the registry alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci.reference import is_tag
from regtui.registries import fields as read
from regtui.registries.contract import Capabilities, Capability, Page, RepositorySummary, Support, TagSummary
from regtui.registries.distribution_read import DistributionReader
from regtui.registries.joining import joined
from regtui.transport.auth import NoAuth
from regtui.transport.errors import RegistryError, Unreachable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.oci import Descriptor

_LARGEST: Final = 64 << 20
_ROWS: Final = 1_000
_READ_ONLY: Final = "Microsoft alone publishes here; everybody else can only read."
_DETAILS: Final = "Digest and times come from the portal, where it answers; sizes and platforms from the manifests."
_FIREWALL: Final = "Layers come from hosts below data.mcr.microsoft.com: a firewall has to let those through, too."
_MISSING: Final = {
    **dict.fromkeys(
        (
            *(Capability.PUSH, Capability.DELETE_TAG, Capability.DELETE_MANIFEST, Capability.DELETE_REPOSITORY),
            *(Capability.SOFT_DELETE, Capability.IMMUTABLE_TAGS),
        ),
        _READ_ONLY,
    ),
    Capability.SCAN_REPORT: "Microsoft tells no findings here; SBOMs may hang on images.",
    Capability.TRIGGER_SCAN: "Nobody but Microsoft can have images scanned here.",
    Capability.RETENTION: "It is not told; the end of an image's life may hang on it as a note.",
}


class McrRegistry(DistributionReader):
    """MCR, or its mirror in China. No credential is ever sent there, whatever a docker configuration holds."""

    kind = "mcr"
    page_size = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.client = self.client.beside(self.settings.api, auth=NoAuth())
        self._all: tuple[str, ...] | None = None
        self._portal_is_right: bool | None = None

    async def capabilities(self) -> Capabilities:
        """What MCR offers to everybody; nothing is asked."""
        known = {capability: Support(False, reason) for capability, reason in _MISSING.items()}
        return Capabilities(
            known
            | {
                Capability.LIST_REPOSITORIES: Support(True),
                Capability.SEARCH: Support(True),
                Capability.TAG_DETAILS: Support(True, _DETAILS),
                Capability.REFERRERS: self._referrers_support(),
            }
        )

    async def repository_pages(self, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        """The catalog: all of it in one answer, asked for once."""
        found = [path for path in await self._catalog_paths() if path.startswith(prefix)]
        for start in range(0, max(len(found), 1), _ROWS):
            rows = tuple(map(RepositorySummary, found[start : start + _ROWS]))
            yield Page(rows, None if prefix else len(found))

    async def search(self, text: str) -> AsyncIterator[Page[RepositorySummary]]:
        """Repositories whose paths hold every word, the shortest first: MCR has no search beside its catalog."""
        words = text.lower().split()
        found = [path for path in await self._catalog_paths() if all(word in path for word in words)]
        yield Page(tuple(map(RepositorySummary, sorted(found, key=lambda path: (len(path), path)))), len(found))

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """Names by the registry, digests and times by the portal in one answer. Raises NotFound."""
        self.path(repository)  # refuses what is no repository
        pages = joined(super().tags(repository), self._portal(repository), without=(RegistryError,))
        async for page in pages:
            yield page

    async def blob(self, repository: str, descriptor: Descriptor, *, offset: int = 0) -> AsyncIterator[bytes]:
        """The bytes of a blob. Raises Unreachable with what to do about a firewall."""
        try:
            async for chunk in super().blob(repository, descriptor, offset=offset):
                yield chunk
        except Unreachable as error:
            error.hint = _FIREWALL
            raise

    # the rest ------------------------------------------------------------------------------------------------

    async def _catalog_paths(self) -> tuple[str, ...]:
        if self._all is None:
            pages = super().repository_pages("")
            self._all = tuple([row.path async for page in pages for row in page.items])
        return self._all

    async def _portal(self, repository: str) -> AsyncIterator[tuple[TagSummary, ...]]:
        """What the portal tells. Where it tells a tag twice with different digests, that is not known."""
        path = f"/api/v1/catalog/{repository}/tags"
        answer = await self.client.request("GET", path, params={"reg": "mar"}, limit=_LARGEST)
        rows: dict[str, TagSummary] = {}
        for one in read.objects(answer.json()):
            row = _row(one)
            if row is not None:
                known = rows.get(row.name)
                rows[row.name] = row if known is None or known == row else TagSummary(row.name)
        first = next((row for row in rows.values() if row.digest is not None), None)
        if self._portal_is_right is None and first is not None:
            self._portal_is_right = await self.confirms(repository, first.name, first.digest)
        if self._portal_is_right:
            yield tuple(rows.values())


def _row(one: dict[str, Any]) -> TagSummary | None:
    name = read.text(one.get("name"))
    if name is None or not is_tag(name):
        return None
    # The architecture of an index is that of one of its parts: platforms are left to the manifest.
    return TagSummary(
        name,
        digest=read.digest(one.get("digest")),
        pushed=read.moment(one.get("lastModifiedDate")) or read.moment(one.get("createdDate")),
    )
