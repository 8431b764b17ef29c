"""The few signs that the lists draw with, and plain ASCII ones for terminals without UTF-8."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Each is one cell wide, but for `blocks` and `levels`: the eighths of a cell from nothing to full."""

    cursor: str = "▌"
    mark: str = "●"
    cursor_on_mark: str = "◉"
    opened: str = "▾"
    closed: str = "▸"
    guide: str = "│"
    ascending: str = "▲"
    descending: str = "▼"
    ellipsis: str = "…"
    blocks: str = " ▏▎▍▌▋▊▉█"
    levels: str = " ▁▂▃▄▅▆▇█"
    """As `blocks`, from the bottom up."""


UNICODE = Glyphs()
ASCII = Glyphs(">", "*", "@", "-", "+", "|", "^", "v", "~", " #", " .:|#")


def glyphs_for(environ: Mapping[str, str] | None = None) -> Glyphs:
    """What this terminal can show, as its locale tells; the kernel's own console has few signs."""
    environ = os.environ if environ is None else environ
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "UTF-8"
    if environ.get("TERM") in {"linux", "dumb"}:
        return ASCII
    name = locale.upper().replace("-", "")
    return UNICODE if "UTF8" in name or name in {"C.UTF8", ""} else ASCII
