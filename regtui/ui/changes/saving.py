"""What goes to a new file; nothing is ever overwritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from pathlib import Path


def save_new(path: Path, content: str | bytes) -> tuple[SafeText, bool]:
    """(what to tell the person, whether it was written); blocking."""
    try:
        with path.expanduser().open("xb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
    except FileExistsError:
        return safe(f"{path} exists and is left alone: choose another name."), False
    except OSError as error:
        return safe(f"{path} was not written: {error.strerror}."), False
    return safe(f"Saved to {path}."), True
