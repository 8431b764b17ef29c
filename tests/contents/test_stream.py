"""Indexing in one pass: what is verified, what is refused, what is bounded, and how it can be stopped."""

from __future__ import annotations

import gzip
import io
import itertools
import subprocess
import sys
import zlib
from typing import Any

import pytest

from regtui.contents.columns import Kind
from regtui.contents.errors import IndexCorrupted, IndexingCancelled, NotBrowsable
from regtui.contents.inflate import PIECE, inflater, zstd_module
from regtui.contents.layer_index import LayerIndex
from regtui.contents.limits import Limits
from regtui.contents.stream import IndexOptions, Progress, index_layer, unbrowsable
from regtui.oci import Descriptor, Digest, DigestMismatch, SizeMismatch

from .conftest import archive, describe, indexed, paths

SMALL = archive(("etc", None), ("etc/hello", b"hi\n"), ("etc/link", "-> hello"), ("usr/bin/tool", b"#!/bin/sh\n"))


class Dribble(io.RawIOBase):
    """A stream that gives a few bytes at a time, as a network may."""

    def __init__(self, raw: bytes, step: int = 7) -> None:
        self._raw, self._step = io.BytesIO(raw), step

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(self._step if size < 0 else min(size, self._step))


def listing(index: LayerIndex) -> list[Any]:
    return [index.entry(row) for row in range(len(index))]


def test_a_stream_in_small_pieces_gives_the_same_index() -> None:
    packed = gzip.compress(SMALL)
    for step in (1, 7, 512, 513):
        slow = index_layer(Dribble(packed, step), describe(packed))
        assert listing(slow) == listing(indexed(SMALL))


def test_missing_parents_are_implied() -> None:
    index = indexed(SMALL)
    row = index.find("usr/bin")
    assert row is not None
    entry = index.entry(row)
    assert entry.implied
    assert entry.mode is None
    assert index.entries == 4


def test_a_wrong_digest_is_refused() -> None:
    wrong = Descriptor("application/vnd.oci.image.layer.v1.tar", Digest.of(b"other"), len(SMALL))
    with pytest.raises(DigestMismatch):
        index_layer(io.BytesIO(SMALL), wrong)


@pytest.mark.parametrize("length", [len(SMALL) - 1, len(SMALL) + 1])
def test_a_wrong_size_is_refused(length: int) -> None:
    wrong = Descriptor("application/vnd.oci.image.layer.v1.tar", Digest.of(SMALL), length)
    with pytest.raises(SizeMismatch):
        index_layer(io.BytesIO(SMALL), wrong)


def test_the_diff_id_is_verified_on_demand() -> None:
    packed = gzip.compress(SMALL)
    assert index_layer(io.BytesIO(packed), describe(packed), Digest.of(SMALL)).diff_id == Digest.of(SMALL)
    with pytest.raises(DigestMismatch):
        index_layer(io.BytesIO(packed), describe(packed), Digest.of(packed))
    assert indexed(packed).diff_id is None


def test_gzip_members_padding_and_rubbish() -> None:
    cut = len(SMALL) // 2
    members = gzip.compress(SMALL[:cut]) + gzip.compress(b"") + gzip.compress(SMALL[cut:])
    for tail in (b"", bytes(1000), b"rubbish behind the end", bytes(3) + b"rubbish"):
        index = indexed(members + tail)
        assert listing(index) == listing(indexed(SMALL))
        assert index.damage is None
        assert index.tar_size == len(SMALL)
    assert paths(index_layer(Dribble(members, 1), describe(members))) == paths(indexed(SMALL))


def test_zstd_frames_and_skippable_frames() -> None:
    zstd = zstd_module()
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"
    cut = len(SMALL) // 2
    packed = skippable + zstd.compress(SMALL[:cut]) + skippable + zstd.compress(SMALL[cut:]) + skippable
    assert listing(indexed(packed)) == listing(indexed(SMALL))
    assert indexed(packed + b"rubbish").damage is None


