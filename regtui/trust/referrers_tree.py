"""The tree of what hangs on an image: referrers, cosign's tags, and the attestations inside an index.

Found over the contract of a registry alone, within bounds on depth, count and requests at once. What could not be
looked at is told in `notes` instead of being passed over.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from regtui.oci import Digest, Index, InvalidDigest, InvalidManifest
from regtui.oci.artifact import name_of_type
from regtui.oci.descriptor import Descriptor
from regtui.oci.manifest import REFERENCE_DIGEST
from regtui.oci.tags import referrers_tag
from regtui.transport.errors import NotFound, RegistryError
from regtui.trust.all_referrers import all_referrers
from regtui.trust.attestations import name_of_predicate

if TYPE_CHECKING:
    from regtui.oci import ImageManifest
    from regtui.trust.place import Place

DEEPEST: Final = 4
"""Referrers of referrers are followed this far: signatures of SBOMs exist, and loops too."""
MOST_NODES: Final = 1000
AT_ONCE: Final = 6
SUFFIXES: Final = {".sig": "cosign signatures", ".att": "cosign attestations", ".sbom": "SBOM (cosign attachment)"}
_PREDICATES: Final = ("in-toto.io/predicate-type", "dev.sigstore.bundle.predicateType", "predicateType")


class Found(StrEnum):
    """How something was found to belong to its subject."""

    REFERRER = "referrers API"
    FALLBACK = "referrers tag"
    TAG = "tag"
    INDEX = "index entry"


@dataclass(frozen=True, slots=True)
class Attached:
    """Something that hangs on a subject. `title` names its kind in words; `tag` is set for cosign's tags."""

    descriptor: Descriptor
    title: str
    found: Found
    tag: str | None = None
    predicate_type: str | None = None
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True)
class ReferrersTree:
    """What hangs on one digest, and for an index on each of its images. `platform` is in words.

    `source` says where the referrers were listed: the API, the referrers tag, or nowhere.
    """

    subject: Digest
    platform: str | None
    attached: tuple[Attached, ...]
    images: tuple[ReferrersTree, ...] = ()
    notes: tuple[str, ...] = ()
    source: Literal["api", "tag", "none"] = "none"

    @property
    def count(self) -> int:
        """How many things hang here, all levels and images together."""
        return sum(_count(one) for one in self.attached) + sum(image.count for image in self.images)


def _count(attached: Attached) -> int:
    return 1 + sum(_count(one) for one in attached.attached)


async def build_tree(
    registry: Place, repository: str, top: ImageManifest | Index, *, known_tags: frozenset[str] | None = None
) -> ReferrersTree:
    """The whole tree of a manifest, and of every image in it when it is an index.

    `known_tags` are all tags of the repository where the caller has them: they save three requests per digest.
    Raises RegistryError only when the registry refuses the very first question; cancel it at any time.
    """
    walk = _Walk(registry, repository, known_tags)
    attached = await walk.attached_to(top.digest)
    if not isinstance(top, Index):
        return ReferrersTree(top.digest, None, attached, notes=tuple(walk.notes), source=walk.source_of(top.digest))
    inside = _attestations(top)
    entries = top.platforms[:MOST_NODES]
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(walk.attached_to(entry.digest)) for entry in entries]
    images = tuple(
        ReferrersTree(
            entry.digest,
            str(entry.platform) if entry.platform else None,
            _once((*inside.pop(entry.digest, ()), *task.result())),
            source=walk.source_of(entry.digest),
        )
        for entry, task in zip(entries, tasks, strict=True)
    )
    lost = tuple(one for rest in inside.values() for one in rest)
    return ReferrersTree(top.digest, None, (*lost, *attached), images, tuple(walk.notes), walk.source_of(top.digest))


def _once(attached: tuple[Attached, ...]) -> tuple[Attached, ...]:
    """Each manifest once: BuildKit's may stand in the index and name its image as their subject, too."""
    return tuple({(one.descriptor.digest, one.tag): one for one in reversed(attached)}.values())[::-1]


