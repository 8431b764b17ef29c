"""The merged tree equals a naive one, and views of it say what each layer did."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from regtui.contents.columns import Kind
from regtui.contents.errors import NotReadable
from regtui.contents.layer_index import LayerIndex
from regtui.contents.links import content_of, resolve
from regtui.contents.merge import stack
from regtui.contents.search import glob_expression
from regtui.contents.tree import Change, ImageTree
from regtui.contents.view import Filter, View

from .conftest import archive, indexed


def tree_of(*layers: list[tuple[str, bytes | str | None]]) -> ImageTree:
    return stack([indexed(archive(*members)) for members in layers])


def everything(view: View, node: int = 0) -> dict[str, int]:
    """path → node of all that is shown."""
    found = {}
    for child in view.children(node):
        found[view.path(child)] = child
        found.update(everything(view, child))
    return found


def files(tree: ImageTree, layer: int | None = None) -> dict[str, tuple[Kind, int, int | None]]:
    view = View(tree, layer)
    return {
        path[1:]: (view.kind(node), entry.size, entry.row if not entry.implied else None)
        for path, node in everything(view).items()
        if (entry := view.entry(node)) is not None
    }


# A naive stack of layers: full paths in a dict, rebuilt by the rules of the specification


@dataclass
class Naive:
    paths: dict[str, tuple[Kind, int]] = field(default_factory=dict)

    def remove(self, path: str) -> None:
        for known in [p for p in self.paths if p == path or p.startswith(f"{path}/")]:
            del self.paths[known]

    def apply(self, layer: list[tuple[str, bytes | str | None]]) -> None:
        last = dict(layer)
        for path in last:
            folder, _, name = path.rpartition("/")
            if name == ".wh..wh..opq":
                for known in [p for p in self.paths if p.startswith(f"{folder}/" if folder else "")]:
                    del self.paths[known]
            elif name.startswith(".wh.") and len(name) > 4 and not name.startswith(".wh..wh."):
                self.remove(f"{folder}/{name[4:]}".lstrip("/"))
        for path, content in last.items():
            parts = path.split("/")
            for depth in range(1, len(parts)):
                above = "/".join(parts[:depth])
                if self.paths.get(above, (Kind.REGULAR, 0))[0] != Kind.DIRECTORY:
                    self.paths[above] = (Kind.DIRECTORY, 0)
            name = parts[-1]
            if name.startswith(".wh."):
                continue
            if content is not None:
                self.remove(path)
            kind = Kind.DIRECTORY if content is None else Kind.SYMLINK if isinstance(content, str) else Kind.REGULAR
            self.paths[path] = (kind, len(content) if isinstance(content, bytes) else 0)


_part = st.sampled_from(["a", "b", "c"])
_folder = st.lists(_part, max_size=3).map("/".join)
_name = st.sampled_from(["a", "b", "c", "d", ".wh.a", ".wh.b", ".wh.c", ".wh..wh..opq", ".wh."])
_content = st.sampled_from([None, b"", b"1", b"22", b"22", "-> nowhere"])


@st.composite
def layer(draw: st.DrawFn) -> list[tuple[str, bytes | str | None]]:
    """Entries without a conflict inside the layer: no path twice, no folder that is a file as well."""
    found: dict[str, bytes | str | None] = {}
    for folder, name, content in draw(st.lists(st.tuples(_folder, _name, _content), max_size=8)):
        path = f"{folder}/{name}".lstrip("/")
        is_folder = content is None and not name.startswith(".wh.")
        above = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)]
        if any(found.get(up) is not None for up in above):
            continue
        if not is_folder and any(known == path or known.startswith(f"{path}/") for known in found):
            continue
        found[path] = content if not name.startswith(".wh.") else b""
    return list(found.items())


@settings(max_examples=400, deadline=None)
@given(st.lists(layer(), min_size=1, max_size=5))
def test_the_stack_equals_a_naive_one(layers: list[list[tuple[str, bytes | str | None]]]) -> None:
    tree = tree_of(*layers)
    naive = Naive()
    before: dict[str, tuple[Kind, int]] = {}
    for number, members in enumerate(layers):
        naive.apply(members)
        after = dict(naive.paths)
        assert {path: found[:2] for path, found in files(tree, number).items()} == after
        view = View(tree, number, since=number - 1)
        marks = {path[1:]: view.own_change(node) for path, node in everything(view).items()}
        assert {p for p, mark in marks.items() if mark == Change.REMOVED} == before.keys() - after.keys()
        assert {p for p, mark in marks.items() if mark == Change.ADDED} == after.keys() - before.keys()
        assert marks.keys() == before.keys() | after.keys()
        changed = {p for p in before.keys() & after.keys() if before[p] != after[p]}
        assert changed <= {p for p, mark in marks.items() if mark == Change.MODIFIED}
        for path, node in everything(view).items():
            inside = [found[1] for known, found in after.items() if f"/{known}/".startswith(f"{path}/")]
            if marks[path[1:]] != Change.REMOVED:
                assert view.size(node) == sum(inside)
        before = after


def test_the_marks_of_one_layer() -> None:
    tree = tree_of(
        [("keep", b"1"), ("edit", b"1"), ("drop", b"123"), ("folder/x", b"12"), ("folder/y", b"3")],
        [("edit", b"22"), (".wh.drop", b""), ("folder/new", b"4444")],
    )
    view = View(tree, since=0)
    shown = everything(view)
    assert {path: view.change(node) for path, node in shown.items()} == {
        "/keep": Change.UNCHANGED,
        "/edit": Change.MODIFIED,
        "/drop": Change.REMOVED,
        "/folder": Change.MODIFIED,
        "/folder/x": Change.UNCHANGED,
        "/folder/y": Change.UNCHANGED,
        "/folder/new": Change.ADDED,
    }
    assert view.own_change(shown["/folder"]) == Change.UNCHANGED
    assert view.size(shown["/drop"]) == 3
    assert view.size(shown["/folder"]) == 7
    assert view.size(0) == 1 + 2 + 7


def test_chmod_is_a_change_of_metadata() -> None:
    import tarfile

    changed = tarfile.TarInfo("file")
    changed.mode, changed.mtime = 0o777, 1_700_000_000
    tree = stack([indexed(archive(("file", b""))), indexed(archive(changed))])
    view = View(tree, since=0)
    assert view.change(everything(view)["/file"]) == Change.METADATA


def test_a_removed_folder_keeps_what_was_in_it() -> None:
    tree = tree_of([("d/e/f", b"123"), ("d/g", b"4")], [(".wh.d", b"")], [("d/new", b"1")])
    second = View(tree, 1, since=0)
    assert {path: second.size(node) for path, node in everything(second).items()} == {
        "/d": 4,
        "/d/e": 3,
        "/d/e/f": 3,
        "/d/g": 1,
    }
    assert second.size(0) == 0
    assert sorted(everything(View(tree))) == ["/d", "/d/new"]


def test_opaque_folders_hide_only_what_lies_below() -> None:
    tree = tree_of([("d/old", b"1"), ("d/both", b"1")], [("d/.wh..wh..opq", b""), ("d/both", b"22"), ("d/new", b"3")])
    assert sorted(everything(View(tree))) == ["/d", "/d/both", "/d/new"]
    view = View(tree, since=0)
    assert view.change(everything(view)["/d/both"]) == Change.MODIFIED


def test_links_of_lower_layers_are_followed_by_what_lies_in_them() -> None:
    tree = tree_of([("usr/lib/a", b"1"), ("lib", "-> usr/lib")], [("lib/b", b"2"), ("lib/.wh.a", b"")])
    assert sorted(everything(View(tree))) == ["/lib", "/usr", "/usr/lib", "/usr/lib/b"]


def test_a_layer_that_could_not_be_listed_adds_nothing() -> None:
    listed = indexed(archive(("a", b"1")))
    for layers in ([None], [None, listed], [listed, None], []):
        tree = stack(layers)
        assert sorted(everything(View(tree))) == (["/a"] if listed in layers else [])
        assert View(tree, since=-1).kind(0) == Kind.DIRECTORY


def test_sorting_and_the_largest_files() -> None:
    view = View(tree_of([("b", b"1"), ("a", b"22"), ("z/big", b"x" * 50), ("z/small", b"")]))
    names = {by: [view.name(node) for node in view.children(0, by=by)] for by in ("name", "size")}
    assert names == {"name": ["a", "b", "z"], "size": ["z", "a", "b"]}
    assert [view.path(node) for node in view.largest(2)] == ["/z/big", "/a"]


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.py", ["/lib", "/lib/deep", "/lib/deep/x.py", "/lib/y.PY"]),
        ("Y.p", ["/lib", "/lib/y.PY"]),
        ("lib/*.py", ["/lib", "/lib/y.PY"]),
        ("/lib/**/*.py", ["/lib", "/lib/deep", "/lib/deep/x.py", "/lib/y.PY"]),
        ("deep", ["/lib", "/lib/deep", "/lib/deep/x.py"]),
        ("?", ["/é"]),
        ("É", ["/é"]),
        ("[x-z].py", ["/lib", "/lib/deep", "/lib/deep/x.py", "/lib/y.PY"]),
        ("[!-e]", ["/é"]),
        ("[", []),
        ("nothing*", []),
    ],
)
def test_filtering_by_glob(glob: str, found: list[str]) -> None:
    tree = tree_of([("lib/deep/x.py", b"1"), ("lib/y.PY", b"2")], [("é", b"3"), ("other.txt", b"4")])
    assert sorted(everything(View(tree).filtered(Filter(glob)))) == found


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab*?[]!-/\\^.é"), max_size=12))
@example("[?--]")
@example("[!--]")
def test_any_glob_is_taken(pattern: str) -> None:
    tree = tree_of([("a/b", b""), ("ab", b"")])
    everything(View(tree).filtered(Filter(pattern)))
    assert isinstance(glob_expression(pattern), str)


def test_filtering_by_change_and_layer() -> None:
    tree = tree_of([("a", b"1"), ("d/b", b"1")], [("d/c", b"1"), (".wh.a", b"")], [("e", b"1")])
    view = View(tree, since=0)
    added = view.filtered(Filter(changes=frozenset({Change.ADDED})))
    assert sorted(everything(added)) == ["/d", "/d/c", "/e"]
    removed = view.filtered(Filter(changes=frozenset({Change.REMOVED})))
    assert sorted(everything(removed)) == ["/a"]
    of_layer = view.filtered(Filter(layers=frozenset({1})))
    assert sorted(everything(of_layer)) == ["/d", "/d/c"]
    assert sorted(everything(view.filtered(None))) == sorted(everything(view))


def test_a_snapshot_can_be_stacked_and_viewed() -> None:
    layers = [indexed(archive(("a", b"1"))), indexed(archive(("b", b"1")))]
    for count, _ in enumerate(pairwise(layers), 1):
        assert isinstance(layers[count], LayerIndex)
        assert len(everything(View(stack(layers[: count + 1])))) == count + 1


def test_paths_are_resolved_inside_the_image() -> None:
    tree = tree_of(
        [("usr/bin/tool", b"x"), ("bin", "-> usr/bin"), ("abs", "-> /bin/tool"), ("up", "-> ../../../usr/bin/tool")],
        [("loop", "-> loop2"), ("loop2", "-> loop"), ("dangling", "-> nowhere"), ("hard", "=> hard2")],
    )
    tool = tree.find(b"usr/bin/tool")
    for path in (b"bin/tool", b"/abs", b"up", b"bin/../bin/./tool"):
        assert resolve(tree, path) == tool
        assert content_of(tree, resolve(tree, path) or 0).row == tree.source[tool or 0]
    assert resolve(tree, b"dangling") is None
    with pytest.raises(NotReadable):
        resolve(tree, b"loop")
    for path in (b"loop", b"dangling", b"usr", b"hard"):
        node = tree.find(path)
        assert node is not None
        with pytest.raises(NotReadable):
            content_of(tree, node)
