"""The listing equals what Python's tarfile and GNU tar say of the same archive, entry by entry."""

from __future__ import annotations

import bz2
import gzip
import io
import itertools
import lzma
import os
import re
import shutil
import subprocess
import tarfile
from datetime import UTC, datetime
from stat import filemode
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.contents.columns import Kind
from regtui.contents.inflate import zstd_module

from .conftest import indexed

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.contents.layer_index import Entry, LayerIndex

_KINDS = {
    tarfile.REGTYPE: Kind.REGULAR,
    tarfile.AREGTYPE: Kind.REGULAR,
    tarfile.CONTTYPE: Kind.REGULAR,
    tarfile.GNUTYPE_SPARSE: Kind.REGULAR,
    tarfile.LNKTYPE: Kind.HARDLINK,
    tarfile.SYMTYPE: Kind.SYMLINK,
    tarfile.CHRTYPE: Kind.CHARACTER,
    tarfile.BLKTYPE: Kind.BLOCK,
    tarfile.DIRTYPE: Kind.DIRECTORY,
    tarfile.FIFOTYPE: Kind.FIFO,
}


def as_tarfile_says(raw: bytes) -> dict[str, tuple]:
    """path → attributes; a later entry of the same path replaces the earlier."""
    found = {}
    with tarfile.open(fileobj=io.BytesIO(raw), errors="surrogateescape") as tar:
        for member in tar:
            path = "/".join(part for part in member.name.split("/") if part not in {"", "."})
            size = member.size if member.isreg() else 0
            size = int(member.pax_headers.get("GNU.sparse.realsize", size))
            found[path] = (
                _KINDS[member.type],
                size,
                member.mode & 0o7777,
                member.uid,
                member.gid,
                int(member.mtime // 1),
                member.linkname if member.issym() or member.islnk() else None,
                (member.devmajor, member.devminor) if member.ischr() or member.isblk() else None,
            )
    return found


def as_regtui_says(index: LayerIndex) -> dict[str, tuple]:
    found = {}
    for row in range(1, len(index)):
        entry = index.entry(row)
        if not entry.implied and not index.columns.kind[row] & 0x80:
            found[entry.path] = (
                entry.kind,
                entry.size,
                entry.mode,
                entry.uid,
                entry.gid,
                entry.mtime,
                entry.link,
                entry.device,
            )
    return found


_name = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=30).filter(
    lambda text: text not in {".", ".."}
)
_path = st.lists(_name | st.sampled_from(["usr", "lib", "a" * 90, "b" * 130]), min_size=1, max_size=5).map("/".join)


@st.composite
def members(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(draw(_path))
    info.type = draw(st.sampled_from([t for t in _KINDS if t not in {tarfile.GNUTYPE_SPARSE, tarfile.CONTTYPE}]))
    if info.type == tarfile.AREGTYPE and len(info.name.encode()) > tarfile.LENGTH_NAME:
        # tarfile, other than GNU tar, takes it for a folder when the part of its name in the header ends in a slash.
        info.type = tarfile.REGTYPE
    info.mode = draw(st.integers(0, 0o7777))
    info.uid, info.gid = draw(st.integers(0, 2**31)), draw(st.integers(0, 2**31))
    info.mtime = draw(st.integers(-(2**31), 2**35))
    content = b""
    if info.isreg():
        content = draw(st.binary(max_size=1500))
        info.size = len(content)
    elif info.issym() or info.islnk():
        info.linkname = draw(_path)
    elif info.ischr() or info.isblk():
        info.devmajor, info.devminor = draw(st.integers(0, 4095)), draw(st.integers(0, 4095))
    return info, content


@settings(max_examples=150, deadline=None)
@given(st.lists(members(), max_size=12), st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]))
def test_generated_archives(entries: list[tuple[tarfile.TarInfo, bytes]], form: int) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form, errors="surrogateescape") as tar:
        for info, content in entries:
            tar.addfile(info, io.BytesIO(content))
    raw = made.getvalue()
    index = indexed(raw)
    assert index.damage is None
    assert index.entries == len(entries)
    theirs, ours = as_tarfile_says(raw), as_regtui_says(index)
    # Where a path is a file and a folder in turn, the later takes it with everything below: compare what stays.
    assert {path: theirs[path] for path in ours} == ours
    hidden = {path for path in theirs if path not in ours}
    assert all(_has_rival(path, entries) for path in hidden)


