"""Extracting: the right files, and nothing outside of the destination, no devices, no set-user-id."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.contents.errors import IndexingCancelled, NotReadable, UnsafeExtraction
from regtui.contents.extract import Extracted, Extraction
from regtui.contents.merge import stack

from .conftest import archive, indexed


def member(path: str, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.mode, info.linkname, info.mtime = kind, mode, link, 1_600_000_000
    return info


def extraction(*layers: bytes, **options: Any) -> Extraction:
    tree = stack([indexed(raw) for raw in layers])
    return Extraction(tree, lambda layer, offset: io.BytesIO(layers[layer][offset:]), **options)


def run(node_path: bytes, destination: Path, *layers: bytes, **options: Any) -> Extracted:
    work = extraction(*layers, **options)
    node = work._tree.find(node_path) if node_path else 0
    assert node is not None
    return work.run(node, destination)


def found(root: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(root)): os.readlink(path)
        if path.is_symlink()
        else None
        if path.is_dir()
        else path.read_bytes()
        for path in sorted(root.rglob("*"))
    }


def test_a_folder_of_two_layers(tmp_path: Path) -> None:
    lower = gzip.compress(
        archive(
            ("app/bin/tool", b"old"),
            ("app/data", b"data" * 1000),
            ("app/gone", b"x"),
            ("app/link", "-> bin/tool"),
            ("app/abs", "-> /app/data"),
            ("app/hard", "=> app/data"),
            ("other", b"no"),
        )
    )
    upper = archive(("app/bin/tool", b"new"), ("app/.wh.gone", b""))
    done = run(b"app", tmp_path / "out", lower, upper)
    assert found(tmp_path / "out") == {
        "bin": None,
        "bin/tool": b"new",
        "data": b"data" * 1000,
        "hard": b"data" * 1000,
        "link": "bin/tool",
        "abs": "data",
    }
    assert (done.files, done.links, done.skipped) == (3, 2, [])


def test_one_file_and_what_it_is_a_link_to(tmp_path: Path) -> None:
    raw = archive(("a", b"content"), ("l", "-> a"), ("d", "-> nowhere"))
    for path in (b"a", b"l"):
        run(path, tmp_path / path.decode(), raw)
        assert (tmp_path / path.decode()).read_bytes() == b"content"
        assert not (tmp_path / path.decode()).is_symlink()
    with pytest.raises(NotReadable):
        run(b"d", tmp_path / "d", raw)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    raw = archive(("a", b"content"), ("folder/b", b"1"))
    (tmp_path / "there").write_text("mine")
    (tmp_path / "dangling").symlink_to(tmp_path / "elsewhere")
    for name in ("there", "dangling"):
        for path in (b"a", b"folder"):
            with pytest.raises(UnsafeExtraction):
                run(path, tmp_path / name, raw)
    assert (tmp_path / "there").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


def test_links_never_lead_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    raw = archive(
        ("app/up", "-> ../../outside"),
        ("app/root", "-> /etc/passwd"),
        ("app/sly", "-> sub/../../../outside"),
        ("app/empty", "-> ./"),
        ("app/sub/x", b"1"),
        ("app/fine", "-> sub/../sub/x"),
    )
    # A lower layer's link to the outside, and files of the upper layer that would go through it.
    upper = archive(("app/up/stolen", b"bad"), ("app/sly", None), ("app/sly/file", b"ok"))
    done = run(b"app", tmp_path / "out", raw, upper)
    assert list(outside.iterdir()) == []
    for path in (tmp_path / "out").rglob("*"):
        assert path.resolve().is_relative_to((tmp_path / "out").resolve())
    assert {path for path, _ in done.skipped} == {"/app/root"}
    assert (tmp_path / "out" / "fine").read_bytes() == b"1"


def test_special_bits_and_devices(tmp_path: Path) -> None:
    raw = archive(
        member("d", tarfile.DIRTYPE, 0o1777),
        member("d/suid", mode=0o6755),
        member("d/secret", mode=0),
        member("d/null", tarfile.CHRTYPE),
        member("d/sda", tarfile.BLKTYPE),
        member("d/pipe", tarfile.FIFOTYPE),
    )
    done = run(b"d", tmp_path / "plain", raw)
    assert (tmp_path / "plain").stat().st_mode & 0o7777 == 0o777
    assert (tmp_path / "plain/suid").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "plain/suid").stat().st_mtime == 1_600_000_000
    assert (tmp_path / "plain/secret").stat().st_mode & 0o7777 == 0o400
    assert sorted(path for path, _ in done.skipped) == ["/d/null", "/d/pipe", "/d/sda"]
    run(b"d", tmp_path / "kept", raw, keep_special_bits=True)
    assert (tmp_path / "kept/suid").stat().st_mode & 0o7777 == 0o6755


def test_the_whole_image_and_its_layers_so_far(tmp_path: Path) -> None:
    lower, upper = archive(("a", b"1"), ("etc/b", b"2")), archive((".wh.a", b""))
    run(b"", tmp_path / "all", lower, upper)
    assert found(tmp_path / "all") == {"etc": None, "etc/b": b"2"}
    run(b"", tmp_path / "base", lower, upper, layer=0)
    assert found(tmp_path / "base") == {"a": b"1", "etc": None, "etc/b": b"2"}


def test_cancelling(tmp_path: Path) -> None:
    with pytest.raises(IndexingCancelled):
        run(b"a", tmp_path / "a", archive(("a", b"1")), cancelled=lambda: True)


_name = st.sampled_from(["a", "b", "..", ".", "c\\d", "é", "-rf", " "])
_target = st.lists(st.sampled_from(["..", "a", "b", "", "."]), max_size=5).map("/".join)


@settings(max_examples=100, deadline=None)
@given(
    layers=st.lists(
        st.lists(
            st.tuples(
                st.lists(_name, min_size=1, max_size=4).map("/".join),
                st.one_of(st.none(), st.just(b"x"), _target.map(lambda t: f"-> {t}"), _target.map(lambda t: f"=> {t}")),
            ),
            max_size=6,
        ),
        max_size=3,
    )
)
def test_nothing_leaves_the_destination(
    layers: list[list[tuple[str, Any]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("fuzz")
    raws = [archive(*members) for members in layers]
    extraction(*raws).run(0, root / "out") if raws else None
    assert [path.name for path in root.iterdir()] == (["out"] if raws else [])
    for path in root.rglob("*"):
        assert Path(os.path.realpath(path)).is_relative_to(root.resolve())
