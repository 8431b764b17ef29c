"""GitHub Container Registry: images at ghcr.io by plain distribution, packages and versions by GitHub's REST API.

Source: GitHub's OpenAPI description, ghcr-cleanup-action, and what other clients report of ghcr.io: no catalog, no
deleting at the registry, and a referrers API that leads to a web page, which is therefore never asked.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, InvalidReference
from regtui.oci.reference import is_tag
from regtui.registries.contract import (
    Capabilities,
    Capability,
    DeletedManifest,
    Identity,
    Page,
    RepositorySummary,
    Support,
    TagSummary,
)
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.github_packages import DELETE, READ, WRITE, GithubPackages, Version
from regtui.transport.errors import BadRequest, Conflict, Forbidden, NotFound, RegistryError, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_MOST_IDS: Final = 200_000
_UNLISTED: Final = (
    "GitHub lists packages only for a classic personal access token with read:packages, public ones, too."
)
_NO_OWNER: Final = "Name owners (users, organisations) in `namespaces`: GitHub lists packages of one owner at a time."
_TAG_ALONE: Final = "GitHub deletes an image with all of its tags, never one tag alone."
_SIZES: Final = "Digest and time of push come with the list; sizes and platforms are read from the manifests."
_MISSING: Final = {
    Capability.SEARCH: "GitHub has no public search of packages.",
    Capability.REFERRERS: "ghcr.io has no referrers API: signatures and SBOMs are found by their tags.",
    Capability.SCAN_REPORT: "GitHub does not scan images.",
    Capability.TRIGGER_SCAN: "GitHub does not scan images.",
    Capability.RETENTION: "GitHub has no retention rules of its own; workflows delete what is old.",
    Capability.IMMUTABLE_TAGS: "GitHub has no immutable tags for images.",
    Capability.DELETE_TAG: _TAG_ALONE,
}
_BY_TOKEN: Final = (
    *(Capability.TAG_DETAILS, Capability.DELETE_MANIFEST, Capability.DELETE_REPOSITORY, Capability.SOFT_DELETE),
)


class GhcrRegistry(DistributionRegistry):
    """ghcr.io, or the container registry of a GitHub Enterprise."""

    kind = "ghcr"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._api = GithubPackages(self.client, self.settings.api)
        self._referrers_api = False  # it redirects to a web page that then refuses with 429
        self._ids: dict[tuple[str, Digest], int] = {}
        self._one_at_a_time = asyncio.Lock()

    async def capabilities(self) -> Capabilities:
        """What GitHub offers to this token; who it is, is asked once."""
        known = dict((await super().capabilities()).support)
        known |= {capability: Support(False, reason) for capability, reason in _MISSING.items()}
        if not self._api.has_token:
            return Capabilities(known | dict.fromkeys(_BY_TOKEN, Support(False, _UNLISTED)))
        listing = self._scoped(READ)
        deleting = self._scoped(DELETE)
        known |= {
            Capability.TAG_DETAILS: Support(True, _SIZES) if listing.available is not False else listing,
            Capability.DELETE_MANIFEST: deleting,
            Capability.DELETE_REPOSITORY: deleting,
            Capability.SOFT_DELETE: self._scoped(WRITE),
        }
        return Capabilities(known)

    async def probe_catalog(self) -> None:
        """Whether there is an owner whose packages can be listed. Raises Unsupported."""
        await self._owners("")

    async def repository_pages(self, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        """The packages of the token's owner, of the `namespaces`, and of the owner that `prefix` names; pinned ones."""
        seen: set[str] = set()
        for owner in await self._owners(prefix):
            try:
                async for rows, _ in self._api.packages(owner):
                    found = tuple(row for row in rows if row.path.startswith(prefix))
                    seen.update(row.path for row in found)
                    yield Page(found)
            except (NotFound, Forbidden) as error:
                yield Page((), stopped=f"The packages of {owner} can't be listed: {error.sentence}")
        pinned = (path for path in self.settings.repositories if path.startswith(prefix) and path not in seen)
        yield Page(tuple(map(RepositorySummary, pinned)))

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """Digests and times by the package's versions, 100 a page, those without a tag at the end; else by name."""
        self.path(repository)  # refuses what is no repository
        try:
            is_told = await self._can_read()
            untagged: list[TagSummary] = []
            if is_told:
                async for versions in self._api.versions(repository):
                    self._note(repository, versions)
                    untagged += [row for one in versions if not one.tags for row in one.rows()]
                    yield Page(tuple(row for one in versions if one.tags for row in one.rows()))
                yield Page(tuple(untagged))
        except (NotFound, Forbidden):
            is_told = False  # others may see a package's images without its versions
        if not is_told:
            async for page in super().tags(repository):
                yield page

    async def delete_tag(self, repository: str, tag: str) -> None:
        """There is no such call. Raises Unsupported."""
        if not is_tag(tag):
            raise InvalidReference(f"{tag[:128]!a} is not a tag.")
        raise Unsupported(_TAG_ALONE, host=self.host)

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Remove a version with all of its tags. Raises NotFound, Forbidden, Conflict for a package's last one."""
        await self._need_token()
        wanted = Digest.parse(digest)
        async with self._one_at_a_time:  # GitHub wants changes one after another
            ident = self._ids.get((repository, wanted)) or await self._find(repository, wanted)
            try:
                await self._api.delete_version(repository, ident)
            except BadRequest as error:
                raise self._kept(repository, error) from error
            finally:
                self._ids.pop((repository, wanted), None)

    async def probe_delete(self, repository: str) -> Support:
        """Whether the token may delete, by the scopes that GitHub tells; nothing is sent to be deleted."""
        return self._scoped(DELETE) if await self._can_read() else Support(False, _UNLISTED)

    async def delete_repository(self, repository: str) -> None:
        """Remove a package with every version; GitHub can restore it for 30 days. Raises NotFound, Forbidden."""
        self.path(repository)
        await self._need_token()
        try:
            await self._api.delete_package(repository)
        except BadRequest as error:
            raise self._kept(repository, error) from error

    async def deleted(self, repository: str) -> AsyncIterator[Page[DeletedManifest]]:
        """The versions that were deleted in the last 30 days. Raises Unsupported without a token, NotFound."""
        self.path(repository)
        await self._need_token()
        async for versions in self._api.versions(repository, "deleted"):
            yield Page(tuple(version.as_deleted() for version in versions))

    async def restore(self, repository: str, deleted: DeletedManifest) -> None:
        """Bring a deleted version back with its tags. Raises NotFound when it is too late, Forbidden."""
        self.path(repository)
        await self._need_token()
        if deleted.locator is None or not deleted.locator.isdecimal():
            raise NotFound(f"That was not deleted from {repository}.", host=self.host)
        async with self._one_at_a_time:
            await self._api.restore_version(repository, int(deleted.locator))

    def identity(self) -> Identity:
        """Who regtui is, and what GitHub's REST API says is left of the hour: the registry itself tells nothing."""
        own, rate = super().identity(), self._api.rate
        if rate is None:
            return own
        return Identity(own.name, own.source, rate.limit, rate.remaining)

    # the rest ------------------------------------------------------------------------------------------------

    async def _can_read(self) -> bool:
        await self._api.login()
        return self._api.has_token

    async def _owners(self, prefix: str) -> list[str]:
        """Owners to list, all in lower case. Raises Unsupported when there are none, or no token to ask with."""
        await self._need_token()
        login = await self._api.login()
        named, slash, _ = prefix.partition("/")
        own = (login.lower(),) if login is not None else ()
        known = [name.lower() for name in (*own, *self.settings.namespaces)]
        owners = [named] if slash else [name for name in dict.fromkeys(known) if name.startswith(prefix)]
        if not known and not slash:
            raise Unsupported(_NO_OWNER, host=self.host)
        return owners

    async def _need_token(self) -> None:
        if not await self._can_read():
            raise Unsupported(
                _UNLISTED, hint=f"Sign in: regtui login {self.host}, with the token as the password.", host=self.host
            )

    def _scoped(self, scope: str) -> Support:
        may = self._api.may(scope)
        if may is None:
            return Support(None, f"Only trying tells whether the token has {scope}.")
        return Support(True) if may else Support(False, f"Your token lacks {scope}.")

    def _note(self, repository: str, versions: list[Version]) -> None:
        if len(self._ids) > _MOST_IDS:
            self._ids.clear()
        self._ids.update({(repository, one.digest): one.id for one in versions})

    async def _find(self, repository: str, digest: Digest) -> int:
        self.path(repository)
        async for versions in self._api.versions(repository):
            self._note(repository, versions)
            if (repository, digest) in self._ids:
                return self._ids[repository, digest]
        raise NotFound(f"{repository} has no version {digest.short}.", host=self.host)

    def _kept(self, repository: str, error: RegistryError) -> Conflict:
        return Conflict(
            f"GitHub does not delete this of {repository}.",
            hint="The last version goes only with its package; public ones of more than 5,000 downloads stay.",
            host=self.host,
            status=error.status,
            detail=error.detail,
        )
