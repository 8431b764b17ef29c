"""Waste: dive's figures to the last digit, and what is really hidden."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from regtui.contents.merge import stack
from regtui.contents.waste import Budget, waste_of

from .conftest import archive, indexed

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.contents.layer_index import LayerIndex


def test_the_figures_of_dives_own_test(docker_archive: Callable[[str], list[LayerIndex]]) -> None:
    waste = waste_of(stack(docker_archive("dive-docker-image.tar")))
    assert waste.efficiency == 0.9844212134184309
    assert (waste.size, waste.user_size, waste.wasted) == (1220598, 66237, 32025)
    assert waste.wasted_share == 0.4834911001404049


def test_the_figures_of_the_kaniko_image(docker_archive: Callable[[str], list[LayerIndex]]) -> None:
    layers = docker_archive("dive-kaniko-image.tar")
    waste = waste_of(stack(layers))
    assert len(layers) == 14
    assert waste.efficiency == pytest.approx(0.97936884902, abs=1e-11)
    assert (waste.size, waste.user_size, waste.wasted) == (1326410, 94677, 46245)


def test_what_is_hidden() -> None:
    tree = stack(
        [
            indexed(archive(("big/a", b"x" * 100), ("big/b", b"y" * 50), ("edit", b"z" * 30), ("touch", b"t" * 7))),
            indexed(archive((".wh.big", b""), ("edit", b"z" * 40), ("touch", b"t" * 7))),
            indexed(archive((".wh.edit", b""))),
        ]
    )
    waste = waste_of(tree)
    assert waste.deleted == 150 + 40
    assert waste.overwritten == 30 + 7
    assert waste.metadata_only == 7
    assert waste.avoidable == 227
    # dive: big counts 0 when... the folder is no leaf in its layer, so only its whiteout counts, once.
    assert {tree.path(path.node): (path.count, path.bytes) for path in waste.worst} == {
        b"edit": (3, 70),
        b"touch": (2, 14),
    }


def test_no_layers_waste_nothing() -> None:
    waste = waste_of(stack([]))
    assert (waste.efficiency, waste.wasted, waste.wasted_share, waste.complete) == (1.0, 0, None, True)
    assert not waste_of(stack([None])).complete


def test_caches_left_behind() -> None:
    tree = stack(
        [
            indexed(
                archive(
                    ("var/lib/apt/lists/packages", b"x" * 300),
                    ("root/.cache/pip/http/1", b"x" * 20),
                    ("home/me/.npm/_cacache/2", b"x" * 10),
                    ("var/cache/apk/.keep", b""),
                )
            ),
            indexed(archive(("root/.cache/pip/.wh.http", b""))),
        ]
    )
    found = waste_of(tree).leftovers
    assert [(tree.path(left.node), left.manager, left.bytes, left.files) for left in found] == [
        (b"var/lib/apt/lists", "apt", 300, 1),
        (b"home/me/.npm", "npm", 10, 1),
    ]


def test_duplicates_need_hashes() -> None:
    raw = archive(("a", b"same" * 100), ("b", b"same" * 100), ("c", b"diff" * 100), ("d", b""), ("e", b""))
    assert waste_of(stack([indexed(raw)])).duplicates is None
    tree = stack([indexed(raw, hash_files=True)])
    groups = waste_of(tree).duplicates
    assert groups is not None
    assert [(sorted(map(tree.path, group.nodes)), group.bytes) for group in groups] == [([b"a", b"b"], 400)]


def test_budgets() -> None:
    tree = stack([indexed(archive(("a", b"x" * 100))), indexed(archive(("a", b"y" * 100)))])
    waste = waste_of(tree)
    assert waste.efficiency == 0.5
    assert Budget().broken(waste) == ()
    assert Budget(0.5, 200, 2.0).broken(waste) == ()
    assert len(Budget(0.51, 199, 1.9).broken(waste)) == 3
