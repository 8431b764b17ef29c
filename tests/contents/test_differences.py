"""Two images compared: config, layers, files, packages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.contents.differences import (
    Kind,
    config_differences,
    layer_differences,
    package_differences,
    shared_base,
)
from regtui.contents.file_differences import FileDifference, file_differences
from regtui.contents.merge import stack
from regtui.contents.packages.inventory import Installed
from regtui.contents.versions import version_key
from regtui.contents.view import View
from regtui.oci import Descriptor, Digest, parse_config

from .conftest import archive, indexed

if TYPE_CHECKING:
    from regtui.contents.layer_index import LayerIndex


def config(**inner: Any) -> Any:
    return parse_config(json.dumps({"os": "linux", "architecture": "amd64", "config": inner}).encode())


def test_configs() -> None:
    before = config(Env=["PATH=/bin", "A=1", "GONE=x"], Cmd=["sh"], Labels={"v": "1"}, ExposedPorts={"80/tcp": {}})
    after = config(Env=["PATH=/bin", "A=2", "NEW="], Cmd=["sh", "-c"], Labels={"v": "1"}, User="me")
    assert {(d.name, d.before, d.after) for d in config_differences(before, after)} == {
        ("Env A", "1", "2"),
        ("Env GONE", "x", None),
        ("Env NEW", None, ""),
        ("Cmd", "sh", "sh -c"),
        ("Port 80/tcp", "", None),
        ("User", None, "me"),
    }
    assert config_differences(before, before) == ()


def layers(*names: str) -> list[Descriptor]:
    return [Descriptor("application/vnd.oci.image.layer.v1.tar", Digest.of(name.encode()), 1) for name in names]


def test_layers() -> None:
    before, after = layers("base", "a", "b", "zip", "old"), layers("base", "b", "a", "ZIP", "new")
    before_ids = [Digest.of(name) for name in (b"0", b"1", b"2", b"3", b"4")]
    after_ids = [Digest.of(name) for name in (b"0", b"2", b"1", b"3", b"5")]
    found = [(d.kind, d.before, d.after) for d in layer_differences(before, after, before_ids, after_ids)]
    assert found == [
        (Kind.EQUAL, 0, 0),
        (Kind.MOVED, 2, 1),
        (Kind.MOVED, 1, 2),
        (Kind.RECOMPRESSED, 3, 3),
        (Kind.ADDED, None, 4),
        (Kind.REMOVED, 4, None),
    ]
    assert shared_base(before, after) == 1
    assert shared_base(before, before) == 5
    assert shared_base([], after) == 0


def index_of(*members: tuple[str, Any]) -> LayerIndex:
    return indexed(archive(*members))


def differences(before: list[LayerIndex | None], after: list[LayerIndex | None], shared: int = 0) -> list[tuple]:
    found = list(file_differences(stack(before), stack(after), shared))
    assert all(isinstance(difference, FileDifference) for difference in found)
    return sorted((d.path, d.kind, d.before, d.after, d.files) for d in found)


def test_files() -> None:
    base = index_of(("keep", b"1"), ("edit", b"22"), ("drop", b"333"), ("dir/x", b"4"), ("dir/y", b"5"), ("s/z", b"6"))
    old = index_of(("only-old", b"777"))
    new = index_of(("edit", b"2222"), (".wh.drop", b""), (".wh.dir", b""), ("fresh/a", b"1"), ("fresh/b/c", b"22"))
    expected = [
        ("/dir", Kind.REMOVED, 2, None, 2),
        ("/drop", Kind.REMOVED, 3, None, 1),
        ("/edit", Kind.CHANGED, 2, 4, 1),
        ("/fresh", Kind.ADDED, None, 3, 2),
        ("/only-old", Kind.REMOVED, 3, None, 1),
    ]
    assert differences([base, old], [base, new], 1) == expected
    assert differences([base, old], [base, new], 0) == expected
    assert differences([base, old], [base, old], 1) == []
    backwards = {path: kind for path, kind, *_ in differences([base, new], [base, old], 1)}
    assert backwards["/dir"] == Kind.ADDED
    assert backwards["/fresh"] == Kind.REMOVED


def test_shared_layers_need_not_be_read() -> None:
    new = index_of(("usr/bin/tool", b"2222"), ("etc/.wh.conf", b""), ("top", b"1"))
    old = index_of(("usr/bin/other", b"1"), ("top", b"1"))
    assert differences([None, old], [None, new], 1) == [
        ("/etc/conf", Kind.REMOVED, None, None, 1),
        ("/usr/bin/other", Kind.WRITTEN, 1, None, 1),
        ("/usr/bin/tool", Kind.WRITTEN, None, 4, 1),
    ]


def test_metadata_and_what_is_not_sure() -> None:
    import tarfile

    def one(mode: int, mtime: int, content: bytes = b"") -> bytes:
        info = tarfile.TarInfo("f")
        info.mode, info.mtime, info.size = mode, mtime, len(content)
        return info.tobuf() + content + bytes(-len(content) % 512)

    def compare(before: bytes, after: bytes, **options: Any) -> list[tuple]:
        trees = [stack([indexed(raw, **options)]) for raw in (before, after)]
        return [(d.kind, d.sure) for d in file_differences(*trees)]

    assert compare(one(0o644, 1, b"x"), one(0o600, 1, b"x")) == [(Kind.METADATA, True)]
    assert compare(one(0o644, 1, b"x"), one(0o644, 2, b"x")) == [(Kind.CHANGED, False)]
    assert compare(one(0o644, 1, b"x"), one(0o644, 2, b"x"), hash_files=True) == [(Kind.METADATA, True)]
    assert compare(one(0o644, 1, b"x"), one(0o644, 1, b"y"), hash_files=True) == [(Kind.CHANGED, True)]
    assert compare(one(0o644, 1, b"x"), one(0o644, 1, b"x")) == []


_path = st.lists(st.sampled_from(["a", "b", "c", ".wh.a", ".wh.b"]), min_size=1, max_size=3).map("/".join)
_layer = st.dictionaries(_path, st.sampled_from([b"1", b"22", b"333"]), max_size=5).map(
    lambda found: [(path, content) for path, content in found.items()]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(_layer, max_size=2), st.lists(_layer, max_size=2), st.lists(_layer, max_size=2))
def test_differences_equal_those_of_the_listings(base: list, old: list, new: list) -> None:
    shared = [index_of(*members) for members in base]
    before = stack([*shared, *(index_of(*members) for members in old)])
    after = stack([*shared, *(index_of(*members) for members in new)])

    def files(tree: Any) -> dict[str, int]:
        view, found, pending = View(tree), {}, [0]
        while pending:
            for node in view.children(pending.pop()):
                pending.append(node)
                if view.kind(node).letter != "d":
                    found[view.path(node)] = view.size(node)
        return found

    one, two = files(before), files(after)
    for count in (0, len(shared)):
        reported = {d.path: d for d in file_differences(before, after, count)}
        for path in one.keys() | two.keys():
            # A folder that only one image has stands for all that is in it.
            covers = [path[:at] for at in range(1, len(path) + 1) if path[at : at + 1] in {"/", ""}]
            assert (one.get(path) != two.get(path)) == any(cover in reported for cover in covers)


def package(name: str, version: str | None, manager: str = "dpkg", size: int | None = 1) -> Installed:
    return Installed(manager, name, version, None, 0, size, 1, None, 0)


def test_packages() -> None:
    before = [package("up", "1.9"), package("down", "2"), package("gone", "1"), package("same", "1"),
              package("many", "1", "npm"), package("many", "2", "npm")]  # fmt: skip
    after = [package("up", "1.10"), package("down", "1:1"), package("came", "1"), package("same", "1"),
             package("many", "2", "npm"), package("many", "3", "npm"), package("many", "4", "npm")]  # fmt: skip
    found = {(d.name, d.kind, d.before, d.after) for d in package_differences(before, after)}
    assert found == {
        ("up", Kind.UP, "1.9", "1.10"),
        ("down", Kind.UP, "2", "1:1"),
        ("gone", Kind.REMOVED, "1", None),
        ("came", Kind.ADDED, None, "1"),
        ("many", Kind.REMOVED, "1", None),
        ("many", Kind.ADDED, None, "3"),
        ("many", Kind.ADDED, None, "4"),
    }
    assert package_differences(after, before)[0].kind == Kind.REMOVED
    assert {d.kind for d in package_differences([package("x", "2")], [package("x", "1")])} == {Kind.DOWN}


@pytest.mark.parametrize(
    ("manager", "ordered"),
    [
        ("dpkg", ["1.0~rc1-1", "1.0-1", "1.0-1+b1", "1.0+dfsg-1", "1.0.1-1", "1.2-1", "1.10-1", "1:0.1"]),
        ("python", ["1.0.dev1", "1.0a1", "1.0rc1", "1.0", "1.0.post1", "1.1"]),
        ("npm", ["1.0.0-beta.2", "1.0.0", "1.0.1", "1.2.0", "1.10.0"]),
        ("go", ["v1.0.0-rc1", "v1.0.0", "v1.2.0"]),
    ],
)
def test_versions_sort(manager: str, ordered: list[str]) -> None:
    mixed = [*ordered[1::2], *ordered[::2]]
    assert sorted(mixed, key=lambda version: version_key(version, manager)) == ordered
