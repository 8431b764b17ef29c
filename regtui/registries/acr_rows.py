"""ACR's lists of tags and manifests, joined into rows. Pure functions over `/acr/v1` JSON.

Source: ACR data plane, AcrTagAttributesBase and AcrManifestAttributesBase; 2021-07-01 added `references`. Members may
be missing, times have up to seven fraction digits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from regtui.oci import Digest, Platform
from regtui.oci import media_types as types
from regtui.oci.reference import is_tag
from regtui.registries.contract import DeletedManifest, TagSummary
from regtui.registries.fields import digest, fields, flag, moment, objects, text, texts, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Entry = Mapping[str, Any]

_TOO_SMALL: Final = 4_096
"""Bytes. A smaller `imageSize` may be the manifest's own: imported images are counted so."""


@dataclass(slots=True)
class TagJoin:
    """Tags and manifests as they come, each in its own pages, put together by digest."""

    manifests: dict[Digest, Entry] = field(default_factory=dict)
    _tags: list[tuple[str, Digest | None, Entry]] = field(default_factory=list)
    _tagged: set[Digest] = field(default_factory=set)

    def add_tags(self, entries: Iterable[Entry]) -> None:
        """Take in tags."""
        for entry in entries:
            name, target = text(entry.get("name")), digest(entry.get("digest"))
            if name is not None and is_tag(name):
                self._tags.append((name, target, entry))
                if target is not None:
                    self._tagged.add(target)

    def add_manifests(self, entries: Iterable[Entry]) -> None:
        """Take in manifests."""
        self.manifests |= {found: entry for entry in entries if (found := digest(entry.get("digest"))) is not None}

    @property
    def waits(self) -> bool:
        """Whether a tag's manifest has not come yet."""
        return any(target is not None and target not in self.manifests for _, target, _ in self._tags)

    def take(self) -> tuple[TagSummary, ...]:
        """The rows of the tags that were added since the last time."""
        rows = tuple(
            _row(name, target, entry, self.manifests.get(target, {}) if target is not None else {})
            for name, target, entry in self._tags
        )
        self._tags.clear()
        return rows

    def untagged(self) -> tuple[TagSummary, ...]:
        """The rows of all manifests that no tag points to, and no index that is listed."""
        listed = (one for entry in self.manifests.values() for one in objects(entry.get("references")))
        reached = self._tagged | {found for one in listed if (found := digest(one.get("digest"))) is not None}
        return tuple(
            _row(found, found, entry, entry) for found, entry in self.manifests.items() if found not in reached
        )


def _row(name: str, target: Digest | None, tag: Entry, manifest: Entry) -> TagSummary:
    media_type = types.bare(text(manifest.get("mediaType")))
    size = whole(manifest.get("imageSize"))
    is_index = media_type in types.INDEXES or bool(manifest.get("references"))
    return TagSummary(
        name,
        digest=target,
        media_type=media_type,
        # Of an index it is not told what all of its images take together.
        size=None if is_index or size is None or size < _TOO_SMALL else size,
        pushed=moment(tag.get("lastUpdateTime")) or moment(tag.get("createdTime")),
        platforms=_platforms(manifest),
        immutable=_is_locked(tag, manifest),
    )


def _platforms(manifest: Entry) -> tuple[Platform, ...] | None:
    listed = objects(manifest.get("references")) or [dict(manifest)]
    found = [(text(entry.get("os")), text(entry.get("architecture"))) for entry in listed]
    return tuple(Platform(os, cpu) for os, cpu in found if os and cpu and "unknown" not in (os, cpu)) or None


def _is_locked(*entries: Entry) -> bool | None:
    """Whether a lock of the tag or of its manifest forbids to move it or to delete it; None when nothing is told."""
    locks = [fields(entry.get("changeableAttributes")) for entry in entries]
    switches = [flag(lock.get(name)) for lock in locks for name in ("writeEnabled", "deleteEnabled")]
    return None if all(switch is None for switch in switches) else False in switches


def deleted_manifests(entries: Iterable[Entry], tags: Iterable[Entry]) -> tuple[DeletedManifest, ...]:
    """Soft-deleted manifests with the tags that they had."""
    had: dict[Digest, list[str]] = {}
    for tag in tags:
        target, name = digest(tag.get("digest")), text(tag.get("name")) or text(tag.get("tag"))
        if target is not None and name is not None and is_tag(name):
            had.setdefault(target, []).append(name)
    return tuple(
        DeletedManifest(
            found,
            tuple(dict.fromkeys((*had.get(found, ()), *filter(is_tag, texts(entry.get("tags")))))),
            moment(entry.get("deletedAt")),
        )
        for entry in entries
        if (found := digest(entry.get("digest"))) is not None
    )
