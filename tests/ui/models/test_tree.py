"""TreeModel: slices in and out give the same lines as walking the whole tree anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from regtui.ui.models.filters import Filter, InvalidFilter, parse_filter
from regtui.ui.models.tree import DEPTH_LIMIT, Matches, Note, Sort, TreeModel, find_matches

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class Branch:
    name: str
    children: list[Branch] = field(default_factory=list)
    is_loaded: bool = True


class Forest:
    def __init__(self, *roots: Branch) -> None:
        self._roots = list(roots)

    def roots(self) -> Sequence[Branch]:
        return self._roots

    def children(self, node: Branch) -> Sequence[Branch] | None:
        return node.children if node.is_loaded else None

    def has_children(self, node: Branch) -> bool:
        return bool(node.children) or not node.is_loaded

    def key(self, node: Branch) -> str:
        return node.name

    def text(self, node: Branch) -> str:
        return node.name


def lines(model: TreeModel[Branch]) -> list[str]:
    found = []
    for position in range(len(model)):
        node = model.at(position)
        label = f"({node.sentence})" if isinstance(node, Note) else node.name
        found.append("." * model.depth(position) + label)
    return found


def small() -> Forest:
    return Forest(
        Branch("etc", [Branch("etc/apt", [Branch("etc/apt/list")]), Branch("etc/passwd")]),
        Branch("usr", [Branch("usr/bin", [Branch("usr/bin/env")])]),
        Branch("init"),
    )


def at(model: TreeModel[Branch], key: str) -> int:
    position = model.position(key)
    assert position is not None
    return position


def test_open_and_close_remember_what_was_open_inside() -> None:
    model = TreeModel(small())
    assert lines(model) == ["etc", "usr", "init"]
    assert not model.open(0)
    model.open(1)
    assert lines(model) == ["etc", ".etc/apt", "..etc/apt/list", ".etc/passwd", "usr", "init"]
    assert model.close(0)
    assert not model.close(0)
    assert lines(model) == ["etc", "usr", "init"]
    model.open(0)
    assert lines(model) == ["etc", ".etc/apt", "..etc/apt/list", ".etc/passwd", "usr", "init"]
    assert not model.open(at(model, "init"))


def test_the_cursor_stays_on_its_node_or_goes_to_the_one_that_hides_it() -> None:
    model = TreeModel(small())
    model.move_to_key("usr")
    model.open(0)
    assert model.current is not None
    assert model.current.name == "usr"
    model.move_to_key("etc/passwd")
    model.close(0)
    assert model.current.name == "etc"


def test_children_are_loaded_when_they_are_wanted() -> None:
    subject = Branch("image", is_loaded=False)
    model = TreeModel(Forest(subject, Branch("other")))
    model.move_to(1)
    assert model.open(0)
    assert lines(model) == ["image", ".(loading…)", "other"]
    assert model.current is not None
    model.fail("image", "The registry does not answer.")
    assert lines(model) == ["image", ".(The registry does not answer.)", "other"]
    model.close(0)
    assert model.open(0)
    assert lines(model)[1] == ".(loading…)"
    subject.children, subject.is_loaded = [Branch("sbom"), Branch("signature")], True
    model.loaded("image")
    assert lines(model) == ["image", ".sbom", ".signature", "other"]
    assert model.current.name == "other"
    model.loaded("other")
    model.loaded("unknown")


def test_a_note_is_no_node() -> None:
    model = TreeModel(Forest(Branch("image", is_loaded=False)))
    model.open(0)
    model.move_to(1)
    assert model.current is None
    assert not model.open(1)
    assert not model.close(1)
    model.toggle_mark()
    assert model.marks == set()


def test_filter_shows_what_matches_what_is_above_and_what_is_under() -> None:
    model = TreeModel(small())
    model.move_to_key("usr")
    model.set_filter("~apt$")
    assert lines(model) == ["etc", ".etc/apt"]
    model.open(1)
    assert lines(model) == ["etc", ".etc/apt", "..etc/apt/list"]
    model.move_to_key("etc/apt/list")
    model.set_filter("")
    assert lines(model) == ["etc", ".etc/apt", "..etc/apt/list", ".etc/passwd", "usr", "init"]
    assert model.current is not None
    assert model.current.name == "etc/apt/list"


def test_inverse_leaves_nothing_in_that_matches() -> None:
    model = TreeModel(small())
    model.set_filter("!apt")
    model.open(at(model, "etc"))
    assert lines(model) == ["etc", ".etc/passwd", "usr", ".usr/bin", "..usr/bin/env", "init"]


def test_a_bad_filter_keeps_the_one_before() -> None:
    model = TreeModel(small())
    model.set_filter("~apt$")
    with pytest.raises(InvalidFilter):
        model.set_filter("~(")
    assert lines(model) == ["etc", ".etc/apt"]


def test_sort_orders_siblings_and_puts_the_unknown_last() -> None:
    model = TreeModel(small())
    model.open(0)
    sizes = {"etc": 1, "usr": 3, "etc/passwd": 9}
    model.set_sort(Sort("size", lambda node: sizes.get(node.name), reverse=True))
    assert lines(model) == ["usr", "etc", ".etc/passwd", ".etc/apt", "init"]
    model.set_sort(None)
    assert lines(model)[0] == "etc"


def test_reveal_opens_what_is_above() -> None:
    forest = small()
    model = TreeModel(forest)
    usr = forest.roots()[1]
    assert model.reveal([usr, usr.children[0], usr.children[0].children[0]])
    assert model.current is not None
    assert model.current.name == "usr/bin/env"
    assert not model.reveal([])
    assert not model.reveal([Branch("elsewhere")])


def test_marks() -> None:
    model = TreeModel(small())
    model.toggle_mark()
    assert model.marks == {"etc"}
    assert model.is_marked(model.source.roots()[0])
    model.clear_marks()
    assert not model.is_marked(model.source.roots()[0])


def test_a_tree_as_deep_as_it_likes_ends_somewhere() -> None:
    deepest = Branch("0")
    for level in range(1, 3 * DEPTH_LIMIT):
        deepest = Branch(str(level), [deepest])
    model = TreeModel(Forest(deepest))
    model.apply(model.prepare_open_all()())
    assert len(model) == DEPTH_LIMIT
    model.set_filter(str(3 * DEPTH_LIMIT - 5))
    assert len(model) == 5


def test_a_source_may_search_by_itself() -> None:
    class Columns(Forest):
        def search(self, wanted: Filter) -> Matches:
            return Matches({"usr/bin"}, {"usr"})

    model = TreeModel(Columns(*small().roots()))
    model.set_filter("anything")
    assert lines(model) == ["usr", ".usr/bin"]


def test_nodes_may_be_numbers_into_columns() -> None:
    class Numbers:
        def roots(self) -> Sequence[int]:
            return (0, 1)

        def children(self, node: int) -> Sequence[int]:
            return (node * 2 + 2, node * 2 + 3) if node < 3 else ()

        def has_children(self, node: int) -> bool:
            return node < 3

        def key(self, node: int) -> int:
            return node

        def text(self, node: int) -> str:
            return str(node)

    model = TreeModel(Numbers())
    model.open(0)
    assert [model.at(position) for position in range(len(model))] == [0, 2, 3, 1]
    assert model.current == 0
    model.set_filter("5")
    assert [model.at(position) for position in range(len(model))] == [1, 5]


branches: st.SearchStrategy[list[Any]] = st.recursive(
    st.just([]), lambda inner: st.lists(inner, max_size=3), max_leaves=12
)


class Naive(RuleBasedStateMachine):
    """Slices against walking."""

    @initialize(shape=branches)
    def plant(self, shape: list[object]) -> None:
        self.count = 0
        self.forest = Forest(*[self.grow(part) for part in shape])
        self.model: TreeModel[Branch] = TreeModel(self.forest)
        self.filter = parse_filter("")

    def grow(self, shape: object) -> Branch:
        self.count += 1
        name = f"n{self.count}"
        assert isinstance(shape, list)
        return Branch(name, [self.grow(part) for part in shape], is_loaded=self.count % 4 != 3)

    @precondition(lambda self: len(self.model) > 0)
    @rule(position=st.integers(0, 40))
    def open(self, position: int) -> None:
        position = min(position, len(self.model) - 1)
        node = self.model.at(position)
        wanted = self.model.open(position)
        if not isinstance(node, Note):
            assert wanted == (not node.is_loaded)

    @precondition(lambda self: len(self.model) > 0)
    @rule(position=st.integers(0, 40))
    def close(self, position: int) -> None:
        position = min(position, len(self.model) - 1)
        cursor = self.model.current
        above = self.model.at(position)
        under = range(position + 1, self.model.end(position))
        was_under = self.model.cursor in under
        if self.model.close(position):
            assert self.model.current is (above if was_under else cursor) or cursor is None

    @precondition(lambda self: len(self.model) > 0)
    @rule(position=st.integers(0, 40))
    def load(self, position: int) -> None:
        node = self.model.at(min(position, len(self.model) - 1))
        if not isinstance(node, Note):
            node.is_loaded = True
            self.model.loaded(node.name)

    @rule(position=st.integers(-3, 60))
    def move(self, position: int) -> None:
        self.model.move_to(position)

    @rule(source=st.sampled_from(["", "1", "!1", "~[2-5]$", "none"]))
    def filtered(self, source: str) -> None:
        self.model.set_filter(source)
        self.filter = self.model.view.wanted

    @rule(by=st.sampled_from([None, "name", "back"]))
    def sorted_by(self, by: str | None) -> None:
        self.model.set_sort(None if by is None else Sort(by, lambda node: node.name, reverse=by == "back"))

    def walked(self) -> list[str]:
        found: list[str] = []
        view = self.model.view

        def walk(nodes: Sequence[Branch], depth: int, *, inside: bool) -> None:
            matches = view.matches
            if matches is not None and not inside:
                nodes = [node for node in nodes if node.name in matches.nodes or node.name in matches.above]
            for node in view.sort(nodes) if view.sort is not None else nodes:
                found.append("." * depth + node.name)
                if node.name not in view.opened or not self.forest.has_children(node):
                    continue
                if not node.is_loaded:
                    found.append("." * (depth + 1) + "(loading…)")
                    continue
                matched = matches is not None and not view.wanted.inverse and node.name in matches.nodes
                walk(node.children, depth + 1, inside=inside or matched)

        walk(self.forest.roots(), 0, inside=False)
        return found

    @invariant()
    def lines_are_those_of_a_walk(self) -> None:
        assert lines(self.model) == self.walked()
        assert 0 <= self.model.cursor <= max(0, len(self.model) - 1)

    @invariant()
    def parents_are_above(self) -> None:
        for position in range(len(self.model)):
            parent = self.model.parent(position)
            assert (parent is None) == (self.model.depth(position) == 0)
            if parent is not None:
                assert self.model.depth(parent) == self.model.depth(position) - 1
                assert position < self.model.end(parent)

    @invariant()
    def matches_are_those_that_match(self) -> None:
        if self.filter.is_empty:
            return
        passes = self.filter.test()
        for name in find_matches(self.forest, self.filter).nodes:
            assert passes(str(name))


Naive.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestNaive = Naive.TestCase
