"""What an image carries and nobody can see: overwritten and deleted files, caches, duplicates.

Score and wasted bytes follow dive's definition (wagoodman/dive, filetree/efficiency.go), so that people can compare.
The avoidable bytes beside them count what is really hidden. All bytes are uncompressed.
"""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING, Final

from regtui.contents.columns import SHADOWED, Kind
from regtui.contents.merge import OPAQUE
from regtui.contents.tree import Change, ImageTree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.contents.layer_index import LayerIndex

CACHES: Final[dict[str, str]] = {
    "var/cache/apt": "apt",
    "var/lib/apt/lists": "apt",
    "var/cache/apk": "apk",
    "etc/apk/cache": "apk",
    "var/cache/dnf": "dnf",
    "var/cache/libdnf5": "dnf",
    "var/cache/yum": "yum",
    "var/cache/zypp": "zypper",
    "var/cache/pacman/pkg": "pacman",
    "~/.cache/pip": "pip",
    "~/.cache/uv": "uv",
    "~/.cache/pypoetry": "poetry",
    "~/.cache/go-build": "go",
    "~/go/pkg/mod/cache": "go",
    "go/pkg/mod/cache": "go",
    "~/.npm": "npm",
    "~/.cache/yarn": "yarn",
    "usr/local/share/.cache": "yarn",
    "~/.local/share/pnpm/store": "pnpm",
    "~/.composer/cache": "composer",
    "~/.cache/composer": "composer",
    "~/.m2/repository": "maven",
    "~/.gradle/caches": "gradle",
    "~/.cargo/registry": "cargo",
    "usr/local/cargo/registry": "cargo",
    "~/.gem": "gem",
    "~/.bundle/cache": "bundler",
    "usr/local/bundle/cache": "bundler",
    "~/.nuget/packages": "nuget",
    "opt/conda/pkgs": "conda",
}
"""Folders that package managers leave behind, and whose they are; `~` is every home."""
_MOST_HOMES: Final = 100


@dataclass(frozen=True, slots=True)
class WastedPath:
    """A path that several layers have. `bytes` is the sum over its occurrences, `count` how many there are (dive)."""

    node: int
    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Leftover:
    """A package manager's cache that is in the final image, and what it takes there."""

    node: int
    manager: str
    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Files of the final image with the same content; `bytes` could go if one of them stayed."""

    nodes: tuple[int, ...]
    size: int

    @property
    def bytes(self) -> int:
        """What all but one take."""
        return self.size * (len(self.nodes) - 1)


@dataclass(frozen=True, slots=True)
class Waste:
    """The figures. `efficiency` is 0 to 1; `wasted` includes the first copy, as dive's does; `user_size` leaves out
    the base layer; `wasted_share` is wasted / user_size (None without user bytes).

    `deleted` are bytes hidden by whiteouts, `overwritten` bytes hidden by later files, `metadata_only` the part of
    `overwritten` where only mode, owner or time differs. `complete` is False when a layer could not be listed.
    """

    efficiency: float
    size: int
    user_size: int
    wasted: int
    wasted_share: float | None
    deleted: int
    overwritten: int
    metadata_only: int
    worst: tuple[WastedPath, ...]
    leftovers: tuple[Leftover, ...]
    duplicates: tuple[Duplicates, ...] | None
    complete: bool

    @property
    def avoidable(self) -> int:
        """Bytes that are stored and not in the final image."""
        return self.deleted + self.overwritten


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds for CI; None does not bound. `max_wasted` is bytes, `max_wasted_share` and `min_efficiency` 0 to 1."""

    min_efficiency: float | None = None
    max_wasted: int | None = None
    max_wasted_share: float | None = None

    def broken(self, waste: Waste) -> tuple[str, ...]:
        """One sentence for each bound that the image breaks; empty when it keeps them all."""
        found = []
        if self.min_efficiency is not None and waste.efficiency < self.min_efficiency:
            found.append(f"Efficiency is {waste.efficiency:.4f}, less than {self.min_efficiency:g}.")
        if self.max_wasted is not None and waste.wasted > self.max_wasted:
            found.append(f"{waste.wasted:,} bytes are wasted, more than {self.max_wasted:,}.")
        share = waste.wasted_share
        if self.max_wasted_share is not None and share is not None and share > self.max_wasted_share:
            found.append(f"{share:.2%} of what was added to the base is wasted, more than {self.max_wasted_share:.2%}.")
        return tuple(found)


def waste_of(tree: ImageTree, most: int = 200) -> Waste:
    """Everything that the image wastes, its `most` worst paths named."""
    leaves = [_leaves(index) if index is not None else bytearray() for index in tree.layers]
    total, repeated = _occurrences(tree, leaves)
    smallest = total
    wasted = 0
    worst = []
    for node, sizes in repeated.items():
        smallest += min(sizes)
        total += sum(sizes)
        if len(sizes) > 1:
            wasted += sum(sizes)
            worst.append(WastedPath(node, len(sizes), sum(sizes)))
    per_layer = [sum(index.columns.size) - _shadowed(index) if index is not None else 0 for index in tree.layers]
    user = sum(per_layer[1:])
    deleted, overwritten, metadata_only = _hidden(tree)
    return Waste(
        smallest / total if total else 1.0,
        sum(per_layer),
        user,
        wasted,
        wasted / user if user else None,
        deleted,
        overwritten,
        metadata_only,
        tuple(nlargest(most, worst, key=lambda path: path.bytes)),
        leftovers_of(tree),
        duplicates_of(tree, most),
        None not in tree.layers,
    )