@pytest.mark.parametrize("pack", [gzip.compress, lambda raw: zstd_module().compress(raw)], ids=["gzip", "zstd"])
def test_broken_compression_lists_what_came_before(pack: Any) -> None:
    import random

    noise = random.Random(1).randbytes(400_000)
    raw = archive(("first", b"x"), ("noise", noise), ("last", b"y"))
    packed = pack(raw)
    rubbish = packed[:300_000] + b"\xff" * 50_000
    for damaged in (packed[: len(packed) // 2], rubbish):
        index = indexed(damaged)
        assert index.damage is not None
        assert "first" in paths(index)


def test_all_that_comes_before_broken_gzip_is_listed() -> None:
    import random

    noise = random.Random(2)
    members = [(f"f{number}", noise.randbytes(2000)) for number in range(300)]
    packed = gzip.compress(archive(*members))
    whole = indexed(packed[: len(packed) // 2] + b"\xff" * 5000)
    few = len(paths(whole))
    assert whole.damage is not None
    # What the half holds at least: a file takes 2,600 bytes of the tar, which does not compress much.
    assert few > 0.45 * len(members)


def test_a_missing_end_and_trailing_rubbish_are_harmless() -> None:
    bare = SMALL.rstrip(b"\0")
    bare += bytes(-len(bare) % 512)
    for raw in (bare, bare + bytes(512), SMALL + bytes(20_000), SMALL + b"rubbish" * 100):
        index = indexed(raw)
        assert index.damage is None
        assert listing(index) == listing(indexed(SMALL))


def test_a_lone_zero_block_is_damage() -> None:
    raw = archive(("a", b"1"))[:1024] + bytes(512) + archive(("b", b"2"))
    assert indexed(raw).damage is not None
    assert paths(indexed(raw)) == ["a"]


def test_an_empty_layer() -> None:
    for raw in (b"", bytes(1024), gzip.compress(bytes(1024))):
        index = indexed(raw)
        assert (len(index), index.entries, index.damage) == (1, 0, None)


def test_spellings_of_one_path_are_one_row() -> None:
    index = indexed(archive(("./a", None), ("a//b", b"1"), ("/a/./b", b"22"), ("a/../a/b", b"333")))
    assert paths(index) == ["a", "a/b"]
    row = index.find("a/b")
    assert row is not None
    assert index.entry(row).size == 3
    assert index.entry(row).escaping
    assert (index.entries, index.duplicates) == (4, 2)


def test_names_never_leave_the_root() -> None:
    index = indexed(archive(("../../etc/passwd", b"1"), ("..", None), ("a/../../b", b"2")))
    assert paths(index) == ["b", "etc", "etc/passwd"]


def test_the_later_of_two_entries_wins() -> None:
    file_last = indexed(archive(("x", None), ("x/inside", b"1"), ("x", b"22")))
    assert paths(file_last) == ["x"]
    assert file_last.kind(file_last.find("x") or 0) == Kind.REGULAR
    only_implied = indexed(archive(("x", b"22"), ("x/.wh.inside", b"")))
    assert paths(only_implied) == ["x"]
    folder_last = indexed(archive(("x", b"22"), ("x", None), ("x/inside", b"1")))
    assert paths(folder_last) == ["x", "x/inside"]
    again = indexed(archive(("x", None), ("x", b"1"), ("x", None)))
    assert again.kind(again.find("x") or 0) == Kind.DIRECTORY


def test_progress_shows_entries_while_they_come() -> None:
    seen: list[tuple[int, int, list[str]]] = []

    def look(progress: Progress) -> None:
        seen.append((progress.read, progress.entries, paths(progress.snapshot())))

    raw = archive(*[(f"file{number}", bytes(5000)) for number in range(40)])
    index_layer(Dribble(raw, 4096), describe(raw), progress=look)
    assert seen[0][1] < 40
    assert len(seen[0][2]) == seen[0][1]
    assert seen[-1][:2] == (len(raw), 40)
    assert seen[-1][2] == sorted(f"file{number}" for number in range(40))


def test_cancelling_stops_at_once() -> None:
    stream = Dribble(SMALL, 512)
    asked = itertools.chain([False, False], itertools.repeat(True))
    with pytest.raises(IndexingCancelled):
        index_layer(stream, describe(SMALL), cancelled=lambda: next(asked))


def test_closing_the_stream_cancels() -> None:
    class Closed(io.RawIOBase):
        reads = 0

        def read(self, size: int = -1) -> bytes:
            self.reads += 1
            if self.reads > 1:
                raise ValueError("I/O operation on closed file")
            return SMALL[:1024]

    stream = Closed()
    with pytest.raises(IndexingCancelled):
        index_layer(stream, describe(SMALL), cancelled=lambda: stream.reads > 1)


@pytest.mark.parametrize(
    ("media_type", "reason"),
    [
        ("application/vnd.oci.image.layer.v1.tar+gzip+encrypted", "encrypted"),
        ("application/vnd.oci.image.layer.squashfs", "squashfs"),
        ("application/vnd.oci.image.layer.nydus.blob.v1", "nydus"),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "foreign"),
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", "foreign"),
    ],
)
def test_what_can_not_be_listed_is_named(media_type: str, reason: str) -> None:
    descriptor = describe(SMALL, media_type)
    found = unbrowsable(descriptor)
    assert found is not None
    assert found.reason == reason
    if reason == "foreign":
        assert index_layer(io.BytesIO(SMALL), descriptor).entries == 4
    else:
        with pytest.raises(NotBrowsable) as caught:
            index_layer(io.BytesIO(SMALL), descriptor)
        assert caught.value.reason == reason


def test_a_blob_that_is_no_archive() -> None:
    raw = b'{"not": "a tar"}' * 100
    with pytest.raises(NotBrowsable) as caught:
        index_layer(io.BytesIO(raw), describe(raw, "application/json"))
    assert caught.value.reason == "artifact"
    assert indexed(raw).damage is not None
    chart = describe(SMALL, "application/vnd.cncf.helm.chart.content.v1.tar")
    assert index_layer(io.BytesIO(SMALL), chart).entries == 4


def test_stored_indexes_are_small_and_safe() -> None:
    index = indexed(archive(*[(f"usr/lib/package/{n % 90}/file-{n}.js", b"x" * (n % 700)) for n in range(5000)]))
    stored = index.to_bytes()
    assert len(stored) < 10 * len(index)
    assert listing(LayerIndex.from_bytes(stored)) == listing(index)
    for broken in (b"", stored[:10], stored[:-1], b"x" + stored, stored[:40] + b"\0" + stored[41:]):
        with pytest.raises(IndexCorrupted):
            LayerIndex.from_bytes(broken)


def bomb(total: int) -> bytes:
    """A gzip of a tar whose one file is `total` zeros."""
    head = archive(("first", b"1"))[:1024] + _header("zeros", total)
    packer = zlib.compressobj(9, wbits=31)
    made = [packer.compress(head)]
    block = bytes(1 << 20)
    made += [packer.compress(block) for _ in range(total >> 20)]
    return b"".join(made) + packer.flush()


def _header(name: str, size: int) -> bytes:
    import tarfile

    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def test_output_comes_in_bounded_pieces() -> None:
    packed = bomb(64 << 20)
    pieces = [len(piece) for piece in inflater("gzip").feed(packed)]
    assert max(pieces) <= PIECE
    assert sum(pieces) == (64 << 20) + 1536
    squeezed = zstd_module().compress(bytes(64 << 20))
    assert max(len(piece) for piece in inflater("zstd").feed(squeezed)) <= PIECE


def test_bombs_end_at_the_limit() -> None:
    packed = bomb(64 << 20)
    index = indexed(packed, limits=Limits(tar_bytes=8 << 20))
    assert index.damage is not None
    assert index.tar_size < 16 << 20
    assert paths(index) == ["first", "zeros"]
    many = archive(*[(f"{n}", b"") for n in range(600)])
    assert len(paths(indexed(many, limits=Limits(entries=500)))) <= 600
    assert indexed(many, limits=Limits(entries=500)).damage is not None
    assert indexed(archive(("x" * 5000, b""))).damage is not None
    assert indexed(archive(("x" * 2_000_000, b""))).damage is not None


def test_zeros_behind_the_end_are_not_inflated_for_ever() -> None:
    packer = zlib.compressobj(9, wbits=31)
    packed = packer.compress(SMALL) + b"".join(packer.compress(bytes(1 << 20)) for _ in range(200)) + packer.flush()
    index = indexed(packed)
    assert index.damage is None
    assert index.tar_size < 80 << 20


def test_memory_stays_small_whatever_the_bytes(tmp_path: Any) -> None:
    """200 MB of tar and 20,000 entries in less than 40 MB on top of the interpreter."""
    packer = zlib.compressobj(1, wbits=31)
    file = tmp_path / "layer.tar.gz"
    with file.open("wb") as out:
        for number in range(20_000):
            out.write(packer.compress(_header(f"usr/share/folder-{number % 100}/file-{number}", 10_000)))
            out.write(packer.compress(number.to_bytes(4, "big") * 2500 + bytes(240)))
        out.write(packer.flush())
    program = """
import resource, sys
from regtui.contents.stream import index_layer
from regtui.oci import Descriptor, Digest
import hashlib, os
name = sys.argv[1]
with open(name, "rb") as file:
    digest = Digest("sha256:" + hashlib.file_digest(file, "sha256").hexdigest())
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(name, "rb") as file:
    index = index_layer(file, Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest, os.path.getsize(name)))
assert index.entries == 20_000, index.damage
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    if sys.platform != "linux":
        pytest.skip("memory is measured in the unit of Linux")
    ran = subprocess.run([sys.executable, "-c", program, file], check=True, capture_output=True, text=True)
    assert int(ran.stdout) < 40 * 1024


def test_options_default_to_checkpoints() -> None:
    assert IndexOptions().checkpoints
    assert indexed(SMALL, checkpoints=False).checkpoints is None
