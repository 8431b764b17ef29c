"""Copying text out of the terminal, also over SSH and inside tmux; says in words what was done.

A terminal never confirms, and tmux drops an application's own OSC 52 with its default settings: so tmux is asked
first, with a command of its own that also passes the text on to the terminal outside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from regtui.ui.safe_text import SafeText, safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual.app import App

LIMIT = 64 * 1024
"""Bytes that are copied at most: terminals cut or ignore longer ones without a word."""
_TMUX_SECONDS = 2.0


def copy_text(app: App[Any], text: str, environ: Mapping[str, str] | None = None) -> SafeText:
    """Copy `text` and tell what was done, with the text itself so that it can be selected by hand.

    Runs tmux when inside it: call it from a thread worker there if the loop must not wait some milliseconds.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > LIMIT:
        return SafeText(f"Too long for the clipboard: {size:,} bytes, {LIMIT:,} at most. Save it to a file instead.")
    shown = safe(text)
    if (os.environ if environ is None else environ).get("TMUX"):
        problem = _load_tmux_buffer(text)
        if problem is None:
            return SafeText(f"Copied by way of tmux: {shown}")
        app.copy_to_clipboard(text)
        return SafeText(f"{problem} Asked the terminal to copy: {shown}")
    app.copy_to_clipboard(text)
    return SafeText(f"Asked the terminal to copy: {shown}")


def _load_tmux_buffer(text: str) -> SafeText | None:
    """Why tmux did not take the text; None when it did."""
    tmux = shutil.which("tmux")
    if tmux is None:
        return SafeText("tmux is not on PATH.")
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command, the text goes to its standard input
            [tmux, "load-buffer", "-w", "-"],
            input=text.encode("utf-8", "replace"),
            capture_output=True,
            timeout=_TMUX_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return SafeText("tmux does not answer.")
    if done.returncode:
        return safe(f"tmux refused ({done.stderr.decode('utf-8', 'replace').strip() or done.returncode}).")
    return None
