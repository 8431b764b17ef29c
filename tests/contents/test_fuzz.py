"""Any bytes give a value or an error with a sentence: no crash, no hang, nothing unbounded."""

from __future__ import annotations

import gzip
import io
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.contents.codec import MAGIC
from regtui.contents.errors import IndexCorrupted
from regtui.contents.inflate import zstd_module
from regtui.contents.layer_index import LayerIndex
from regtui.contents.limits import Limits
from regtui.contents.merge import stack
from regtui.contents.stream import IndexOptions, index_layer
from regtui.contents.view import Filter, View
from regtui.contents.waste import waste_of
from regtui.oci import RegtuiError

from .conftest import archive, describe, indexed

_SEED = archive(
    ("etc", None),
    ("etc/passwd", b"root:x:0:0\n" * 40),
    ("etc/.wh.old", b""),
    ("var/.wh..wh..opq", b""),
    ("lib", "-> usr/lib"),
    ("etc/hard", "=> etc/passwd"),
    ("deep/" * 60 + "file", b"x"),
    ("var/lib/dpkg/status", b"Package: a\nStatus: install ok installed\nVersion: 1\n\n"),
    form=1,
) + archive(("pax/" + "p" * 200, b"x" * 700), form=2)


def explore(index: LayerIndex) -> None:
    """What a screen would do with it."""
    for row in range(len(index)):
        index.entry(row)
    tree = stack([index, None, index])
    view = View(tree, since=0)
    pending = [0]
    while pending:
        for node in view.children(pending.pop(), by="size"):
            view.change(node), view.size(node), view.path(node), view.entry(node)
            pending.append(node)
    view.filtered(Filter("*a*"))
    waste_of(tree)
    assert LayerIndex.from_bytes(index.to_bytes()).entries == index.entries


def look(raw: bytes) -> None:
    try:
        index = index_layer(
            io.BytesIO(raw), describe(raw), options=IndexOptions(limits=Limits(tar_bytes=1 << 24, entries=5000))
        )
    except RegtuiError:
        return
    explore(index)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=3000))
def test_any_bytes(raw: bytes) -> None:
    look(raw)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(_SEED) - 1), st.binary(min_size=1, max_size=12)), max_size=6), st.data())
def test_mutated_archives(changes: list[tuple[int, bytes]], data: st.DataObject) -> None:
    raw = bytearray(_SEED)
    for at, piece in changes:
        raw[at : at + len(piece)] = piece
    for start in range(0, len(raw) - 511, 512):
        # Half of the headers get a right checksum, so that what stands in them is read.
        if raw[start + 257 : start + 262] == b"ustar" and data.draw(st.booleans()):
            raw[start + 148 : start + 156] = b" " * 8
            raw[start + 148 : start + 156] = b"%06o\0 " % sum(raw[start : start + 512])
    look(bytes(raw[: data.draw(st.integers(0, len(raw)))]))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(["gzip", "zstd"]), st.integers(0, 3000), st.binary(min_size=1, max_size=20))
def test_mutated_compression(kind: str, at: int, piece: bytes) -> None:
    packed = bytearray(gzip.compress(_SEED) if kind == "gzip" else zstd_module().compress(_SEED))
    at %= len(packed)
    packed[at : at + len(piece)] = piece
    look(bytes(packed))


@settings(max_examples=400, deadline=None)
@given(st.integers(0, 100_000), st.binary(min_size=1, max_size=8), st.booleans())
def test_mutated_stored_indexes(at: int, piece: bytes, inside: bool) -> None:
    stored = bytearray(indexed(_SEED).to_bytes())
    start = len(MAGIC) + 2
    changed = bytearray(zlib.decompress(stored[start:])) if inside else stored
    at %= len(changed)
    changed[at : at + len(piece)] = piece
    if inside:
        stored = stored[:start] + zlib.compress(changed)
    try:
        index = LayerIndex.from_bytes(bytes(stored))
    except IndexCorrupted:
        return
    explore(index)
