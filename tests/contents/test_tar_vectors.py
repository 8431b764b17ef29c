"""Every tar vector has the verdict that it should have, and the entries that the reference readers see."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from regtui.contents.layer_index import LayerIndex

from .conftest import SHARED, indexed

if TYPE_CHECKING:
    from pathlib import Path

_TRUNCATED = {"go/writer-big-long.tar"}


def _rows() -> list[pytest.param]:
    table = SHARED / "vectors" / "vectors.json"
    if not table.is_file():
        return [pytest.param(None, marks=pytest.mark.skip("the shared test vectors are not on this machine"))]
    found = json.loads(table.read_text())
    rows = found if isinstance(found, list) else found["vectors"]
    return [pytest.param(row, id=row["files"][0]["file"]) for row in rows if row["files"][0]["file"].startswith("tar/")]


@pytest.mark.parametrize("row", _rows())
def test_verdict(row: dict, vectors: Path) -> None:
    name = row["files"][0]["file"]
    index = indexed((vectors / name).read_bytes())
    if row["expect"] == "malformed":
        assert index.damage is not None
        return
    assert row["expect"] == "list"
    assert index.damage is None or name.removeprefix("tar/") in _TRUNCATED
    python = re.search(r"stream: (\d+) members", row["observed"])
    if python:
        # Python hides global headers, as regtui does; Go counts them.
        assert index.entries == int(python[1])
    else:
        assert index.entries == int(re.search(r"archive/tar: (\d+) member", row["observed"])[1])


@pytest.mark.parametrize(
    ("name", "path", "size"),
    [
        ("tar/go/gnu-sparse-big.tar", "gnu-sparse", 60_000_000_000),
        ("tar/go/pax-nil-sparse-data.tar", "sparse.db", 1000),
        ("tar/go/gnu-nil-sparse-data.tar", "sparse.db", 1000),
    ],
)
def test_sparse_files_show_their_apparent_size(name: str, path: str, size: int, vectors: Path) -> None:
    index = indexed((vectors / name).read_bytes())
    row = index.find(path)
    assert row is not None
    assert index.entry(row).size == size


def test_an_empty_name_is_the_root(vectors: Path) -> None:
    index = indexed((vectors / "tar/tar-rs/empty_filename.tar").read_bytes())
    assert index.children(0) == []
    assert not index.entry(0).implied


def test_every_vector_survives_being_stored(vectors: Path) -> None:
    for file in sorted((vectors / "tar").glob("*/*")):
        index = indexed(file.read_bytes())
        again = LayerIndex.from_bytes(index.to_bytes())
        assert [again.entry(row) for row in range(len(again))] == [index.entry(row) for row in range(len(index))]
        assert (again.digest, again.damage, again.columns.sparse) == (index.digest, index.damage, index.columns.sparse)
