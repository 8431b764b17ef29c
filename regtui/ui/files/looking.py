"""How the files are looked at: all layers or one, and which changes; and the view of the tree that this makes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from regtui.contents.tree import Change
from regtui.contents.view import Filter, View
from regtui.ui.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.contents.tree import ImageTree
    from regtui.session.contents import ImageContents

Mode = Literal["changed", "stacked", "left"]
Changes = Literal["all", "changed", "added", "modified", "removed"]

MODES: Final[tuple[Mode, ...]] = ("changed", "stacked", "left")
CHANGES: Final[tuple[Changes, ...]] = ("all", "changed", "added", "modified", "removed")
CHANGED: Final = frozenset(Change) - {Change.UNCHANGED}
_SETS: Final[Mapping[Changes, frozenset[Change]]] = {
    "all": frozenset(Change),
    "changed": CHANGED,
    "added": frozenset({Change.ADDED}),
    "modified": frozenset({Change.MODIFIED, Change.METADATA}),
    "removed": frozenset({Change.REMOVED, Change.GONE}),
}


@dataclass(frozen=True, slots=True)
class Looking:
    """`layer` counts from 0, None is the whole image. `mode` says what is shown of a layer: what it `changed`, the
    image `stacked` up to it, or what is `left` of it in the whole image.
    """

    layer: int | None = None
    mode: Mode = "changed"
    changes: Changes = "all"

    def next_mode(self) -> Looking:
        """The next way to look at the layer."""
        return replace(self, mode=MODES[(MODES.index(self.mode) + 1) % len(MODES)])

    def next_changes(self) -> Looking:
        """The next choice of changes."""
        return replace(self, changes=CHANGES[(CHANGES.index(self.changes) + 1) % len(CHANGES)])

    def at_layer(self, layer: int | None) -> Looking:
        """Another layer, or all of them."""
        return replace(self, layer=layer)

    def words(self, layers: int) -> str:
        """What is shown, for the line over the tree."""
        if self.layer is None:
            shown = "all layers" if layers != 1 else "1 layer"
            return shown if self.changes == "all" else f"{shown}: {self.changes} after the base layer"
        number = f"layer {self.layer + 1} of {layers}"
        if self.mode == "left":
            return f"{number}: what is left of it"
        shown = f"{number}: what it {'changed' if self.changes == 'all' else self.changes}"
        return shown if self.mode == "changed" else f"stacked up to {number}" + self._only()

    def _only(self) -> str:
        return "" if self.changes == "all" else f", only {self.changes}"


def doubts(contents: ImageContents) -> list[str]:
    """What is not sure of the listing, for the line over the tree."""
    known = [index for index in contents.tree.layers if index is not None]
    found = (
        (len(contents.problems), "can't be listed: see By layer"),
        (sum(1 for index in known if index.damage), "damaged"),
        (sum(1 for index in known if not index.verified), "listed unverified"),
    )
    return [f"{counted(count, 'layer')} {words}" for count, words in found if count]


def view_of(tree: ImageTree, looking: Looking) -> View:
    """The view. About a tenth of a second for 200,000 paths: call it in a thread."""
    wanted = _SETS[looking.changes]
    if looking.layer is None:
        if looking.changes == "all":
            return View(tree)
        return View(tree, since=0).filtered(Filter(changes=wanted))
    if looking.mode == "left":
        return View(tree).filtered(Filter(layers=frozenset({looking.layer})))
    view = View(tree, looking.layer, looking.layer - 1)
    if looking.mode == "changed":
        return view.filtered(Filter(changes=wanted & CHANGED))
    return view if looking.changes == "all" else view.filtered(Filter(changes=wanted))
