"""Reads a repository into a graph: every tag's digest, every manifest once, what hangs on the ones that matter."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from regtui.oci import Digest, Reference, RegtuiError, UnsupportedManifest
from regtui.oci.tags import referrers_tag
from regtui.operations.graph import Graph, Node
from regtui.operations.steadily import steadily
from regtui.registries.contract import Capability, closing
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from regtui.oci import ImageManifest, Index
    from regtui.registries.contract import Registry

AT_ONCE: Final = 16
"""Requests under way at a time (docs/performance.md B)."""
_COSIGN: Final = (".sig", ".att", ".sbom")
MOST_TAGS: Final = 100_000
MOST_MANIFESTS: Final = 50_000


Item = TypeVar("Item")


class ManifestReader(Protocol):
    """Reads manifests, by digest from a cache (session.reader)."""

    async def manifest(self, reference: Reference) -> ImageManifest | Index:
        """The manifest at a reference. Raises RegistryError."""
        ...


async def gather(
    registry: Registry,
    reader: ManifestReader,
    repository: str,
    *,
    of: Iterable[str] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Graph:
    """The graph of a repository, by GET and HEAD only.

    `of` names the tags and digests that matter: only for them the referrers API is asked (None: for all).
    `progress` gets (manifests and tags read, known so far). Raises NotFound when there is no such repository;
    everything else that can't be read is told in `problems`.
    """
    gatherer = _Gatherer(registry, reader, repository, progress)
    await gatherer.read_tags()
    wanted = None if of is None else tuple(of)
    extra = [Digest.parse(locator) for locator in wanted or () if ":" in locator]
    await gatherer.read_manifests([*gatherer.tags.values(), *gatherer.untagged, *extra])
    interesting = None
    if wanted is not None:
        interesting = [*extra, *(gatherer.tags[tag] for tag in wanted if tag in gatherer.tags)]
    await gatherer.read_referrers(interesting)
    return gatherer.graph()


async def gather_image(
    registry: Registry,
    reader: ManifestReader,
    repository: str,
    digest: Digest,
    *,
    tags: Mapping[str, Digest] | None = None,
    attached: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> Graph:
    """One image with all below it, without listing the repository; `attached` reads what hangs on it, too.

    `tags` are what is known already. The graph tells nothing of other tags, so that nothing may be deleted by it.
    Raises NotFound when the image is not there; the rest as `gather`.
    """
    gatherer = _Gatherer(registry, reader, repository, progress)
    gatherer.tags.update(tags or {})
    await gatherer.read_manifests([digest, *gatherer.tags.values()])
    if attached:
        await gatherer.read_attached(digest)
    graph = gatherer.graph(whole=False)
    if digest in graph.missing:
        raise NotFound(f"{registry.host}/{repository} has no manifest {digest.short}.", host=registry.host)
    return graph


class _Gatherer:
    """One repository being read."""

    def __init__(
        self,
        registry: Registry,
        reader: ManifestReader,
        repository: str,
        progress: Callable[[int, int], object] | None,
    ) -> None:
        self._registry = registry
        self._reader = reader
        self._repository = repository
        self._progress = progress
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._problems: dict[str, None] = {}
        self._missing: set[Digest] = set()
        self._nodes: dict[Digest, Node] = {}
        self._immutable: set[str] = set()
        self._done = self._known = 0
        self.tags: dict[str, Digest] = {}
        self.untagged: list[Digest] = []

    def graph(self, *, whole: bool = True) -> Graph:
        """What was read."""
        return Graph(
            self._registry.host,
            self._repository,
            dict(sorted(self.tags.items())),
            dict(self._nodes),
            frozenset(self._missing),
            tuple(self._problems),
            frozenset(self._immutable),
            bool(self.untagged),
            whole,
        )

    async def read_tags(self) -> None:
        """Every tag with its digest: from the listing where it tells, else by HEAD."""
        asked: list[str] = []
        async with closing(self._registry.tags(self._repository)) as pages:
            async for page in pages:
                for tag in page.items:
                    if tag.is_untagged and tag.digest is not None:
                        self.untagged.append(tag.digest)
                    elif tag.digest is not None:
                        self.tags[tag.name] = tag.digest
                    else:
                        asked.append(tag.name)
                    if tag.immutable:
                        self._immutable.add(tag.name)
                if page.stopped:
                    self._problems[f"The list of tags is not complete: {page.stopped}"] = None
                if len(self.tags) + len(asked) > MOST_TAGS:
                    self._problems[f"There are more than {MOST_TAGS:,} tags."] = None
                    break
        await self._each(asked, self._read_tag)

    async def read_manifests(self, digests: Iterable[Digest]) -> None:
        """These manifests, their children, and theirs, each once."""
        waiting = [d for d in dict.fromkeys(digests) if d not in self._nodes]
        while waiting:
            if len(self._nodes) + len(waiting) > MOST_MANIFESTS:
                self._problems[f"There are more than {MOST_MANIFESTS:,} manifests."] = None
                return
            await self._each(waiting, self._read_manifest)
            inner = (child for d in waiting if d in self._nodes for child in self._nodes[d].children)
            waiting = [d for d in dict.fromkeys(inner) if d not in self._nodes and d not in self._missing]

    async def read_referrers(self, of: Iterable[Digest] | None) -> None:
        """What hangs on these and all below them, as far as the referrers API tells. Tags told the rest already."""
        if not (await self._registry.capabilities()).has(Capability.REFERRERS):
            return
        walked: set[Digest] = set()
        while True:
            known = self.graph()
            todo = [d for d in known.below(self._nodes if of is None else of) if d not in walked]
            if not todo:
                return
            found: dict[Digest, None] = {}
            # One first: where there is no such API, the others need not ask.
            if not walked and not await self._ask_referrers(todo[0], found=found):
                return
            await self._each(todo if walked else todo[1:], partial(self._ask_referrers, found=found))
            walked.update(todo)
            await self.read_manifests(found)

    async def read_attached(self, digest: Digest) -> None:
        """What hangs on an image and all below it, and on that: by the referrers API or tag, and by cosign's tags."""
        walked: set[Digest] = set()
        while todo := [d for d in self.graph().below([digest]) if d not in walked]:
            found: dict[Digest, None] = {}
            await self._each(todo, partial(self._ask_referrers, found=found))
            tags = [f"{referrers_tag(d)}{suffix}" for d in todo for suffix in _COSIGN]
            await self._each(tags, self._read_tag)
            walked.update(todo)
            await self.read_manifests([*found, *(self.tags[tag] for tag in tags if tag in self.tags)])

    async def _ask_referrers(self, digest: Digest, *, found: dict[Digest, None]) -> bool:
        try:
            answer = await steadily(partial(self._registry.referrers, self._repository, digest))
        except NotFound:
            return True
        except RegtuiError as error:
            self._problems[f"What hangs on {digest.short} could not be read: {error.sentence}"] = None
            return True
        found.update(dict.fromkeys(d.digest for d in answer.descriptors))
        return answer.source == "api"

    async def _read_tag(self, tag: str) -> None:
        try:
            head = await steadily(partial(self._registry.head_manifest, self._repository, tag))
            if head.digest is None:
                head_digest = (await self._registry.manifest(self._repository, tag)).digest
            else:
                head_digest = head.digest
        except NotFound:
            return  # deleted while the listing was read
        except RegtuiError as error:
            self._problems[f"The tag {tag} could not be read: {error.sentence}"] = None
            return
        self.tags[tag] = head_digest

    async def _read_manifest(self, digest: Digest) -> None:
        reference = Reference(self._registry.host, self._repository, None, digest)
        try:
            self._nodes[digest] = Node.of(await steadily(partial(self._reader.manifest, reference)))
        except NotFound:
            self._missing.add(digest)
        except UnsupportedManifest:
            # Schema 1 has no children: not reading it hides nothing that something else could need.
            self._nodes[digest] = Node(digest, "", 0, "unknown format", readable=False)
        except RegtuiError as error:
            self._problems[f"The manifest {digest.short} could not be read: {error.sentence}"] = None

    async def _each(self, items: Iterable[Item], work: Callable[[Item], Awaitable[object]]) -> None:
        todo = list(items)
        self._known += len(todo)

        async def one(item: Item) -> None:
            async with self._slots:
                await work(item)
            self._done += 1
            if self._progress is not None:
                self._progress(self._done, self._known)

        for start in range(0, len(todo), 1_000):
            async with asyncio.TaskGroup() as group:
                for item in todo[start : start + 1_000]:
                    group.create_task(one(item))
