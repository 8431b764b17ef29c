"""Packages of two images compared, also where the layers that both share were not read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from regtui.contents.differences import Kind, PackageDifference, package_differences
from regtui.contents.packages.inventory import inventory_of

if TYPE_CHECKING:
    from regtui.contents.tree import ImageTree

_WHOLE: Final = frozenset({"dpkg", "apk", "rpm"})
"""Managers that list all their packages in one database."""


@dataclass(frozen=True, slots=True)
class PackagesCompared:
    """The packages that differ. `unknown` are managers whose database only one of the images writes, while the other's
    is in layers that were not read: nothing can be said of their packages."""

    differences: tuple[PackageDifference, ...]
    unknown: tuple[str, ...] = ()


def compare_packages(before: ImageTree, after: ImageTree, *, unread: bool) -> PackagesCompared:
    """Compare what is installed. `unread`: layers that both share are missing from both trees.

    Then bytes are not known, databases that both images rewrite are compared as ever, and a package with files of
    its own (Python, npm, Go) that one image alone writes is WRITTEN: it may replace one of the shared layers.
    """
    old, new = inventory_of(before).packages, inventory_of(after).packages
    if not unread:
        return PackagesCompared(package_differences(old, new))
    whole = _databases(before), _databases(after)
    unknown = whole[0] ^ whole[1]
    kept = [tuple(replace(p, bytes=None) for p in side if p.manager not in unknown) for side in (old, new)]
    found = package_differences(*kept)
    return PackagesCompared(
        tuple(_unsure(difference, whole[0] & whole[1]) for difference in found), tuple(sorted(unknown))
    )


def _databases(tree: ImageTree) -> set[str]:
    """The managers whose whole database is among the layers that were read."""
    return {
        finding.kind
        for index in tree.layers
        if index is not None
        for finding in index.findings
        if finding.kind in _WHOLE
    }


def _unsure(difference: PackageDifference, known: set[str]) -> PackageDifference:
    one_sided = difference.kind in {Kind.ADDED, Kind.REMOVED}
    return replace(difference, kind=Kind.WRITTEN) if one_sided and difference.manager not in known else difference
