"""D: the files of layers and images, against tar over the same bytes, `curl | tar`, skopeo and the bare line."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import contextmanager
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final

from benchmarks import layers
from benchmarks.alone import image_alone, squash_alone
from benchmarks.clients import REPOSITORY, registry
from benchmarks.measure import MB, Outcome, in_child, interleaved, percentile, process, timed, watched_loop
from benchmarks.servers import distribution, need, slow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.layers import Sample
    from benchmarks.measure import Lag, Scale
    from regtui.contents.layer_index import LayerIndex
    from regtui.contents.stream import Progress
    from regtui.session.contents import ImageContents
    from tests.corpus.opening import Layer

LINE: Final = 50 * MB
ENTRIES: Final = 210_000
"""What the goals of memory and of stacking are about; the image has more, and is measured in proportion."""


def d1(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """One gzip layer from disk, against `tar tzf`."""
    image = layers.sample(scale, scratch)
    for layer, what, limit in (
        (image.many_files, "a layer of many small files", 0.5),
        (image.ordinary, "an ordinary layer", 0.4),
    ):
        own, tar = interleaved(scale.rounds, timed(lambda: index(layer)), lambda: _tar(layer, "z"))  # noqa: B023
        detail = f"{own:.3f} s / {tar:.3f} s for {layer.descriptor.size / MB:,.0f} MB"
        yield Outcome("D1", f"{what} / tar tzf", own / tar, limit, detail=detail)
    with _standard_zlib():
        own, tar = interleaved(scale.rounds, timed(lambda: index(layer)), lambda: _tar(layer, "z"))
    detail = f"{own:.3f} s / {tar:.3f} s"
    yield Outcome("D1", "the same without zlib-ng / tar tzf", own / tar, 0.65, detail=detail)


def d2_d5(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """The whole image from a registry, verified; the event loop's lag meanwhile; memory of a process of its own."""
    image = layers.sample(scale, scratch)
    layers.in_registry(scratch / "storage", image)
    with distribution(scratch, scratch / "storage") as host:
        lags: list[Lag] = []
        own, bare, tar, skopeo = interleaved(
            min(scale.rounds, 3),
            timed(lambda: lags.append(asyncio.run(_watched(host)))),
            timed(lambda: asyncio.run(_watched(host, diff_ids=False))),
            lambda: _curl_tar(host, image),
            lambda: _skopeo(host, scratch / "copied"),
        )
        alone = [in_child(image_alone, host=host) for _ in range(scale.rounds)]
    # How two threads take turns decides what the C library keeps: the median of a few processes.
    told = {name: median(one[name] for one in alone) for name in alone[0]}
    much = f"{image.size / MB:,.0f} MB, {told['entries']:,} entries"
    yield Outcome("D2", "the image / curl | tar tz", own / tar, 0.3, detail=f"{own:.2f} s / {tar:.2f} s for {much}")
    yield Outcome("D2", "the image / skopeo copy to a folder", own / skopeo, 1.1, detail=f"{own:.2f} / {skopeo:.2f} s")
    # Neither peer hashes what it unpacks; skopeo does not even unpack.
    yield Outcome(
        "D2", "the same without diff IDs / curl | tar tz", bare / tar, 0.3, detail=f"{bare:.2f} / {tar:.2f} s"
    )
    yield Outcome(
        "D2", "the same without diff IDs / skopeo copy", bare / skopeo, 1.1, detail=f"{bare:.2f} / {skopeo:.2f} s"
    )
    more = (told["peak"] - told["before"]) * _share(scale, told["entries"])
    detail = f"{told['peak'] / MB:.0f} MB for {told['entries']:,} entries, {told['before'] / MB:.0f} MB before"
    what = "memory of the whole process at most, 210,000 entries"
    yield Outcome("D3", what, (told["before"] + more) / MB, 120, "MB", detail=detail)
    held = (told["kept"] - told["before"]) / told["nodes"] * 100_000 / MB
    yield Outcome("D3", "memory per 100,000 entries of tree", held, 12, "MB")
    late = [turn for lag in lags[1:] for turn in lag.late]
    yield Outcome("D5", "the event loop is late, p99", percentile(late, 0.99) * 1e3, 16, "ms")
    yield Outcome("D5", "the event loop is late at most", max(late) * 1e3, 50, "ms")