def _has_rival(path: str, entries: list[tuple[tarfile.TarInfo, bytes]]) -> bool:
    """Whether the path or a folder above it is something else in another entry, or a mere folder's name."""
    parts = path.split("/")
    above = {"/".join(parts[:depth]) for depth in range(1, len(parts))}
    names = ["/".join(p for p in info.name.split("/") if p) for info, _ in entries]
    return any(name in above or name.startswith(f"{path}/") for name in names)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_path_that_is_folder_and_file_in_turn(count: int) -> None:
    for kinds in itertools.product([(path, kind) for path in ("a", "a/b") for kind in "df"], repeat=count):
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            for path, kind in kinds:
                info = tarfile.TarInfo(path)
                info.type = tarfile.DIRTYPE if kind == "d" else tarfile.REGTYPE
                tar.addfile(info)
        theirs, ours = as_tarfile_says(made.getvalue()), as_regtui_says(indexed(made.getvalue()))
        assert {path: theirs[path] for path in ours} == ours, kinds


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample")
    (root / "etc").mkdir()
    (root / "etc/passwd").write_text("root:x:0:0\n")
    (root / "etc/passwd").chmod(0o4640)
    os.link(root / "etc/passwd", root / "etc/hard")
    (root / "etc/soft").symlink_to("../etc/passwd")
    os.mkfifo(root / "etc/pipe")
    deep = root.joinpath(*["deep-folder-name"] * 8)
    deep.mkdir(parents=True)
    (deep / ("long-" * 20)).write_bytes(b"x" * 1000)
    (root / "üñí").write_text("unicode")
    with (root / "holes").open("wb") as sparse:
        for at in range(0, 40 << 20, 2 << 20):
            sparse.seek(at)
            sparse.write(b"data" * 300)
        sparse.truncate(41 << 20)
    os.utime(root / "etc/passwd", (1, 1_000_000_000))
    return root


def gnu_tar(root: Path, *options: str) -> bytes:
    if shutil.which("tar") is None:
        pytest.skip("GNU tar is not on this machine")
    return subprocess.run(["tar", "-c", *options, "-C", root, "."], check=True, capture_output=True).stdout


@pytest.mark.parametrize(
    "options",
    [
        ["--format=gnu"],
        ["--format=gnu", "--sparse"],
        ["--format=oldgnu", "--sparse"],
        ["--format=posix"],
        ["--format=posix", "--sparse", "--sparse-version=0.0"],
        ["--format=posix", "--sparse", "--sparse-version=0.1"],
        ["--format=posix", "--sparse", "--sparse-version=1.0"],
        ["--format=ustar"],
        ["--format=v7", "--exclude=deep*", "--exclude=pipe"],
        ["--format=gnu", "--owner=+3000000", "--group=+2500000"],
    ],
    ids=" ".join,
)
def test_archives_of_gnu_tar(sample: Path, options: list[str]) -> None:
    raw = gnu_tar(sample, *options)
    index = indexed(raw)
    assert index.damage is None
    assert as_gnu_tar_lists(raw) == [line_of(index.entry(row)) for row in range(len(index))]


def as_gnu_tar_lists(raw: bytes) -> list[str]:
    """`tar --list --verbose --numeric-owner`, the names without `./` and a folder's slash."""
    listed = subprocess.run(
        ["tar", "-t", "-v", "--numeric-owner", "--full-time", "--utc", "--quoting-style=literal", "-f", "-"],
        input=raw,
        check=True,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    ).stdout.decode("utf-8", "surrogateescape")
    lines = []
    for line in listed.splitlines():
        mode, owner, size, day, clock, name = re.split(r" +", line, maxsplit=5)
        if mode[0] == "d":
            name = name.removesuffix("/")
        lines.append(" ".join((mode, owner, size, day, clock.partition(".")[0], name.removeprefix("./"))))
    return lines


def line_of(entry: Entry) -> str:
    bits = {
        Kind.DIRECTORY: 0o040000,
        Kind.SYMLINK: 0o120000,
        Kind.FIFO: 0o010000,
        Kind.HARDLINK: 0o100000,
        Kind.CHARACTER: 0o020000,
        Kind.BLOCK: 0o060000,
    }
    mode = filemode(bits.get(entry.kind, 0o100000) | (entry.mode or 0))
    letter = {Kind.HARDLINK: "h"}.get(entry.kind, mode[0])
    moment = datetime.fromtimestamp(entry.mtime or 0, UTC).strftime("%Y-%m-%d %H:%M:%S")
    link = {Kind.SYMLINK: " -> ", Kind.HARDLINK: " link to "}.get(entry.kind, "") + (entry.link or "")
    size = entry.size if entry.device is None else ",".join(map(str, entry.device))
    return f"{letter}{mode[1:]} {entry.uid}/{entry.gid} {size} {moment} {entry.path or '.'}{link}"


def test_the_archive_of_tarfiles_own_tests(vectors: Path) -> None:
    raw = (vectors / "tar/cpython/testtar.tar").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(raw), errors="surrogateescape") as tar:
        names = ["/".join(p for p in m.name.split("/") if p not in {"", "."}) for m in tar]
    index = indexed(raw)
    assert sorted(names) == sorted(as_regtui_says(index))


@pytest.mark.parametrize("compress", ["gzip", "zstd", "bzip2", "xz"])
def test_compressions(compress: str, sample: Path) -> None:
    raw = gnu_tar(sample, "--format=gnu", "--sparse")
    packed = {
        "gzip": lambda: gzip.compress(raw),
        "zstd": lambda: zstd_module().compress(raw),
        "bzip2": lambda: bz2.compress(raw),
        "xz": lambda: lzma.compress(raw),
    }[compress]()
    plain, index = indexed(raw), indexed(packed)
    assert index.compression == compress
    assert index.tar_size == len(raw)
    assert as_regtui_says(index) == as_regtui_says(plain)
