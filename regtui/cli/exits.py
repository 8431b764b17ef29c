"""Exit codes, which scripts rely on."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FAILED: Final = 1
"""An error from the registry or the network."""
USAGE: Final = 2
NEGATIVE: Final = 3
"""The verdict is negative: not verified, threshold reached, problems found."""
REFUSED: Final = 4
"""Refused for safety: protected, read-only, not confirmed."""
INTERRUPTED: Final = 130
