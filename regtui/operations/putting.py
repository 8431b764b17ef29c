"""The steps that put: a tag, a manifest that was deleted, a copy with its blobs. Compare, act, read back."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from regtui.oci import DigestMismatch, ImageManifest, Index, RegtuiError, SizeMismatch
from regtui.oci.media_types import is_foreign
from regtui.oci.tags import subject_of
from regtui.operations.errors import Cancelled
from regtui.operations.record import StepResult
from regtui.operations.steadily import steadily
from regtui.operations.work import BlobProgress
from regtui.registries.contract import closing
from regtui.transport.errors import NotFound, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.oci import Descriptor, Digest
    from regtui.operations.plan import Place, Step
    from regtui.operations.work import Work


async def put_tag(work: Work, number: int, step: Step) -> StepResult:
    """Point a tag to a manifest of its own repository, when it still is where the plan saw it."""
    async with work.putting(step):
        return await _put_tag(work, number, step)


async def restore(work: Work, number: int, step: Step) -> StepResult:
    """Put back the bytes of a deleted manifest, and believe it only when it and its blobs can be read."""
    async with work.putting(step):
        return await _restore(work, step)


async def copy(work: Work, number: int, step: Step) -> StepResult:
    """Copy a manifest with its blobs from another repository or registry; what is there is not sent again."""
    async with work.putting(step):
        return await _copy(work, step)


async def _put_tag(work: Work, number: int, step: Step) -> StepResult:
    assert step.tag is not None, "this step was made for a tag"
    now = await work.digest_at(step.place, step.tag)
    if now == step.digest:
        return _there_already(work, number, f"{step.tag} points to {step.digest.short}")
    manifest = await work.manifest(step.place, step.digest)
    if now != step.before and not await _is_part_of(work, step, now, manifest):
        found = f"points to {now.short}" if now is not None else "is gone"
        return StepResult("skipped", f"{step.tag} {found} since the plan was made")
    try:
        await _put(work, step.place, step.tag, manifest)
    except RegtuiError as error:
        if await work.digest_at(step.place, step.tag) != step.digest:
            return StepResult("failed", str(error))
    return await _read_back(work, step.place, step.tag, manifest)


async def _put(work: Work, place: Place, locator: str, manifest: ImageManifest | Index) -> None:
    registry = await work.registry(place.host)
    await steadily(lambda: registry.put_manifest(place.repository, locator, manifest))


async def _restore(work: Work, step: Step) -> StepResult:
    manifest = work.manifests.get(step.digest)
    if manifest is None:
        return StepResult("failed", "the journal does not hold its bytes")
    if await work.digest_at(step.place, step.digest) is None and not await _restored_there(work, step):
        try:
            await _put(work, step.place, step.digest, manifest)
        except RegtuiError as error:
            if await work.digest_at(step.place, step.digest) is None:
                return StepResult("failed", f"It is too late, or the registry refuses: {error}")
    missing = await missing_blobs(work, step.place, manifest)
    if missing:
        return StepResult("failed", f"It is too late: the registry no longer has {missing[0].short}.")
    return await _read_back(work, step.place, step.digest, manifest)


async def _restored_there(work: Work, step: Step) -> bool:
    """Whether the registry put it back from what it keeps itself, with its blobs; otherwise its bytes are put."""
    kept = (await work.kept(step.place)).get(step.digest)
    if kept is None:
        return False
    registry = await work.registry(step.place.host)
    try:
        await registry.restore(step.place.repository, kept)
    except RegtuiError:
        return False
    return await work.digest_at(step.place, step.digest) is not None


async def missing_blobs(work: Work, place: Place, manifest: ImageManifest | Index) -> list[Digest]:
    """The blobs of a manifest of which not one byte can be read."""
    if not isinstance(manifest, ImageManifest):
        return []
    registry = await work.registry(place.host)
    missing = []
    for blob in (manifest.config, *manifest.layers):
        if is_foreign(blob.media_type) or blob.size == 0:
            continue
        async with work.blob_slots:
            try:
                found = await steadily(partial(registry.blob_range, place.repository, blob, 0, 1))
            except RegtuiError:
                found = b""
        if len(found) != 1:
            missing.append(blob.digest)
    return missing


async def _copy(work: Work, step: Step) -> StepResult:
    assert step.source is not None, "a copy has a source"
    locator = step.tag or step.digest
    now = await work.digest_at(step.place, locator)
    if now == step.digest:
        return StepResult("done", f"{step.reference} is there already")
    if step.tag is not None and now != step.before:
        found = f"points to {now.short}" if now is not None else "is gone"
        return StepResult("skipped", f"{step.tag} {found} since the plan was made")
    made = {m.digest: m for m in work.plan.made if isinstance(m, ImageManifest | Index)}
    manifest = made.get(step.digest) or await work.manifest(step.source, step.digest)
    problem = await _copy_blobs(work, step.source, step.place, manifest)
    if problem is not None:
        return StepResult("failed", str(problem))
    if step.tag is not None and await work.digest_at(step.place, step.tag) != step.before:
        return StepResult("skipped", f"{step.tag} was changed by someone else meanwhile")
    try:
        await _put(work, step.place, locator, manifest)
    except RegtuiError as error:
        return StepResult("failed", str(error))
    return await _read_back(work, step.place, locator, manifest)


async def _copy_blobs(work: Work, source: Place, target: Place, manifest: ImageManifest | Index) -> RegtuiError | None:
    """Config and layers; the first error ends the others."""
    if not isinstance(manifest, ImageManifest):
        return None
    problem: RegtuiError | None = None
    try:
        async with asyncio.TaskGroup() as group:
            for blob in {d.digest: d for d in (manifest.config, *manifest.layers)}.values():
                group.create_task(_copy_blob(work, source, target, blob))
    except* RegtuiError as errors:
        problem = _first(errors)
    return problem


async def _copy_blob(work: Work, source: Place, target: Place, blob: Descriptor) -> None:
    """One blob, once at a time per digest: layers are shared by the platforms of an index."""
    async with work.lock(("blob", target, blob.digest)), work.blob_slots:
        there, origin = await work.registry(target.host), await work.registry(source.host)
        if await there.has_blob(target.repository, blob):
            work.traffic.skipped += 1
            work.tell(BlobProgress(blob.digest, blob.size, blob.size, "there"))
            return
        if is_foreign(blob.media_type) and not await origin.has_blob(source.repository, blob):
            return  # such layers may lie outside; the manifest names where
        if source.host == target.host and await _mounted(work, source, target, blob):
            return

        copied = begun = 0

        async def counted(offset: int) -> AsyncIterator[bytes]:
            nonlocal copied, begun
            copied = begun = offset
            async with closing(origin.blob(source.repository, blob, offset=offset)) as chunks:
                async for chunk in chunks:
                    if work.stopping():
                        raise Cancelled(f"{blob.digest.short} was broken off.", hint="Run it again to go on.")
                    yield chunk
                    copied += len(chunk)
                    work.traffic.bytes += len(chunk)
                    work.tell(BlobProgress(blob.digest, blob.size, copied, "copying"))

        try:
            await there.receive_blob(target.repository, blob, counted)
        except (DigestMismatch, SizeMismatch):
            # What an earlier try had left was wrong, and is thrown away by now; without such it is the source's fault.
            if not begun:
                raise
            await there.receive_blob(target.repository, blob, counted)
        work.traffic.uploaded += 1
        work.tell(BlobProgress(blob.digest, blob.size, blob.size, "done"))


async def _mounted(work: Work, source: Place, target: Place, blob: Descriptor) -> bool:
    registry = await work.registry(target.host)
    try:
        mounted = await registry.mount_blob(target.repository, blob.digest, source.repository)
    except (Unsupported, NotFound):
        return False
    if mounted:
        work.traffic.mounted += 1
        work.tell(BlobProgress(blob.digest, blob.size, blob.size, "mounted"))
    return mounted


async def _read_back(work: Work, place: Place, locator: str, manifest: ImageManifest | Index) -> StepResult:
    """By GET: distribution answers 201 to some manifests that it can't give afterwards."""
    registry = await work.registry(place.host)
    try:
        found = await steadily(lambda: registry.manifest(place.repository, locator))
    except NotFound:
        return StepResult("failed", f"the registry took it and does not have {locator} afterwards")
    if found.digest != manifest.digest:
        return StepResult("skipped", f"{locator} was put, and someone else changed it to {found.digest.short} since")
    return StepResult("done", f"{locator} is {manifest.digest.short}" if ":" not in locator else "it is there")


async def _is_part_of(work: Work, step: Step, now: Digest | None, manifest: ImageManifest | Index) -> bool:
    """Whether a list of referrers grew by nothing but what is put back: restoring a referrer enters it there."""
    if now is None or step.tag is None or subject_of(step.tag) is None or not isinstance(manifest, Index):
        return False
    listed = await work.manifest(step.place, now)
    return isinstance(listed, Index) and {d.digest for d in listed.manifests} <= {d.digest for d in manifest.manifests}


def _there_already(work: Work, number: int, text: str) -> StepResult:
    return StepResult("done", text if number in work.started else f"{text} already")


def _first(errors: BaseExceptionGroup[RegtuiError]) -> RegtuiError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, RegtuiError)
    return found
