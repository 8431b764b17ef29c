"""Quitting: at once, unless a write runs; then it asks, since a run that is left alone tells nobody how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.app import App

from regtui.ui.safe_text import SafeText
from regtui.ui.screens.choose import ChooseScreen

if TYPE_CHECKING:
    from textual.screen import Screen

WAIT, STOP = SafeText("Wait for it"), SafeText("Stop after the steps under way, then quit")


class Leaving(App[Any]):
    """Mixin for the app."""

    @property
    def writing_screen(self) -> Screen[Any] | None:
        """The screen on which a run is under way."""
        return next((screen for screen in reversed(self.screen_stack) if getattr(screen, "is_writing", False)), None)

    async def action_quit(self) -> None:
        """The palette's Quit, and ctrl+q."""
        self.quit_unless_writing()

    def quit_unless_writing(self) -> None:
        """Quit, or ask first. The journal stays true whatever is answered."""
        if self.writing_screen is None:
            self.exit()
            return
        question = SafeText("Changes are being made right now")
        self.push_screen(ChooseScreen(question, [WAIT, STOP]), self._answered)

    def stop_writing(self) -> bool:
        """ctrl+c: stop a run after the steps under way; whether there was one."""
        stop = getattr(self.writing_screen, "stop", None)
        if stop is None:
            return False
        stop()
        return True

    def _answered(self, choice: int | None) -> None:
        screen = self.writing_screen
        if choice != 1:
            return
        if screen is None:
            self.exit()
            return
        stop_and_leave = getattr(screen, "stop_and_leave", None)
        if stop_and_leave is not None:
            stop_and_leave()
