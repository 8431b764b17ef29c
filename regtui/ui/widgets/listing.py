"""How far a listing has come, and the title of a list that tells it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from regtui.ui.safe_text import SafeText


@dataclass(frozen=True, slots=True)
class Listing:
    """Whether all rows are there. `total` is what the registry says there is, `reason` why it stopped early."""

    state: Literal["idle", "loading", "complete", "stopped"] = "idle"
    total: int | None = None
    reason: SafeText = SafeText("")  # noqa: RUF009 - a constant string


def list_title(title: SafeText, shown: int, known: int, listing: Listing, sort: SafeText, wanted: SafeText) -> SafeText:
    """`3 Tags  12/1,204 of 5,000  /rc  size ▼  loading…`: nothing is left out without a word."""
    parts: list[str] = [title] if title else []
    if known or listing.state == "complete":
        count = f"{shown:,}/{known:,}"
        if listing.total is not None and listing.total > known:
            count += f" of {listing.total:,}"
        parts.append(count)
    if wanted:
        parts.append(f"/{wanted}")
    if sort:
        parts.append(sort)
    if listing.state == "loading":
        parts.append("loading…")
    elif listing.state == "stopped":
        parts.append(f"stopped: {listing.reason}" if listing.reason else "stopped")
    return SafeText("  ".join(parts))


def marks_note(count: int, note: SafeText) -> SafeText:
    """`2 marked · would free 91.4 MB` for the lower border; empty when there is nothing to say."""
    parts = [f"{count:,} marked"] if count else []
    if note:
        parts.append(note)
    return SafeText(" · ".join(parts))