def d4(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """One layer over a line of 50 MB/s, and how soon its first entries are there."""
    image = layers.sample(scale, scratch)
    layer = image.ordinary
    layers.as_static_files(scratch / "files", image)
    first: list[float] = []
    with slow(scratch / "files", rate=LINE) as host:
        path = f"http://{host}/v2/{REPOSITORY}/blobs/{layer.descriptor.digest}"
        own, curl = interleaved(
            min(scale.rounds, 3),
            lambda: asyncio.run(_over_the_line(host, layer, first)),
            lambda: process([need("curl"), "-sfo", "/dev/null", path]),
        )
    detail = f"{own:.3f} s / {curl:.3f} s for {layer.descriptor.size / MB:,.0f} MB"
    yield Outcome("D4", "a layer over 50 MB/s / curl", own / curl, 1.06, detail=detail)
    yield Outcome("D4", "first entries after the first byte", median(first) * 1e3, 150, "ms")


def d6(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """A zstd layer from disk, against `tar --zstd`."""
    layer = layers.as_zstd(layers.sample(scale, scratch).ordinary, scratch)
    own, tar = interleaved(scale.rounds, timed(lambda: index(layer)), lambda: _tar(layer, "--zstd"))
    yield Outcome("D6", "a zstd layer / tar --zstd -t", own / tar, 1.3, detail=f"{own:.3f} s / {tar:.3f} s")


def d7(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """An eStargz layer: how much of it is asked for, over a fetch that counts."""
    from regtui.contents.lazy import toc_index

    layer = layers.as_estargz(layers.sample(scale, scratch).many_files, scratch)
    asked: list[int] = []

    def fetch(start: int, end: int) -> bytes:
        asked.append(end - start)
        with layer.path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    started = perf_counter()
    found = toc_index(layer.descriptor, fetch)
    took = perf_counter() - started
    assert found is not None
    assert found.verified
    share = sum(asked) / layer.descriptor.size
    detail = f"{found.entries:,} entries in {took:.2f} s; {sum(asked) / MB:.1f} of {layer.descriptor.size / MB:.0f} MB"
    yield Outcome("D7", "share of an eStargz layer that is read", 100 * share, 10, "%", detail=detail)
    yield Outcome("D7", "requests beside the manifest's", len(asked), 2, "requests")


def d8(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """The layers stacked, viewed and searched for waste, in a process of its own."""
    image = layers.sample(scale, scratch)
    told = in_child(squash_alone, layout=str(image.layout), rounds=min(scale.rounds, 5))
    share = _share(scale, told["entries"])
    detail = f"{told['seconds']:.2f} s and {told['more'] / MB:.0f} MB for {told['entries']:,} entries"
    yield Outcome("D8", "squashed view and waste of 210,000 entries", told["seconds"] * share, 0.35, "s", detail=detail)
    yield Outcome("D8", "memory more for 210,000 entries", told["more"] / MB * share, 40, "MB")


def _share(scale: Scale, entries: int) -> float:
    return 1 if scale.smoke else ENTRIES / entries


def index(layer: Layer, **options: bool) -> LayerIndex:
    """A layer from disk, as a worker thread reads it."""
    from regtui.contents.stream import IndexOptions, index_layer

    with layer.path.open("rb") as stream:
        found = index_layer(stream, layer.descriptor, options=IndexOptions(**options))
    assert found.damage is None
    return found


@contextmanager
def _standard_zlib() -> Iterator[None]:
    """As if zlib-ng were not installed."""
    import zlib

    from regtui.contents import inflate

    before = inflate.engine
    inflate.engine = zlib
    try:
        yield
    finally:
        inflate.engine = before


def _tar(layer: Layer, how: str) -> float:
    option = how if how.startswith("-") else f"-{how}"
    return process([need("tar"), option, "-t", "-f", str(layer.path)])


def _curl_tar(host: str, image: Sample) -> float:
    pipes = "; ".join(
        f"{need('curl')} -sf http://{host}/v2/{REPOSITORY}/blobs/{layer.descriptor.digest} | {need('tar')} tz"
        for layer in image.layers
    )
    return process(["sh", "-c", f"set -e; {pipes}"])


def _skopeo(host: str, folder: Path) -> float:
    shutil.rmtree(folder, ignore_errors=True)
    source = f"docker://{host}/{REPOSITORY}:{layers.TAG}"
    return process([need("skopeo"), "copy", "-q", "--src-tls-verify=false", source, f"dir:{folder}"])


async def _watched(host: str, *, diff_ids: bool = True) -> Lag:
    async with registry(host) as opened, watched_loop() as lag:
        await read_image(opened, diff_ids=diff_ids)
    return lag


async def read_image(opened: object, *, diff_ids: bool = True, only: int | None = None) -> ImageContents:
    """The image through the session's own reader, from a registry that is open, without a cache.

    Without `diff_ids` only the compressed bytes are verified. `only` leaves all layers but one out.
    """
    from dataclasses import replace

    from benchmarks.clients import reader_of
    from regtui.oci import Reference
    from regtui.registries.distribution import DistributionRegistry
    from regtui.session.contents import ContentsReader
    from regtui.session.images import read_image as read
    from regtui.storage.cache import NullCache

    assert isinstance(opened, DistributionRegistry)

    async def give(host: str) -> DistributionRegistry:
        return opened

    reader = ContentsReader(give, NullCache())
    try:
        found = await read(reader_of(opened), Reference(opened.host, REPOSITORY, layers.TAG))
        found = found if diff_ids else replace(found, config=None)
        layers_of = found.manifest.layers if found.manifest is not None else ()
        left_out = {layer.digest for layer in layers_of if only is not None and layer is not layers_of[only]}
        contents = await reader.contents(found, leave_out=left_out)
    finally:
        reader.close()
    assert contents.problems == {}
    return contents


async def _over_the_line(host: str, layer: Layer, first: list[float]) -> float:
    from regtui.contents.stream import index_layer

    begun: list[float] = []

    def seen(step: Progress) -> None:
        if not begun[1:] and step.entries:
            begun.append(perf_counter())

    async with registry(host) as opened:
        await opened.prepare_blob(REPOSITORY)
        started = perf_counter()

        def work() -> None:
            with opened.open_blob(REPOSITORY, layer.descriptor) as stream:
                begun.append(perf_counter())
                index_layer(stream, layer.descriptor, None, seen)

        await asyncio.to_thread(work)
        took = perf_counter() - started
    first.append(begun[1] - begun[0])
    return took
