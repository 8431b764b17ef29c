"""The steps that remove: a tag alone, by whichever way the registry has, and a manifest. Compare, act, read back."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from regtui.oci import Descriptor, Digest, RegtuiError, parse_manifest
from regtui.oci import media_types as types
from regtui.operations.graph import PLACEHOLDER
from regtui.operations.record import StepResult
from regtui.registries.contract import Capability
from regtui.transport.errors import NotFound, Unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from regtui.oci import ImageManifest, Index
    from regtui.operations.plan import Step
    from regtui.operations.work import Work


async def untag(work: Work, number: int, step: Step) -> StepResult:
    """Remove a tag and nothing else, and look what the registry says then."""
    tag = _tag_of(step)
    now = await work.digest_at(step.place, tag)
    placeholder = work.placeholders.get(number)
    if now is None:
        return _gone_already(work, number, f"{tag} is gone")
    if now == placeholder:
        async with work.lock(("tags", step.place)):
            return await _drop_placeholder(work, step, placeholder)
    if now != step.before:
        return StepResult("skipped", f"{tag} points to {now.short} since the plan was made")
    registry = await work.registry(step.place.host)
    if (await registry.capabilities())[Capability.DELETE_TAG].available is not False:
        try:
            await registry.delete_tag(step.place.repository, tag)
        except Unsupported:
            return await _swap(work, number, step)
        except NotFound:
            return StepResult("skipped", f"{tag} was removed by someone else", holds=True)
        except RegtuiError as error:
            if await work.digest_at(step.place, tag) is not None:
                return StepResult("failed", str(error))
        return await _read_back(work, step)
    return await _swap(work, number, step)


async def delete(work: Work, number: int, step: Step) -> StepResult:
    """Remove a manifest with the tags that the plan names, unless something needs it that did not then."""
    if await work.digest_at(step.place, step.digest) is None:
        if number in work.started:
            await _take_off_list(work, step)
        elif _goes_along(work, step):
            return StepResult("done", f"{step.digest.short} went with what it refers to")
        return _gone_already(work, number, f"{step.digest.short} is gone")
    newly = await _newly_needed(work, step)
    if newly is not None:
        return StepResult("skipped", f"since the plan was made, {newly}")
    try:
        await _delete_manifest(work, step)
    except NotFound:
        return StepResult("skipped", "it was removed by someone else", holds=True)
    except RegtuiError as error:
        if await work.digest_at(step.place, step.digest) is not None:
            return StepResult("failed", str(error))
    await _take_off_list(work, step)
    return await _read_back_deleted(work, step)


async def _delete_manifest(work: Work, step: Step) -> None:
    """Delete a manifest with its tags; one after the other where the registry looks for the tags itself.

    distribution looks through all tags for those of the manifest and stops at the first that another request is just
    changing: the manifest is gone then, and its tag stays in the list and leads nowhere.
    """
    registry = await work.registry(step.place.host)
    if (await registry.capabilities())[Capability.DELETE_TAG].available:
        await registry.delete_manifest(step.place.repository, step.digest)
        return
    async with work.lock(("tags", step.place)):
        await registry.delete_manifest(step.place.repository, step.digest)


def _goes_along(work: Work, step: Step) -> bool:
    """Whether this run deletes what the manifest refers to: some registries then remove its referrers themselves."""
    manifest = work.manifests.get(step.digest)
    return manifest is not None and manifest.subject is not None and manifest.subject.digest in work.doomed


async def _newly_needed(work: Work, step: Step) -> str | None:
    """Why the manifest must stay now, None when it may go."""
    graph = await work.sweep(step.place)
    if not graph.complete:
        return f"the repository could not be read: {graph.problems[0]}"
    for tag in graph.tags_of(step.digest):
        if tag not in step.takes:
            return f"the tag {tag} was put on it"
    for parent in graph.parents(step.digest):
        if parent not in work.doomed:
            return f"the index {parent.short} holds it"
    for node in graph.nodes.values():
        if node.subject == step.digest and node.digest not in work.doomed:
            return f"{node.digest.short} refers to it"
    for referrer in await work.referrers(step.place, step.digest):
        if referrer.digest not in work.doomed:
            return f"{referrer.digest.short} was attached to it"
    return None


async def _take_off_list(work: Work, step: Step) -> None:
    """A deleted referrer is taken off its subject's list, where clients keep that list and the subject stays."""
    manifest = work.manifests.get(step.digest)
    if manifest is None or manifest.subject is None or manifest.subject.digest in work.doomed:
        return
    registry = await work.registry(step.place.host)
    take_off = getattr(registry, "remove_from_referrers_tag", None)
    if take_off is None or (await registry.capabilities())[Capability.REFERRERS].available:
        return
    await take_off(step.place.repository, manifest.subject.digest, step.digest)


