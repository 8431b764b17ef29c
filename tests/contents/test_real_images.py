"""Images built by umoci: each layer equals what GNU tar lists, the stack equals what umoci unpacks.

A small one is built here, with every kind of change; a Debian with apt, pip and npm layers comes from the corpus.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import stat
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from regtui.contents.columns import Kind
from regtui.contents.extract import Extraction
from regtui.contents.links import content_of
from regtui.contents.merge import stack
from regtui.contents.packages.inventory import inventory_of
from regtui.contents.stream import index_layer
from regtui.contents.view import View
from regtui.contents.waste import waste_of
from regtui.oci import Digest
from tests.corpus.build import TAG, require
from tests.corpus.opening import open_layout

from .test_equality import as_gnu_tar_lists, line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.contents.layer_index import LayerIndex
    from regtui.contents.tree import ImageTree

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(shutil.which("umoci") is None, reason="umoci is not on this machine"),
    pytest.mark.skipif(shutil.which("tar") is None, reason="GNU tar is not on this machine"),
]


def umoci(*arguments: str | Path) -> None:
    subprocess.run(["umoci", *map(str, arguments)], check=True, capture_output=True)


_ROOTLESS = [] if os.geteuid() == 0 else ["--rootless"]


def first(rootfs: Path) -> None:
    """A few thousand files of the standard library, and links of all kinds."""
    library = Path(sysconfig.get_path("stdlib"))
    for name in ("json", "email", "asyncio", "encodings", "unittest", "importlib", "xml", "concurrent", "tkinter"):
        if (library / name).is_dir():
            shutil.copytree(library / name, rootfs / "usr/lib/python" / name, symlinks=True)
    (rootfs / "etc").mkdir()
    (rootfs / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (rootfs / "bin").symlink_to("usr/bin")
    (rootfs / "usr/bin").mkdir(parents=True)
    (rootfs / "usr/bin/tool").write_bytes(b"#!/bin/sh\n" * 500)
    (rootfs / "usr/bin/tool").chmod(0o4755)
    os.link(rootfs / "usr/bin/tool", rootfs / "usr/bin/other-name")
    deep = rootfs / "opt" / ("long-name-" * 12) / ("deeper-name-" * 12)
    deep.mkdir(parents=True)
    (deep / "übung.txt").write_text("x")
    os.mkfifo(rootfs / "etc/pipe")


def second(rootfs: Path) -> None:
    """Removals, replacements, changes of metadata."""
    shutil.rmtree(rootfs / "usr/lib/python/email")
    for path in sorted((rootfs / "usr/lib/python/asyncio").glob("*.py"))[:5]:
        path.write_text("changed\n")
    (rootfs / "etc/passwd").chmod(0o600)
    shutil.rmtree(rootfs / "usr/lib/python/xml")
    (rootfs / "usr/lib/python/xml").write_text("a file where a folder was")
    (rootfs / "etc/pipe").unlink()
    (rootfs / "etc/pipe").mkdir()
    (rootfs / "etc/pipe/inside").write_text("a folder where a pipe was")


def third(rootfs: Path) -> None:
    """Back again, otherwise."""
    (rootfs / "usr/lib/python/email").mkdir()
    (rootfs / "usr/lib/python/email/new.py").write_text("new\n")
    (rootfs / "usr/bin/tool").unlink()
    shutil.rmtree(rootfs / "opt")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """(layout, root file system as umoci unpacks it)."""
    root = tmp_path_factory.mktemp("umoci")
    layout, image = root / "layout", f"{root / 'layout'}:one"
    umoci("init", "--layout", layout)
    umoci("new", "--image", image)
    for number, change in enumerate((first, second, third)):
        bundle = root / f"bundle{number}"
        umoci("unpack", *_ROOTLESS, "--image", image, bundle)
        change(bundle / "rootfs")
        umoci("repack", "--image", image, bundle)
    umoci("unpack", *_ROOTLESS, "--image", image, root / "final")
    return layout, root / "final/rootfs"


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Path]]:
    """(layout, root file system as umoci unpacks it) of the Debian image; its gigabyte is removed again."""
    layout = require("debian")
    if os.geteuid():
        pytest.skip("only root can unpack the owners and devices of a whole system")
    root = tmp_path_factory.mktemp("debian")
    umoci("unpack", "--image", f"{layout}:{TAG}", root / "final")
    yield layout, root / "final/rootfs"
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def layers(built: tuple[Path, Path]) -> list[tuple[Path, LayerIndex]]:
    return layers_of(built[0])


@pytest.fixture(scope="module")
def debian_layers(debian: tuple[Path, Path]) -> list[tuple[Path, LayerIndex]]:
    return layers_of(debian[0])


def layers_of(layout: Path) -> list[tuple[Path, LayerIndex]]:
    found = []
    for layer in open_layout(layout)[1]:
        with layer.path.open("rb") as stream:
            found.append((layer.path, index_layer(stream, layer.descriptor, layer.diff_id)))
    return found


def test_each_layer_equals_the_listing_of_gnu_tar(layers: list[tuple[Path, LayerIndex]]) -> None:
    assert len(layers) == 3
    assert sum(index.entries for _, index in layers) > 300
    for path, index in layers:
        equals_gnu_tar(path, index)


@pytest.mark.slow
def test_each_layer_of_debian_equals_the_listing_of_gnu_tar(debian_layers: list[tuple[Path, LayerIndex]]) -> None:
    assert len(debian_layers) == 5
    assert sum(index.entries for _, index in debian_layers) > 30_000
    for path, index in debian_layers:
        equals_gnu_tar(path, index)
    managers = {package.manager for package in inventory_of(stack([i for _, i in debian_layers])).packages}
    assert managers >= {"dpkg", "python", "npm"}


def equals_gnu_tar(path: Path, index: LayerIndex) -> None:
    raw = gzip.decompress(path.read_bytes())
    assert index.damage is None
    assert index.diff_id == Digest("sha256:" + hashlib.sha256(raw).hexdigest())
    entries = (index.entry(row) for row in range(len(index)))
    ours = [line_of(entry) for entry in entries if not entry.implied]
    theirs = as_gnu_tar_lists(raw)
    # Folders come where the archive first names them, and a big list has no readable difference as a whole.
    assert len(ours) == len(theirs)
    assert [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]] == []


_MODES = {
    stat.S_IFREG: Kind.REGULAR,
    stat.S_IFDIR: Kind.DIRECTORY,
    stat.S_IFLNK: Kind.SYMLINK,
    stat.S_IFIFO: Kind.FIFO,
    stat.S_IFCHR: Kind.CHARACTER,
    stat.S_IFBLK: Kind.BLOCK,
}


def on_disk(rootfs: Path) -> dict[str, tuple]:
    """path → type, size, mode, link, time, device, owner (when root unpacked it)."""
    found = {}
    for folder, folders, files in os.walk(rootfs):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            info = os.lstat(path)
            kind = _MODES[stat.S_IFMT(info.st_mode)]
            size = info.st_size if kind == Kind.REGULAR else 0
            link = os.readlink(path) if kind == Kind.SYMLINK else None
            mode = 0 if kind == Kind.SYMLINK else stat.S_IMODE(info.st_mode)
            device = (os.major(info.st_rdev), os.minor(info.st_rdev)) if kind in _DEVICES else None
            owner = None if _ROOTLESS else (info.st_uid, info.st_gid)
            found[path.removeprefix(str(rootfs))] = (kind, size, mode, link, int(info.st_mtime // 1), device, owner)
    return found


_DEVICES = {Kind.CHARACTER, Kind.BLOCK}


def as_stacked(tree: ImageTree) -> dict[str, tuple]:
    """The same of the final image, as its layers say; a hard link is the file that it names."""
    view, found, pending = View(tree), {}, [0]
    while pending:
        for node in view.children(pending.pop()):
            pending.append(node)
            entry = view.entry(node)
            assert entry is not None
            kind, size, link = entry.kind, entry.size, entry.link
            if kind == Kind.HARDLINK:
                kind, size, link = Kind.REGULAR, tree.size(content_of(tree, node)), None
            mode = 0 if kind == Kind.SYMLINK else entry.mode
            owner = None if _ROOTLESS else (entry.uid, entry.gid)
            found[view.path(node)] = (kind, size, mode, link, entry.mtime, entry.device, owner)
    return found


def equals_disk(tree: ImageTree, rootfs: Path) -> dict[str, tuple]:
    ours, theirs = as_stacked(tree), on_disk(rootfs)
    assert ours.keys() == theirs.keys()
    assert {path: (ours[path], theirs[path]) for path in ours if ours[path] != theirs[path]} == {}
    return theirs


@pytest.mark.slow
def test_the_stack_of_debian_equals_what_umoci_unpacks(
    debian: tuple[Path, Path], debian_layers: list[tuple[Path, LayerIndex]]
) -> None:
    tree = stack([index for _, index in debian_layers])
    files = equals_disk(tree, debian[1])
    assert len(files) > 30_000
    waste = waste_of(tree)
    assert waste.deleted > 1_000_000
    assert waste.metadata_only > 1_000_000


def test_the_stack_equals_what_umoci_unpacks(
    built: tuple[Path, Path], layers: list[tuple[Path, LayerIndex]], tmp_path: Path
) -> None:
    tree = stack([index for _, index in layers])
    theirs = equals_disk(tree, built[1])
    assert 0 < waste_of(tree).efficiency < 1

    blobs = [path for path, _ in layers]

    def open_layer(layer: int, offset: int):
        file = blobs[layer].open("rb")
        file.seek(offset)
        return file

    done = Extraction(tree, open_layer, keep_special_bits=True).run(0, tmp_path / "out")
    assert done.skipped == []
    extracted = on_disk(tmp_path / "out")
    for path, (kind, size, *_) in theirs.items():
        assert extracted[path][:2] == (kind, size)
        if kind == Kind.REGULAR:
            assert (tmp_path / "out" / path[1:]).read_bytes() == (built[1] / path[1:]).read_bytes()
