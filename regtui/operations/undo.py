"""Undo: from what the journal kept, a plan that puts back what is still missing, and says what comes too late."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from regtui.oci import ImageManifest, Index, RegtuiError
from regtui.oci.media_types import is_foreign
from regtui.operations.kept import kept_by
from regtui.operations.plan import Action, Place, Plan, Step
from regtui.operations.record import read_record
from regtui.operations.steadily import steadily
from regtui.transport.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from regtui.oci import Descriptor, Digest
    from regtui.operations.record import Record
    from regtui.registries.contract import DeletedManifest, Registry
    from regtui.storage.journal import Journal

_AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry as `undo --list` shows it."""

    id: str
    begun: str | None
    kind: str
    state: str
    places: tuple[Place, ...]
    tags: tuple[str, ...]
    steps: int
    done: int
    undone: bool
    undoable: bool


def list_entries(journal: Journal) -> tuple[Listed, ...]:
    """All entries, the newest first; blocking. An entry that can't be read is left out."""
    found = []
    for named in journal.entries():
        try:
            record = read_record(journal, named.id)
        except RegtuiError:
            continue
        plan = record.plan
        done = sum(r.outcome == "done" for r in record.results.values())
        undone = bool(record.undone_by)
        running = record.state == "interrupted" and journal.is_running(named.id)
        found.append(
            Listed(
                named.id,
                record.begun,
                plan.kind,
                "running" if running else record.state,
                plan.places,
                tuple(tag for _, tag in plan.tags_changed),
                len(plan.steps),
                done,
                undone,
                record.changed and not undone and not running and plan.kind != "undo",
            )
        )
    return tuple(found)


async def plan_undo(record: Record, open_registry: Callable[[str], Awaitable[Registry]]) -> Plan:
    """What is still to be put back of a run, found by GET and HEAD only.

    Run it with `manifests=record.manifests`. Tags that someone changed since are left alone; manifests whose blobs
    are gone are not promised. Both are told in `warnings`. Raises RegistryError.
    """
    undo = _Undo(record, open_registry)
    await undo.look()
    undo.restore_manifests()
    undo.restore_tags()
    undo.drop_placeholders()
    return Plan(
        "undo",
        tuple(undo.steps),
        saves=tuple((s.place, s.digest) for s in undo.steps if s.action is not Action.DELETE),
        tags_before=tuple((s.place, s.tag, s.before) for s in undo.steps if s.tag is not None and s.before is not None),
        frees_bytes=0,
        warnings=tuple(undo.warnings),
        undoes=record.id,
    )


