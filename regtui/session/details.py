"""What a tag listing did not tell: digest, size, platforms, creation, filled by one bounded fan-out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from regtui.oci import Index, Reference, RegtuiError
from regtui.registries.contract import closing
from regtui.session.fan_out import fan_out
from regtui.session.images import choose, read_config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from datetime import datetime

    from regtui.oci import Descriptor, ImageManifest, Platform
    from regtui.registries.contract import TagSummary
    from regtui.session.reader import Reader

AT_ONCE = 16
"""Requests under way for one fan-out; what performance.md B found best for a registry on the same host."""


@dataclass(frozen=True, slots=True)
class TagDetail:
    """A tag with what could be found out, or the error that its row shows."""

    tag: TagSummary
    error: RegtuiError | None = None


async def tag_details(
    reader: Reader, host: str, path: str, tags: Iterable[TagSummary], *, at_once: int = AT_ONCE
) -> AsyncIterator[TagDetail]:
    """Details of each tag as they arrive, in no order. One bad tag is its own error and ends nothing."""
    async with closing(fan_out(tags, partial(_one, reader, host, path), at_once)) as details:
        async for detail in details:
            yield detail


def is_complete(tag: TagSummary) -> bool:
    """Whether the listing told all that a row shows: such a tag costs no request more."""
    is_dated = tag.created is not None or tag.pushed is not None
    return is_dated and tag.digest is not None and tag.size is not None and tag.platforms is not None


async def _one(reader: Reader, host: str, path: str, tag: TagSummary) -> TagDetail:
    if is_complete(tag):
        return TagDetail(tag)
    reference = Reference.at(host, path, tag.name)
    if tag.digest is not None:
        reference = reference.pinned(tag.digest)
    try:
        top = await reader.manifest(reference)
        size, platforms, created = await _measure(reader, reference, top)
    except RegtuiError as error:
        return TagDetail(tag, error)
    return TagDetail(
        replace(
            tag,
            digest=top.digest,
            media_type=top.media_type,
            size=size if tag.size is None else tag.size,
            platforms=platforms if tag.platforms is None else tag.platforms,
            created=created if tag.created is None else tag.created,
        )
    )


async def _measure(
    reader: Reader, reference: Reference, top: ImageManifest | Index
) -> tuple[int | None, tuple[Platform, ...] | None, datetime | None]:
    if not isinstance(top, Index):
        config = await read_config(reader, reference, top)
        own: tuple[Platform, ...] | None = None if config is None or config.platform is None else (config.platform,)
        return top.content_size, own, config.created if config is not None else None
    children = await asyncio.gather(*(_child(reader, reference, entry) for entry in top.platforms))
    platforms = tuple(entry.platform for entry in top.platforms if entry.platform is not None)
    shown = choose(top, None)
    chosen = next((c for e, c in zip(top.platforms, children, strict=True) if e is shown and c is not None), None)
    config = await read_config(reader, reference, chosen) if chosen is not None else None
    return total_size(children), platforms, config.created if config is not None else None


async def _child(reader: Reader, reference: Reference, entry: Descriptor) -> ImageManifest | None:
    try:
        child = await reader.manifest(reference.with_digest(entry.digest))
    except RegtuiError:
        # A dangling index: the platform is listed, its size is not known.
        return None
    return None if isinstance(child, Index) else child


def total_size(manifests: Iterable[ImageManifest | None]) -> int | None:
    """Bytes of all distinct blobs of these manifests; None when one of them could not be read."""
    blobs: dict[str, int] = {}
    for manifest in manifests:
        if manifest is None:
            return None
        blobs.update({d.digest: d.size for d in (manifest.config, *manifest.layers)})
    return sum(blobs.values())
