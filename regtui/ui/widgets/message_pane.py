"""What stands in a pane that has nothing to show: a sentence and the next step, never a blank."""

from __future__ import annotations

from typing import Literal

from textual.content import Content
from textual.widgets import Static

from regtui.ui.safe_text import SafeText


class MessagePane(Static):
    """A sentence, and under it what to do next."""

    DEFAULT_CSS = """
    MessagePane { width: 1fr; height: 1fr; padding: 1 2; background: $surface; color: $text-muted; }
    MessagePane.-warning { color: $text-warning; }
    MessagePane.-error { color: $text-error; }
    """

    def __init__(
        self,
        sentence: SafeText = SafeText(""),  # noqa: B008 - a constant
        hint: SafeText = SafeText(""),  # noqa: B008 - a constant
        *,
        id: str | None = None,  # noqa: A002 - Textual's own name
    ) -> None:
        super().__init__(_content(sentence, hint), id=id)

    def show(
        self,
        sentence: SafeText,
        hint: SafeText = SafeText(""),  # noqa: B008 - a constant
        tone: Literal["", "warning", "error"] = "",
    ) -> None:
        """Say something else. The words must tell what is wrong without the colour."""
        self.set_class(tone == "warning", "-warning")
        self.set_class(tone == "error", "-error")
        self.update(_content(sentence, hint))


def _content(sentence: SafeText, hint: SafeText) -> Content:
    return Content("\n\n".join([part for part in (sentence, hint) if part]))
