"""Each private door of Textual that regtui goes through is still there and does what it did."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.app import App
from textual.driver import Driver
from textual.geometry import Region
from textual.widgets import Static

from regtui.ui import _textual
from regtui.ui._textual import (
    LeanDriver,
    PlainCrash,
    StillLoading,
    screen_text,
    set_border_text,
    settled,
    stop_mouse_motion,
)
from regtui.ui.safe_text import SafeText
from tests.ui.stage import Stage, staged


async def test_screen_text_is_what_is_seen() -> None:
    async with staged(Static("one [two]", markup=False)) as (app, _):
        assert screen_text(app).split("\n")[0] == "one [two]"
        assert len(screen_text(app).split("\n")) == 12


class Bordered(Static):
    """Remembers which lines were to be drawn again."""

    DEFAULT_CSS = "Bordered { border: round red; height: 5; width: 20; padding: 0 1; }"

    def __init__(self) -> None:
        super().__init__("text")
        self.drawn: list[Region] = []

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Any:
        self.drawn.extend(regions)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


async def test_border_text_draws_only_its_line() -> None:
    widget = Bordered()
    async with staged(widget) as (app, pilot):
        widget.drawn.clear()
        set_border_text(widget, SafeText("[b]title"), SafeText(""))
        await settled(pilot)
        assert screen_text(app).split("\n")[0] == "╭─ [b]title ───────╮"
        assert widget.drawn == [Region(-2, -1, 20, 1)]
        set_border_text(widget, SafeText("[b]title"), SafeText("3 marked"))
        await settled(pilot)
        assert screen_text(app).split("\n")[4] == "╰─────── 3 marked ─╯"
        assert widget.drawn[1:] == [Region(-2, 3, 20, 1)]
        set_border_text(widget, SafeText(""), SafeText(""))
        await settled(pilot)
        assert screen_text(app).split("\n")[0] == "╭──────────────────╮"
        assert widget.border_title is None


class Wire(Driver):
    """Stands for a platform's driver that writes somewhere."""

    written = ""

    def __init__(self) -> None:
        """Without a terminal."""

    def write(self, data: str) -> None:
        self.written += data

    def start_application_mode(self) -> None: ...

    def disable_input(self) -> None: ...

    def stop_application_mode(self) -> None: ...


class Lean(LeanDriver, Wire):
    """What the app makes of the platform's driver."""


def test_the_driver_spares_the_line() -> None:
    driver = Lean()
    look = "\x1b[38;2;1;2;3;48;2;4;5;6m"
    driver.write(f"{look}a\x1b[0m{look}b\x1b[0m")
    assert driver.written == f"{look}ab\x1b[0m"


def test_the_app_uses_it_on_this_platform() -> None:
    platform = App[None]().get_driver_class()
    mine = PlainCrash().get_driver_class()
    assert issubclass(mine, LeanDriver)
    assert issubclass(mine, platform)
    assert mine.write is LeanDriver.write
    assert issubclass(mine, Driver)


async def test_mouse_motion_is_switched_off_where_there_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged() as (app, pilot):
        written: list[str] = []
        assert app._driver is not None
        monkeypatch.setattr(app._driver, "write", written.append)
        stop_mouse_motion(app)
        assert written == []  # no terminal
        monkeypatch.setattr(Stage, "is_headless", property(lambda _: False))
        app.app_resume_signal.publish(app)
        await settled(pilot)
        assert written == ["\x1b[?1003l\x1b[?1002h"]


async def test_a_loading_widget_stands_still() -> None:
    widget = Static("content")
    async with staged(widget) as (app, pilot):
        app.get_loading_widget = StillLoading  # type: ignore[method-assign]
        widget.styles.height = 5
        widget.loading = True
        await settled(pilot)
        assert "loading…" in screen_text(app)
        assert "content" not in screen_text(app)
        assert StillLoading().auto_refresh is None


async def test_settled_waits_for_workers_and_conditions() -> None:
    async with staged() as (app, pilot):
        gate, done = asyncio.Event(), []

        async def work() -> None:
            await gate.wait()
            done.append(True)

        app.run_worker(work())
        with pytest.raises(TimeoutError):
            await settled(pilot, seconds=0.2)
        asyncio.get_running_loop().call_later(0.05, gate.set)
        await settled(pilot)
        assert done
        with pytest.raises(TimeoutError):
            await settled(pilot, until=lambda: False, seconds=0.2)


async def test_settled_leaves_failures_to_the_test() -> None:
    async with staged() as (app, pilot):

        async def fail() -> None:
            raise LookupError("as a registry would")

        worker = app.run_worker(fail(), exit_on_error=False)
        await settled(pilot)
        assert isinstance(worker.error, LookupError)


async def crash(app: PlainCrash) -> None:
    """Let a handler of the app fail."""
    async with app.run_test() as pilot:
        pilot.app.call_later(lambda: 1 // 0)
        await pilot.pause()


async def test_a_crash_report_is_text_without_locals(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        await crash(PlainCrash())
    report = capsys.readouterr().err
    assert "ZeroDivisionError" in report
    assert "locals" not in report
    assert _textual.PlainCrash._fatal_error is not App._fatal_error
