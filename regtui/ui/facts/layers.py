"""The Layers and History tabs: one row per layer or step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from regtui.oci import media_types
from regtui.oci.artifact import name_of_type, title_of

if TYPE_CHECKING:
    from datetime import datetime

    from regtui.oci import Descriptor
    from regtui.session import Image


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer, or a step of the build that made none. `share` is its part of the image's bytes, 0 to 1."""

    key: int
    number: int | None
    layer: Descriptor | None
    share: float
    instruction: str | None
    created: datetime | None
    note: str = ""

    @property
    def size(self) -> int | None:
        """Compressed bytes; None for a step without a layer."""
        return self.layer.size if self.layer is not None else None


def layer_rows(image: Image) -> list[LayerRow]:
    """The layers, base first."""
    rows = [row for row in history_rows(image) if row.number is not None]
    if rows or image.manifest is None:
        return rows
    total = sum(layer.size for layer in image.manifest.layers) or 1
    return [
        LayerRow(n, n, layer, layer.size / total, title_of(layer), None, _note(layer))
        for n, layer in enumerate(image.manifest.layers, 1)
    ]


def history_rows(image: Image) -> list[LayerRow]:
    """All steps of the build in order, with the layers that they made."""
    total = sum(layer.size for layer in image.manifest.layers) if image.manifest is not None else 0
    return [
        LayerRow(
            position,
            step.number,
            step.layer,
            step.layer.size / (total or 1) if step.layer is not None else 0.0,
            step.instruction,
            step.entry.created if step.entry is not None else None,
            _note(step.layer) if step.layer is not None else "",
        )
        for position, step in enumerate(image.steps)
    ]


def _note(layer: Descriptor) -> str:
    if media_types.is_foreign(layer.media_type):
        return "kept outside of the registry"
    if media_types.is_encrypted(layer.media_type):
        return "encrypted"
    if not media_types.is_layer(layer.media_type):
        return name_of_type(layer.media_type)
    return ""