def _leaves(index: LayerIndex) -> bytearray:
    """1 for every row that dive counts: nothing of this layer lies in it."""
    columns = index.columns
    leaf = bytearray(b"\1") * len(columns)
    for parent in set(columns.parent):
        leaf[parent] = 0
    return leaf


def _shadowed(index: LayerIndex) -> int:
    columns = index.columns
    if not index.duplicates:
        return 0
    return sum(size for size, kind in zip(columns.size, columns.kind, strict=True) if kind & SHADOWED)


def _occurrences(tree: ImageTree, leaves: list[bytearray]) -> tuple[int, dict[int, list[int]]]:
    """The sum over the paths that one layer has, and the sizes of the others' occurrences as dive counts them."""
    several = tree.nodes_with_events()
    total = 0
    for number, index in enumerate(tree.layers):
        if index is not None:
            stop = tree.starts[number + 1] if number < tree.top else len(tree)
            total += sum(map(index.columns.size.__getitem__, tree.source[tree.starts[number] : stop]))
    repeated: dict[int, list[int]] = {}
    for node in several:
        brought = tree.first_layer(node)
        row = tree.source[node]
        size = tree.index(brought).columns.size[row]
        total -= size
        repeated[node] = [size] if leaves[brought][row] else []
    for event, node in enumerate(tree.event_node):
        counted = _as_dive_counts(tree, event, leaves)
        if counted is not None:
            repeated[node].append(counted)
    return total, {node: sizes for node, sizes in repeated.items() if sizes}


def _as_dive_counts(tree: ImageTree, event: int, leaves: list[bytearray]) -> int | None:
    """The size of one occurrence: a whiteout counts what the folder it removes held, and nothing for a file."""
    change, layer, row = tree.event_change[event], tree.event_layer[event], tree.event_row[event]
    if change == Change.GONE:
        return None
    index = tree.index(layer)
    if change != Change.REMOVED:
        return index.columns.size[row] if leaves[layer][row] else None
    if index.name(row) == OPAQUE:
        return None
    before = tree.occurrence(tree.event_node[event], layer - 1)
    folder = before is not None and tree.kind(before) == Kind.DIRECTORY
    return tree.hidden.get(event, 0) if folder else 0


def _hidden(tree: ImageTree) -> tuple[int, int, int]:
    """Bytes deleted, overwritten, and overwritten for metadata alone."""
    deleted = overwritten = metadata_only = 0
    for event, size in tree.hidden.items():
        change = tree.event_change[event]
        if change == Change.REMOVED:
            deleted += size
        else:
            overwritten += size
            if change in {Change.METADATA, Change.UNCHANGED}:
                metadata_only += size
    return deleted, overwritten, metadata_only


def leftovers_of(tree: ImageTree) -> tuple[Leftover, ...]:
    """The package managers' caches that the final image still has, largest first."""
    found = []
    for node, manager in _cache_folders(tree):
        size = files = 0
        for inside in _regular_files(tree, node):
            size += inside
            files += 1
        if size:
            found.append(Leftover(node, manager, size, files))
    return tuple(sorted(found, key=lambda leftover: -leftover.bytes))


def _cache_folders(tree: ImageTree) -> Iterator[tuple[int, str]]:
    homes = [b"root"]
    home = tree.find(b"home")
    if home is not None:
        homes += [b"home/" + tree.name(user) for user in islice(tree.children(home), _MOST_HOMES)]
    for path, manager in CACHES.items():
        for top in homes if path.startswith("~/") else (b"",):
            node = tree.find(top + b"/" + path.removeprefix("~/").encode())
            if node is not None:
                yield node, manager


def _regular_files(tree: ImageTree, folder: int) -> Iterator[int]:
    """The sizes of the files below a folder that are in the final image."""
    pending = [folder]
    while pending:
        for child in tree.children(pending.pop()):
            here = tree.occurrence(child)
            if here is None:
                continue
            kind = tree.kind(here)
            if kind == Kind.DIRECTORY:
                pending.append(child)
            elif kind == Kind.REGULAR:
                yield tree.size(here)


def duplicates_of(tree: ImageTree, most: int = 200) -> tuple[Duplicates, ...] | None:
    """Groups of equal files of the final image, the most wasteful first; None when no layer's contents were hashed."""
    if not any(index is not None and index.columns.hashes is not None for index in tree.layers):
        return None
    groups: dict[tuple[int, int], list[int]] = {}
    for node in range(1, len(tree)):
        here = tree.occurrence(node)
        if here is None:
            continue
        columns = tree.index(here.layer).columns
        if columns.hashes is not None and columns.hashes[here.row] and columns.size[here.row]:
            groups.setdefault((columns.size[here.row], columns.hashes[here.row]), []).append(node)
    equal = (Duplicates(tuple(nodes), size) for (size, _), nodes in groups.items() if len(nodes) > 1)
    return tuple(nlargest(most, equal, key=lambda group: group.bytes))
