"""Sonatype Nexus 3: images by plain distribution, tags with their times and deleting of single tags by its REST API.

Source: OpenAPI of Nexus 3.94; what other clients report of its docker format, which is closed source. A Nexus holds
many repositories. By the main port an image is `<repository>/<image>`; a connector (its own port or name) is one
repository alone, and says nothing of the REST API: the setting `api` names the main port, `namespaces` the repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, InvalidReference
from regtui.oci.reference import is_tag
from regtui.registries.contract import (
    Capabilities,
    Capability,
    Page,
    RepositorySummary,
    RetentionRules,
    Support,
    TagSummary,
)
from regtui.registries.joining import joined
from regtui.registries.nexus_api import Component, NexusApi, NexusRepository, sentence_of
from regtui.registries.stores import StoresRegistry
from regtui.transport.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    Unauthorized,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from regtui.oci import Manifest
    from regtui.transport.exchange import Answer

_NO_SCANS: Final = "Nexus has no scanner of its own; Sonatype Lifecycle and Firewall are separate servers."
_NO_RESTORE: Final = (
    "Nexus restores nothing; pushing again works until its task for unused manifests and images has run."
)
_ALL_TAGS: Final = "Every tag of an image is deleted, one after another."
_NO_SETTINGS: Final = "Only administrators of Nexus see what its repositories allow."
_BY_REST: Final = (
    Capability.SEARCH,
    Capability.TAG_DETAILS,
    Capability.DELETE_TAG,
    Capability.DELETE_REPOSITORY,
    Capability.RETENTION,
    Capability.IMMUTABLE_TAGS,
)
_SIZES: Final = "Digest and times come with the list; sizes and platforms are read from the manifests."


class NexusRegistry(StoresRegistry[NexusRepository]):
    """A Nexus, by its main port or by a connector; without its REST API plain distribution."""

    kind = "nexus"
    product = "Nexus"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._api = NexusApi(self.client, self.settings.api)
        self._tells_digests: bool | None = None

    async def capabilities(self) -> Capabilities:
        """What is known so far; repositories, their settings and the catalog are asked for once."""
        home = await self.home()
        known = dict((await super().capabilities()).support)
        if home is None:
            own = dict.fromkeys(_BY_REST, Support(False, self.missing))
        else:
            told = any(one.settings is not None for one in home.stores.values())
            settings = Support(True) if told else Support(False, _NO_SETTINGS)
            own = {
                Capability.SEARCH: Support(None, home.doubt) if home.doubt else Support(True),
                Capability.TAG_DETAILS: Support(None, home.doubt) if home.doubt else Support(True, _SIZES),
                Capability.DELETE_REPOSITORY: Support(None, _ALL_TAGS),
                Capability.RETENTION: settings,
                Capability.IMMUTABLE_TAGS: settings,
            }
        scans = Support(False, _NO_SCANS)
        own |= {
            Capability.SCAN_REPORT: scans,
            Capability.TRIGGER_SCAN: scans,
            Capability.SOFT_DELETE: Support(False, _NO_RESTORE),
        }
        return Capabilities(known | own)

    async def search(self, text: str) -> AsyncIterator[Page[RepositorySummary]]:
        """Images by Nexus's search index, each once. Raises Unsupported without the REST API."""
        home = await self.home()
        if home is None:
            raise Unsupported(self.missing, host=self.host)
        seen: set[str] = set()
        for form in sorted({one.format for one in home.stores.values()}):
            async for rows in self._api.images(form, text):
                paths = (self.path_of(home, repository, image) for repository, image in rows)
                fresh = tuple(dict.fromkeys(path for path in paths if path is not None and path not in seen))
                seen.update(fresh)
                yield Page(tuple(map(RepositorySummary, fresh)))

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """Names by the registry, times and digests by the search of 50 tags a page. Raises NotFound.

        The index of the search lags behind: what the registry does not list is left out, and what the index does
        not know yet comes by name.
        """
        place = await self.place_of(repository)
        pages = super().tags(repository)
        if place is not None:
            # Who may not browse may still pull.
            without = (Unauthorized, Forbidden, NotFound, BadRequest)
            pages = joined(pages, self._details(repository, *place), without=without)
        async for page in pages:
            yield page

    async def delete_tag(self, repository: str, tag: str) -> None:
        """Remove the component of this tag, no other. Raises Conflict when the index does not know it yet."""
        if not is_tag(tag):
            raise InvalidReference(f"{tag[:128]!a} is not a tag.")
        place = await self.place_of(repository)
        if place is None:
            await super().delete_tag(repository, tag)
            return
        found = await self._components(*self._hosted(place), version=tag)
        if not found:
            await self.head_manifest(repository, tag)
            raise self._not_indexed(f"the tag {tag} of {repository}")
        for component in found:
            await self._api.delete(component)
        self._delete_tag = Support(True)

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Remove every tag of a digest, then what is left under the digest itself. Raises NotFound, Conflict."""
        place = await self.place_of(repository)
        if place is None:
            await super().delete_manifest(repository, digest)
            return
        # By the digest alone, newer versions leave its tags behind.
        found = await self._components(*self._hosted(place), sha256=Digest.parse(digest).encoded)
        tagged = [component for component in found if component.digest == digest]
        for component in tagged:
            await self._api.delete(component)
        try:
            await super().delete_manifest(repository, digest)
        except NotFound:
            if not tagged:
                raise

    async def delete_repository(self, repository: str) -> None:
        """Remove every tag of an image. Raises Unsupported for groups, proxies, and without the REST API."""
        place = await self.place_of(repository)
        if place is None:
            await super().delete_repository(repository)
            return
        found = await self._components(*self._hosted(place))
        if not found:
            raise NotFound(f"{self.host} has no image {repository}.", host=self.host)
        for component in found:
            await self._api.delete(component)

    async def retention(self, repository: str) -> RetentionRules | None:
        """The cleanup policies of the repository; None when it has none. Raises Unsupported."""
        place = await self.place_of(repository)
        if place is None:
            raise Unsupported(self.missing or f"Nothing tells the rules of {repository}.", host=self.host)
        names = place[0].policy_names
        if names is None:
            raise Unsupported(_NO_SETTINGS, host=self.host)
        if not names:
            return None
        try:
            known = {str(policy.get("name")): policy for policy in await self._api.policies(place[0].format)}
        except (Forbidden, Unauthorized, NotFound, BadRequest):
            known = {}
        policies = [known.get(name, {"name": name}) for name in names]
        return RetentionRules("nexus", policies, tuple(map(sentence_of, policies)), enabled=True)

    async def _put(self, repository: str, locator: str, manifest: Manifest) -> Answer:
        try:
            return await super()._put(repository, locator, manifest)
        except (BadRequest, Forbidden) as error:
            place = await self.place_of(repository)
            if place is not None and not place[0].is_hosted:
                error.hint = f"{place[0].name} is a {place[0].type}: push to the hosted repository behind it."
            elif place is not None and ":" not in locator and place[0].is_immutable(locator):
                error.hint = f"{place[0].name} allows a tag to be pushed once only ({place[0].write_policy})."
            raise

    # where things are ----------------------------------------------------------------------------------------

    async def ask_stores(self) -> dict[str, NexusRepository]:
        """The repositories for images."""
        return await self._api.repositories()

    async def ask_catalog(self, store: NexusRepository, query: Mapping[str, str]) -> tuple[tuple[str, ...], str | None]:
        """The images of one by the long form of its address."""
        return await self._api.catalog(store.name, query)

    def is_at(self, store: NexusRepository) -> bool:
        """Whether this address is a connector or a subdomain of it."""
        return store.answers_at(self.host)

    @property
    def is_stranger(self) -> bool:
        """Whether the REST API was asked without a credential."""
        return self._api.is_stranger

    def _hosted(self, place: tuple[NexusRepository, str]) -> tuple[NexusRepository, str]:
        repository, _ = place
        if repository.is_hosted:
            return place
        if repository.type == "group":
            members = f" ({', '.join(repository.members[:5])})" if repository.members else ""
            reason, hint = "a group", f"Delete it in the member{members} that holds it."
        else:
            reason, hint = "a proxy", "Its tags are its upstream's: a delete would only empty its cache."
        raise Unsupported(f"{repository.name} is {reason}: nothing can be deleted there.", hint=hint, host=self.host)

    def _not_indexed(self, what: str) -> Conflict:
        return Conflict(
            f"Nexus's index does not know {what} yet.",
            hint="It lags behind some seconds, longer after a restore: try again.",
            host=self.host,
        )

    # lists ---------------------------------------------------------------------------------------------------

    async def _details(
        self, path: str, repository: NexusRepository, image: str
    ) -> AsyncIterator[tuple[TagSummary, ...]]:
        """The rows that the search tells, a page at a time; of a group all at once, as its members may contradict."""
        by_name: dict[str, list[Component]] = {}
        async for page in self._api.components(repository, name=image):
            own = [one for one in page if one.name == image and is_tag(one.version)]
            if repository.type == "group":
                for component in own:
                    by_name.setdefault(component.version, []).append(component)
            else:
                yield await self._rows(path, repository, own)
        # Which member of a group wins is not told: what they don't agree on is not known.
        agreed = [rows[0] for rows in by_name.values() if len({row.digest for row in rows}) == 1]
        yield await self._rows(path, repository, agreed)

    async def _rows(
        self, path: str, repository: NexusRepository, components: list[Component]
    ) -> tuple[TagSummary, ...]:
        if self._tells_digests is None and components:
            self._tells_digests = await self.confirms(path, components[0].version, components[0].digest)
        return tuple(one.summary(repository, with_digest=bool(self._tells_digests)) for one in components)

    async def _components(self, repository: NexusRepository, image: str, **query: str) -> list[Component]:
        found = []
        async for page in self._api.components(repository, name=image, **query):
            found += [one for one in page if one.name == image and query.get("version", one.version) == one.version]
        return found
