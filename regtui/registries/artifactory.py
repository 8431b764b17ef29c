"""JFrog Artifactory: images by plain distribution, tags by AQL and deleted as folders, reports by Xray.

Source: JFrog's documentation, and what its own clients do; the product is closed. A path starts with the repository's
key, but for addresses (a subdomain, a port) that are one repository alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, InvalidReference
from regtui.oci.reference import is_tag
from regtui.registries import fields as read
from regtui.registries.artifactory_api import ArtifactoryApi, ArtifactoryRepository, Manifest, is_child
from regtui.registries.contract import (
    Capabilities,
    Capability,
    DeletedManifest,
    Page,
    RetentionRules,
    ScanReport,
    Support,
    TagSummary,
)
from regtui.registries.joining import joined
from regtui.registries.stores import StoresRegistry
from regtui.transport.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthorized, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_MANIFESTS: Final = frozenset({"manifest.json", "list.manifest.json"})
_BY_REST: Final = (
    *(Capability.TAG_DETAILS, Capability.DELETE_REPOSITORY),
    *(Capability.RETENTION, Capability.SOFT_DELETE),
)
_MISSING: Final = "The list tells digest, times and the sizes of images; platforms and the sizes of indexes are read."
_TRASH: Final = "Administrators can restore from the trash can, where it is on."
_RULES: Final = "Who may see a repository's settings sees its rules."
_XRAY_SCANS: Final = "Xray scans by itself what it has indexed."
_NO_XRAY: Final = "There is no Xray beside this Artifactory, or it does not know you."
_MOVABLE: Final = "Artifactory has no immutable tags; rights may forbid to overwrite them."
_NO_SEARCH: Final = "The list of images is filtered here."


class ArtifactoryRegistry(StoresRegistry[ArtifactoryRepository]):
    """An Artifactory, with or without Xray; without its REST API plain distribution."""

    kind = "artifactory"
    product = "Artifactory"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._api = ArtifactoryApi(self.client, self.settings.api)
        self._xray: bool | None = None

    async def capabilities(self) -> Capabilities:
        """What is known so far; repositories, catalog and Xray are asked for once."""
        home = await self.home()
        known = dict((await super().capabilities()).support)
        if home is None:
            own = dict.fromkeys(_BY_REST, Support(False, self.missing))
        else:
            own = {
                Capability.TAG_DETAILS: Support(None, home.doubt) if home.doubt else Support(True, _MISSING),
                Capability.DELETE_REPOSITORY: Support(None, "An image is deleted with all of its tags."),
                Capability.RETENTION: Support(None, _RULES),
                Capability.SOFT_DELETE: Support(None, _TRASH),
            }
        own |= {
            Capability.SEARCH: Support(False, _NO_SEARCH),
            Capability.SCAN_REPORT: Support(True) if await self._has_xray() else Support(False, _NO_XRAY),
            Capability.TRIGGER_SCAN: Support(False, _XRAY_SCANS),
            Capability.IMMUTABLE_TAGS: Support(False, _MOVABLE),
        }
        return Capabilities(known | own)

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """Names by the registry, digests, times and sizes by two questions of AQL per thousand. Raises NotFound."""
        place = await self.place_of(repository)
        pages = super().tags(repository)
        if place is not None:
            # Some editions and users have no AQL.
            without = (Unauthorized, Forbidden, NotFound, BadRequest, Unsupported)
            pages = joined(pages, self._details(*place), without=without)
        async for page in pages:
            # Folders of an index's children may be listed, too.
            kept = tuple(tag for tag in page.items if not is_child(tag.name))
            yield Page(kept, page.total, page.stopped)

    async def delete_tag(self, repository: str, tag: str) -> None:
        """Remove the folder of this tag, and nothing else. Raises Conflict where other images lie in it."""
        if not is_tag(tag):
            raise InvalidReference(f"{tag[:128]!a} is not a tag.")
        place = await self.place_of(repository)
        if place is None:
            await super().delete_tag(repository, tag)
            return
        store, image = self._own(place)
        await self._delete_folder(store, f"{image}/{tag}", f"the tag {tag} of {repository}")
        self._delete_tag = Support(True)

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Remove every folder that holds this manifest: its tags, and what an index keeps of it. Raises NotFound."""
        place = await self.place_of(repository)
        if place is None:
            await super().delete_manifest(repository, digest)
            return
        store, image = self._own(place)
        wanted = Digest.parse(digest)
        found = [one async for page in self._api.manifests(store.name, image) for one in page if one.digest == wanted]
        if not found:
            await self.head_manifest(repository, wanted)  # raises NotFound where it is gone
            raise Conflict(
                f"Artifactory does not tell where {wanted.short} of {repository} lies.",
                hint="It may just have been pushed: try again.",
                host=self.host,
            )
        for one in found:
            await self._delete_folder(store, f"{image}/{one.folder}", f"{one.folder} of {repository}")
        self._delete = Support(True)

    async def delete_repository(self, repository: str) -> None:
        """Remove the folder of an image. Raises Conflict where the folders of other images lie in it."""
        place = await self.place_of(repository)
        if place is None:
            await super().delete_repository(repository)
            return
        store, image = self._own(place)
        files, _ = await self._children(store, image, f"the image {repository}")
        others = await self._api.images_below(store.name, image)
        if others or files & _MANIFESTS:
            held = f"other images: {', '.join(sorted(others)[:5])}" if others else "a tag of the image above it"
            raise Conflict(
                f"The folder of {repository} holds {held}.", hint="Delete its tags one by one.", host=self.host
            )
        await self._api.delete(store.name, image)

    async def scan_report(self, repository: str, digest: Digest) -> ScanReport:
        """Xray's summary of a manifest; of an index it has none, only of its children. Raises Unsupported."""
        if not await self._has_xray():
            raise Unsupported(_NO_XRAY, host=self.host)
        self.path(repository)
        body = await self._api.xray_summary(Digest.parse(digest))
        if read.objects(body.get("artifacts")):
            return ScanReport("complete", "Xray", "Xray", media_type="application/json", body=body)
        said = next((read.text(one.get("error")) for one in read.objects(body.get("errors"))), None)
        return ScanReport("none", "Xray", "Xray", message=said or "Xray has no summary of it.")

    async def retention(self, repository: str) -> RetentionRules | None:
        """How many tags and overwritten versions the repository keeps; None when it keeps all. Raises Unsupported."""
        place = await self.place_of(repository)
        if place is None:
            raise Unsupported(self.missing or f"Nothing tells the rules of {repository}.", host=self.host)
        settings = await self._api.settings(place[0].name)
        if settings is None:
            raise Unsupported(f"You may not see the settings of {place[0].name}.", host=self.host)
        most, versions = read.whole(settings.get("maxUniqueTags")), read.whole(settings.get("dockerTagRetention"))
        words = []
        if most:
            words.append(f"At most {most} tags of an image are kept; a push deletes the oldest.")
        if versions and versions > 1:
            words.append(f"{versions} overwritten versions of a tag are kept.")
        body = {"maxUniqueTags": most, "dockerTagRetention": versions}
        return RetentionRules("artifactory", body, tuple(words), enabled=True) if words else None

    async def deleted(self, repository: str) -> AsyncIterator[Page[DeletedManifest]]:
        """What of an image lies in the trash can. Raises Unsupported, Forbidden for who is no administrator."""
        place = await self.place_of(repository)
        if place is None:
            raise Unsupported(self.missing or f"Nothing tells what was deleted of {repository}.", host=self.host)
        store, image = place
        async for rows in self._api.trash(store.name, image):
            yield Page(tuple(rows))

    async def restore(self, repository: str, deleted: DeletedManifest) -> None:
        """Put a folder back from the trash can. Raises NotFound, Forbidden, Conflict for what is not of this image."""
        place = await self.place_of(repository)
        where = deleted.locator or ""
        if place is None:
            raise Unsupported(self.missing or f"Nothing tells what was deleted of {repository}.", host=self.host)
        if where.rpartition("/")[0] != f"{place[0].name}/{place[1]}":
            raise Conflict(f"That was not deleted from {repository}.", host=self.host)
        await self._api.restore(where)

    # where things are ----------------------------------------------------------------------------------------

    async def ask_stores(self) -> dict[str, ArtifactoryRepository]:
        """The repositories for images."""
        return await self._api.repositories()

    async def ask_catalog(
        self, store: ArtifactoryRepository, query: Mapping[str, str]
    ) -> tuple[tuple[str, ...], str | None]:
        """The images of one by its native path."""
        return await self._api.catalog(store.name, query)

    def is_at(self, store: ArtifactoryRepository) -> bool:
        """Whether this address is a subdomain of it: `key.host`, on JFrog's own cloud `server-key.jfrog.io`."""
        label = self.host.partition(".")[0]
        return label == store.name or (self.host.endswith(".jfrog.io") and label.endswith(f"-{store.name}"))

    @property
    def is_stranger(self) -> bool:
        """Whether the REST API was asked without a credential."""
        return self._api.is_stranger

    # the rest ------------------------------------------------------------------------------------------------

    def _own(self, place: tuple[ArtifactoryRepository, str]) -> tuple[ArtifactoryRepository, str]:
        store, _ = place
        if store.is_own:
            return place
        if store.is_merged:
            reason, hint = "virtual", "Delete it in the local repository that holds it."
        else:
            reason, hint = "remote", "Its tags are its upstream's: a delete would only empty its cache."
        raise Unsupported(f"{store.name} is {reason}: nothing can be deleted there.", hint=hint, host=self.host)

    async def _delete_folder(self, store: ArtifactoryRepository, path: str, what: str) -> None:
        """Delete the folder of one manifest, after a look that it is no more than that."""
        files, folders = await self._children(store, path, what)
        if folders:
            raise Conflict(
                f"The folder of {what} holds others: {', '.join(sorted(folders)[:5])}.",
                hint="Images lie below it; delete it in Artifactory itself when all of them may go.",
                host=self.host,
            )
        if not files & _MANIFESTS:
            raise NotFound(f"{self.host} has a folder and no manifest for {what}.", host=self.host)
        await self._api.delete(store.name, path)

    async def _children(
        self, store: ArtifactoryRepository, path: str, what: str
    ) -> tuple[frozenset[str], frozenset[str]]:
        try:
            return await self._api.children(store.name, path)
        except NotFound as error:
            raise NotFound(f"{self.host} has not {what}.", host=self.host, status=error.status) from error

    async def _details(self, store: ArtifactoryRepository, image: str) -> AsyncIterator[tuple[TagSummary, ...]]:
        """The rows that AQL tells. Of a virtual repository its members', where they agree."""
        if not store.is_merged:
            key = store.searched_as or store.name
            sizes = await self._api.sizes(key, image)
            async for page in self._api.manifests(key, image):
                yield tuple(one.summary(sizes) for one in page if one.is_tag)
            return
        by_tag: dict[str, list[tuple[Manifest, dict[str, int]]]] = {}
        for key in await self._members(store):
            sizes = await self._api.sizes(key, image)
            async for page in self._api.manifests(key, image):
                for one in page:
                    if one.is_tag:
                        by_tag.setdefault(one.folder, []).append((one, sizes))
        agreed = [found[0] for found in by_tag.values() if len({one.digest for one, _ in found}) == 1]
        yield tuple(one.summary(sizes) for one, sizes in agreed)

    async def _members(self, store: ArtifactoryRepository) -> tuple[str, ...]:
        settings, home = await self._api.settings(store.name), await self.home()
        known = home.stores if home is not None else {}
        names = read.texts((settings or {}).get("repositories"))
        return tuple(key for name in names if name in known and (key := known[name].searched_as) is not None)

    async def _has_xray(self) -> bool:
        if self._xray is None:
            self._xray = await self._api.has_xray()
        return self._xray
