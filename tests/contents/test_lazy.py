"""Tables of contents: the same listing with a fraction of the bytes, or silently none at all."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.contents.columns import Kind
from regtui.contents.cursor import TarCursor
from regtui.contents.inflate import zstd_module
from regtui.contents.layer_index import LayerIndex
from regtui.contents.lazy import ESTARGZ_DIGEST, may_have_toc, toc_index, toc_index_async
from regtui.contents.merge import stack
from regtui.contents.read import read_file
from regtui.contents.view import View
from regtui.oci import Descriptor, parse_manifest

from .conftest import archive, describe, indexed

if TYPE_CHECKING:
    from pathlib import Path

_TOC_DIGEST = "sha256:342c880e7084b9889aab04ab59dfa6bb0dd824d43b2009e65f2a231794867463"


class Blob:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.asked: list[tuple[int, int]] = []

    def fetch(self, start: int, end: int) -> bytes:
        self.asked.append((start, end))
        return self.raw[start:end]

    async def fetch_async(self, start: int, end: int) -> bytes:
        return self.fetch(start, end)


@pytest.fixture(scope="module")
def small(vectors: Path) -> bytes:
    return (vectors / "layers/small.tar").read_bytes()


@pytest.fixture(scope="module")
def estargz(vectors: Path) -> tuple[Descriptor, Blob]:
    raw = (vectors / "layers/estargz-small.tar.gz").read_bytes()
    return describe(raw, "application/vnd.oci.image.layer.v1.tar+gzip", **{ESTARGZ_DIGEST: _TOC_DIGEST}), Blob(raw)


@pytest.fixture(scope="module")
def chunked(vectors: Path) -> tuple[Descriptor, Blob]:
    layout = vectors / "layers/zstd-chunked-layout"
    digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    manifest = parse_manifest((layout / "blobs/sha256" / digest.partition(":")[2]).read_bytes())
    layer = manifest.layers[0]
    return layer, Blob((layout / "blobs/sha256" / layer.digest.encoded).read_bytes())


def attributes(index: LayerIndex) -> dict[str, tuple]:
    entries = map(index.entry, range(1, len(index)))
    return {e.path: (e.kind, e.size, e.mode, e.uid, e.gid, e.mtime, e.link, e.device) for e in entries}


@pytest.mark.parametrize("form", ["estargz", "chunked"])
def test_the_listing_and_every_file(form: str, small: bytes, request: pytest.FixtureRequest) -> None:
    descriptor, blob = request.getfixturevalue(form)
    blob.asked.clear()
    assert may_have_toc(descriptor)
    index = toc_index(descriptor, blob.fetch)
    assert index is not None
    assert index.verified
    assert index.entries == 17
    assert len(blob.asked) == (2 if form == "estargz" else 1)
    streamed = indexed(small)
    assert attributes(index) == attributes(streamed)
    again = LayerIndex.from_bytes(index.to_bytes())
    cursor = TarCursor(again, lambda offset: io.BytesIO(blob.raw[offset:]))
    for row in range(1, len(index)):
        if index.kind(row) == Kind.REGULAR:
            other = streamed.find(index.path(row)) or 0
            expected = read_file(streamed, other, Blob(small).fetch).data
            assert read_file(index, row, blob.fetch).data == expected
            assert read_file(again, row, blob.fetch).verified in {True, None}
            assert b"".join(bytes(piece) for _, piece in cursor.content(row)) == expected
    cursor.close()
    assert View(stack([index])).size(0) == View(stack([streamed])).size(0)


@pytest.mark.parametrize("form", ["estargz", "chunked"])
async def test_the_asynchronous_form(form: str, request: pytest.FixtureRequest) -> None:
    descriptor, blob = request.getfixturevalue(form)
    index = await toc_index_async(descriptor, blob.fetch_async)
    assert index is not None
    assert index.entries == 17


def test_what_does_not_fit_is_no_shortcut(
    estargz: tuple[Descriptor, Blob], chunked: tuple[Descriptor, Blob], small: bytes
) -> None:
    descriptor, blob = estargz
    nobody = {ESTARGZ_DIGEST: "sha256:" + "0" * 64}
    wrong = Descriptor(descriptor.media_type, descriptor.digest, descriptor.size, nobody)
    assert toc_index(wrong, blob.fetch) is None
    bare = Descriptor(descriptor.media_type, descriptor.digest, descriptor.size)
    assert not may_have_toc(bare)
    assert toc_index(bare, blob.fetch) is None
    probed = toc_index(bare, blob.fetch, probe=True)
    assert probed is not None
    assert not probed.verified
    layer, other = chunked
    for key in layer.annotations:
        changed = {**layer.annotations, key: layer.annotations[key].replace("7", "8")}
        assert toc_index(Descriptor(layer.media_type, layer.digest, layer.size, changed), other.fetch) is None
    packed = gzip.compress(small)
    assert toc_index(describe(packed), Blob(packed).fetch, probe=True) is None
    assert toc_index(descriptor, lambda start, end: b"") is None


def chunked_layer(toc: bytes, tail: bytes = b"") -> tuple[Descriptor, Blob]:
    """A layer with this table of contents, rightly annotated."""
    packed = zstd_module().compress(toc)
    raw = bytes(100) + packed + tail
    key = "io.github.containers.zstd-chunked.manifest-"
    notes = {
        f"{key}position": f"100:{len(packed)}:{len(toc)}:1",
        f"{key}checksum": f"sha256:{hashlib.sha256(packed).hexdigest()}",
    }
    return describe(raw, **notes), Blob(raw)


_entry = st.fixed_dictionaries(
    {},
    optional={
        "name": st.text(max_size=8) | st.integers(),
        "type": st.sampled_from(["reg", "dir", "symlink", "hardlink", "char", "chunk", "odd", 3]),
        "size": st.integers(-5, 1 << 70) | st.text(max_size=3),
        "mode": st.integers(-5, 1 << 70),
        "uid": st.integers(-5, 1 << 40),
        "modtime": st.sampled_from(["0001-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "x", "9999-12-31T23:59:59Z"]),
        "linkName": st.text(max_size=8) | st.none(),
        "digest": st.sampled_from(["sha256:" + "a" * 64, "x", 1]),
        "offset": st.integers(-5, 300) | st.none(),
        "innerOffset": st.integers(-5, 300),
        "chunkType": st.sampled_from(["zeros", "data"]),
    },
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_entry, max_size=6), st.binary(max_size=6), st.integers(0, 400))
def test_any_table_is_taken(entries: list[dict[str, Any]], rubbish: bytes, at: int) -> None:
    toc = bytearray(json.dumps({"version": 1, "entries": entries}).encode())
    if rubbish:
        toc[at % len(toc) : at % len(toc)] = rubbish
    descriptor, blob = chunked_layer(bytes(toc))
    index = toc_index(descriptor, blob.fetch)
    if index is not None:
        for row in range(len(index)):
            index.entry(row)
        View(stack([index]))


def test_files_with_holes_are_not_read_in_one_piece() -> None:
    toc = {
        "version": 1,
        "entries": [
            {"name": "a", "type": "reg", "size": 10, "offset": 5},
            {"name": "a", "type": "chunk", "chunkType": "zeros", "size": 0, "chunkOffset": 5},
            {"name": "./b", "type": "dir"},
        ],
    }
    descriptor, blob = chunked_layer(json.dumps(toc).encode())
    index = toc_index(descriptor, blob.fetch)
    assert index is not None
    assert [index.entry(row).path for row in index.children(0)] == ["a", "b"]
    assert index.columns.member is not None
    assert index.columns.member[index.find("a") or 0] == 0


def test_the_plain_layer_with_the_same_files_is_streamed(vectors: Path, small: bytes) -> None:
    layout = vectors / "layers/zstd-plain-layout"
    digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    manifest = parse_manifest((layout / "blobs/sha256" / digest.partition(":")[2]).read_bytes())
    layer = manifest.layers[0]
    raw = (layout / "blobs/sha256" / layer.digest.encoded).read_bytes()
    assert toc_index(layer, Blob(raw).fetch) is None
    assert attributes(indexed(raw)) == attributes(indexed(small))
    assert indexed(archive(("a", b"1"))).source == "stream"