async def _read_back_deleted(work: Work, step: Step) -> StepResult:
    if await work.digest_at(step.place, step.digest) is not None:
        return StepResult("failed", "the registry took the request and still has the manifest")
    dangling = [tag for tag in step.takes if await _still_resolves(work, step, tag)]
    if dangling:
        return StepResult("failed", f"the manifest is gone, and {', '.join(dangling)} still point to it")
    return StepResult("done", f"{step.digest.short} is gone" + (f" with {', '.join(step.takes)}" if step.takes else ""))


async def _still_resolves(work: Work, step: Step, tag: str) -> bool:
    """Whether a tag points to a manifest that is gone; some registries want it removed by a call of its own."""
    if await work.digest_at(step.place, tag) != step.digest:
        return False
    registry = await work.registry(step.place.host)
    try:
        await registry.delete_tag(step.place.repository, tag)
    except RegtuiError:
        return True
    return await work.digest_at(step.place, tag) == step.digest


async def _swap(work: Work, number: int, step: Step) -> StepResult:
    """Give the tag to a manifest that exists nowhere else, and delete that one: distribution 2.8 has no other way.

    One at a time in a repository, for the reason at `_delete_manifest`.
    """
    async with work.lock(("tags", step.place)):
        return await _swap_alone(work, number, step)


async def _swap_alone(work: Work, number: int, step: Step) -> StepResult:
    tag, repository = _tag_of(step), step.place.repository
    proven = await work.can_delete(step.place)
    if proven is None or not proven.available:
        reason = proven.reason if proven is not None else "it can't delete a tag alone"
        return StepResult("failed", f"{tag} stays: {reason}")
    registry = await work.registry(step.place.host)
    manifest, config = _placeholder()
    work.placeholders[number] = manifest.digest
    await work.write({"kind": "placeholder", "step": number, "digest": manifest.digest})
    descriptor = Descriptor(types.OCI_CONFIG, Digest.of(config), len(config))
    try:
        await registry.put_blob(repository, descriptor, _once(config))
        if await work.digest_at(step.place, tag) != step.before:
            return StepResult("skipped", f"{tag} was changed by someone else meanwhile")
        await registry.put_manifest(repository, tag, manifest)
    except RegtuiError as error:
        if await work.digest_at(step.place, tag) != manifest.digest:
            return StepResult("failed", str(error))
    return await _drop_placeholder(work, step, manifest.digest)


async def _drop_placeholder(work: Work, step: Step, placeholder: Digest) -> StepResult:
    """Delete the throw-away manifest, its tag with it. When that fails the tag gets its own manifest back."""
    registry = await work.registry(step.place.host)
    tag = _tag_of(step)
    try:
        await registry.delete_manifest(step.place.repository, placeholder)
    except NotFound:
        pass
    except RegtuiError as error:
        if await work.digest_at(step.place, tag) == placeholder:
            await registry.put_manifest(step.place.repository, tag, await work.manifest(step.place, step.digest))
            return StepResult("failed", f"{error} {tag} is as it was.")
    return await _read_back(work, step)


async def _read_back(work: Work, step: Step) -> StepResult:
    tag = _tag_of(step)
    now = await work.digest_at(step.place, tag)
    if now == step.before:
        return StepResult("failed", f"the registry took the request and {tag} still resolves")
    if now is not None:
        return StepResult("done", f"{tag} was removed, and someone else put it on {now.short} since")
    if await work.digest_at(step.place, step.digest) is None:
        return StepResult("done", f"{tag} is gone, and the registry removed {step.digest.short} with it")
    return StepResult("done", f"{tag} is gone, {step.digest.short} is still there")


def _gone_already(work: Work, number: int, text: str) -> StepResult:
    if number in work.started:
        return StepResult("done", text)
    return StepResult("skipped", f"{text} already", holds=True)


def _tag_of(step: Step) -> str:
    assert step.tag is not None, "this step was made for a tag"
    return step.tag


def _placeholder() -> tuple[ImageManifest | Index, bytes]:
    """A manifest and its config that no one else has."""
    mark = secrets.token_hex(16)
    config = json.dumps(
        {"architecture": "unknown", "os": "unknown", "config": {"Labels": {PLACEHOLDER: mark}}}, separators=(",", ":")
    ).encode()
    body = {
        "schemaVersion": 2,
        "mediaType": types.OCI_MANIFEST,
        "config": Descriptor(types.OCI_CONFIG, Digest.of(config), len(config)).to_json(),
        "layers": [],
        "annotations": {PLACEHOLDER: mark},
    }
    return parse_manifest(json.dumps(body, separators=(",", ":")).encode(), types.OCI_MANIFEST), config


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content
