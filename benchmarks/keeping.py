"""G: what is kept on disk: manifests by digest, and the index of a layer against indexing it again."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import tarfile
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measure import Outcome, interleaved, timed
from regtui.oci import Descriptor, Digest
from regtui.storage.cache import Cache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.measure import Scale
    from regtui.contents.layer_index import LayerIndex

BLOB = 4_700
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def g1_blobs(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """10,000 configs of 4.7 KB put and got back, verified."""
    contents = [str(number).encode().ljust(BLOB, b".") for number in range(scale.of(10_000, 100))]
    digests = [f"sha256:{hashlib.sha256(content).hexdigest()}" for content in contents]
    cache = Cache(scratch / "blobs")
    puts = [_took(cache.put, digest, content) for digest, content in zip(digests, contents, strict=True)]
    gets = [_took(cache.get, digest) for digest in digests]
    assert cache.get(digests[0]) == contents[0]
    cache.close()
    detail = f"put {median(puts) * 1e6:.0f} us"
    yield Outcome("G1", "getting a cached manifest, median", median(gets) * 1e6, 30, "us", detail=detail)


def g1_index(scale: Scale, scratch: Path) -> Iterator[Outcome]:
    """A layer of 104,000 small files: reopening its index against indexing it from disk."""
    count = scale.of(104_000, 2_000)
    layer = scratch / "layer.tar.gz"
    descriptor = many_small_files(layer, count)
    cache = Cache(scratch / "indexes")
    stored = _index(layer, descriptor).to_bytes()
    cache.put_derived("bench-index", descriptor.digest, stored)
    again, anew = interleaved(
        min(scale.rounds, 3), timed(lambda: _reopen(cache, descriptor)), timed(lambda: _index(layer, descriptor))
    )
    cache.close()
    detail = f"{again * 1e3:.1f} ms / {anew * 1e3:.0f} ms for {count:,} entries"
    yield Outcome("G1", "reopening an indexed layer / indexing it", again / anew, 0.05, detail=detail)
    yield Outcome("G1", "index on disk per entry", len(stored) / count, 10, "bytes")


def many_small_files(path: Path, count: int) -> Descriptor:
    """A gzip layer as package managers make them: many folders, names that repeat, 3.8 KB of source text each."""
    source = random.Random(7)
    words = [f"{source.choice('abcdefgh')}{source.randrange(3000):x}" for _ in range(60_000)]
    text = " = require('./lib');\n".join(words).encode()
    with gzip.open(path, "wb", compresslevel=1) as file, tarfile.open(fileobj=file, mode="w|") as archive:
        for number in range(count):
            member = tarfile.TarInfo(f"node_modules/package-{number // 40}/lib/{number % 40:02}-{number:x}.js")
            start, member.size = source.randrange(len(text) - 8_000), source.randrange(100, 7_500)
            member.mtime = 1_760_000_000 + number // 40
            archive.addfile(member, io.BytesIO(text[start : start + member.size]))
    raw = path.read_bytes()
    return Descriptor(LAYER, Digest.parse(f"sha256:{hashlib.sha256(raw).hexdigest()}"), len(raw))


def _index(layer: Path, descriptor: Descriptor) -> LayerIndex:
    from regtui.contents.stream import index_layer

    with layer.open("rb") as stream:
        return index_layer(stream, descriptor)


def _reopen(cache: Cache, descriptor: Descriptor) -> LayerIndex:
    from regtui.contents.layer_index import LayerIndex

    stored = cache.get_derived("bench-index", descriptor.digest)
    assert stored is not None
    return LayerIndex.from_bytes(stored)


def _took(task: object, *arguments: object) -> float:
    assert callable(task)
    started = perf_counter()
    task(*arguments)
    return perf_counter() - started
