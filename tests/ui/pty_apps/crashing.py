"""Crashes on purpose, with a secret in a frame and hostile text in the error. Only for a test's terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from textual.widgets import Static

from regtui.ui._textual import PlainCrash

if TYPE_CHECKING:
    from textual.app import ComposeResult


class Crashing(PlainCrash):
    """Fails in a handler, as a bug would."""

    def compose(self) -> ComposeResult:
        """Something to see first."""
        yield Static("ready to crash", markup=False)

    def on_key(self) -> None:
        """Fail."""
        password = sys.argv[1]
        header = {"Authorization": f"Bearer {password}"}
        raise ValueError(f"{len(header)} bad answers: \x1b]52;c;aGk=\x07 \u202e")


app = Crashing()
app.run()
sys.exit(app.return_code)
