"""Layers joined with the steps that made them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from regtui.oci.config import HistoryEntry, ImageConfig
    from regtui.oci.descriptor import Descriptor
    from regtui.oci.digest import Digest
    from regtui.oci.manifest import ImageManifest


@dataclass(frozen=True, slots=True)
class LayerStep:
    """One row of the Layers and History tabs.

    `number` counts the layers from 1, base first, and is None for a step that made no layer;
    `entry` is None where the history does not tell.
    """

    number: int | None
    layer: Descriptor | None
    diff_id: Digest | None
    entry: HistoryEntry | None

    @property
    def instruction(self) -> str | None:
        """The step as a Dockerfile would write it."""
        if self.entry is None or self.entry.created_by is None:
            return None
        return instruction(self.entry.created_by)


def join_history(manifest: ImageManifest, config: ImageConfig | None) -> tuple[LayerStep, ...]:
    """All steps in order, each with the layer that it made.

    A history whose non-empty steps do not match the layers one to one (squashed, rewritten, absent) is not
    trusted: then the layers stand alone, without instructions.
    """
    history = config.history if config is not None else ()
    diff_ids = config.diff_ids if config is not None else ()
    known = len(diff_ids) == len(manifest.layers)
    rows = [(number, layer, diff_ids[number - 1] if known else None) for number, layer in enumerate(manifest.layers, 1)]
    if sum(not entry.empty_layer for entry in history) != len(rows):
        return tuple(LayerStep(number, layer, diff_id, None) for number, layer, diff_id in rows)
    remaining = iter(rows)
    return tuple(
        LayerStep(None, None, None, entry) if entry.empty_layer else LayerStep(*next(remaining), entry)
        for entry in history
    )


_NOP: Final = re.compile(r"^\s*(?:/bin/sh|/bin/bash|cmd)\s+(?:-\w*c|/S /C)\s+#\(nop\)\s*", re.ASCII)
_SHELL: Final = re.compile(r"^\s*(?:\|\d+\s+.*?\s)?/bin/(?:ba|da)?sh\s+-\w*c\s+", re.ASCII | re.DOTALL)


def instruction(created_by: str) -> str:
    """`created_by` as a Dockerfile would write it: the shell wrapper becomes RUN, `#(nop)` goes."""
    text = created_by.removesuffix("# buildkit").rstrip()
    without = _NOP.sub("", text, count=1)
    if without != text:
        return without.strip()
    match = _SHELL.match(text)
    if match is not None:
        return "RUN " + text[match.end() :].strip()
    if text.startswith("RUN "):
        return "RUN " + _SHELL.sub("", text[4:], count=1).strip()
    return text.strip()
