"""Reading over OCI distribution 1.1: catalog, tags, manifests, blobs, referrers.

Source: OCI distribution-spec v1.1, and how distribution 2.8 and 3 depart from it. The methods below the line
"for vendors to override" are where other products differ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.oci import Digest, InvalidDigest, InvalidManifest, InvalidReference, parse_manifest
from regtui.oci import media_types as types
from regtui.oci.manifest import LARGEST_MANIFEST, Index
from regtui.oci.reference import is_repository_path, is_tag
from regtui.oci.tags import referrers_tag
from regtui.registries.contract import (
    Capabilities,
    Capability,
    Identity,
    ManifestHead,
    Page,
    Referrers,
    Registry,
    RepositorySummary,
    Support,
    TagSummary,
)
from regtui.registries.listing import ask_names, ask_referrers, list_names
from regtui.storage.settings import RegistrySettings
from regtui.transport.errors import (
    BadAnswer,
    CredentialRefused,
    Forbidden,
    NotFound,
    RegistryError,
    Unauthorized,
    Unsupported,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from typing import BinaryIO

    from regtui.oci import Descriptor, ImageManifest
    from regtui.transport.client import RegistryClient
    from regtui.transport.exchange import Answer

_SKIPPED: Final = 1 << 20
_MANIFEST: Final = {"Accept": types.ACCEPT_MANIFESTS}
_ABOUT_CONTENT: Final = frozenset({"NAME_UNKNOWN", "NAME_INVALID", "MANIFEST_UNKNOWN", "MANIFEST_INVALID"})
_ONLY_TRYING: Final = "Only trying tells: the registry does not say what this user may do."


class DistributionReader(Registry):
    """A registry that speaks plain OCI distribution, without its writing half (distribution.py)."""

    kind = "distribution"

    def __init__(
        self, client: RegistryClient, *, host: str | None = None, settings: RegistrySettings | None = None
    ) -> None:
        """`settings` are what the user said about this host: repositories to list, namespaces to look into."""
        self.client = client
        self.host = host or client.host
        self.settings = settings or RegistrySettings(self.host)
        self._catalog: Support | None = None
        self._referrers_api: bool | None = None
        self._delete: Support | None = None
        self._delete_tag: Support | None = None

    async def capabilities(self) -> Capabilities:
        """What is known so far; whether there is a catalog is asked once."""
        if self._catalog is None:
            self._catalog = await self._probe_catalog()
        trying = Support(None, _ONLY_TRYING)
        return Capabilities(
            {
                Capability.LIST_REPOSITORIES: self._catalog,
                Capability.SEARCH: Support(False, "This registry has no search; the list is filtered here."),
                Capability.TAG_DETAILS: Support(False, "Tags are listed by name; details are read one by one."),
                Capability.REFERRERS: self._referrers_support(),
                Capability.PUSH: trying,
                Capability.DELETE_MANIFEST: self._delete or trying,
                Capability.DELETE_TAG: self._delete_tag or trying,
                Capability.DELETE_REPOSITORY: Support(False, "There is no such call: delete every manifest in it."),
            }
        )

    async def repositories(self, prefix: str = "") -> AsyncIterator[Page[RepositorySummary]]:
        """What the registry lists; where it is kept back, what the settings name. Raises Unsupported."""
        pages = self.repository_pages(prefix)
        try:
            page = await anext(pages)
        except CredentialRefused:
            raise  # that is what to say, not that there is no list
        except (Unauthorized, Forbidden, NotFound, Unsupported, BadAnswer) as error:
            self._catalog = self._without_catalog(error)
            if not self._catalog.available:
                raise self._no_catalog(error) from error
            pinned = tuple(RepositorySummary(p) for p in self.settings.repositories if p.startswith(prefix))
            yield Page(pinned, stopped=self._catalog.reason)
            return
        self._catalog = Support(True)
        while True:
            yield page
            try:
                page = await anext(pages)
            except StopAsyncIteration:
                return

    async def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """The tags by name, in the registry's own order. Raises NotFound for an unknown repository."""
        path, scope = self.path(repository, "tags", "list"), self.pull_scope(repository)
        async for page in self.names(path, "tags", scope, is_tag):
            yield Page(tuple(map(TagSummary, page.items)), page.total, page.stopped)

    async def head_manifest(self, repository: str, locator: str) -> ManifestHead:
        """What a HEAD tells; a GET where the registry answers HEAD wrongly or without a digest. Raises NotFound."""
        path, scope = self.manifest_path(repository, locator), self.pull_scope(repository)
        try:
            answer = await self.client.request("HEAD", path, headers=_MANIFEST, scope=scope)
        except (NotFound, Unsupported):
            return _head_of(await self.manifest(repository, locator))
        digest = Digest.parse(locator) if ":" in locator else _digest_header(answer)
        media_type = types.bare(answer.headers.get("Content-Type"))
        length = answer.headers.get("Content-Length", "")
        if digest is None or media_type is None or not length.isdecimal():
            return _head_of(await self.manifest(repository, locator))
        return ManifestHead(digest, media_type, int(length))

    async def manifest(self, repository: str, locator: str) -> ImageManifest | Index:
        """The manifest, verified. Raises NotFound, DigestMismatch, InvalidManifest, UnsupportedManifest."""
        path, scope = self.manifest_path(repository, locator), self.pull_scope(repository)
        answer = await self.client.request("GET", path, headers=_MANIFEST, scope=scope, limit=LARGEST_MANIFEST)
        content_type = answer.headers.get("Content-Type")
        if types.bare(content_type) in types.SCHEMA1:
            # Its digest leaves the signatures out: it can't be compared with the bytes, and is not read anyway.
            return parse_manifest(answer.body, content_type)
        digest = Digest.parse(locator) if ":" in locator else _digest_header(answer)
        return parse_manifest(answer.body, content_type, digest)

    def blob(self, repository: str, descriptor: Descriptor, *, offset: int = 0) -> AsyncIterator[bytes]:
        """The bytes of a blob from `offset` on; a whole read is verified before the last chunk is given."""
        path = self.blob_path(repository, descriptor.digest)
        scope = self.pull_scope(repository)
        return self.client.download(path, digest=descriptor.digest, size=descriptor.size, offset=offset, scope=scope)

    async def blob_range(self, repository: str, descriptor: Descriptor, start: int, end: int) -> bytes:
        """Bytes `start` to `end` (exclusive), fewer where the blob ends before. Raises Unsupported without ranges."""
        end = min(end, descriptor.size)
        if start >= end:
            return b""
        path, scope = self.blob_path(repository, descriptor.digest), self.pull_scope(repository)
        headers = {"Range": f"bytes={start}-{end - 1}"}
        async with self.client.stream(path, headers=headers, scope=scope) as answer:
            skip = 0 if answer.status == 206 else start
            if skip > _SKIPPED:
                raise Unsupported(f"{self.host} can't read a part of a blob.", host=self.host)
            found = bytearray()
            async for chunk in answer.chunks():
                found += chunk
                if len(found) >= skip + end - start:
                    break
        return bytes(found[skip : skip + end - start])

    def open_blob(self, repository: str, descriptor: Descriptor, *, offset: int = 0) -> BinaryIO:
        """A blocking, unverified stream for a worker thread."""
        path = self.blob_path(repository, descriptor.digest)
        return self.client.open_blocking(path, offset=offset, scope=self.pull_scope(repository))

    def has_referrers_api(self) -> bool | None:
        """What the first listing of referrers found out."""
        return self._referrers_api

    async def referrers(self, repository: str, subject: Digest, artifact_type: str | None = None) -> Referrers:
        """The referrers API; where it is missing, the referrers tag. Refusals and failures are raised, not "none"."""
        if self._referrers_api is not False:
            try:
                path = self.path(repository, "referrers", Digest.parse(subject))
                found = await ask_referrers(self.client, path, self.pull_scope(repository), artifact_type)
            except (NotFound, Unsupported) as error:
                # 404 means no such API, unless the registry speaks of the repository or the subject.
                if error.code not in _ABOUT_CONTENT:
                    self._referrers_api = False
            else:
                self._referrers_api = True
                return Referrers(_of_type(found, artifact_type), "api")
        listed = await self.referrers_tag_index(repository, subject)
        if listed is None:
            return Referrers((), "none")
        return Referrers(_of_type(listed.manifests, artifact_type), "tag")

    async def referrers_tag_index(self, repository: str, subject: Digest) -> Index | None:
        """The index under the referrers tag; None when there is none, or something else."""
        try:
            found = await self.manifest(repository, referrers_tag(subject))
        except (NotFound, InvalidManifest):
            return None
        return found if isinstance(found, Index) else None

    async def has_blob(self, repository: str, descriptor: Descriptor) -> bool:
        """Whether the registry has this blob in this repository."""
        path, scope = self.blob_path(repository, descriptor.digest), self.pull_scope(repository)
        try:
            await self.client.request("HEAD", path, scope=scope)
        except NotFound:
            return False
        return True

    async def confirms(self, repository: str, tag: str, digest: Digest | None) -> bool | None:
        """Whether a digest that another API told is what the registry says; None when the registry does not answer."""
        try:
            return (await self.head_manifest(repository, tag)).digest == digest
        except RegistryError:
            return None

    async def check(self) -> None:
        """One request to the API's root: whether it answers, and takes the credential. Raises RegistryError."""
        await self.client.request("GET", "/v2/", scope=self.check_scope())

    async def prepare_blob(self, repository: str) -> None:
        """A blocking stream looks the credential up on the loop that this client was used on: nothing to do."""
        return

    def identity(self) -> Identity:
        """Who regtui is here, and what is left of the rate limit, as the last answers told."""
        name, rate = self.client.signed_in_as, self.client.rate
        source = "signed in" if name else "anonymous"
        return Identity(name, source, rate.limit if rate else None, rate.remaining if rate else None)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()

    # for vendors to override ---------------------------------------------------------------------------------

    def check_scope(self) -> str | tuple[str, ...]:
        """The token scope that `check` needs; none by the protocol."""
        return ()

    @property
    def ways_to_sign_in(self) -> str:
        """What to run, in words."""
        return f"`regtui login {self.host}`"

    async def repository_pages(self, prefix: str) -> AsyncIterator[Page[RepositorySummary]]:
        """The repositories as the registry lists them: the catalog, filtered here."""
        async for page in self.names(self.catalog_path(), "repositories", self.catalog_scope(), is_repository_path):
            found = tuple(RepositorySummary(path) for path in page.items if path.startswith(prefix))
            yield Page(found, None if prefix else page.total, page.stopped)

    async def probe_catalog(self) -> None:
        """Ask for the smallest list of repositories. Raises what `repository_pages` raises where there is none."""
        await ask_names(self.client, self.catalog_path(), "repositories", {"n": "1"}, self.catalog_scope())

    page_size: int | None = 1_000
    """Names asked for per page; None leaves it to the registry. distribution refuses more than 1000."""
    sends_all_tags = True
    """Whether it sends all tags at once when no size of a page is asked for, as distribution does."""

    def path(self, repository: str, *rest: str) -> str:
        """The API's path of something in a repository. Raises InvalidReference for what is no repository."""
        if not is_repository_path(repository):
            raise InvalidReference(f"{repository[:120]!a} is not a repository's path.")
        return "/".join(("/v2", repository, *rest))

    def manifest_path(self, repository: str, locator: str) -> str:
        """The API's path of a manifest. Raises InvalidReference, InvalidDigest."""
        if ":" in locator:
            Digest.parse(locator)
        elif not is_tag(locator):
            raise InvalidReference(f"{locator[:128]!a} is not a tag.")
        return self.path(repository, "manifests", locator)

    def blob_path(self, repository: str, digest: Digest) -> str:
        """The API's path of a blob."""
        return self.path(repository, "blobs", Digest.parse(digest))

    def catalog_path(self) -> str:
        """The API's path of the catalog."""
        return "/v2/_catalog"

    def catalog_scope(self) -> str:
        """The token scope that lists repositories."""
        return "registry:catalog:*"

    def pull_scope(self, repository: str) -> str:
        """The token scope that reads."""
        return f"repository:{repository}:pull"

    # the rest ------------------------------------------------------------------------------------------------

    def names(self, path: str, member: str, scope: str, is_legal: Callable[[str], bool]) -> AsyncIterator[Page[str]]:
        """A list of names as distribution gives it, page by page."""
        return list_names(
            self.client,
            path,
            member,
            scope=scope,
            is_legal=is_legal,
            page_size=self.page_size,
            rest_at_once=member == "tags" and self.sends_all_tags,
        )

    async def _probe_catalog(self) -> Support:
        try:
            await self.probe_catalog()
        except (Unauthorized, Forbidden, NotFound, Unsupported, BadAnswer) as error:
            return self._without_catalog(error)
        return Support(True)

    def _without_catalog(self, error: BadAnswer | Unauthorized | Forbidden | NotFound | Unsupported) -> Support:
        if self.settings.repositories:
            return Support(True, f"{self.host} does not list its repositories to you: these are the pinned ones.")
        return Support(False, str(self._no_catalog(error)))

    def _no_catalog(self, error: BadAnswer | Unauthorized | Forbidden | NotFound | Unsupported) -> Unsupported:
        if isinstance(error, Unsupported) and error.status is None:
            return error  # the kind's own words: nobody had to be asked
        sign_in = f"or sign in with {self.ways_to_sign_in}"
        if self.client.signed_in_as:
            sign_in = f"or check the sign-in as {self.client.signed_in_as}"
        refused = f", {sign_in}" if isinstance(error, Unauthorized | Forbidden) else ""
        return Unsupported(
            f"{self.host} does not list its repositories to you.",
            hint=f"Name one ({self.host}/path/name) and pin it{refused}.",
            host=self.host,
            status=error.status,
            code=error.code,
        )

    def _referrers_support(self) -> Support:
        if self._referrers_api is None:
            return Support(None, "It is asked when the first image is opened.")
        if self._referrers_api:
            return Support(True)
        return Support(False, "No referrers API: signatures and SBOMs are found by their tags.")


def _digest_header(answer: Answer) -> Digest | None:
    try:
        digest = Digest.parse(answer.headers.get("Docker-Content-Digest", ""))
    except InvalidDigest:
        return None
    return digest if digest.is_verifiable else None


def _head_of(manifest: ImageManifest | Index) -> ManifestHead:
    return ManifestHead(manifest.digest, manifest.media_type, manifest.size)


def _of_type(descriptors: tuple[Descriptor, ...], artifact_type: str | None) -> tuple[Descriptor, ...]:
    # A registry may ignore the filter; asking again here costs nothing.
    return tuple(d for d in descriptors if artifact_type in {None, d.artifact_type})
