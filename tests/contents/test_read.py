"""Single files out of a layer: the right bytes, and how many of the blob's bytes they cost."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from regtui.contents import checkpoints as checkpoints_module
from regtui.contents.checkpoints import FEW, MOST, Checkpoints, CheckpointStore
from regtui.contents.cursor import TarCursor
from regtui.contents.errors import DamagedLayer, NotReadable
from regtui.contents.inflate import zstd_module
from regtui.contents.layer_index import LayerIndex
from regtui.contents.read import read_file, read_file_async
from regtui.oci import DigestMismatch

from .conftest import archive, indexed

if TYPE_CHECKING:
    from pathlib import Path


class Blob:
    """A blob that counts what is asked of it."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.asked: list[tuple[int, int]] = []

    def fetch(self, start: int, end: int) -> bytes:
        assert 0 <= start < end <= len(self.raw)
        self.asked.append((start, end))
        return self.raw[start:end]

    async def fetch_async(self, start: int, end: int) -> bytes:
        return self.fetch(start, end)

    def open_at(self, offset: int) -> io.BytesIO:
        self.asked.append((offset, len(self.raw)))
        return io.BytesIO(self.raw[offset:])

    @property
    def total(self) -> int:
        return sum(end - start for start, end in self.asked)


def content(number: int) -> bytes:
    return random.Random(number).randbytes(20_000 + number * 97 % 30_000)


@pytest.fixture(scope="module")
def big() -> bytes:
    """About 40 MB of tar that compresses to half."""
    return archive(*[(f"d{n % 7}/f{n}", content(n).hex().encode()) for n in range(600)])


def whole(index: LayerIndex, number: int, blob: Blob) -> bytes:
    row = index.find(f"d{number % 7}/f{number}")
    assert row is not None
    return read_file(index, row, blob.fetch).data


@pytest.mark.parametrize("number", [0, 1, 299, 300, 599])
def test_a_file_of_a_gzip_layer_costs_one_short_range(big: bytes, number: int) -> None:
    packed = gzip.compress(big, 1)
    index, blob = indexed(packed), Blob(packed)
    assert index.checkpoints is not None
    assert len(index.checkpoints) >= 5
    assert whole(index, number, blob) == content(number).hex().encode()
    assert len(blob.asked) == 1
    assert blob.total < len(packed) / 3


def test_plain_tars_and_gzip_members_need_no_state(big: bytes) -> None:
    index, blob = indexed(big), Blob(big)
    assert whole(index, 300, blob) == content(300).hex().encode()
    assert blob.total == len(content(300)) * 2
    cut = [big[at : at + 3_000_000] for at in range(0, len(big), 3_000_000)]
    for packed in (b"".join(map(gzip.compress, cut)), b"".join(map(zstd_module().compress, cut))):
        index, blob = indexed(packed), Blob(packed)
        assert whole(index, 300, blob) == content(300).hex().encode()
        assert len(blob.asked) == 1
        assert blob.total < len(packed) / 2


def test_without_checkpoints_the_layer_is_read_from_its_start_and_they_grow(big: bytes) -> None:
    packed = gzip.compress(big, 1)
    index, blob = LayerIndex.from_bytes(indexed(packed).to_bytes()), Blob(packed)
    assert whole(index, 599, blob) == content(599).hex().encode()
    before = blob.total
    assert whole(index, 300, blob) == content(300).hex().encode()
    assert blob.total - before < len(packed) / 3
    zstd = zstd_module().compress(big)
    index, blob = indexed(zstd), Blob(zstd)
    assert whole(index, 300, blob) == content(300).hex().encode()


async def test_the_asynchronous_form(big: bytes) -> None:
    packed = gzip.compress(big, 1)
    index, blob = indexed(packed), Blob(packed)
    row = index.find("d6/f300")
    assert row is not None
    assert (await read_file_async(index, row, blob.fetch_async)).data == content(300).hex().encode()
    assert len(blob.asked) == 1


def test_short_answers_are_asked_for_again() -> None:
    packed = gzip.compress(archive(("a", content(1))))
    index = indexed(packed)
    row = index.find("a") or 0
    assert read_file(index, row, lambda start, end: packed[start : min(end, start + 1000)]).data == content(1)


def test_only_the_beginning_of_a_large_file() -> None:
    raw = archive(("large", b"0123456789" * 1_000_000), ("empty", b""))
    packed = gzip.compress(raw)
    index = indexed(packed)
    found = read_file(index, index.find("large") or 0, Blob(packed).fetch, most=15)
    assert (found.data, found.size, found.truncated) == (b"012345678901234", 10_000_000, True)
    empty = read_file(index, index.find("empty") or 0, Blob(packed).fetch)
    assert (empty.data, empty.truncated) == (b"", False)


def test_what_has_no_content() -> None:
    raw = archive(("d", None), ("l", "-> d"))
    index = indexed(raw)
    for path in ("d", "l"):
        with pytest.raises(NotReadable):
            read_file(index, index.find(path) or 0, Blob(raw).fetch)


def test_hashes_are_checked() -> None:
    raw = archive(("a", b"content"))
    index = indexed(raw, hash_files=True)
    row = index.find("a") or 0
    assert index.columns.hashes is not None
    assert index.columns.hashes[row] == int.from_bytes(hashlib.sha256(b"content").digest()[:8], "big")
    assert read_file(index, row, Blob(raw).fetch).verified
    with pytest.raises(DigestMismatch):
        read_file(index, row, Blob(raw.replace(b"content", b"CONTENT")).fetch)
    assert read_file(indexed(raw), row, Blob(raw).fetch).verified is None


