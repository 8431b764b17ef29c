"""Catches the package databases of a layer while it streams by."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regtui.contents.packages.records import Finding
    from regtui.contents.walk import TarWalker


class Capture:
    """Decides which files' content is wanted, keeps it within bounds, and reads it at the end."""

    def __init__(self, walker: TarWalker, packages: bool, hashes: bool, most: int) -> None:
        self._walker = walker

    def finish(self) -> tuple[Finding, ...]:
        return ()
