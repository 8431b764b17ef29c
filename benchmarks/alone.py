"""What is measured in a process of its own whose memory counts: imports only what regtui itself would."""

from __future__ import annotations

import asyncio
from time import perf_counter

from benchmarks.clients import REPOSITORY, registry
from benchmarks.memory import give_back, peak_resident, reset_peak
from regtui.oci import Descriptor, Digest


async def download(host: str, digest: str, size: int) -> float:
    """Read a whole blob, verified; its seconds."""
    blob = Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", Digest.parse(digest), size)
    async with registry(host) as opened:
        started, got = perf_counter(), 0
        async for chunk in opened.blob(REPOSITORY, blob):
            got += len(chunk)
        assert got == size
        return perf_counter() - started


def download_alone(host: str, digest: str, size: int) -> int:
    """In a process of its own: the most memory that it held."""
    asyncio.run(download(host, digest, size))
    return peak_resident()


def image_alone(host: str) -> dict[str, int]:
    """In a process of its own: an image read from a registry; bytes before, held by its tree, and at most."""
    return asyncio.run(_image_alone(host))


async def _image_alone(host: str) -> dict[str, int]:
    from benchmarks.listing_layers import read_image

    async with registry(host) as opened:
        # The smallest layer first, so that the tree is measured without the modules that read it.
        await read_image(opened, only=-1)
        before = give_back()
        contents = await read_image(opened)
        peak = peak_resident()
        tree = contents.tree
        listed = [index for index in tree.layers if index is not None]
        for index in listed:
            if index.checkpoints is not None:
                index.checkpoints.drop()
        kept = give_back()
    entries = sum(index.entries for index in listed)
    return {"before": before, "peak": peak, "kept": kept, "nodes": len(tree), "entries": entries}


def squash_alone(layout: str, rounds: int) -> dict[str, float]:
    """In a process of its own: the layers of a layout stacked, viewed and searched for waste."""
    from pathlib import Path
    from statistics import median

    from benchmarks.layers import opened
    from benchmarks.listing_layers import index as indexed
    from regtui.contents.merge import stack
    from regtui.contents.view import View
    from regtui.contents.waste import waste_of

    indexes = [indexed(layer, checkpoints=False) for layer in opened(Path(layout)).layers]
    took = []
    before = give_back()
    reset_peak()
    for _ in range(rounds):
        started = perf_counter()
        tree = stack(indexes)
        View(tree)
        waste_of(tree)
        took.append(perf_counter() - started)
    more = peak_resident() - before
    return {
        "seconds": median(took),
        "more": more,
        "nodes": len(tree),
        "entries": sum(index.entries for index in indexes),
    }
