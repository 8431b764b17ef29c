"""On disk: a true layout, kept when it is whole, made again when it is not, and never over other things."""

from __future__ import annotations

import hashlib
import json
import os
import sys

import pytest

from regtui.demo import DemoError, build_demo
from regtui.demo import layout as layout_module
from regtui.oci import RegtuiError


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "demo"


@pytest.fixture(autouse=True)
def made_before(request, monkeypatch, demo):
    """Most tests write the demo that is in memory; how it is made is told in test_build.py."""
    if "layout" not in request.fixturenames:
        monkeypatch.setattr(layout_module, "make_demo", lambda _: demo)


def state(folder):
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file()
    }


def content(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_it_is_an_oci_layout(layout):
    top = sorted(path.name for path in layout.folder.iterdir())
    assert top == ["blobs", "demo-trust", "index.json", "oci-layout", "regtui-demo.json"]
    assert json.loads((layout.folder / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = (layout.folder / "index.json").read_bytes()
    assert layout.index_digest == f"sha256:{hashlib.sha256(index).hexdigest()}"
    blobs = list((layout.folder / "blobs/sha256").iterdir())
    for path in blobs:
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name
    assert (layout.blobs, layout.size) == (len(blobs), sum(path.stat().st_size for path in blobs))
    assert (layout.repositories, layout.tags, layout.built) == (15, 74, True)
    assert sorted(path.name for path in layout.trust.iterdir()) == [
        "README.txt",
        "cosign.pub",
        "notation-ca.pem",
        "trustpolicy.json",
        "truststore",
    ]


def test_a_whole_demo_is_kept(folder):
    first = build_demo(folder)
    before = state(folder)
    second = build_demo(folder, lambda *_: pytest.fail("nothing is to be made"))
    assert (first.built, second.built) == (True, False)
    assert state(folder) == before
    assert (second.index_digest, second.blobs, second.size) == (first.index_digest, first.blobs, first.size)


def test_a_changed_demo_is_kept_and_counted_as_it_is(folder):
    build_demo(folder)
    index = json.loads((folder / "index.json").read_bytes())
    index["manifests"] = index["manifests"][:3]
    (folder / "index.json").write_text(json.dumps(index))
    kept = build_demo(folder)
    assert (kept.built, kept.tags, kept.repositories) == (False, 3, 1)
    assert len(json.loads((folder / "index.json").read_bytes())["manifests"]) == 3


def test_an_empty_folder_is_filled(folder):
    folder.mkdir()
    assert build_demo(folder).built


def test_folders_above_are_made(tmp_path):
    assert build_demo(tmp_path / "a" / "b").built


@pytest.mark.parametrize("stop_after", [0, 1, 100, 390])
def test_an_interrupted_build_is_made_again(folder, layout, monkeypatch, stop_after):
    class Stopped(Exception):
        pass

    calls = iter(range(10_000))
    write_bytes = type(folder).write_bytes

    def write(path, data):
        if next(calls) > stop_after:
            raise Stopped
        return write_bytes(path, data)

    monkeypatch.setattr(type(folder), "write_bytes", write)
    with pytest.raises(Stopped):
        build_demo(folder)
    monkeypatch.undo()
    assert not (folder / "index.json").exists() or stop_after > 384
    again = build_demo(folder)
    assert again.built
    assert again.index_digest == layout.index_digest
    assert content(folder) == content(layout.folder)


def test_a_lost_blob_is_made_again(folder):
    first = build_demo(folder)
    lost = next((folder / "blobs/sha256").iterdir())
    lost.unlink()
    again = build_demo(folder)
    assert again.built
    assert lost.exists()
    assert (again.blobs, again.size) == (first.blobs, first.size)


@pytest.mark.parametrize("name", ["index.json", "oci-layout", "regtui-demo.json"])
def test_a_lost_file_is_made_again_or_told(folder, name):
    build_demo(folder)
    (folder / name).unlink()
    if name == "regtui-demo.json":
        with pytest.raises(DemoError):
            build_demo(folder)
    else:
        assert build_demo(folder).built
        assert (folder / name).exists()


def test_an_older_demo_is_replaced_unless_it_was_changed(folder, monkeypatch):
    build_demo(folder)
    (folder / "blobs/sha256" / ("0" * 64)).write_bytes(b"of the older demo")
    monkeypatch.setattr(layout_module, "VERSION", layout_module.VERSION + 1)
    assert build_demo(folder).built
    assert not (folder / "blobs/sha256" / ("0" * 64)).exists()
    (folder / "index.json").write_text('{"schemaVersion": 2, "manifests": []}')
    monkeypatch.setattr(layout_module, "VERSION", layout_module.VERSION + 1)
    with pytest.raises(DemoError, match="changed since"):
        build_demo(folder)
    assert json.loads((folder / "index.json").read_bytes())["manifests"] == []


@pytest.mark.parametrize("name", ["notes.txt", ".hidden", "index.json"])
def test_other_things_are_never_touched(folder, name):
    folder.mkdir()
    (folder / name).write_text("mine")
    with pytest.raises(DemoError) as told:
        build_demo(folder)
    assert isinstance(told.value, RegtuiError)
    assert told.value.hint
    assert content(folder) == {name: hashlib.sha256(b"mine").hexdigest()}


def test_a_broken_mark_beside_other_things_is_no_demo(folder):
    folder.mkdir()
    (folder / "regtui-demo.json").write_text("{")
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(DemoError):
        build_demo(folder)


@pytest.mark.parametrize("text", ["[]", "{", "[" * 50_000, '{"manifests": 3}', '{"manifests": [3]}', "\0"])
def test_a_broken_index_is_told(folder, text):
    build_demo(folder)
    (folder / "index.json").write_text(text)
    with pytest.raises(DemoError, match="broken"):
        build_demo(folder)


def test_a_first_write_that_was_cut_off_is_no_obstacle(folder):
    folder.mkdir()
    (folder / ".regtui-demo.json.new").write_text("{")
    assert build_demo(folder).built
    assert not (folder / ".regtui-demo.json.new").exists()


def test_a_file_in_the_way_is_told(folder):
    folder.write_text("mine")
    with pytest.raises(DemoError, match="not a folder"):
        build_demo(folder)
    assert folder.read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(DemoError, match="can't be written"):
        build_demo(tmp_path / "demo")


def test_a_full_disk_is_told(folder, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(folder), "write_bytes", full)
    with pytest.raises(DemoError, match="No space left on device"):
        build_demo(folder)