class _Undo:
    """One run being turned round."""

    def __init__(self, record: Record, open_registry: Callable[[str], Awaitable[Registry]]) -> None:
        self.steps: list[Step] = []
        self.warnings: list[str] = []
        self._record = record
        self._open = open_registry
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._now: dict[tuple[Place, str], Digest | None] = {}
        self._kept: dict[Place, dict[Digest, DeletedManifest]] = {}
        """What the registry itself can restore."""
        self._lost: dict[Digest, Digest] = {}
        """Manifest → the blob of it that is gone."""
        self._numbers: dict[tuple[Place, Digest], int] = {}
        self._touched = [(n, record.plan.steps[n]) for n in record.touched()]

    async def look(self) -> None:
        """What the tags and manifests are now, and whether the blobs of what is missing can still be read."""
        wanted: dict[tuple[Place, str], None] = {}
        for _, step in self._touched:
            wanted.update(dict.fromkeys((step.place, tag) for tag in _tags(step)))
        removing = any(step.action in {Action.DELETE, Action.UNTAG} for _, step in self._touched)
        if removing:
            wanted.update(dict.fromkeys(self._saved_places()))
        await asyncio.gather(*(self._look_at(place, locator) for place, locator in wanted))
        missing = [
            (place, self._record.manifests[digest])
            for place, digest in self._record.plan.saves
            if digest in self._record.manifests and self._now.get((place, digest), digest) is None
        ]
        blobs: dict[tuple[Place, Digest], Descriptor] = {}
        for place, manifest in missing:
            if isinstance(manifest, ImageManifest):
                blobs.update({(place, b.digest): b for b in (manifest.config, *manifest.layers)})
        await self._look_what_is_kept(place for place, _ in missing)
        gone = await asyncio.gather(*(self._is_gone(place, blob) for (place, _), blob in blobs.items()))
        lost = {key for key, is_gone in zip(blobs, gone, strict=True) if is_gone}
        for place, manifest in missing:
            if manifest.digest not in self._kept.get(place, {}):
                self._note_lost(place, manifest, lost)

    def restore_manifests(self) -> None:
        """Children first, as the journal has them, then what refers to them."""
        for place, digest in self._record.plan.saves:
            if self._now.get((place, digest), digest) is not None or digest not in self._record.manifests:
                continue
            if digest in self._lost:
                self.warnings.append(
                    f"It is too late for {place}@{digest}: the registry no longer has {self._lost[digest].short}."
                )
                continue
            manifest = self._record.manifests[digest]
            below = [d.digest for d in manifest.manifests] if isinstance(manifest, Index) else []
            needs = tuple(self._numbers[place, d] for d in below if (place, d) in self._numbers)
            self._numbers[place, digest] = len(self.steps)
            why = "the registry keeps it" if digest in self._kept.get(place, {}) else ""
            self.steps.append(Step(Action.RESTORE, place, digest, needs=needs, why=why))

    def restore_tags(self) -> None:
        """Every tag that was removed or moved, to where it was; tags that were made go."""
        before = {(place, tag): digest for place, tag, digest in self._record.plan.tags_before}
        # Lists of referrers come last: restoring what they list enters it in them.
        pairs = [(n, step, tag) for n, step in self._touched for tag in _tags(step)]
        for number, step, tag in sorted(pairs, key=lambda row: row[2].startswith(("sha256-", "sha512-"))):
            now = self._now[step.place, tag]
            old = before.get((step.place, tag))
            if now == old:
                continue
            ours = {None, self._record.placeholders.get(number)}
            if step.action in {Action.TAG, Action.COPY, Action.RESTORE}:
                ours = {step.digest}
            if now not in ours:
                shown = now.short if now is not None else "nothing"
                self.warnings.append(
                    f"{step.place}:{tag} points to {shown} now; it was changed since and is left alone."
                )
            elif old is None:
                assert now is not None, "what is not there needs no removing"
                self.steps.append(Step(Action.UNTAG, step.place, now, tag, now))
            elif old in self._lost:
                self.warnings.append(f"It is too late for {step.place}:{tag}: {old.short} can't be restored.")
            else:
                made = self._numbers.get((step.place, old))
                needs = () if made is None else (made,)
                everything = tuple(self._numbers.values()) if tag.startswith("sha256-") else needs
                self.steps.append(Step(Action.TAG, step.place, old, tag, now, needs=everything))

    def drop_placeholders(self) -> None:
        """Throw-away manifests that a killed run left behind go once their tag is back."""
        for number, placeholder in self._record.placeholders.items():
            step = self._record.plan.steps[number]
            if step.tag is not None and self._now.get((step.place, step.tag)) == placeholder:
                needs = tuple(n for n, s in enumerate(self.steps) if s.action is Action.TAG and s.tag == step.tag)
                self.steps.append(Step(Action.DELETE, step.place, placeholder, needs=needs, why="placeholder"))

    def _saved_places(self) -> list[tuple[Place, str]]:
        return [(place, digest) for place, digest in self._record.plan.saves if digest in self._record.manifests]

    async def _look_at(self, place: Place, locator: str) -> None:
        registry = await self._open(place.host)
        async with self._slots:
            try:
                head = await steadily(partial(registry.head_manifest, place.repository, locator))
                found = head.digest or (await registry.manifest(place.repository, locator)).digest
            except NotFound:
                found = None
        self._now[place, locator] = found

    async def _look_what_is_kept(self, places: Iterable[Place]) -> None:
        for place in dict.fromkeys(places):
            self._kept[place] = await kept_by(await self._open(place.host), place.repository)

    async def _is_gone(self, place: Place, blob: Descriptor) -> bool:
        if is_foreign(blob.media_type) or blob.size == 0:
            return False
        registry = await self._open(place.host)
        async with self._slots:
            try:
                return len(await steadily(partial(registry.blob_range, place.repository, blob, 0, 1))) != 1
            except NotFound:
                return True

    def _note_lost(self, place: Place, manifest: ImageManifest | Index, lost: set[tuple[Place, Digest]]) -> None:
        parts = manifest.manifests if isinstance(manifest, Index) else (manifest.config, *manifest.layers)
        for part in parts:
            if (place, part.digest) in lost or part.digest in self._lost:
                self._lost[manifest.digest] = part.digest
                return


def _tags(step: Step) -> tuple[str, ...]:
    return (*step.takes, *((step.tag,) if step.tag is not None else ()))
