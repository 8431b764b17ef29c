"""Packages beside the files: what no package owns is told only when every layer told its packages."""

from __future__ import annotations

import pytest

from regtui.contents.merge import stack
from regtui.contents.packages.inventory import inventory_of
from regtui.contents.view import View
from regtui.ui.facts.waste import package_rows
from tests.contents.conftest import archive, indexed


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ({}, (5, "no package: 1 files")),
        ({"tables": 1}, (None, "not known in 1 layer, F reads")),
        ({"tables": 2, "missing": 1}, (None, "not known in 2 layers, F reads")),
        ({"missing": 1}, (None, "not known in 1 missing layer")),
    ],
)
def test_what_no_package_owns(layers: dict[str, int], said: tuple[int | None, str]) -> None:
    tree = stack([indexed(archive(("a", b"12345")))])
    first = next(package_rows(inventory_of(tree, 10), View(tree), **layers))
    assert (first.bytes, first.name) == said