def test_a_layer_that_ends_too_early(big: bytes) -> None:
    packed = gzip.compress(big, 1)
    index = indexed(packed)
    row = index.find("d4/f599") or 0
    with pytest.raises(DamagedLayer):
        read_file(index, row, lambda start, end: b"")
    plain = LayerIndex.from_bytes(index.to_bytes())
    with pytest.raises(DamagedLayer):
        read_file(plain, row, lambda start, end: bytes([31, 139, 8, 0]) + b"\xff" * 100)


@pytest.mark.parametrize("version", ["0.0", "0.1", "1.0", "old"])
def test_sparse_files(version: str, tmp_path: Path) -> None:
    with (tmp_path / "holes").open("wb") as file:
        for number in range(60):
            file.seek(number * 100_000)
            file.write(random.Random(number).randbytes(3000))
        file.truncate(6_500_000)
    form = ["--format=gnu"] if version == "old" else ["--format=posix", f"--sparse-version={version}"]
    try:
        made = subprocess.run(["tar", "-c", "-S", *form, "-C", tmp_path, "holes"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("GNU tar is not on this machine")
    index = indexed(made.stdout)
    expected = (tmp_path / "holes").read_bytes()
    row = index.find("holes") or 0
    if row not in index.columns.sparse:
        pytest.skip("this file system keeps no holes")
    assert read_file(index, row, Blob(made.stdout).fetch).data == expected
    assert read_file(index, row, Blob(made.stdout).fetch, most=250_000).data == expected[:250_000]
    rebuilt = bytearray(len(expected))
    cursor = TarCursor(index, Blob(made.stdout).open_at)
    for offset, piece in cursor.content(row):
        rebuilt[offset : offset + len(piece)] = piece
    cursor.close()
    assert bytes(rebuilt) == expected


def test_sparse_vectors_of_one_content(vectors: Path) -> None:
    raw = (vectors / "tar/go/sparse-formats.tar").read_bytes()
    index = indexed(raw)
    rows = [row for row in index.children(0) if row in index.columns.sparse]
    assert len(rows) == 4
    found = {read_file(index, row, Blob(raw).fetch).data for row in rows}
    assert len(found) == 1
    plain = next(row for row in index.children(0) if row not in index.columns.sparse)
    assert read_file(index, plain, Blob(raw).fetch).data
    big = (vectors / "tar/go/gnu-sparse-big.tar").read_bytes()
    index = indexed(big)
    assert read_file(index, 1, Blob(big).fetch, most=1000).size == 60_000_000_000


def test_a_cursor_goes_forward_over_one_stream(big: bytes) -> None:
    packed = gzip.compress(big, 1)
    index, blob = indexed(packed), Blob(packed)
    cursor = TarCursor(index, blob.open_at)
    for number in (10, 11, 40):
        row = index.find(f"d{number % 7}/f{number}") or 0
        assert b"".join(bytes(piece) for _, piece in cursor.content(row)) == content(number).hex().encode()
    assert len(blob.asked) == 1
    row = index.find("d4/f599") or 0
    assert b"".join(bytes(piece) for _, piece in cursor.content(row)) == content(599).hex().encode()
    assert len(blob.asked) == 2
    cursor.close()


def test_checkpoints_are_thinned_and_given_up() -> None:
    points = Checkpoints(spacing=10)
    for number in range(1, 4 * MOST):
        if points.due(number, number * 10):
            points.add(number, number * 10, None)
    assert len(points) <= MOST
    assert points.before(0).compressed == 0
    for wanted in (55, 3000, 10_000):
        assert points.before(wanted).uncompressed <= wanted
        after = points.after(wanted)
        assert after is None or after * 10 >= wanted
    points.add(1, 1, None)
    assert points.before(9).uncompressed == 0
    store = CheckpointStore(most=len(points) + 1)
    store.put("one", points)
    other = Checkpoints(spacing=10)
    other.add(5, 50, None)
    other.add(9, 90, None)
    store.put("two", other)
    # The older layer has every other one taken away, and goes when few are left and there are still too many.
    assert store.get("two") is other
    assert 0 < len(points) <= MOST // 2 + 1
    assert points.before(10_000).uncompressed <= 10_000
    for name in ("three", "four"):
        more = Checkpoints(spacing=10)
        for number in range(1, MOST):
            more.add(number, number * 10, None)
        store.put(name, more)
        store.balance()
    assert len(points) < FEW
    assert sum(len(found) for name in ("one", "two", "three", "four") if (found := store.get(name))) <= MOST + 1
    assert len(store.get("four") or ()) == MOST - 1
    assert checkpoints_module.FIRST_SPACING == 7 << 19


def test_hard_links_have_the_content_of_their_own_layer() -> None:
    from regtui.contents.links import content_of
    from regtui.contents.merge import stack

    lower = archive(("file", b"old"), ("hard", "=> file"), ("hard2", "=> ./hard"))
    upper = archive(("file", b"new!"))
    tree = stack([indexed(lower), indexed(upper)])
    blobs = [Blob(lower), Blob(upper)]

    def read(path: bytes) -> bytes:
        node = tree.find(path)
        assert node is not None
        here = content_of(tree, node)
        return read_file(tree.index(here.layer), here.row, blobs[here.layer].fetch).data

    assert read(b"file") == b"new!"
    assert read(b"hard") == b"old"
    assert read(b"hard2") == b"old"


def test_tarfile_agrees_on_contents() -> None:
    raw = archive(*[(f"{n}", content(n)) for n in range(20)], form=tarfile.PAX_FORMAT)
    index = indexed(raw)
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        for member in tar:
            file = tar.extractfile(member)
            assert file is not None
            assert read_file(index, index.find(member.name) or 0, Blob(raw).fetch).data == file.read()
