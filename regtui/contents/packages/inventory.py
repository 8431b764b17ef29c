"""Which packages the final image has: joined from what every layer's databases say, with bytes and layer.

A package manager rewrites its database in every layer that installs something, so the topmost database decides what
is installed, and the lowest layer that lists the same version is where it came from.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from heapq import nlargest
from typing import TYPE_CHECKING, Final

from regtui.contents.packages.places import Places

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.contents.packages.records import Finding, Package
    from regtui.contents.tree import ImageTree

_WHOLE: Final = {"dpkg": "dpkg", "apk": "apk", "rpm": "rpm"}
_SYSTEM: Final = {**_WHOLE, "dpkg-part": "dpkg", "dpkg-list": "dpkg"}


@dataclass(frozen=True, slots=True)
class Installed:
    """One package of the image. `layer` counts from 0; `bytes` and `files` are what the final image has of it, None
    where nothing tells which files are its own; `claimed` is the size that its database says.
    """

    manager: str
    name: str
    version: str | None
    architecture: str | None
    layer: int
    bytes: int | None
    files: int | None
    claimed: int | None
    node: int
    """The database, metadata file or program that tells of it."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """All packages, by manager and name, and what no package owns. Bytes are of the final image."""

    packages: tuple[Installed, ...]
    owned: int
    unowned: int
    unowned_files: int
    largest_unowned: tuple[int, ...]
    """Nodes, largest first."""
    problems: tuple[tuple[int, str], ...]
    """Databases that could not be read: node and reason."""


def inventory_of(tree: ImageTree, most: int = 50) -> Inventory:
    """The packages of the image; `most` bounds the unowned files that are named."""
    joining = _Joining(tree)
    joining.system()
    joining.languages()
    return joining.finish(most)


class _Joining:
    """Gathers packages first, and bytes per package at the end."""

    def __init__(self, tree: ImageTree) -> None:
        self._tree = tree
        self._places = Places(tree)
        self._packages: list[Installed] = []
        self._listed: list[bool] = []
        self._problems: list[tuple[int, str]] = []
        self._owner = [array("i", bytes(4 * len(index))) if index is not None else array("i") for index in tree.layers]
        self._folders: dict[int, int] = {}

    def _findings(self, *kinds: str) -> Iterator[tuple[int, Finding, int, bool]]:
        """(layer, finding, node, whether it is what the final image has), base layer first."""
        for layer, index in enumerate(self._tree.layers):
            for finding in index.findings if index is not None else ():
                if finding.kind in kinds:
                    node = self._places.node(layer, finding.row)
                    if node is not None:
                        yield layer, finding, node, self._places.is_live(node, layer, finding.row)

    def _add(self, manager: str, package: Package, layer: int, node: int, listed: bool) -> int:
        """Note a package; its number, counted from 1."""
        self._packages.append(
            Installed(
                manager, package.name, package.version, package.architecture, layer, None, None, package.size, node
            )
        )
        self._listed.append(listed)
        return len(self._packages)

    def system(self) -> None:
        """dpkg, apk, rpm."""
        came: dict[tuple[int, str, str | None, str | None], int] = {}
        live: dict[tuple[str, str, str | None], int] = {}
        for layer, finding, node, is_live in self._findings(*_WHOLE, "dpkg-part"):
            kept: dict[tuple[int, str, str | None, str | None], int] = {}
            for package in finding.packages:
                key = node, package.name, package.version, package.architecture
                kept[key] = came.get(key, layer)
                if is_live:
                    manager = _SYSTEM[finding.kind]
                    number = self._add(manager, package, kept[key], node, bool(package.rows))
                    live[manager, package.name, package.architecture] = number
                    live.setdefault((manager, package.name, None), number)
            came = {key: first for key, first in came.items() if key[0] != node} | kept
            if is_live and finding.problem is not None:
                self._problems.append((node, finding.problem))
        for layer, finding, _, _ in self._findings(*_SYSTEM):
            manager = _SYSTEM[finding.kind]
            for package in finding.packages:
                wanted = live.get((manager, package.name, package.architecture)) or live.get(
                    (manager, package.name, None)
                )
                if wanted:
                    self._own(layer, package, wanted)

    def _own(self, layer: int, package: Package, number: int) -> None:
        owner = self._owner[layer]
        if package.rows:
            self._listed[number - 1] = True
        for row in package.rows:
            if row < len(owner) and not owner[row]:
                owner[row] = number

    def languages(self) -> None:
        """Python, npm, Go; what belongs to a package of the system is part of that one."""
        at_folder: dict[int, int] = {}
        for layer, finding, node, is_live in self._findings("python", "npm", "go"):
            if not is_live or self._owner[layer][finding.row]:
                continue
            if finding.problem is not None:
                self._problems.append((node, finding.problem))
            folder = self._tree.parent[node]
            numbers = [self._add(finding.kind, package, layer, node, False) for package in finding.packages]
            if finding.kind == "go":
                self._own_program(layer, finding.row, numbers)
            elif numbers and finding.kind == "npm":
                self._folders[folder] = numbers[0]
                self._listed[numbers[0] - 1] = True
            elif numbers:
                at_folder[folder] = numbers[0]
        for layer, finding, node, _ in self._findings("python-record"):
            number = at_folder.get(self._tree.parent[node])
            for package in finding.packages if number else ():
                self._own(layer, package, number or 0)

    def _own_program(self, layer: int, row: int, numbers: list[int]) -> None:
        """A Go program's bytes are its main module's, which comes second, after the standard library."""
        main = numbers[1] if len(numbers) > 1 else numbers[0] if numbers else 0
        if main:
            self._owner[layer][row] = main
            self._listed[main - 1] = True

    def finish(self, most: int) -> Inventory:
        """Add up the files of the final image."""
        sizes, counts = [0] * (len(self._packages) + 1), [0] * (len(self._packages) + 1)
        inherited = self._inherited()
        loose: list[int] = []
        for node, layer, row, size in self._places.files():
            number = self._owner[layer][row] or (inherited[node] if inherited else 0)
            sizes[number] += size
            counts[number] += 1
            if not number and size:
                loose.append(node)
        packages = [
            replace(package, bytes=sizes[number], files=counts[number]) if self._listed[number - 1] else package
            for number, package in enumerate(self._packages, 1)
        ]
        return Inventory(
            tuple(sorted(packages, key=lambda p: (p.manager, p.name, p.version or "", p.layer))),
            sum(sizes[1:]),
            sizes[0],
            counts[0],
            tuple(nlargest(most, loose, key=self._places.size)),
            tuple(self._problems),
        )

    def _inherited(self) -> array[int] | None:
        """For each node the npm package whose folder it lies in, packages inside packages on their own."""
        if not self._folders:
            return None
        parent, folders = self._tree.parent, self._folders
        inherited = array("i", bytes(4 * len(parent)))
        for node in range(1, len(parent)):
            inherited[node] = folders.get(node) or inherited[parent[node]]
        return inherited
