"""The few private doors of Textual that regtui goes through; each has a test that fails when Textual changes."""

from __future__ import annotations

import traceback
from time import monotonic
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.app import App
from textual.color import Color
from textual.content import Content
from textual.driver import Driver
from textual.geometry import Region
from textual.widgets import Static

from regtui.ui.lean_output import squeeze
from regtui.ui.safe_text import safe_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.pilot import Pilot
    from textual.widget import Widget

    from regtui.ui.safe_text import SafeText

_NO_MOTION = "\x1b[?1003l\x1b[?1002h"
"""Reports of buttons, wheel and drag go on; reports of bare motion stop."""
_POLL_SECONDS = 0.005


class LeanDriver(Driver):
    """Mixin for the platform's driver: sends the same screen in fewer bytes."""

    def write(self, data: str) -> None:
        """Write to the terminal."""
        super().write(squeeze(data))  # type: ignore[safe-super]  # the platform's driver comes after this class


class PlainCrash(App[Any]):
    """An app that spares the line, and whose crash report shows no local variables and no raw text from outside."""

    def get_driver_class(self) -> type[Driver]:
        """The platform's driver, sparing the line."""
        platform = super().get_driver_class()
        return type("LeanPlatformDriver", (LeanDriver, platform), {})

    def _fatal_error(self) -> None:
        self.bell()
        self._exit_renderables.append(Text("\n".join(safe_lines(traceback.format_exc()))))
        self._close_messages_no_wait()


def screen_text(app: App[Any]) -> str:
    """The text of the active screen, line by line: what tests and goldens compare."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


def text_colours(app: App[Any]) -> list[tuple[str, Color, Color]]:
    """Each run of words on the active screen with its colour and what it stands on: what tests of contrast compare."""
    found = []
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            style = segment.style
            if style is None or style.color is None or style.bgcolor is None:
                continue
            if any(map(str.isalnum, segment.text)):
                found.append((segment.text, Color.from_rich_color(style.color), Color.from_rich_color(style.bgcolor)))
    return found


def stop_mouse_motion(app: App[Any]) -> None:
    """Ask the terminal for no reports of bare mouse motion, now and after each resume: each would cost kilobytes."""
    _write_no_motion(app)
    app.app_resume_signal.subscribe(app, _write_no_motion)


def _write_no_motion(app: App[Any]) -> None:
    driver = app._driver
    if driver is not None and not app.is_headless and not app.is_web:
        driver.write(_NO_MOTION)


class StillLoading(Static):
    """What stands where a widget is loading. Textual's own indicator writes 100 KB per second."""

    DEFAULT_CSS = "StillLoading { width: 1fr; height: 1fr; content-align: center middle; color: $text-muted; }"

    def __init__(self) -> None:
        super().__init__(Content("loading…"))


def set_border_text(widget: Widget, title: SafeText, subtitle: SafeText) -> None:
    """Set the text of the upper and lower border, and draw only the line that has changed.

    Textual's own `border_title` draws the whole widget again: kilobytes over SSH for a counter.
    """
    wanted = (Content(title) if title else None, Content(subtitle) if subtitle else None)
    width, height = widget.outer_size
    left, top = -widget.content_offset.x, -widget.content_offset.y
    if widget._border_title != wanted[0]:
        widget._border_title = wanted[0]
        widget.refresh(Region(left, top, width, 1))
    if widget._border_subtitle != wanted[1]:
        widget._border_subtitle = wanted[1]
        widget.refresh(Region(left, top + height - 1, width, 1))


async def settled(pilot: Pilot[Any], until: Callable[[], bool] | None = None, seconds: float = 10.0) -> None:
    """Wait until no worker runs and no message waits, and `until` holds. Raises TimeoutError.

    For tests: `pilot.pause` alone returns when the processor is idle, also while a worker waits for an answer.
    """
    deadline = monotonic() + seconds
    while True:
        await pilot.pause()
        if all(worker.is_finished for worker in pilot.app.workers) and (until is None or until()):
            return
        if monotonic() > deadline:
            raise TimeoutError(f"The screen did not settle in {seconds} s:\n{screen_text(pilot.app)}")
        await pilot.pause(_POLL_SECONDS)
