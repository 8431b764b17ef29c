"""What a local layout or archive holds: names, manifests, and what hangs on what. Blocking; runs in a thread.

Names: a tag alone belongs to the repository that is named after the place itself; a full name makes a repository
of its own. Entries without a name are listed with their digest in the place of a tag, unless something else
leads to them (an index that holds them, a subject that is here).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from regtui.oci import (
    Descriptor,
    Digest,
    ImageManifest,
    Index,
    InvalidManifest,
    RegtuiError,
    parse_config,
    parse_manifest,
)
from regtui.oci.config import LARGEST_CONFIG
from regtui.oci.manifest import LARGEST_MANIFEST, parse_json_object, parts_of
from regtui.oci.tags import referrers_tag
from regtui.oci.times import parse_time
from regtui.registries.archive import InvalidLayout
from regtui.registries.contract import TagSummary
from regtui.registries.layout_names import default_repository, local_name, name_of_entry
from regtui.registries.referrers_tag import as_referrer
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from regtui.oci import Platform
    from regtui.registries.layout_content import Content

MOST_ENTRIES: Final = 100_000
MOST_MANIFESTS: Final = 50_000
"""Manifests that a walk reads at most."""
_DEEPEST: Final = 4
_CREATED: Final = "org.opencontainers.image.created"


@dataclass(frozen=True, slots=True)
class Entry:
    """One name, or one unnamed manifest. `problem` is set where the manifest could not even be made."""

    repository: str
    tag: str | None
    descriptor: Descriptor | None
    problem: RegtuiError | None = None


@dataclass(slots=True)
class _Details:
    """What reading a manifest tells: distinct blobs (None when a part is missing), platforms, when it was made.

    `complete` is False when an image does not tell its platform.
    """

    blobs: dict[Digest, int] | None = field(default_factory=dict)
    platforms: list[Platform] = field(default_factory=list)
    created: datetime | None = None
    complete: bool = True


class LayoutIndex:
    """The entries of one layout, read once. Raises InvalidLayout and InvalidManifest for what is none."""

    def __init__(self, content: Content, place: str) -> None:
        self.content = content
        self.place = place
        self.own_repository = default_repository(place)
        self.unreadable = 0
        self.entries = tuple(self._saved() if content.saved else self._listed())
        self._types = {e.descriptor.digest: e.descriptor.media_type for e in self.entries if e.descriptor}
        self._by_name: dict[tuple[str, str], Entry] = {}
        for entry in self.entries:
            if entry.tag is not None:
                self._by_name.setdefault((entry.repository, entry.tag), entry)
        self._summaries: dict[Digest, TagSummary] = {}
        self._homes: dict[Digest, set[str | None]] | None = None
        """Manifest → the repositories whose tags lead to it; None among them for an entry without a name."""
        self._walked: tuple[frozenset[Digest], dict[Digest, tuple[Descriptor, ...]]] | None = None

    def repositories(self) -> dict[str, int]:
        """Every repository with the count of its rows, in the order of the names."""
        counted: dict[str, int] = {}
        for entry in self._shown():
            counted[entry.repository] = counted.get(entry.repository, 0) + 1
        return dict(sorted(counted.items()))

    def rows(self, repository: str) -> tuple[Entry, ...]:
        """The entries of a repository. Raises NotFound."""
        found = tuple(e for e in self._shown() if e.repository == repository)
        if not found and repository == self.own_repository:
            found = self._only_repository()
        if not found:
            raise NotFound(f"{self.place} has no repository {repository[:120]!a}.")
        return found

    def digest_of(self, repository: str, locator: str) -> Digest:
        """The digest that a tag or digest means. Raises NotFound, InvalidDigest, and the entry's own problem."""
        if ":" in locator:
            digest = Digest.parse(locator)
            if self._is_elsewhere(repository, digest):
                raise NotFound(f"{digest.short} is in {self.place}, and not in {repository[:120]!a}.")
            return digest
        entry = self._by_name.get((repository, locator))
        if entry is None and repository == self.own_repository:
            # `image.tar:v1` names no repository: it means the only one there is.
            entry = next((e for e in self._only_repository() if e.tag == locator), None)
        if entry is None:
            raise NotFound(f"{self.place} has no tag {locator[:128]!a} in {repository[:120]!a}.")
        if entry.descriptor is None:
            raise entry.problem or NotFound(f"{self.place} has no manifest for {locator[:128]!a}.")
        return entry.descriptor.digest

    def manifest(self, digest: Digest) -> ImageManifest | Index:
        """The verified manifest of this digest. Raises NotFound, DigestMismatch, InvalidManifest."""
        return parse_manifest(self._whole(digest, LARGEST_MANIFEST), self._types.get(digest), digest)

    def has(self, digest: Digest) -> bool:
        """Whether this content is here."""
        try:
            self.content.size(digest)
        except NotFound:
            return False
        return True

    def media_type(self, digest: Digest) -> str | None:
        """The media type that index.json gives a manifest."""
        return self._types.get(digest)

    def summary(self, entry: Entry) -> TagSummary:
        """The row of an entry; what can't be read stays None."""
        if entry.descriptor is None:
            return TagSummary(entry.tag or "?")
        digest = entry.descriptor.digest
        if digest not in self._summaries:
            self._summaries[digest] = self._summarise(entry.descriptor)
        made = self._summaries[digest]
        return TagSummary(
            entry.tag or str(digest), digest, made.media_type, made.size, None, made.created, None, made.platforms
        )

    def summaries(self, entries: Sequence[Entry]) -> tuple[TagSummary, ...]:
        """The rows of these entries."""
        return tuple(self.summary(entry) for entry in entries)

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        """Every manifest here that names this subject, and what its referrers tag lists."""
        found = {d.digest: d for d in self._walk()[1].get(subject, ())}
        tag = referrers_tag(subject)
        for entry in self.entries:
            if entry.tag == tag and entry.descriptor is not None:
                try:
                    listed = self.manifest(entry.descriptor.digest)
                except RegtuiError:
                    continue
                if isinstance(listed, Index):
                    found = {d.digest: d for d in listed.manifests} | found
        return tuple(found.values())

    def needed(self) -> set[Digest]:
        """Every blob that an entry leads to. Raises InvalidLayout unless all of it can be read."""
        found: set[Digest] = set()
        waiting = [e.descriptor.digest for e in self.entries if e.descriptor]
        if self.unreadable:
            raise InvalidLayout(
                f"{self.unreadable} entries of {self.place} can't be read: nothing is garbage for sure."
            )
        while waiting:
            digest = waiting.pop()
            if digest in found:
                continue
            found.add(digest)
            try:
                manifest = self.manifest(digest)
            except NotFound:
                continue  # an index may leave platforms out
            except RegtuiError as error:
                raise InvalidLayout(f"{digest.short} in {self.place} can't be read: {error.sentence}") from error
            if isinstance(manifest, Index):
                waiting += [d.digest for d in manifest.manifests]
            else:
                found.update(d.digest for d in parts_of(manifest))
            waiting += [d.digest for d in self._walk()[1].get(digest, ())]
        return found

    def _listed(self) -> list[Entry]:
        listed = parse_json_object(self.content.index(), f"The index.json of {self.place}").get("manifests")
        if listed is not None and not isinstance(listed, list):
            raise InvalidManifest(f"The index.json of {self.place} has no list of manifests.")
        entries: list[Entry] = []
        for number, value in enumerate((listed or [])[:MOST_ENTRIES], 1):
            try:
                descriptor = Descriptor.from_json(value, f"The entry number {number}")
            except InvalidManifest:
                self.unreadable += 1
                continue
            repository, tag = name_of_entry(descriptor.annotations) or (None, None)
            entries.append(Entry(repository or self.own_repository, tag, descriptor))
        return entries

    def _saved(self) -> list[Entry]:
        entries: list[Entry] = []
        for image in self.content.saved:
            descriptor = image.manifest.descriptor if image.manifest else None
            names = [found for name in image.names if (found := local_name(name))]
            if descriptor is None and not names:
                self.unreadable += 1
            elif not names:
                entries.append(Entry(self.own_repository, None, descriptor))
            for repository, tag in names:
                entries.append(Entry(repository or self.own_repository, tag, descriptor, image.problem))
        return entries

    def _shown(self) -> tuple[Entry, ...]:
        if all(entry.tag is not None for entry in self.entries):
            return self.entries
        reachable, _ = self._walk()
        named = {e.descriptor.digest for e in self.entries if e.tag is not None and e.descriptor}
        return tuple(
            e
            for e in self.entries
            if e.tag is not None
            or (e.descriptor and e.descriptor.digest not in reachable and e.descriptor.digest not in named)
        )

    def _is_elsewhere(self, repository: str, digest: Digest) -> bool:
        """Whether only other repositories of this layout lead to a manifest. What nothing leads to is everywhere."""
        named = {e.repository for e in self.entries if e.tag is not None}
        # `image.tar:v1` names no repository, so that the place's own name may stand for the only one there is.
        if len(named) <= 1 and (repository in named or repository == self.own_repository):
            return False
        if self._homes is None:
            self._homes = {}
            for entry in self.entries:
                if entry.descriptor is not None:
                    home = entry.repository if entry.tag is not None else None
                    self._note_homes(entry.descriptor.digest, home, self._homes)
        homes = self._homes.get(digest)
        return homes is not None and repository not in homes and None not in homes

    def _note_homes(self, top: Digest, home: str | None, homes: dict[Digest, set[str | None]]) -> None:
        waiting = [top]
        while waiting:
            digest = waiting.pop()
            found = homes.setdefault(digest, set())
            if home in found:
                continue
            found.add(home)
            try:
                manifest = self.manifest(digest)
            except RegtuiError:
                continue
            if isinstance(manifest, Index):
                waiting += [d.digest for d in manifest.manifests]

    def _only_repository(self) -> tuple[Entry, ...]:
        shown = self._shown()
        return shown if len({e.repository for e in shown}) == 1 else ()

    def _walk(self) -> tuple[frozenset[Digest], dict[Digest, tuple[Descriptor, ...]]]:
        """(digests that something else leads to, referrers by subject), over all manifests within bounds."""
        if self._walked is None:
            reachable: set[Digest] = set()
            hanging: dict[Digest, dict[Digest, Descriptor]] = {}
            present: set[Digest] = set()
            waiting = deque(e.descriptor.digest for e in self.entries if e.descriptor)
            while waiting and len(present) < MOST_MANIFESTS:
                digest = waiting.popleft()
                if digest in present:
                    continue
                try:
                    manifest = self.manifest(digest)
                except RegtuiError:
                    continue
                present.add(digest)
                if isinstance(manifest, Index):
                    reachable.update(d.digest for d in manifest.manifests)
                    waiting.extend(d.digest for d in manifest.manifests)
                if manifest.subject is not None:
                    hanging.setdefault(manifest.subject.digest, {})[digest] = as_referrer(manifest)
            reachable.update(d for subject, rows in hanging.items() if subject in present for d in rows)
            self._walked = frozenset(reachable), {s: tuple(rows.values()) for s, rows in hanging.items()}
        return self._walked

    def _summarise(self, descriptor: Descriptor) -> TagSummary:
        details = _Details()
        try:
            manifest = self.manifest(descriptor.digest)
        except RegtuiError:
            return TagSummary("", descriptor.digest, descriptor.media_type)
        self._collect(manifest, descriptor.platform, details, 0)
        for said in (manifest.annotations, descriptor.annotations):
            details.created = details.created or parse_time(said.get(_CREATED))
        size = None if details.blobs is None else sum(details.blobs.values())
        platforms = tuple(dict.fromkeys(details.platforms)) if details.platforms or details.complete else None
        return TagSummary("", manifest.digest, manifest.media_type, size, None, details.created, None, platforms)

    def _collect(
        self, manifest: ImageManifest | Index, platform: Platform | None, details: _Details, depth: int
    ) -> None:
        if isinstance(manifest, ImageManifest):
            if details.blobs is not None:
                details.blobs.update({d.digest: d.size for d in (manifest.config, *manifest.layers)})
            if manifest.is_image:
                self._read_config(manifest, platform, details)
            return
        if depth >= _DEEPEST:
            details.blobs = None
            return
        for child in manifest.platforms:
            try:
                self._collect(self.manifest(child.digest), child.platform, details, depth + 1)
            except RegtuiError:
                details.blobs = None  # a part that is not here: its size is not known
                if child.platform is not None:
                    details.platforms.append(child.platform)

    def _read_config(self, manifest: ImageManifest, platform: Platform | None, details: _Details) -> None:
        if platform is None or details.created is None:
            try:
                raw = self._whole(manifest.config.digest, LARGEST_CONFIG)
                manifest.config.digest.verify(raw)
                config = parse_config(raw)
            except RegtuiError:
                config = None
            if config is not None:
                platform = platform or config.platform
                details.created = details.created or config.created
        if platform is not None:
            details.platforms.append(platform)
        else:
            details.complete = False

    def _whole(self, digest: Digest, limit: int) -> bytes:
        size = self.content.size(digest)
        if size > limit:
            raise InvalidManifest(f"{digest.short} has {size:,} bytes; regtui reads at most {limit:,} of its kind.")
        with self.content.open(digest) as stream:
            return stream.read(limit + 1)
