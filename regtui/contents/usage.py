"""What a repository or a registry stores: logical, unique and shared bytes, and what deleting a tag would free.

Pure functions over manifests. Bytes are as stored (compressed), manifests included; a blob that several images
name is stored once per registry.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from regtui.oci import ImageManifest, Index

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from regtui.oci import Digest


@dataclass(frozen=True, slots=True)
class StoredTag:
    """A tag and everything that it keeps alive: digest → bytes of every manifest, config and layer.

    `layers` are the layers among them. `pushed` is when the registry says it came, None where it does not tell.
    """

    tag: str
    digest: Digest
    blobs: Mapping[Digest, int]
    layers: frozenset[Digest]
    pushed: datetime | None = None

    @property
    def size(self) -> int:
        """Bytes of all that it names, each blob once."""
        return sum(self.blobs.values())


def stored_tag(
    tag: str,
    manifest: ImageManifest | Index,
    children: Mapping[Digest, ImageManifest | Index],
    pushed: datetime | None = None,
) -> StoredTag:
    """What a tag keeps alive, its index followed into the manifests among `children`.

    A child that is not there counts with its manifest's bytes alone. Indexes that name one another end the walk.
    """
    blobs: dict[Digest, int] = {}
    layers: set[Digest] = set()
    pending: list[ImageManifest | Index] = [manifest]
    blobs[manifest.digest] = manifest.size
    while pending:
        current = pending.pop()
        if isinstance(current, Index):
            for child in current.manifests:
                if child.digest in blobs:
                    continue
                blobs[child.digest] = child.size
                known = children.get(child.digest)
                if known is not None:
                    pending.append(known)
            continue
        for blob in (current.config, *current.layers):
            blobs[blob.digest] = blob.size
        layers.update(layer.digest for layer in current.layers)
    return StoredTag(tag, manifest.digest, blobs, frozenset(layers), pushed)


@dataclass(frozen=True, slots=True)
class LayerUse:
    """A layer and how often it is used: by `tags` tags and `images` distinct images."""

    digest: Digest
    size: int
    tags: int
    images: int


@dataclass(frozen=True, slots=True)
class Push:
    """A tag on the chart of size over time. `new` are the bytes that no tag pushed before it had."""

    tag: str
    pushed: datetime | None
    size: int
    new: int


@dataclass(frozen=True)
class RepositoryUsage:
    """One repository, counted once, asked often. Made by `repository_usage`.

    `elsewhere` are blobs that other repositories of the registry name: a registry that stores each blob once frees
    nothing of them here.
    """

    tags: tuple[StoredTag, ...]
    elsewhere: frozenset[Digest]
    _users: Mapping[Digest, int] = field(repr=False)
    _sizes: Mapping[Digest, int] = field(repr=False)

    @property
    def logical(self) -> int:
        """Bytes if every tag were stored on its own."""
        return sum(tag.size for tag in self.tags)

    @property
    def unique(self) -> int:
        """Bytes that are stored: each blob once."""
        return sum(self._sizes.values())

    @property
    def shared(self) -> int:
        """Those of the unique bytes that more than one distinct image of this repository names."""
        return sum(size for digest, size in self._sizes.items() if self._users[digest] > 1)

    @property
    def shared_elsewhere(self) -> int:
        """Those of the unique bytes that other repositories name, too."""
        return sum(size for digest, size in self._sizes.items() if digest in self.elsewhere)

    def freed_by(self, tags: Collection[str]) -> int:
        """Bytes that deleting these tags would truly free, once the registry collects its garbage.

        An image that keeps another tag keeps everything; a blob goes when no image that stays names it. Only the
        marked tags are gone through, so this can be asked at every keystroke.
        """
        marked = set(tags)
        staying = {tag.digest for tag in self.tags if tag.tag not in marked}
        going = {tag.digest: tag for tag in self.tags if tag.tag in marked and tag.digest not in staying}
        lost = Counter(digest for tag in going.values() for digest in tag.blobs)
        return sum(
            self._sizes[digest]
            for digest, count in lost.items()
            if count == self._users[digest] and digest not in self.elsewhere and digest not in staying
        )

    def layers_by_use(self) -> tuple[LayerUse, ...]:
        """Every layer, the most used first, the larger first among equals."""
        tags: Counter[Digest] = Counter()
        images: dict[Digest, set[Digest]] = {}
        for tag in self.tags:
            tags.update(tag.layers)
            for layer in tag.layers:
                images.setdefault(layer, set()).add(tag.digest)
        found = (LayerUse(layer, self._sizes[layer], count, len(images[layer])) for layer, count in tags.items())
        return tuple(sorted(found, key=lambda use: (-use.images, -use.tags, -use.size, use.digest)))

    def over_time(self) -> tuple[Push, ...]:
        """The tags in order of push; those whose time is unknown come first, in the order that they were given."""
        ordered = sorted(
            self.tags, key=lambda tag: (tag.pushed is not None, tag.pushed.timestamp() if tag.pushed else 0)
        )
        seen: set[Digest] = set()
        made = []
        for tag in ordered:
            new = sum(size for digest, size in tag.blobs.items() if digest not in seen)
            seen.update(tag.blobs)
            made.append(Push(tag.tag, tag.pushed, tag.size, new))
        return tuple(made)


def repository_usage(tags: Iterable[StoredTag], elsewhere: Iterable[Digest] = ()) -> RepositoryUsage:
    """Count a repository's tags."""
    kept = tuple(tags)
    users: Counter[Digest] = Counter()
    sizes: dict[Digest, int] = {}
    for tag in {tag.digest: tag for tag in kept}.values():
        users.update(tag.blobs.keys())
        sizes.update(tag.blobs)
    return RepositoryUsage(kept, frozenset(elsewhere), users, sizes)


@dataclass(frozen=True, slots=True)
class RegistryUsage:
    """All repositories together. `by_repository` gives each with what the others name taken into account."""

    logical: int
    unique: int
    by_repository: Mapping[str, RepositoryUsage]

    @property
    def shared(self) -> int:
        """Those of the unique bytes that more than one distinct image names."""
        images = {tag.digest: tag for usage in self.by_repository.values() for tag in usage.tags}
        return repository_usage(images.values()).shared

    def layers_by_use(self) -> tuple[LayerUse, ...]:
        """Every layer of the registry, the most used first; tags count in each repository, images once."""
        return repository_usage(tag for usage in self.by_repository.values() for tag in usage.tags).layers_by_use()


def registry_usage(repositories: Mapping[str, Iterable[StoredTag]]) -> RegistryUsage:
    """Count a registry that stores each blob once, whatever repositories name it."""
    kept = {path: tuple(tags) for path, tags in repositories.items()}
    blobs = {path: {digest: size for tag in tags for digest, size in tag.blobs.items()} for path, tags in kept.items()}
    users = Counter(digest for found in blobs.values() for digest in found)
    usages = {
        path: repository_usage(tags, (digest for digest in blobs[path] if users[digest] > 1))
        for path, tags in kept.items()
    }
    sizes = {digest: size for found in blobs.values() for digest, size in found.items()}
    return RegistryUsage(sum(usage.logical for usage in usages.values()), sum(sizes.values()), usages)