def _attestations(index: Index) -> dict[Digest, tuple[Attached, ...]]:
    """BuildKit's attestation manifests by the image that they describe (`vnd.docker.reference.digest`)."""
    found: dict[Digest, tuple[Attached, ...]] = {}
    for entry in index.attestations:
        try:
            image = Digest.parse(entry.annotations.get(REFERENCE_DIGEST, ""))
        except InvalidDigest:
            image = index.digest
        made = Attached(entry, "attestations (BuildKit)", Found.INDEX, predicate_type=_predicate_of(entry))
        found[image] = (*found.get(image, ()), made)
    return found


def _predicate_of(descriptor: Descriptor) -> str | None:
    return next((descriptor.annotations[name] for name in _PREDICATES if descriptor.annotations.get(name)), None)


def title_of(descriptor: Descriptor) -> str:
    """The kind of a referrer in words, with its predicate where the listing tells it."""
    name = name_of_type(descriptor.artifact_type or descriptor.media_type)
    predicate = _predicate_of(descriptor)
    return f"{name}: {name_of_predicate(predicate)}" if predicate else name


@dataclass(slots=True)
class _Walk:
    registry: Place
    repository: str
    known_tags: frozenset[str] | None
    seen: set[Digest] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    sources: dict[Digest, Literal["api", "tag", "none"]] = field(default_factory=dict)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    def source_of(self, subject: Digest) -> Literal["api", "tag", "none"]:
        """Where the referrers of a digest were listed."""
        return self.sources.get(subject, "none")

    async def attached_to(self, subject: Digest, depth: int = 0) -> tuple[Attached, ...]:
        """Everything on one digest; a digest that came by already is not asked again."""
        if subject in self.seen:
            return ()
        self.seen.add(subject)
        async with asyncio.TaskGroup() as group:
            listed = group.create_task(self._referrers(subject, depth))
            tags = [group.create_task(self._tagged(subject, suffix)) for suffix in SUFFIXES] if depth == 0 else []
        return (*listed.result(), *(one for task in tags if (one := task.result()) is not None))

    async def _referrers(self, subject: Digest, depth: int) -> tuple[Attached, ...]:
        try:
            async with self.slots:
                # Of referrers themselves only the API is asked, where there is one: a tag beside it is rare enough.
                tags = self.known_tags if depth == 0 else frozenset[str]()
                listed = await all_referrers(self.registry, self.repository, subject, tags)
        except (RegistryError, InvalidManifest) as error:
            self._note(f"Referrers of {subject.short}: {error.sentence}")
            return ()
        self.sources[subject] = listed.source
        descriptors = [one for one in (*listed.listed, *listed.beside) if one.digest not in self.seen]
        room = max(0, MOST_NODES - len(self.seen))
        if len(descriptors) > room:
            self._note(f"{len(descriptors) - room:,} more referrers of {subject.short} are not shown.")
        by_api = {one.digest for one in listed.listed} if listed.source == "api" else set()
        return await self._with_children(descriptors[:room], by_api, depth)

    async def _with_children(
        self, descriptors: list[Descriptor], by_api: set[Digest], depth: int
    ) -> tuple[Attached, ...]:
        deeper = depth + 1 < DEEPEST
        if descriptors and not deeper:
            self._note(f"Referrers are followed {DEEPEST} levels deep.")
        async with asyncio.TaskGroup() as group:
            below = [group.create_task(self.attached_to(one.digest, depth + 1)) for one in descriptors if deeper]
        children = [task.result() for task in below] or [()] * len(descriptors)
        return tuple(
            Attached(
                one,
                title_of(one),
                Found.REFERRER if one.digest in by_api else Found.FALLBACK,
                predicate_type=_predicate_of(one),
                attached=inside,
            )
            for one, inside in zip(descriptors, children, strict=True)
        )

    async def _tagged(self, subject: Digest, suffix: str) -> Attached | None:
        tag = referrers_tag(subject) + suffix
        if self.known_tags is not None and tag not in self.known_tags:
            return None
        try:
            async with self.slots:
                head = await self.registry.head_manifest(self.repository, tag)
                digest = head.digest or (await self.registry.manifest(self.repository, tag)).digest
        except NotFound:
            return None
        except (RegistryError, InvalidManifest) as error:
            self._note(f"Tag {tag}: {error.sentence}")
            return None
        descriptor = Descriptor(head.media_type or "", digest, head.size or 0)
        return Attached(descriptor, SUFFIXES[suffix], Found.TAG, tag)

    def _note(self, text: str) -> None:
        if text not in self.notes and len(self.notes) < 50:
            self.notes.append(text)
