"""What hangs together in one repository, as a value: tags, indexes and their children, subjects and their referrers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from regtui.oci import Digest, ImageManifest, Index
from regtui.oci.artifact import name_of
from regtui.oci.tags import subject_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Set

    from regtui.oci import Manifest


PLACEHOLDER: Final = "dev.regtui.placeholder"
"""Annotation of the throw-away manifests that take a tag where only manifests can be deleted (removing.py)."""


@dataclass(frozen=True, slots=True)
class Node:
    """One manifest. `blobs` are config and layers with their sizes in bytes; `size` is that of the manifest itself."""

    digest: Digest
    media_type: str
    size: int
    kind: str = "image"
    children: tuple[Digest, ...] = ()
    attestations: tuple[Digest, ...] = ()
    """Those of the children that are BuildKit attestations."""
    subject: Digest | None = None
    blobs: tuple[tuple[Digest, int], ...] = ()
    readable: bool = True
    """False for a format that regtui does not read (schema 1): such a manifest has no known content."""

    @classmethod
    def of(cls, manifest: Manifest) -> Node:
        """The node of a manifest that was read."""
        children: tuple[Digest, ...] = ()
        attestations: tuple[Digest, ...] = ()
        blobs: tuple[tuple[Digest, int], ...] = ()
        kind = "artifact"
        if isinstance(manifest, Index):
            children = tuple(dict.fromkeys(d.digest for d in manifest.manifests))
            attestations = tuple(dict.fromkeys(d.digest for d in manifest.attestations))
            kind = name_of(manifest)
        elif isinstance(manifest, ImageManifest):
            blobs = tuple({d.digest: d.size for d in (manifest.config, *manifest.layers)}.items())
            kind = name_of(manifest)
        if PLACEHOLDER in manifest.annotations:
            kind = "placeholder"
        subject = manifest.subject.digest if manifest.subject is not None else None
        return cls(manifest.digest, manifest.media_type, manifest.size, kind, children, attestations, subject, blobs)


@dataclass(frozen=True)
class Graph:
    """One repository as it was read.

    `missing` are digests that something refers to and the registry does not have. `problems` say what could not be
    read: while there are any, `complete` is False and nothing may be deleted by digest, since what was not read may
    need it. `listed` tells whether untagged manifests were listed, too.
    """

    host: str
    repository: str
    tags: Mapping[str, Digest] = field(default_factory=dict)
    nodes: Mapping[Digest, Node] = field(default_factory=dict)
    missing: frozenset[Digest] = frozenset()
    problems: tuple[str, ...] = ()
    immutable: frozenset[str] = frozenset()
    listed: bool = False
    whole: bool = True
    """False when only one image was read: then it tells nothing about what else needs a manifest."""

    @property
    def complete(self) -> bool:
        """Whether all of it was read."""
        return self.whole and not self.problems

    @cached_property
    def _tags_of(self) -> Mapping[Digest, tuple[str, ...]]:
        found: dict[Digest, list[str]] = {}
        for tag, digest in self.tags.items():
            found.setdefault(digest, []).append(tag)
        return {digest: tuple(sorted(tags)) for digest, tags in found.items()}

    def tags_of(self, digest: Digest) -> tuple[str, ...]:
        """The tags on a digest, in the order of their names."""
        return self._tags_of.get(digest, ())

    @cached_property
    def referrers_lists(self) -> frozenset[Digest]:
        """Indexes that only list the referrers of a subject, by the tag that names it: they hold nothing alive."""
        return frozenset(
            digest
            for digest, tags in self._tags_of.items()
            if all((found := subject_of(tag)) is not None and found[1] == "" for tag in tags)
        )

    @cached_property
    def _parents(self) -> Mapping[Digest, tuple[Digest, ...]]:
        found: dict[Digest, list[Digest]] = {}
        for node in self.nodes.values():
            if node.digest not in self.referrers_lists:
                for child in node.children:
                    found.setdefault(child, []).append(node.digest)
        return {child: tuple(parents) for child, parents in found.items()}

    def parents(self, digest: Digest) -> tuple[Digest, ...]:
        """The indexes that hold this manifest (lists of referrers do not count)."""
        return self._parents.get(digest, ())

    @cached_property
    def _referrers(self) -> Mapping[Digest, tuple[Digest, ...]]:
        found: dict[Digest, list[Digest]] = {}
        for node in self.nodes.values():
            if node.subject is not None:
                found.setdefault(node.subject, []).append(node.digest)
        return {subject: tuple(rows) for subject, rows in found.items()}

    def referrers(self, digest: Digest) -> tuple[Digest, ...]:
        """The manifests that name this one as their subject."""
        return self._referrers.get(digest, ())

    @cached_property
    def _attached(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for tag in sorted(self.tags):
            named = subject_of(tag)
            if named is not None:
                found.setdefault(named[0], []).append(tag)
        return {subject: tuple(tags) for subject, tags in found.items()}

    def attached_tags(self, digest: Digest) -> tuple[str, ...]:
        """The tags that only carry what hangs on this digest: cosign's, and the referrers tag."""
        return self._attached.get(f"{digest.algorithm}:{digest.encoded[:64]}", ())

    def freed(self, doomed: Set[Digest]) -> int:
        """Bytes that nothing in this repository needs once these manifests are gone, each blob once."""
        staying: set[Digest] = set()
        going: dict[Digest, int] = {}
        for node in self.nodes.values():
            if node.digest in doomed:
                going[node.digest] = node.size
                going.update(node.blobs)
            else:
                staying.update(digest for digest, _ in node.blobs)
        return sum(size for digest, size in going.items() if digest not in staying)

    def orphans(self) -> tuple[Digest, ...]:
        """Manifests that no tag leads to, neither as a part nor as something attached: untagged alone is no orphan."""
        reached = set(self.below(self.tags.values()))
        return tuple(digest for digest in self.nodes if digest not in reached)

    def below(self, digests: Iterable[Digest]) -> tuple[Digest, ...]:
        """These manifests with their children and all that hangs on them, children before their parents."""
        order: dict[Digest, None] = {}
        walked: set[Digest] = set()
        waiting: list[tuple[Digest, bool]] = [(digest, False) for digest in reversed(list(digests))]
        while waiting:
            digest, children_done = waiting.pop()
            if children_done:
                order.setdefault(digest)
                continue
            node = self.nodes.get(digest)
            if node is None or digest in walked:
                continue
            walked.add(digest)
            carried = (self.tags[tag] for tag in self.attached_tags(digest))
            waiting.extend((d, False) for d in (*self.referrers(digest), *carried))
            waiting.append((digest, True))
            waiting.extend((child, False) for child in node.children)
        return tuple(order)
