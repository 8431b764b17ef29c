"""Repositories by path: pages in any order make the same tree."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from regtui.ui.models.path_tree import LEVELS, PathNode, PathSource
from regtui.ui.models.tree import TreeModel

paths = st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4).map("/".join), max_size=15)


def tree(source: PathSource[int]) -> list[str]:
    model = TreeModel(source)
    model.apply(model.prepare_open_all()())
    found = []
    for position in range(len(model)):
        node = model.at(position)
        assert isinstance(node, PathNode)
        thing = "" if node.value is None else f"={node.value}"
        found.append(f"{'.' * model.depth(position)}{node.name}{thing}({node.below})")
    return found


def test_a_path_may_be_a_thing_and_a_folder() -> None:
    source: PathSource[int] = PathSource()
    source.add([("shop/cart", 1), ("shop/cart/cache", 2), ("alpine", 3)])
    source.add([("shop/web10", 4), ("shop/web9", 5)])
    assert tree(source) == ["alpine=3(0)", "shop(4)", ".cart=1(1)", "..cache=2(0)", ".web9=5(0)", ".web10=4(0)"]
    assert source.count == 5
    assert [node.name for node in source.trail("shop/cart/cache")] == ["shop", "cart", "cache"]
    assert source.trail("shop/nothing") == []


def test_a_path_that_comes_twice_counts_once() -> None:
    source: PathSource[int] = PathSource()
    source.add([("a/b", 1), ("a/b", 2)])
    assert tree(source) == ["a(1)", ".b=2(0)"]
    assert source.count == 1
    source.clear()
    assert (tree(source), source.count) == ([], 0)


def test_removing_takes_empty_folders_along() -> None:
    source: PathSource[int] = PathSource()
    source.add([("a/b/c", 1), ("a/d", 2)])
    assert source.remove("a/b/c")
    assert not source.remove("a/b/c")
    assert not source.remove("a")
    assert tree(source) == ["a(1)", ".d=2(0)"]
    assert source.remove("a/d")
    assert tree(source) == []


def test_filter_finds_repositories_not_folders() -> None:
    source: PathSource[int] = PathSource()
    source.add([("shop/cart", 1), ("infra/shopping", 2), ("infra/db", 3)])
    model = TreeModel(source)
    model.set_filter("shop")
    names = [node.path for position in range(len(model)) if isinstance(node := model.at(position), PathNode)]
    assert names == ["infra", "infra/shopping", "shop", "shop/cart"]


def test_names_of_slashes_only_end_somewhere() -> None:
    source: PathSource[int] = PathSource()
    source.add([("/" * 5_000, 1)])
    assert len(tree(source)) == LEVELS + 1


@given(paths, paths)
def test_the_order_of_pages_does_not_matter(first: list[str], second: list[str]) -> None:
    one: PathSource[int] = PathSource()
    other: PathSource[int] = PathSource()
    pages = [(path, 1) for path in first], [(path, 1) for path in second]
    one.add(pages[0])
    one.add(pages[1])
    other.add(pages[1])
    other.add(pages[0])
    assert tree(one) == tree(other)
    assert one.count == len({*first, *second})
    for path in {*first, *second}:
        assert other.remove(path)
    assert (other.count, tree(other)) == (0, [])
