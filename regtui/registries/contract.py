"""The contract of a registry: what the floors above may ask of any place that keeps images.

Everything that lists is an async iterator of pages, so that a screen fills with the first page while the
next is under way, and stops asking when the user leaves. Unknown is None, never a made-up value.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from regtui.transport.errors import Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime
    from typing import BinaryIO

    from regtui.oci import Descriptor, Digest, ImageManifest, Index, Manifest, Platform


class Capability(StrEnum):
    """What a registry can do for this user."""

    LIST_REPOSITORIES = "list repositories"
    SEARCH = "search repositories"
    TAG_DETAILS = "tag details in the listing"
    PUSH = "push and retag"
    DELETE_TAG = "delete a tag"
    DELETE_MANIFEST = "delete a manifest"
    DELETE_REPOSITORY = "delete a repository"
    REFERRERS = "referrers API"
    SCAN_REPORT = "scan reports"
    TRIGGER_SCAN = "start a scan"
    RETENTION = "retention rules"
    IMMUTABLE_TAGS = "immutable tags"
    SOFT_DELETE = "restore what was deleted"


@dataclass(frozen=True, slots=True)
class Support:
    """Whether a capability is there: True, False, or None when only trying would tell; with the reason in words."""

    available: bool | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Every capability with its support; one that is not named counts as missing."""

    support: Mapping[Capability, Support] = field(default_factory=dict)

    def __getitem__(self, capability: Capability) -> Support:
        return self.support.get(capability, Support(False, "This kind of registry does not offer it."))

    def has(self, capability: Capability) -> bool:
        """Whether it is there or at least worth trying."""
        return self[capability].available is not False


@dataclass(frozen=True, slots=True)
class RepositorySummary:
    """A repository as a listing shows it. `size` in bytes, `tags` a count; None where the listing does not tell."""

    path: str
    tags: int | None = None
    size: int | None = None
    updated: datetime | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class TagSummary:
    """A tag as a listing shows it; None where the listing does not tell.

    `size` is in compressed bytes of all platforms, each blob once. `pushed` and `pulled` are the registry's
    own clock, `created` is the image's claim. `vulnerabilities` counts by severity word. A manifest without a
    tag, where the registry lists such, has its digest for a name (which serves as its locator, too).
    """

    name: str
    digest: Digest | None = None
    media_type: str | None = None
    size: int | None = None
    pushed: datetime | None = None
    created: datetime | None = None
    pulled: datetime | None = None
    platforms: tuple[Platform, ...] | None = None
    vulnerabilities: Mapping[str, int] | None = None
    signed: bool | None = None
    immutable: bool | None = None

    @property
    def is_untagged(self) -> bool:
        """Whether this is a manifest without a tag."""
        return self.digest is not None and self.name == self.digest


Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Some items of a listing. `total` is what the registry says there is, None when it does not say.

    `stopped` says why a listing ended before it was complete.
    """

    items: tuple[Item, ...]
    total: int | None = None
    stopped: str | None = None


@asynccontextmanager
async def closing(pages: AsyncIterator[Item]) -> AsyncIterator[AsyncIterator[Item]]:
    """Close a listing when its reader leaves early, so that nothing more is asked for."""
    try:
        yield pages
    finally:
        close = getattr(pages, "aclose", None)
        if close is not None:
            await close()


@dataclass(frozen=True, slots=True)
class ManifestHead:
    """What a HEAD tells of a manifest: the cheap way from a tag to its digest."""

    digest: Digest | None
    media_type: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class Referrers:
    """What hangs on a subject, and how it was found out."""

    descriptors: tuple[Descriptor, ...]
    source: Literal["api", "tag", "none"]


@dataclass(frozen=True, slots=True)
class ScanReport:
    """A native scan report as the registry gave it: `media_type` names the format, `body` is its JSON.

    `state` is one of "complete", "running", "queued", "failed", "unsupported", "none".
    """

    state: str
    source: str
    scanner: str | None = None
    scanned_at: datetime | None = None
    media_type: str | None = None
    body: Any = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """The registry's own retention rules as it gave them, and in words.

    `format` names their vendor's form ("ecr", "harbor", "acr", "gitlab", …), `body` is its JSON, `sentences` say what
    each rule does. `enabled` is None where the registry does not tell.
    """

    format: str
    body: Any
    sentences: tuple[str, ...] = ()
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class DeletedManifest:
    """A manifest that was deleted and that the registry still keeps; None where it does not tell.

    `locator` is what the registry calls it when it is to be restored, where that is not the digest.
    """

    digest: Digest | None
    tags: tuple[str, ...] = ()
    deleted: datetime | None = None
    kept_until: datetime | None = None
    locator: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who regtui is at this registry, for the status line."""

    name: str | None
    source: str
    rate_limit: int | None = None
    rate_remaining: int | None = None


