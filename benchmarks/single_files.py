"""E: one file out of a layer that is listed, against reading the layer again up to it."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING, Final

from benchmarks import layers
from benchmarks.clients import REPOSITORY, registry
from benchmarks.listing_layers import index
from benchmarks.measure import MB, Outcome, interleaved, process, timed
from benchmarks.servers import distribution, need

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Scale
    from regtui.contents.layer_index import LayerIndex
    from tests.corpus.opening import Layer

WANTED: Final = 10_000


def e1(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """10 KB from the middle of the ordinary layer, by Range from a registry."""
    image = layers.sample(scale, scratch)
    layer = image.ordinary
    listed = index(layer)
    row = middle_file(listed)
    asked: list[int] = []
    layers.in_registry(scratch / "storage", image)
    with distribution(scratch, scratch / "storage") as host:
        path = f"http://{host}/v2/{REPOSITORY}/blobs/{layer.descriptor.digest}"
        own, again, curl = interleaved(
            scale.rounds,
            lambda: asyncio.run(_read(host, layer, listed, row, asked)),
            lambda: asyncio.run(_read(host, layer, without_checkpoints(listed), row, [])),
            lambda: process([need("curl"), "-sfo", "/dev/null", path]),
        )
    requests, got = asked[0], asked[1]
    detail = f"{own * 1e3:.1f} ms / {again * 1e3:.0f} ms; curl of the whole layer {curl * 1e3:.0f} ms"
    yield Outcome("E1", "10 KB from the middle / reading up to it", own / again, 0.1, detail=detail)
    yield Outcome("E1", "bytes asked for", got / MB, 1.5, "MB", detail=f"of {layer.descriptor.size / MB:.0f} MB")
    yield Outcome("E1", "Range requests", requests, 1, "requests")
    kept, bare = interleaved(scale.rounds, timed(lambda: index(layer)), timed(lambda: index(layer, checkpoints=False)))
    yield Outcome("E1", "listing with checkpoints / without", kept / bare, 1.1, detail=f"{kept:.3f} s / {bare:.3f} s")


def middle_file(listed: LayerIndex) -> int:
    """A file of at least WANTED bytes, near the middle of the tar."""
    half = (listed.tar_size or 0) // 2
    files = (
        (abs((listed.data_offset(row) or 0) - half), row)
        for row in range(len(listed))
        if listed.data_offset(row) is not None and listed.columns.size[row] >= min(WANTED, 1000)
    )
    return min(files)[1]


def without_checkpoints(listed: LayerIndex) -> LayerIndex:
    """The same listing as it comes from the cache: reading begins where the layer does."""
    from regtui.contents.layer_index import LayerIndex

    return LayerIndex.from_bytes(listed.to_bytes())


async def _read(host: str, layer: Layer, listed: LayerIndex, row: int, asked: list[int]) -> float:
    from regtui.contents.read import read_file_async

    ranges: list[int] = []
    async with registry(host) as opened:

        async def fetch(start: int, end: int) -> bytes:
            ranges.append(end - start)
            return await opened.blob_range(REPOSITORY, layer.descriptor, start, end)

        started = perf_counter()
        found = await read_file_async(listed, row, fetch, most=WANTED)
        took = perf_counter() - started
    assert len(found.data) == min(WANTED, found.size)
    asked[:] = [len(ranges), sum(ranges)]
    return took
