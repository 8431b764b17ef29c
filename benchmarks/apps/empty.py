"""The smallest Textual app: what every start of a screen costs at least."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Empty(App[None]):
    """One widget."""

    def compose(self) -> ComposeResult:
        """The words that the benchmark waits for."""
        yield Static("first frame")


if __name__ == "__main__":
    Empty().run()
