"""Traps: 10 GB of zeros, 10 million entries, names of 1 MB, links in circles. All of them end, and stay small."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from regtui.contents.errors import NotReadable
from regtui.contents.extract import Extraction
from regtui.contents.file_differences import file_differences
from regtui.contents.links import content_of, resolve
from regtui.contents.merge import stack
from regtui.contents.packages.inventory import inventory_of
from regtui.contents.view import View
from regtui.contents.waste import waste_of

from .conftest import archive, indexed

if TYPE_CHECKING:
    from regtui.contents.layer_index import LayerIndex

ROOT = Path(__file__).resolve().parents[2]
MB = 1_000_000
MOST = 120 * MB
PER_ENTRY = 120
"""Bytes of memory per row of a tree: 12 MB per 100,000."""


def index_in_a_process(kind: str, tmp_path: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("bombs.py")), kind],
        capture_output=True, text=True, timeout=115, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")
@pytest.mark.parametrize(
    ("kind", "entries", "damage"),
    [
        ("zeros_in_a_file", 2, None),
        ("zeros_alone", 0, None),
        ("long_names", 0, "a path has more than 4,096 bytes"),
        pytest.param("entries", 2_000_000, "regtui lists 2,000,000 entries at most", marks=pytest.mark.slow),
    ],
)
def test_a_bomb_stays_small(kind: str, entries: int, damage: str | None, tmp_path: Path) -> None:
    told = index_in_a_process(kind, tmp_path)
    # The limit counts rows: folders that the archive only implies take one as well.
    assert entries <= told["rows" if kind == "entries" else "entries"] < entries + 100
    assert told["entries"] <= told["rows"]
    assert (told["damage"] is None) if damage is None else (damage in told["damage"])
    assert told["peak"] < MOST + told["rows"] * PER_ENTRY, told


CIRCLES = [
    [[("a", "-> b"), ("b", "-> a")], [("a/x", b"1"), ("b/y", b"2")]],
    [[("a", "-> a")], [("a/a/a", b"1")]],
    [[("d", None), ("d/up", "-> .."), ("d/d", "-> ../d")], [("d/up/d/up/new", b"1")]],
    [[("x", "=> y"), ("y", "=> x"), ("z", "=> z")], [("x", "=> z")]],
    [[("h", "=> s"), ("s", "-> h")], [("s", "=> h")]],
    [[(f"l{n}", f"-> l{n + 1}") for n in range(60)], [("l0/f", b"1"), ("l30/g", b"2")]],
]


@pytest.mark.parametrize("layers", CIRCLES, ids=range(len(CIRCLES)))
def test_links_in_circles_end(layers: list[list[tuple[str, Any]]], tmp_path: Path) -> None:
    raw = [archive(*members) for members in layers]
    indexes: list[LayerIndex | None] = [indexed(one) for one in raw]
    tree, before = stack(indexes), stack(indexes[:1])
    View(tree, since=0)
    waste_of(tree)
    inventory_of(tree)
    list(file_differences(before, tree, 1))
    paths = []
    for node in range(len(tree)):
        paths.append(tree.path(node))
        with suppress(NotReadable):
            content_of(tree, node)
    for path in paths:
        with suppress(NotReadable):
            resolve(tree, b"/" + path + b"/" + path)

    def open_layer(layer: int, offset: int) -> io.BytesIO:
        return io.BytesIO(raw[layer][offset:])

    done = Extraction(tree, open_layer).run(0, tmp_path / "out")
    assert done.files <= len(tree)
