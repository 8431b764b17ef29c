"""Tar layers: what Python's tarfile reads back, and the rules of whiteouts, links and names."""

from __future__ import annotations

import io
import tarfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.demo import DemoError
from regtui.demo.layers import Entry, Kind, Tree, build_layer
from regtui.oci import Digest, media_types


def members(tree: Tree) -> dict[str, tarfile.TarInfo]:
    raw = b"".join(tree.segments())
    assert len(raw) % 512 == 0
    with tarfile.open(fileobj=io.BytesIO(raw), errors="surrogateescape") as archive:
        return {member.name: member for member in archive}


def test_parents_come_first_and_children_before_siblings():
    tree = Tree(1000)
    tree.file("a.d/x", b"1")
    tree.file("a/z/y", b"2")
    tree.file("a-b", b"3")
    assert list(members(tree)) == ["a", "a/z", "a/z/y", "a-b", "a.d", "a.d/x"]


def test_attributes_of_every_kind():
    tree = Tree(1_700_000_000)
    tree.file("bin/su", b"x" * 700, 0o4755)
    tree.hard_link("bin/suu", "bin/su")
    tree.symlink("link", "/nowhere")
    tree.add("dev/null", Entry(Kind.CHARACTER_DEVICE, mode=0o666, device=(1, 3)))
    tree.add("dev/disk", Entry(Kind.BLOCK_DEVICE, device=(259, 7)))
    tree.add("pipe", Entry(Kind.FIFO, mode=0o600))
    tree.directory("tmp", 0o1777, 33, 42)
    found = members(tree)
    assert (found["bin/su"].mode, found["bin/su"].size, found["bin/su"].mtime) == (0o4755, 700, 1_700_000_000)
    assert found["bin/suu"].islnk()
    assert found["bin/suu"].linkname == "bin/su"
    assert found["link"].issym()
    assert found["link"].linkname == "/nowhere"
    assert (found["dev/null"].devmajor, found["dev/null"].devminor, found["dev/null"].ischr()) == (1, 3, True)
    assert (found["dev/disk"].devmajor, found["dev/disk"].devminor, found["dev/disk"].isblk()) == (259, 7, True)
    assert found["pipe"].isfifo()
    assert (found["tmp"].mode, found["tmp"].uid, found["tmp"].gname) == (0o1777, 33, "shadow")


@pytest.mark.parametrize("length", [99, 100, 101, 155, 156, 255, 256, 257, 1000])
@pytest.mark.parametrize("part", ["abcdefghi/", "abcdefghij" * 12 + "/", "x"])
def test_long_names_and_long_links(length, part):
    name = (part * length)[:length].rstrip("/") + ("z" if part.endswith("/") else "")
    tree = Tree(0)
    tree.file(name, b"content")
    tree.symlink("link", name)
    found = members(tree)
    assert found[name].size == 7
    assert found["link"].linkname == name


def test_names_beyond_ascii():
    tree = Tree(0)
    tree.file("日本", b"1")
    tree.file(b"latin-\xe9", b"2")
    tree.symlink("link", "日本")
    found = members(tree)
    assert set(found) == {"日本", "latin-\udce9", "link"}
    assert found["link"].linkname == "日本"


def test_extended_attributes_and_large_owners():
    tree = Tree(0)
    tree.add("ping", Entry(Kind.FILE, b"x", xattrs={"security.capability": b"\x01\x00\x00\x02\n="}, uid=3_000_000))
    ping = members(tree)["ping"]
    assert ping.uid == 3_000_000
    assert (
        ping.pax_headers["SCHILY.xattr.security.capability"].encode("utf-8", "surrogateescape")
        == b"\x01\x00\x00\x02\n="
    )


def test_whiteouts_have_their_names():
    tree = Tree(0)
    tree.delete("etc/gone")
    tree.delete("gone")
    tree.make_opaque("var/cache")
    assert {".wh.gone", "etc/.wh.gone", "var/cache/.wh..wh..opq"} <= set(members(tree))


@pytest.mark.parametrize("path", ["", "/etc", "etc/"])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(DemoError):
        Tree(0).file(path, b"")


def test_a_hard_link_needs_a_file_before_it():
    tree = Tree(0)
    tree.file("b", b"1")
    tree.symlink("c", "b")
    for path, target in (("d", "missing"), ("d", "c"), ("a", "b")):
        with pytest.raises(DemoError):
            tree.hard_link(path, target)


@pytest.mark.parametrize("media_type", [media_types.OCI_LAYER, media_types.OCI_LAYER_GZIP, media_types.OCI_LAYER_ZSTD])
def test_the_diff_id_does_not_depend_on_the_compression(media_type):
    tree = Tree(5)
    tree.file("file", b"content" * 1000)
    layer = build_layer(tree, media_type)
    assert layer.diff_id == Digest.of(b"".join(tree.segments()))
    assert layer.digest == Digest.of(layer.blob)


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.lists(st.text(alphabet="ab.é ", min_size=1, max_size=40), min_size=1, max_size=5).map("/".join),
        st.binary(max_size=1100),
        max_size=8,
    )
)
def test_any_tree_reads_back(files):
    tree = Tree(7)
    kept = {}
    for name, content in files.items():
        if any(other.startswith(f"{name}/") or name.startswith(f"{other}/") for other in files if other != name):
            continue
        tree.file(name, content)
        kept[name] = content
    raw = b"".join(tree.segments())
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}
    assert found == kept
