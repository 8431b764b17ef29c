"""Images built by umoci: each layer equals what GNU tar lists, the stack equals what umoci unpacks."""

from __future__ import annotations

import gzip
import hashlib
import json
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
from regtui.contents.merge import stack
from regtui.contents.stream import index_layer
from regtui.contents.view import View
from regtui.contents.waste import waste_of
from regtui.oci import Digest, ImageManifest, parse_config, parse_manifest

from .test_equality import as_gnu_tar_lists, line_of

if TYPE_CHECKING:
    from regtui.contents.layer_index import LayerIndex

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
def layers(built: tuple[Path, Path]) -> list[tuple[Path, LayerIndex]]:
    layout, _ = built
    blobs = layout / "blobs/sha256"

    def read(digest: str) -> bytes:
        return (blobs / digest.partition(":")[2]).read_bytes()

    manifest = parse_manifest(read(json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]))
    assert isinstance(manifest, ImageManifest)
    config = parse_config(read(manifest.config.digest))
    found = []
    for layer, diff_id in zip(manifest.layers, config.diff_ids, strict=True):
        path = blobs / layer.digest.encoded
        with path.open("rb") as stream:
            found.append((path, index_layer(stream, layer, diff_id)))
    return found


def test_each_layer_equals_the_listing_of_gnu_tar(layers: list[tuple[Path, LayerIndex]]) -> None:
    assert len(layers) == 3
    assert sum(index.entries for _, index in layers) > 300
    for path, index in layers:
        assert index.damage is None
        assert index.diff_id == Digest("sha256:" + hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest())
        entries = (index.entry(row) for row in range(len(index)))
        ours = [line_of(entry) for entry in entries if not entry.implied]
        assert ours == as_gnu_tar_lists(gzip.decompress(path.read_bytes()))


_MODES = {stat.S_IFREG: Kind.REGULAR, stat.S_IFDIR: Kind.DIRECTORY, stat.S_IFLNK: Kind.SYMLINK, stat.S_IFIFO: Kind.FIFO}


def on_disk(rootfs: Path) -> dict[str, tuple]:
    found = {}
    for path in rootfs.rglob("*"):
        info = path.lstat()
        kind = _MODES[stat.S_IFMT(info.st_mode)]
        size = info.st_size if kind == Kind.REGULAR else 0
        link = os.readlink(path) if kind == Kind.SYMLINK else None
        mode = 0 if kind == Kind.SYMLINK else stat.S_IMODE(info.st_mode)
        found["/" + str(path.relative_to(rootfs))] = (kind, size, mode, link, int(info.st_mtime // 1))
    return found


def test_the_stack_equals_what_umoci_unpacks(
    built: tuple[Path, Path], layers: list[tuple[Path, LayerIndex]], tmp_path: Path
) -> None:
    tree = stack([index for _, index in layers])
    view = View(tree)
    ours, pending = {}, [0]
    while pending:
        for node in view.children(pending.pop()):
            pending.append(node)
            entry = view.entry(node)
            assert entry is not None
            kind, size, link = entry.kind, entry.size, entry.link
            if kind == Kind.HARDLINK:
                target = tree.find((link or "").encode())
                here = tree.occurrence(target) if target is not None else None
                kind, link = Kind.REGULAR, None
                # The other name may be gone, the content is that of its layer.
                size = tree.size(here) if here is not None else 5000
            mode = 0 if kind == Kind.SYMLINK else entry.mode
            ours[view.path(node)] = (kind, size, mode, link, entry.mtime)
    theirs = on_disk(built[1])
    assert ours.keys() == theirs.keys()
    different = {path: (ours[path], theirs[path]) for path in ours if ours[path] != theirs[path]}
    assert different == {}
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
