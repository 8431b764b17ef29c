"""TreeTable in a tiny app: opening, closing, loading, filtering."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.containers import Vertical

from regtui.ui._textual import screen_text, settled
from regtui.ui.models.path_tree import PathNode, PathSource
from regtui.ui.models.tree import TreeModel
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets import tree_table
from regtui.ui.widgets.columns import Column
from regtui.ui.widgets.tree_table import TreeTable
from tests.ui.stage import staged

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

COUNT = Column[PathNode[int]](
    "tags",
    SafeText("tags"),
    lambda node: safe(str(node.value or "")),
    5,
    align="right",
    tone="dim",
    sort=lambda node: node.value,
)


def repositories(*paths: str) -> TreeTable[PathNode[int]]:
    source: PathSource[int] = PathSource()
    source.add([(path, number) for number, path in enumerate(paths, 1)])
    return TreeTable(
        TreeModel(source),
        label=lambda node: safe(node.name),
        columns=(COUNT,),
        title=SafeText("2 Repositories"),
        id="tree",
    )


def labels(tree: TreeTable[PathNode[int]]) -> list[str]:
    return [node.path for position in range(len(tree.model)) if isinstance(node := tree.model.at(position), PathNode)]


async def test_what_it_looks_like() -> None:
    tree = repositories("shop/cart", "shop/web", "infra/db/\x1b]0;x", "alpine")
    tree.show_header = True
    async with staged(tree, size=(36, 10)) as (app, pilot):
        tree.set_counts(4, 4)
        tree.note = SafeText("note")
        await pilot.press("j", "j", "l", "space")
        await settled(pilot)
        assert screen_text(app).split("\n") == [
            "╭─ 2 Repositories  4/4 ────────────╮",
            "│  path                       tags │",
            "│    alpine                      4 │",
            "│  ▸ infra                         │",
            "│● ▾ shop                          │",
            "│▌ │   cart                      1 │",
            "│  │   web                       2 │",
            "│                                  │",
            "│                                  │",
            "╰──────────────── 1 marked · note ─╯",
        ]
        tree.open_all()
        await settled(pilot)
        assert r"\x1b]0;x" in screen_text(app)


async def test_left_and_right_walk_and_fall_through_where_they_can_not() -> None:
    class Pane(Vertical):
        BINDINGS = [Binding("h,left", "left"), Binding("l,right", "right")]  # noqa: RUF012 - as Textual has it

        def __init__(self, *children: TreeTable[PathNode[int]]) -> None:
            super().__init__(*children)
            self.went: list[str] = []

        def action_left(self) -> None:
            self.went.append("left")

        def action_right(self) -> None:
            self.went.append("right")

    tree = repositories("shop/cart/x", "alpine")
    pane = Pane(tree)
    async with staged(pane) as (_, pilot):
        await pilot.press("h", "l")
        assert pane.went == ["left", "right"]
        await pilot.press("j", "l", "l", "l", "l")
        assert labels(tree) == ["alpine", "shop", "shop/cart", "shop/cart/x"]
        assert tree.current is not None
        assert tree.current.path == "shop/cart/x"
        await pilot.press("left", "left", "left")
        assert tree.current.path == "shop"
        assert labels(tree) == ["alpine", "shop", "shop/cart"]
        assert pane.went == ["left", "right"]
        await pilot.press("left")
        assert labels(tree) == ["alpine", "shop"]


@dataclass
class Referrer:
    name: str
    under: list[Referrer] | None = None
    found: list[Referrer] = field(default_factory=list)


class Referrers:
    def __init__(self, *roots: Referrer) -> None:
        self._roots = roots

    def roots(self) -> Sequence[Referrer]:
        return self._roots

    def children(self, node: Referrer) -> Sequence[Referrer] | None:
        return node.under

    def has_children(self, node: Referrer) -> bool:
        return node.under is None or bool(node.under)

    def key(self, node: Referrer) -> str:
        return node.name

    def text(self, node: Referrer) -> str:
        return node.name


async def test_children_are_asked_for_once_and_arrive_later() -> None:
    image = Referrer("image")
    tree = TreeTable(TreeModel(Referrers(image, Referrer("other", []))), label=lambda node: safe(node.name))
    async with staged(tree) as (app, pilot):
        await pilot.press("l")
        wanted = app.told(TreeTable.ChildrenWanted)
        assert [(event.key, event.value) for event in wanted] == [("image", image)]
        assert "loading…" in screen_text(app)
        await pilot.press("j")
        assert app.told(TreeTable.Highlighted)[-1].value is None
        assert tree.current is None
        tree.fail("image", "no\x1bpe")
        await settled(pilot)
        assert r"! no\x1bpe" in screen_text(app)
        await pilot.press("k", "h", "l")
        assert [event.key for event in app.told(TreeTable.ChildrenWanted)] == ["image"]
        image.under = [Referrer("sbom", [])]
        tree.loaded("image")
        await pilot.press("l", "enter")
        assert [event.key for event in app.told(TreeTable.Opened)] == ["sbom"]
        await pilot.press("l")
        assert app.told(TreeTable.ChildrenWanted) == []


async def test_filter_and_sort() -> None:
    tree = repositories("shop/cart", "shop/web", "infra/db", "alpine")
    async with staged(tree) as (app, pilot):
        assert tree.set_filter("web") is None
        await settled(pilot)
        assert labels(tree) == ["shop", "shop/web"]
        assert "/web" in screen_text(app)
        problem = tree.set_filter("~[")
        assert problem is not None
        assert tree.filter_source == "web"
        tree.set_filter("")
        tree.sort_by("tags", reverse=True)
        assert labels(tree) == ["alpine", "infra", "shop", "shop/cart", "shop/web"] or labels(tree)[0] == "alpine"
        tree.sort_by("")
        assert labels(tree)[0] == "alpine"


async def test_a_header_click_sorts() -> None:
    tree = repositories("b", "a", "c")
    tree.show_header = True
    async with staged(tree, size=(36, 10)) as (app, pilot):
        await pilot.click(tree, offset=(31, 1))
        assert labels(tree) == ["b", "a", "c"]
        assert "ta… ▲" in screen_text(app)
        await pilot.click(tree, offset=(31, 1))
        assert labels(tree) == ["c", "a", "b"]


async def test_long_trees_change_in_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree_table, "AT_ONCE", 3)
    tree = repositories(*[f"r{number}/x" for number in range(20)])
    async with staged(tree) as (_, pilot):
        tree.set_filter("r1")
        await settled(pilot, until=lambda: len(labels(tree)) == 22)
        tree.set_filter("")
        await settled(pilot, until=lambda: len(labels(tree)) == 20)
        tree.open_all()
        await settled(pilot, until=lambda: len(labels(tree)) == 40)
        tree.sort_by("tags", reverse=True)
        await settled(pilot)
        tree.toggle()
        assert len(labels(tree)) == 39


async def test_marks_and_other_trees() -> None:
    tree = repositories("b", "a", "c")
    async with staged(tree) as (app, pilot):
        await pilot.press("space", "space", "U", "space")
        assert [event.count for event in app.told(TreeTable.MarksChanged)] == [1, 2, 0, 1]
        assert tree.model.marks == {"c"}
        source: PathSource[int] = PathSource()
        tree.show(TreeModel(source))
        await settled(pilot)
        assert app.told(TreeTable.Highlighted)[-1].value is None
        await pilot.press("l", "h", "space", "enter", "j")
        source.add([("z", 1)])
        tree.rebuild()
        await settled(pilot)
        assert app.told(TreeTable.Highlighted)[-1].key == "z"


async def test_deep_trees_stay_readable() -> None:
    tree = repositories("/".join("abcdefghijklmnopqrstuvwxyzabcdefgh"))
    tree.open_all()
    async with staged(tree, size=(80, 40)) as (app, pilot):
        await pilot.press("G")
        await settled(pilot)
        assert "+9 " in screen_text(app)
