"""SOCI tables of contents: one that soci-snapshotter 0.16.1 made (tests/contents/soci), and any other bytes."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.contents.columns import Kind
from regtui.contents.layer_index import LayerIndex
from regtui.contents.merge import stack
from regtui.contents.read import read_file
from regtui.contents.soci import index_of_ztoc
from regtui.contents.stream import index_layer
from regtui.contents.view import View
from regtui.oci import Descriptor, Digest
from regtui.oci.media_types import OCI_LAYER_GZIP

FOLDER = Path(__file__).parent / "soci"
LAYER = (FOLDER / "layer.tar.gz").read_bytes()
ZTOC = gzip.decompress((FOLDER / "layer.ztoc.gz").read_bytes())
DESCRIPTOR = Descriptor(OCI_LAYER_GZIP, Digest.of(LAYER), len(LAYER))


def rows(index: LayerIndex) -> dict[str, tuple]:
    entries = map(index.entry, range(1, len(index)))
    return {
        e.path: (e.kind, e.size, e.mode, e.uid, e.gid, e.mtime, e.link, e.device, e.implied, index.data_offset(e.row))
        for e in entries
    }


def test_the_listing_equals_that_of_the_stream() -> None:
    index = index_of_ztoc(ZTOC, DESCRIPTOR)
    assert index is not None
    assert (index.source, index.verified, index.compression) == ("soci", False, "gzip")
    streamed = index_layer(io.BytesIO(LAYER), DESCRIPTOR)
    assert index.entries == streamed.entries == 11
    empty = {path for path, row in rows(streamed).items() if row[0] == Kind.REGULAR and not row[1]}
    assert {p: r for p, r in rows(index).items() if p not in empty} == {
        p: r for p, r in rows(streamed).items() if p not in empty
    }
    assert {p: r[:-1] for p, r in rows(index).items()} == {p: r[:-1] for p, r in rows(streamed).items()}
    again = LayerIndex.from_bytes(index.to_bytes())
    assert (again.source, again.verified) == ("soci", False)
    for path in ("etc/hello", "usr/bin/tool", "empty"):
        ours = read_file(again, again.find(path) or 0, lambda start, end: LAYER[start:end])
        theirs = read_file(streamed, streamed.find(path) or 0, lambda start, end: LAYER[start:end])
        assert ours.data == theirs.data


def test_one_of_another_layer_is_no_shortcut() -> None:
    assert index_of_ztoc(ZTOC, Descriptor(OCI_LAYER_GZIP, DESCRIPTOR.digest, DESCRIPTOR.size + 1)) is None
    assert index_of_ztoc(b"", DESCRIPTOR) is None
    assert index_of_ztoc(b"\x04\0\0\0" * 8, DESCRIPTOR) is None


@pytest.mark.parametrize("end", [10, 100, 5_000, len(ZTOC) - 5_000, len(ZTOC) - 60])
def test_a_torn_one_is_no_shortcut(end: int) -> None:
    assert index_of_ztoc(ZTOC[:end], DESCRIPTOR) is None


# The checkpoints are most of the bytes, and nobody reads them.
_telling = [at for at in range(len(ZTOC)) if at < 200 or at > len(ZTOC) - 3_500]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_telling), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_bytes_are_taken(changes: list[tuple[int, int]]) -> None:
    raw = bytearray(ZTOC)
    for at, value in changes:
        raw[at] = value
    index = index_of_ztoc(bytes(raw), DESCRIPTOR)
    if index is not None:
        for row in range(len(index)):
            index.entry(row)
        View(stack([index]))
