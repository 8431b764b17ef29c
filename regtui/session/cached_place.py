"""A registry as trust asks it, read through the cache: what a digest names comes once, what hangs on it stays known.

What is attached changes while an image stays, so listings of referrers and look-ups of cosign's tags are kept for a
few minutes only, and forgotten on refresh.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, Reference
from regtui.oci.tags import referrers_tag
from regtui.registries.contract import ManifestHead, Referrers
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from regtui.oci import Descriptor, ImageManifest, Index
    from regtui.registries.contract import Registry
    from regtui.session.reader import Reader

FRESH_FOR: Final = 300.0
MOST_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Known:
    """An answer, or that there was nothing, and when (seconds of the clock) it came."""

    value: Any
    at: float


class CachedPlace:
    """One registry for trust (trust/place.py)."""

    def __init__(self, registry: Registry, reader: Reader, *, clock: Callable[[], float] = monotonic) -> None:
        self.host = registry.host
        self.registry = registry
        self._reader = reader
        self._clock = clock
        self._known: dict[tuple[str, str, str], _Known] = {}
        self._tags: dict[str, _Known] = {}
        self._finding_out = asyncio.Lock()

    def learn_tags(self, repository: str, tags: frozenset[str] | None) -> None:
        """All tags of a repository: what is not among them is not asked for. None when they are not known."""
        if tags is None:
            self._tags.pop(repository, None)
        else:
            self._tags[repository] = _Known(tags, self._clock())

    def known_tags(self, repository: str) -> frozenset[str] | None:
        """All tags of a repository; None where no listing came to its end, or where it did long ago."""
        known = self._tags.get(repository)
        if known is None or self._clock() - known.at >= FRESH_FOR:
            return None
        tags: frozenset[str] = known.value
        return tags

    def forget(self, repository: str | None = None) -> None:
        """Ask anew what hangs on the images of this repository, or of all of them."""
        for key in [key for key in self._known if repository in {None, key[1]}]:
            del self._known[key]
        for path in [path for path in self._tags if repository in {None, path}]:
            del self._tags[path]

    async def manifest(self, repository: str, locator: str) -> ImageManifest | Index:
        """The manifest at a tag or digest, from the cache when its digest is known. Raises NotFound."""
        if ":" in locator:
            return await self._reader.manifest(Reference(self.host, repository, None, Digest.parse(locator)))

        async def ask() -> ImageManifest | Index:
            return await self._reader.manifest(Reference(self.host, repository, locator))

        found: ImageManifest | Index = await self._once("manifest", repository, locator, ask)
        return found

    async def head_manifest(self, repository: str, locator: str) -> ManifestHead:
        """What is known of a manifest; the manifest itself is read, since whoever asks for it opens it next."""
        manifest = await self.manifest(repository, locator)
        return ManifestHead(manifest.digest, manifest.media_type, manifest.size)

    async def referrers(self, repository: str, subject: Digest, artifact_type: str | None = None) -> Referrers:
        """What names this digest as its subject, asked once in a few minutes.

        Where the registry has no referrers API and all tags are known, the tag that would list them is not asked for.
        """

        async def ask() -> Referrers:
            if self.registry.has_referrers_api() is not None:
                return await self._referrers(repository, subject, artifact_type)
            # One at a time until the first answer tells whether there is such an API at all.
            async with self._finding_out:
                return await self._referrers(repository, subject, artifact_type)

        found: Referrers = await self._once(f"referrers {artifact_type or ''}", repository, subject, ask)
        return found

    async def _referrers(self, repository: str, subject: Digest, artifact_type: str | None) -> Referrers:
        tags = self.known_tags(repository)
        lacks_api = self.registry.has_referrers_api() is False
        if lacks_api and tags is not None and referrers_tag(subject) not in tags:
            return Referrers((), "none")
        return await self.registry.referrers(repository, subject, artifact_type)

    async def small_blob(self, repository: str, descriptor: Descriptor, limit: int = 8 << 20) -> bytes:
        """A small blob, verified, from the cache where it is there. Raises Unsupported beyond `limit` bytes."""
        return await self._reader.small_blob(Reference(self.host, repository), descriptor, limit=limit)

    async def _once(self, question: str, repository: str, about: str, ask: Callable[[], Awaitable[Any]]) -> Any:
        key = (question, repository, about)
        known = self._known.get(key)
        if known is not None and self._clock() - known.at < FRESH_FOR:
            if isinstance(known.value, NotFound):
                raise known.value
            return known.value
        try:
            value: Any = await ask()
        except NotFound as error:
            # Kept without its traceback, which would hold on to what the request held.
            self._keep(key, NotFound(error.sentence, hint=error.hint, host=error.host, code=error.code))
            raise
        self._keep(key, value)
        return value

    def _keep(self, key: tuple[str, str, str], value: Any) -> None:
        if len(self._known) >= MOST_KEPT:
            self._known.clear()
        self._known[key] = _Known(value, self._clock())
