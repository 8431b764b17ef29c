"""What a repository or a registry stores, read for the screens and `usage`: every tag's manifests, then counted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.contents.usage import RegistryUsage, RepositoryUsage, StoredTag, registry_usage, repository_usage
from regtui.contents.usage import stored_tag as stored
from regtui.oci import ImageManifest, Index, Reference, RegtuiError
from regtui.registries.contract import closing

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from regtui.oci import Digest
    from regtui.registries.contract import Registry, TagSummary
    from regtui.session.reader import Reader

AT_ONCE: Final = 16
"""Tags that are read at the same time (docs/performance.md B)."""


@dataclass(frozen=True, slots=True)
class UsageProgress:
    """How far the reading has come. `repository` is the one under way; totals grow while listings arrive."""

    repository: str
    repositories: int
    tags: int
    read: int


@dataclass(frozen=True, slots=True)
class Unread:
    """A tag that could not be read (None: the repository's listing), and why. It counts nowhere."""

    repository: str
    tag: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class RepositoryRead:
    """One repository's usage; `unread` is empty when it is complete."""

    repository: str
    usage: RepositoryUsage
    unread: tuple[Unread, ...]


@dataclass(frozen=True, slots=True)
class RegistryRead:
    """A registry's usage; `unread` is empty when it is complete."""

    usage: RegistryUsage
    unread: tuple[Unread, ...]


class UsageReader:
    """Reads tags and manifests through the cache, so that a second look costs one request per tag at most."""

    def __init__(self, open_registry: Callable[[str], Awaitable[Registry]], reader: Reader) -> None:
        self._open = open_registry
        self._reader = reader

    async def repository(
        self,
        host: str,
        path: str,
        tags: Iterable[TagSummary] | None = None,
        progress: Callable[[UsageProgress], object] | None = None,
    ) -> RepositoryRead:
        """Count one repository; `tags` when they are listed already. Raises RegistryError when listing fails."""
        listing = list(tags) if tags is not None else await self._tags(host, path)
        found, unread = await self._read(host, path, listing, progress, 1)
        return RepositoryRead(path, await asyncio.to_thread(repository_usage, found), unread)

    async def registry(
        self, host: str, prefix: str = "", progress: Callable[[UsageProgress], object] | None = None
    ) -> RegistryRead:
        """Count all repositories below `prefix` together. One that can't be listed is named in `unread`.

        Raises RegistryError when the repositories can't be listed.
        """
        registry = await self._open(host)
        paths: list[str] = []
        async with closing(registry.repositories(prefix)) as pages:
            async for page in pages:
                paths += [repository.path for repository in page.items]
        kept: dict[str, tuple[StoredTag, ...]] = {}
        unread: list[Unread] = []
        for number, path in enumerate(paths, 1):
            try:
                listing = await self._tags(host, path)
            except RegtuiError as error:
                unread.append(Unread(path, None, str(error)))
                continue
            kept[path], missing = await self._read(host, path, listing, progress, number)
            unread += missing
        return RegistryRead(await asyncio.to_thread(registry_usage, kept), tuple(unread))

    async def stored_tag(self, host: str, path: str, tag: TagSummary) -> StoredTag:
        """All that one tag keeps alive. Raises RegistryError."""
        reference = Reference(host, path, None if tag.is_untagged else tag.name, tag.digest)
        top = await self._reader.manifest(reference)
        children: dict[Digest, ImageManifest | Index] = {}
        pending: list[ImageManifest | Index] = [top]
        while pending:
            new = [c for m in pending if isinstance(m, Index) for c in m.manifests if c.digest not in children]
            asked = {child.digest: reference.with_digest(child.digest) for child in new}
            answers = await asyncio.gather(*map(self._child, asked.values()))
            pending = [child for child in answers if child is not None]
            children.update({child.digest: child for child in pending})
        return stored(tag.name, top, children, tag.pushed)

    def known_tag(self, host: str, path: str, tag: TagSummary) -> StoredTag | None:
        """As `stored_tag` where no request is needed, else None."""
        reference = Reference(host, path, None if tag.is_untagged else tag.name, tag.digest)
        top = self._reader.kept(reference)
        children: dict[Digest, ImageManifest | Index] = {}
        pending = [top]
        while pending:
            manifest = pending.pop()
            if manifest is None:
                return None
            for child in manifest.manifests if isinstance(manifest, Index) else ():
                if child.digest not in children:
                    found = self._reader.kept(reference.with_digest(child.digest))
                    pending.append(found)
                    if found is not None:
                        children[child.digest] = found
        return None if top is None else stored(tag.name, top, children, tag.pushed)

    async def _child(self, reference: Reference) -> ImageManifest | Index | None:
        try:
            return await self._reader.manifest(reference)
        except RegtuiError:
            # A platform that an index names and the registry has not got keeps nothing alive.
            return None

    async def _tags(self, host: str, path: str) -> list[TagSummary]:
        registry = await self._open(host)
        found: list[TagSummary] = []
        async with closing(registry.tags(path)) as pages:
            async for page in pages:
                found.extend(page.items)
        return found

    async def _read(
        self,
        host: str,
        path: str,
        listing: list[TagSummary],
        progress: Callable[[UsageProgress], object] | None,
        number: int,
    ) -> tuple[tuple[StoredTag, ...], tuple[Unread, ...]]:
        slots = asyncio.Semaphore(AT_ONCE)
        read = 0

        async def one(tag: TagSummary) -> StoredTag | Unread:
            nonlocal read
            async with slots:
                try:
                    found: StoredTag | Unread = await self.stored_tag(host, path, tag)
                except RegtuiError as error:
                    found = Unread(path, tag.name, str(error))
            read += 1
            if progress is not None:
                progress(UsageProgress(path, number, len(listing), read))
            return found

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(tag)) for tag in listing]
        results = [task.result() for task in tasks]
        return (
            tuple(found for found in results if isinstance(found, StoredTag)),
            tuple(found for found in results if isinstance(found, Unread)),
        )
