"""Bounds on what an untrusted layer may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one indexing run; beyond one of them the layer is listed up to there and called damaged."""

    tar_bytes: int = 512 << 30
    """Uncompressed bytes. Data is addressed by 32 bits of 512-byte blocks, so 2 TiB is the most there can be."""
    entries: int = 2_000_000
    """Entries, with the folders that they imply."""
    metadata: int = 1 << 20
    """Bytes of one PAX or GNU long name record; Go's reader has the same bound."""
    path: int = 4096
    """Bytes of a path; Linux takes no longer one (PATH_MAX)."""
    names: int = 64 << 20
    """Bytes of all base names and link targets together, and of all folder paths together."""
    captured: int = 48 << 20
    """Bytes of package databases kept for reading, all together; each has its own bound besides."""


DEFAULT: Final = Limits()
