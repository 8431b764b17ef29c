"""What stands beside the files: waste, each layer's share of it, packages, the largest files. Pure rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from regtui.contents.layer_shares import layer_shares
from regtui.contents.packages.inventory import inventory_of
from regtui.contents.view import View
from regtui.contents.waste import waste_of
from regtui.ui.facts.layers import layer_rows
from regtui.ui.words import count_text, counted, size_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.contents.packages.inventory import Inventory
    from regtui.contents.tree import ImageTree
    from regtui.contents.waste import Waste
    from regtui.session.contents import ImageContents

MOST: Final = 200
"""Rows of each kind."""


@dataclass(frozen=True, slots=True)
class WasteRow:
    """Bytes, where they are, and why they are wasted. `node` is None for a sum, whose `path` says what was added up."""

    key: int
    bytes: int | None
    path: str
    why: str
    node: int | None = None


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A layer: its bytes, what later layers hide of them as a share of the most that any layer wastes, what made it."""

    layer: int
    added: int | None
    hidden: int | None
    share: float
    made_by: str


@dataclass(frozen=True, slots=True)
class PackageRow:
    """A package, or what no package owns (`manager` is None)."""

    key: int
    bytes: int | None
    manager: str | None
    name: str
    version: str | None
    layer: int | None
    node: int | None


@dataclass(frozen=True, slots=True)
class FileRow:
    """One large file."""

    node: int
    bytes: int
    path: str
    layer: int | None


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that is worked out over a whole image once its layers are read."""

    waste: Waste
    wasted: tuple[WasteRow, ...]
    shares: tuple[ShareRow, ...]
    packages: tuple[PackageRow, ...]
    largest: tuple[FileRow, ...]


def findings_of(contents: ImageContents) -> Findings:
    """Work it all out; some tenths of a second for 200,000 paths, so call it in a thread."""
    tree = contents.tree
    view, waste = View(tree), waste_of(tree, MOST)
    packages = package_rows(inventory_of(tree, MOST), view, tables=contents.from_tables, missing=contents.missing)
    return Findings(
        waste,
        tuple(waste_rows(waste, view)),
        tuple(share_rows(contents)),
        tuple(packages),
        tuple(_largest(tree, view)),
    )


def waste_rows(waste: Waste, view: View) -> Iterator[WasteRow]:
    """The sums first, then the worst: files that several layers have, left caches, and equal files."""
    sums = [
        (waste.wasted, f"dive: score {waste.efficiency:.4f}", "sum"),
        (waste.deleted, "hidden by whiteouts", "sum"),
        (waste.overwritten, "overwritten later", "sum"),
        (waste.metadata_only, "by metadata only", "sum"),
        (sum(item.bytes for item in waste.leftovers), "package caches left", "sum"),
    ]
    for number, (size, text, why) in enumerate(sums):
        yield WasteRow(-number - 2, size, text, why)
    if waste.duplicates is None:
        yield WasteRow(-1, None, "equal files (F)", "not known")
    else:
        yield WasteRow(-1, sum(group.bytes for group in waste.duplicates), "equal files", "sum")
    found = [(item.bytes, item.node, f"in {item.count} layers") for item in waste.worst]
    found += [(item.bytes, item.node, f"{item.manager} cache") for item in waste.leftovers]
    found += [(group.bytes, group.nodes[0], f"{len(group.nodes)} equal files") for group in waste.duplicates or ()]
    found.sort(key=lambda row: -row[0])
    for number, (size, node, why) in enumerate(found):
        yield WasteRow(number, size, view.path(node), why, node)


def share_rows(contents: ImageContents) -> Iterator[ShareRow]:
    """Every layer, base first."""
    made = {row.number: row.instruction or row.note for row in layer_rows(contents.image)}
    shares = layer_shares(contents.tree)
    most = max([share.hidden for share in shares if share is not None], default=0) or 1
    for number, share in enumerate(shares):
        words = made.get(number + 1) or ""
        if share is None:
            yield ShareRow(number, None, None, 0.0, contents.problems.get(number, words))
        else:
            yield ShareRow(number, share.added, share.hidden, share.hidden / most, words)


def package_rows(inventory: Inventory, view: View, *, tables: int = 0, missing: int = 0) -> Iterator[PackageRow]:
    """What no package owns, and every package, the largest first.

    What no package owns is not known while layers have not told their packages: `tables` of them were listed from a
    table of contents, `missing` not at all.
    """
    size: int | None = inventory.unowned
    unowned = f"no package: {count_text(inventory.unowned_files)} files"
    if tables:
        unowned, size = f"not known in {counted(tables, 'layer')}, F reads", None
    elif missing:
        unowned, size = f"not known in {counted(missing, 'missing layer')}", None
    yield PackageRow(-1, size, None, unowned, None, None, None)
    packages = sorted(inventory.packages, key=lambda package: -(package.bytes or package.claimed or 0))
    for number, package in enumerate(packages):
        size = package.bytes if package.bytes is not None else package.claimed
        yield PackageRow(number, size, package.manager, package.name, package.version, package.layer, package.node)
    for number, (node, reason) in enumerate(inventory.problems):
        yield PackageRow(-2 - number, None, None, f"{view.path(node)} could not be read: {reason}", None, None, node)


def _largest(tree: ImageTree, view: View) -> Iterator[FileRow]:
    for node in view.largest(MOST):
        here = tree.occurrence(node)
        yield FileRow(node, view.size(node), view.path(node), None if here is None else here.layer)


def waste_words(waste: Waste) -> str:
    """The waste in a few words."""
    return f"waste {size_text(waste.avoidable)} · score {waste.efficiency:.2f}"
