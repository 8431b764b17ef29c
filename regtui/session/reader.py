"""Reads manifests and small blobs of any registry through the cache: what a digest names is fetched once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from regtui.oci import DigestMismatch, Index, InvalidManifest, parse_manifest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from regtui.oci import Descriptor, Digest, ImageManifest, Reference
    from regtui.registries.contract import Registry


KEPT: Final = 4096
"""Manifests, and small blobs, that stay in memory."""
SMALL: Final = 64 << 10
LARGEST: Final = 8 << 20
"""Bytes of a small blob unless the caller asks for more."""


class ContentCache(Protocol):
    """Bytes by digest (storage/cache.py)."""

    def get(self, digest: Digest) -> bytes | None:
        """The bytes, verified, or None."""
        ...

    def put(self, digest: Digest, content: bytes) -> None:
        """Keep the bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What a tag pointed to, and when (monotonic seconds) that was read."""

    digest: Digest
    at: float


class Reader:
    """Manifests and small blobs by reference. Tags are read anew unless `fresh_for` seconds have not passed."""

    def __init__(
        self,
        open_registry: Callable[[str], Awaitable[Registry]],
        cache: ContentCache,
        *,
        fresh_for: float = 300.0,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._open = open_registry
        self._cache = cache
        self._fresh_for = fresh_for
        self._clock = clock
        self._tags: dict[tuple[str, str, str], Seen] = {}
        self._manifests: dict[Digest, ImageManifest | Index] = {}
        self._blobs: dict[Digest, bytes] = {}
        self._under_way: dict[tuple[str, str, str], asyncio.Future[ImageManifest | Index]] = {}

    def age(self, reference: Reference) -> float | None:
        """Seconds since the tag was read, None when it was not."""
        seen = self._tags.get((reference.host, reference.path, reference.tag or ""))
        return None if seen is None else self._clock() - seen.at

    def forget(self, host: str, path: str | None = None, tag: str | None = None) -> None:
        """Read tags of this registry (repository, tag) anew next time."""
        for key in list(self._tags):
            if key[0] == host and path in {None, key[1]} and tag in {None, key[2]}:
                del self._tags[key]

    def learn(self, host: str, path: str, tag: str, digest: Digest) -> None:
        """Note what a listing told for free."""
        self._tags[host, path, tag] = Seen(digest, self._clock())

    def known_digest(self, reference: Reference) -> Digest | None:
        """The digest that a reference names, when it is known without a request."""
        if reference.digest is not None:
            return reference.digest
        seen = self._tags.get((reference.host, reference.path, reference.tag or ""))
        if seen is None or self._clock() - seen.at > self._fresh_for:
            return None
        return seen.digest

    async def manifest(self, reference: Reference) -> ImageManifest | Index:
        """The manifest at a reference, from the cache when its digest is known. Raises RegistryError."""
        digest = self.known_digest(reference)
        kept = self._kept(digest) if digest is not None else None
        if kept is not None:
            return kept
        key = (reference.host, reference.path, digest or reference.locator)
        running = self._under_way.get(key)
        if running is None:
            running = asyncio.ensure_future(self._fetch(reference, digest))
            self._under_way[key] = running
            running.add_done_callback(lambda _: self._under_way.pop(key, None))
        # Whoever leaves must not cancel it for the others that wait for the same bytes.
        return await asyncio.shield(running)

    def kept(self, reference: Reference) -> ImageManifest | Index | None:
        """What a reference names, when that is known without a request."""
        digest = self.known_digest(reference)
        return None if digest is None else self._kept(digest)

    async def _fetch(self, reference: Reference, digest: Digest | None) -> ImageManifest | Index:
        registry = await self._open(reference.host)
        manifest = await registry.manifest(reference.path, digest or reference.locator)
        self._keep(manifest)
        if reference.tag is not None and reference.digest is None:
            self.learn(reference.host, reference.path, reference.tag, manifest.digest)
        return manifest

    async def small_blob(self, reference: Reference, descriptor: Descriptor, *, limit: int = LARGEST) -> bytes:
        """A small blob (a config, a statement), verified. Raises RegistryError, Unsupported beyond `limit` bytes."""
        kept = self._blobs.get(descriptor.digest) or self._cache.get(descriptor.digest)
        if kept is not None and len(kept) == descriptor.size:
            return kept
        registry = await self._open(reference.host)
        content = await registry.small_blob(reference.path, descriptor, limit)
        self._cache.put(descriptor.digest, content)
        if len(content) <= SMALL:
            if len(self._blobs) >= KEPT:
                self._blobs.clear()
            self._blobs[descriptor.digest] = content
        return content

    def _kept(self, digest: Digest) -> ImageManifest | Index | None:
        manifest = self._manifests.get(digest)
        if manifest is not None:
            return manifest
        raw = self._cache.get(digest)
        if raw is None:
            return None
        try:
            manifest = parse_manifest(raw, None, digest)
        except (InvalidManifest, DigestMismatch):
            return None
        self._remember(manifest)
        return manifest

    def _keep(self, manifest: ImageManifest | Index) -> None:
        self._cache.put(manifest.digest, manifest.raw)
        self._remember(manifest)

    def _remember(self, manifest: ImageManifest | Index) -> None:
        if len(self._manifests) >= KEPT:
            self._manifests.clear()
        self._manifests[manifest.digest] = manifest
