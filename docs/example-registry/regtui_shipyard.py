"""Shipyard, a registry that does not exist: OCI distribution, and an API of its own for lists and whole repositories.

GET    /api/images?page=N               {"images": [{"name", "description", "bytes"}], "pages": M}
GET    /api/images/NAME/tags            {"tags": [{"name", "digest", "bytes", "pushed"}]}
DELETE /api/images/NAME                 204; 404 when there is none
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from regtui.oci.reference import is_repository_path, is_tag
from regtui.registries.contract import Capabilities, Capability, Page, RepositorySummary, Support, TagSummary
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.fields import digest, fields, moment, objects, text, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

MOST_PAGES = 1_000


class ShipyardRegistry(DistributionRegistry):
    """Reading images, pushing and deleting manifests is plain distribution; this is what differs."""

    kind = "shipyard"

    async def capabilities(self) -> Capabilities:
        """What plain distribution can't do and Shipyard can. Every no needs its reason: the screen shows it."""
        plain = await super().capabilities()
        own = {
            Capability.LIST_REPOSITORIES: Support(True),
            Capability.TAG_DETAILS: Support(True),
            Capability.DELETE_REPOSITORY: Support(True),
        }
        return Capabilities({**plain.support, **own})

    async def repositories(self, prefix: str = "") -> AsyncIterator[Page[RepositorySummary]]:
        """One request a page. What can't be a repository's path is left out: everything sent here is untrusted."""
        for number in range(1, MOST_PAGES + 1):
            answer = await self.client.request("GET", "/api/images", params={"page": str(number)})
            body = fields(answer.json())
            found = (
                RepositorySummary(name, size=whole(image.get("bytes")), description=text(image.get("description")))
                for image in objects(body.get("images"))
                if is_repository_path(name := text(image.get("name")) or "")
            )
            yield Page(tuple(repository for repository in found if repository.path.startswith(prefix)))
            if number >= (whole(body.get("pages")) or 0):
                return
        yield Page((), stopped=f"The list was cut off after {MOST_PAGES:,} pages.")

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """All tags with digest, size and date in one request; what it does not tell stays None."""
        answer = await self.client.request("GET", f"{self.own_path(repository)}/tags", limit=64 << 20)
        rows = tuple(
            TagSummary(
                name,
                digest=digest(tag.get("digest")),
                size=whole(tag.get("bytes")),
                pushed=moment(tag.get("pushed")),
            )
            for tag in objects(fields(answer.json()).get("tags"))
            if is_tag(name := text(tag.get("name")) or "")
        )
        yield Page(rows, len(rows))

    async def delete_repository(self, repository: str) -> None:
        """Called by confirmed plans only. A status that is not expected is raised as the RegistryError that fits."""
        await self.client.request("DELETE", self.own_path(repository), expect=frozenset({204}))

    def own_path(self, repository: str) -> str:
        """The path in Shipyard's own API. `path` refuses what is no repository's path."""
        self.path(repository)
        return f"/api/images/{quote(repository, safe='')}"