class Registry(ABC):
    """One registry, for one user. Methods raise RegistryError (transport/errors.py) and nothing else of the network's.

    `host` is how references name it; `kind` is its kind's name (`distribution`, `harbor`, …); `title` what a
    screen shows. Repositories are given as paths without the host.
    """

    kind: str = "unknown"
    host: str = ""

    @property
    def title(self) -> str:
        """What a screen shows for it."""
        return self.host

    @abstractmethod
    async def capabilities(self) -> Capabilities:
        """What this place can do, probed once without changing anything, each no with its reason."""

    @abstractmethod
    def repositories(self, prefix: str = "") -> AsyncIterator[Page[RepositorySummary]]:
        """The repositories whose path starts with `prefix`, page by page. Raises Unsupported where there is no list."""

    @abstractmethod
    def tags(self, repository: str) -> AsyncIterator[Page[TagSummary]]:
        """The tags, page by page, in the registry's own order, with what the listing tells for free."""

    @abstractmethod
    async def head_manifest(self, repository: str, locator: str) -> ManifestHead:
        """Digest, media type and size of the manifest at a tag or digest. Raises NotFound."""

    @abstractmethod
    async def manifest(self, repository: str, locator: str) -> ImageManifest | Index:
        """The manifest at a tag or digest, verified. Raises NotFound, DigestMismatch, InvalidManifest."""

    @abstractmethod
    def blob(self, repository: str, descriptor: Descriptor, *, offset: int = 0) -> AsyncIterator[bytes]:
        """The bytes of a blob from `offset` on. A whole read is verified; the last chunk comes only after the check."""

    @abstractmethod
    async def blob_range(self, repository: str, descriptor: Descriptor, start: int, end: int) -> bytes:
        """Bytes `start` to `end` (exclusive) of a blob. They can't be verified by themselves."""

    @abstractmethod
    def open_blob(self, repository: str, descriptor: Descriptor, *, offset: int = 0) -> BinaryIO:
        """A blocking, unverified stream for a worker thread (`contents/` verifies as it reads). Close it to cancel."""

    async def prepare_blob(self, repository: str) -> None:
        """Look up on the event loop what a blocking stream of this repository will need: who the user is."""
        return

    def has_referrers_api(self) -> bool | None:
        """Whether the referrers API is there, as far as it was found out; never costs a request."""
        return None

    @abstractmethod
    async def referrers(self, repository: str, subject: Digest, artifact_type: str | None = None) -> Referrers:
        """What names this digest as its subject: the referrers API, else the referrers tag."""

    async def small_blob(self, repository: str, descriptor: Descriptor, limit: int = 8 << 20) -> bytes:
        """A whole small blob (a config, a statement), verified. Raises Unsupported beyond `limit` bytes."""
        if descriptor.data is not None and len(descriptor.data) == descriptor.size:
            descriptor.digest.verify(descriptor.data)
            return descriptor.data
        if descriptor.size > limit:
            raise Unsupported(f"{descriptor.digest.short} has {descriptor.size:,} bytes; {limit:,} are read at most.")
        return b"".join([chunk async for chunk in self.blob(repository, descriptor)])

    async def scan_report(self, repository: str, digest: Digest) -> ScanReport:
        """The registry's own scan report. Raises Unsupported where there is none."""
        raise Unsupported(f"{self.title} has no scan reports of its own.", host=self.host)

    async def trigger_scan(self, repository: str, digest: Digest) -> None:
        """Ask the registry to scan. Raises Unsupported where it can't."""
        raise Unsupported(f"{self.title} can't start a scan.", host=self.host)

    async def retention(self, repository: str) -> RetentionRules | None:
        """The registry's own retention rules; None when it has none set. Raises Unsupported where it knows no such."""
        raise Unsupported(f"{self.title} has no retention rules.", host=self.host)

    def search(self, text: str) -> AsyncIterator[Page[RepositorySummary]]:
        """Repositories that the registry itself finds for `text`, best first. Raises Unsupported without a search."""
        raise Unsupported(f"{self.title} has no search.", host=self.host)

    def deleted(self, repository: str) -> AsyncIterator[Page[DeletedManifest]]:
        """What was deleted and can still be restored by the registry. Raises Unsupported where it keeps nothing."""
        raise Unsupported(f"{self.title} does not keep what was deleted.", host=self.host)

    async def restore(self, repository: str, deleted: DeletedManifest) -> None:
        """Have the registry put a deleted manifest back, with the tags it had. Raises Unsupported, NotFound."""
        raise Unsupported(f"{self.title} can't restore what was deleted.", host=self.host)

    async def put_manifest(self, repository: str, locator: str, manifest: Manifest) -> Digest:
        """Put exact manifest bytes at a tag or digest; the digest that the registry then has. Raises Unsupported."""
        raise Unsupported(f"{self.title} is read-only.", host=self.host)

    async def put_blob(self, repository: str, descriptor: Descriptor, content: AsyncIterator[bytes]) -> None:
        """Upload a blob (streamed, `descriptor.size` bytes). Raises Unsupported."""
        raise Unsupported(f"{self.title} is read-only.", host=self.host)

    async def receive_blob(
        self, repository: str, descriptor: Descriptor, content_from: Callable[[int], AsyncIterator[bytes]]
    ) -> None:
        """Store a blob; `content_from` gives its bytes from an offset on. Raises Unsupported.

        A place that can do so goes on where an earlier try broke off.
        """
        await self.put_blob(repository, descriptor, content_from(0))

    async def mount_blob(self, repository: str, digest: Digest, source: str) -> bool:
        """Mount a blob from another repository of this registry; False when it has to be uploaded."""
        raise Unsupported(f"{self.title} is read-only.", host=self.host)

    async def has_blob(self, repository: str, descriptor: Descriptor) -> bool:
        """Whether the registry has this blob in this repository."""
        raise Unsupported(f"{self.title} can't tell.", host=self.host)

    async def delete_tag(self, repository: str, tag: str) -> None:
        """Remove one tag and nothing else. Raises Unsupported where the registry has no such call."""
        raise Unsupported(f"{self.title} can't delete a tag alone.", host=self.host)

    async def delete_manifest(self, repository: str, digest: Digest) -> None:
        """Remove a manifest and every tag that points to it. Raises Unsupported."""
        raise Unsupported(f"{self.title} can't delete manifests.", host=self.host)

    async def delete_repository(self, repository: str) -> None:
        """Remove a repository with all that is in it. Raises Unsupported."""
        raise Unsupported(f"{self.title} can't delete repositories.", host=self.host)

    async def check(self) -> None:
        """Ask whether the place answers and takes the credential, when there is one. Raises RegistryError."""
        return

    def identity(self) -> Identity:
        """Who regtui is here, without a request of its own."""
        return Identity(None, "local")

    async def close(self) -> None:
        """Let go of connections and files."""
        return
