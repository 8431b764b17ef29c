"""Azure Container Registry: OCI, and its own `/acr/v1` on the same host; findings and policies from Azure's own APIs.

Sources: the data plane's description (2019-07-15-preview, 2021-07-01); Azure/acr docs; azure-cli's acr commands for
soft delete. Signing in: azure.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, InvalidReference
from regtui.oci.reference import is_tag
from regtui.registries.acr_azure import AzureViews
from regtui.registries.acr_rows import TagJoin, deleted_manifests
from regtui.registries.azure import NOBODY, AcrCredentials, AzureIdentity, cloud_of
from regtui.registries.contract import (
    Capabilities,
    Capability,
    DeletedManifest,
    Identity,
    Page,
    RetentionRules,
    ScanReport,
    Support,
    TagSummary,
    closing,
)
from regtui.registries.distribution import DistributionRegistry
from regtui.registries.fields import fields, objects
from regtui.registries.pages import Pager
from regtui.transport.auth import NoAuth
from regtui.transport.errors import BadRequest, Conflict, NotFound, RegistryError, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.credentials.values import CredentialSource
    from regtui.oci import Manifest
    from regtui.storage.settings import RegistrySettings
    from regtui.transport.client import RegistryClient

_ACCEPTED: Final = frozenset({200, 202})
_LARGEST: Final = 16 << 20
_PAGE: Final = {"n": "1000", "orderby": "timedesc"}
"""The newest first; ACR gives a thousand at most, whatever is asked for."""
_UNLOCK: Final = "az acr repository update --delete-enabled true --write-enabled true"


class AcrRegistry(DistributionRegistry):
    """One registry of Azure."""

    kind = "acr"
    sends_all_tags = False

    def __init__(
        self, client: RegistryClient, *, host: str | None = None, settings: RegistrySettings | None = None
    ) -> None:
        super().__init__(client, host=host, settings=settings)
        cloud = cloud_of(self.host)
        self.azure = AzureIdentity(cloud)
        client.sign_in_through(self.credentials)
        self.views = AzureViews(client, self.host, self.azure, self.settings.api or cloud.management, cloud.management)
        self._soft_delete: Support | None = None

    def credentials(self, known: CredentialSource) -> CredentialSource:
        """What is kept for the host, else the Entra user's token exchanged for the registry's."""
        return AcrCredentials(self.host, known, self.azure, self.client.beside(auth=NoAuth()))

    async def capabilities(self) -> Capabilities:
        """What ACR offers; who may do it, only trying tells."""
        known = dict((await super().capabilities()).support)
        trying = Support(None, "The registry does not say what this user may do.")
        by_azure = Support(None, "It is asked of Azure itself, which an Azure user has to be signed in for.")
        known |= {
            Capability.SEARCH: Support(False, "ACR has no search; the list is filtered here."),
            Capability.TAG_DETAILS: Support(True),
            Capability.DELETE_TAG: trying,
            Capability.DELETE_MANIFEST: trying,
            Capability.DELETE_REPOSITORY: trying,
            Capability.IMMUTABLE_TAGS: Support(True, "As locks of single tags and images."),
            Capability.SOFT_DELETE: self._soft_delete or Support(None, "Only where the soft delete policy is on."),
            Capability.SCAN_REPORT: by_azure,
            Capability.TRIGGER_SCAN: Support(False, "Microsoft Defender scans by itself; a scan can't be asked for."),
            Capability.RETENTION: by_azure,
        }
        return Capabilities(known)

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """Tags and manifests, two questions per thousand, joined by digest; then the manifests without a tag."""
        join = TagJoin()
        async with closing(self._list(repository, "_manifests", "manifests")) as manifests:
            async for entries, stopped in self._list(repository, "_tags", "tags"):
                join.add_tags(entries)
                while join.waits and (page := await anext(manifests, None)) is not None:
                    join.add_manifests(page[0])
                yield Page(join.take(), stopped=stopped)
            async for entries, stopped in manifests:
                join.add_manifests(entries)
                if stopped:
                    yield Page((), stopped=stopped)
        yield Page(join.untagged())

    async def put_manifest(self, repository: str, locator: str, manifest: Manifest) -> Digest:
        """Put exact bytes; what is soft-deleted, which ACR refuses to take again, is restored. Raises Conflict."""
        try:
            return await super().put_manifest(repository, locator, manifest)
        except (Unsupported, Conflict) as error:
            gone = DeletedManifest(manifest.digest, () if ":" in locator else (locator,))
            try:
                await self.restore(repository, gone)
            except RegistryError:
                raise self._locked(error, f"{repository}:{locator}") from error
        return manifest.digest

    async def delete_tag(self, repository: str, tag: str) -> None:
        """Remove a tag and nothing else. Raises NotFound, Conflict for a locked one."""
        if not is_tag(tag):
            raise InvalidReference(f"{tag[:128]!a} is not a tag.")
        await self._remove(self._own(repository, "_tags", tag), repository, f"{repository}:{tag}")

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Remove a manifest with all tags, and what refers to it. Raises NotFound, Conflict for a locked one."""
        locator = Digest.parse(digest)
        await self._remove(self.manifest_path(repository, locator), repository, f"{repository}@{locator.short}")

    async def probe_delete(self, repository: str) -> Support:
        """ACR always deletes; whether this user may, only trying tells."""
        return Support(True)

    async def delete_repository(self, repository: str) -> None:
        """Remove everything in it. Raises NotFound, Conflict when something in it is locked."""
        await self._remove(self._own(repository), repository, repository)

    async def scan_report(self, repository: str, digest: Digest) -> ScanReport:
        """Microsoft Defender's findings. Raises Unsupported when no Azure user is signed in."""
        self.path(repository)
        return await self.views.findings(repository, Digest.parse(digest))

    async def retention(self, repository: str) -> RetentionRules | None:
        """The registry's policies. Raises Unsupported when no Azure user is signed in."""
        return await self.views.policies()

    async def deleted(self, repository: str) -> AsyncIterator[Page[DeletedManifest]]:
        """What the soft delete policy keeps. Raises Unsupported where it is off."""
        scope = f"repository:{repository}:deleted_read"
        tags: list[dict[str, Any]] = []
        try:
            async for entries, _ in self._list(repository, "_tags", "tags", deleted=scope):
                tags += entries
            async for entries, stopped in self._list(repository, "_manifests", "manifests", deleted=scope):
                yield Page(deleted_manifests(entries, tags), stopped=stopped)
        except (NotFound, BadRequest, Unsupported) as error:
            if error.code == "NAME_UNKNOWN":
                raise
            self._soft_delete = Support(False, f"The soft delete policy of {self.host} is off.")
            raise Unsupported(self._soft_delete.reason, host=self.host, code=error.code) from error
        self._soft_delete = Support(True)

    async def restore(self, repository: str, deleted: DeletedManifest) -> None:
        """Put a deleted manifest back, with its tags. Raises NotFound, Conflict when a tag is in use meanwhile."""
        if deleted.digest is None:
            raise Unsupported("ACR restores by digest, and this one has none.", host=self.host)
        path = self._own(repository, "_manifests", deleted.digest, below="/acr/v1/_deleted")
        for tag in deleted.tags or ("",):
            await self.client.request(
                "POST",
                path,
                params={"force": "false"},
                headers={"Content-Type": "application/json"},
                content=b'{"tag":"%s"}' % tag.encode() if tag else b"{}",
                scope=f"repository:{repository}:deleted_read,deleted_restore",
                expect=_ACCEPTED,
            )

    def identity(self) -> Identity:
        """The Azure user, instead of the name that stands for nobody."""
        plain = super().identity()
        if plain.name != NOBODY:
            return plain
        return Identity(self.azure.name or "az acr login", "Azure", plain.rate_limit, plain.rate_remaining)

    # what distribution leaves to vendors -----------------------------------------------------------------------

    @property
    def ways_to_sign_in(self) -> str:
        """What to run, in words."""
        missing = f" ({self.azure.problem})" if self.azure.problem else ""
        return f"`az login`{missing} or {super().ways_to_sign_in}"

    def catalog_path(self) -> str:
        """ACR's own, which is the catalog."""
        return "/acr/v1/_catalog"

    def delete_scope(self, repository: str) -> str:
        """Deleting tags and repositories is asked for together with reading their attributes."""
        return f"repository:{repository}:delete,metadata_read"

    # the rest ------------------------------------------------------------------------------------------------

    def _own(self, repository: str, *rest: str, below: str = "/acr/v1") -> str:
        """A path of ACR's own API. Raises InvalidReference for what is no repository."""
        return "/".join((below, self.path(repository).removeprefix("/v2/"), *rest))

    async def _list(
        self, repository: str, what: str, member: str, *, deleted: str | None = None
    ) -> AsyncIterator[tuple[list[dict[str, Any]], str | None]]:
        """Pages of objects, each with the reason why the listing stops early, if it does. Raises NotFound."""
        path = self._own(repository, what, below="/acr/v1/_deleted" if deleted else "/acr/v1")
        scope = deleted or f"repository:{repository}:metadata_read"
        pager = Pager(dict(_PAGE))
        key = "name" if member == "tags" else "digest"
        while pager.query is not None:
            answer = await self.client.request("GET", path, params=pager.query, scope=scope, limit=_LARGEST)
            entries = {str(entry.get(key)): entry for entry in objects(fields(answer.json()).get(member))}
            new = pager.take(list(entries), answer.headers.get("Link"))
            yield [entries[name] for name in new], pager.stopped

    async def _remove(self, path: str, repository: str, what: str) -> None:
        try:
            await self.client.request("DELETE", path, scope=self.delete_scope(repository), expect=_ACCEPTED)
        except (Unsupported, Conflict) as error:
            raise self._locked(error, what) from error

    def _locked(self, error: Unsupported | Conflict, what: str) -> Conflict:
        """ACR answers 405 or 409 for what is locked."""
        return Conflict(
            f"{what} is locked in {self.host}, or something in it is.",
            hint=f"Unlock it first: {_UNLOCK} --name {self.host.partition('.')[0]} --image {what}",
            host=self.host,
            status=error.status,
            code=error.code,
            detail=error.detail,
        )
