"""Which layer brought the package of a finding: by what the report says, else by the packages of each layer."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Final

from regtui.contents.errors import ContentsError
from regtui.contents.packages.inventory import inventory_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.contents.packages.inventory import Inventory
    from regtui.session.contents import ContentsReader, LayerProgress
    from regtui.session.images import Image
    from regtui.trust.findings import Finding

_SEPARATORS: Final = re.compile(r"[-_.]+")


class LayerFinder:
    """Tells the layer of a finding, from 0; None where nothing tells it.

    Without an inventory only the layers are known that the report names by digest or diff ID.
    """

    def __init__(self, image: Image, inventory: Inventory | None = None) -> None:
        layers = image.manifest.layers if image.manifest is not None else ()
        self._by_digest: dict[str, int] = {one.digest: number for number, one in enumerate(layers)}
        if image.config is not None and len(image.config.diff_ids) == len(layers):
            self._by_digest |= {one: number for number, one in enumerate(image.config.diff_ids)}
        self._exact: dict[tuple[str, str], int] = {}
        self._named: dict[str, set[int]] = {}
        for package in inventory.packages if inventory is not None else ():
            name = _plain(package.name)
            self._exact.setdefault((name, package.version or ""), package.layer)
            self._named.setdefault(name, set()).add(package.layer)

    def __call__(self, finding: Finding) -> int | None:
        """The layer's number."""
        for said in (finding.layer_diff_id, finding.layer_digest):
            number = self._by_digest.get(said or "")
            if number is not None:
                return number
        if finding.package is None:
            return None
        name = _plain(finding.package)
        exact = self._exact.get((name, finding.installed or ""))
        if exact is not None:
            return exact
        # Scanners write epochs and revisions in their own ways: one package of that name leaves no doubt.
        named = self._named.get(name, set())
        return next(iter(named)) if len(named) == 1 else None


def _plain(name: str) -> str:
    """A name as it compares: case and separators differ between scanners and databases (PEP 503 for Python)."""
    return _SEPARATORS.sub("-", name).lower()


async def find_layers(
    contents: ContentsReader,
    image: Image,
    progress: Callable[[LayerProgress], object] | None = None,
    *,
    only_known: bool = False,
) -> LayerFinder:
    """A finder over the packages of all layers, which are read where they are not known yet. Raises RegtuiError.

    With `only_known` nothing is read: without every layer's packages, only what reports name themselves is found.
    """
    if image.manifest is None or not image.manifest.is_image:
        return LayerFinder(image)
    leave_out = [layer.digest for layer in image.manifest.layers] if only_known else ()
    try:
        found = await contents.contents(image, progress, leave_out=leave_out, shortcuts=False)
    except ContentsError:
        return LayerFinder(image)
    if only_known and found.unread:
        return LayerFinder(image)
    return LayerFinder(image, await asyncio.to_thread(inventory_of, found.tree))
