"""The app: it wires session, settings, theme, keys and the crash report, and knows nothing of images."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from textual.app import SystemCommand

from regtui.ui._textual import PlainCrash, StillLoading, stop_mouse_motion
from regtui.ui.actions import Bound, Place, action_of, why_greyed
from regtui.ui.changes.leaving import Leaving
from regtui.ui.keymap import read_keymap
from regtui.ui.safe_text import safe
from regtui.ui.screens.explorer import ExplorerScreen
from regtui.ui.themed import Themed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime

    from textual.app import App
    from textual.dom import DOMNode
    from textual.screen import Screen
    from textual.widget import Widget

    from regtui.session import Session, Target


@runtime_checkable
class Loading(Protocol):
    """A screen that can be loading something."""

    @property
    def is_loading(self) -> bool:
        """Whether it is."""

    def action_cancel(self) -> None:
        """Stop that."""


class RegtuiApp(Bound, Themed, Leaving, PlainCrash):
    """Opens the explorer over a session."""

    TITLE = "regtui"
    PLACES = (Place.APP,)
    ENABLE_COMMAND_PALETTE = True
    CSS: ClassVar[str] = "Toast { max-width: 100; }"

    def __init__(
        self,
        session: Session,
        target: Target | None = None,
        *,
        slow_line: bool = False,
        now: datetime | None = None,
    ) -> None:
        super().__init__()
        self.now = now
        """The moment that ages are told as of; None for the real one."""
        self.session = session
        self.target = target
        self.slow_line = slow_line or bool(os.environ.get("SSH_CONNECTION"))
        self._cancelled = False
        # Smooth scrolling costs 25 times the bytes and says nothing more.
        self.animation_level = "none"

    def on_mount(self) -> None:
        """Theme, keys, explorer."""
        settings = self.session.settings
        theme_problems = self.start_themes()
        keymap = read_keymap(settings.keymap)
        self.set_keymap(keymap.keys)
        stop_mouse_motion(self)
        for problem in [*settings.problems, *keymap.problems, *theme_problems]:
            self.notify(safe(str(problem), 500), severity="warning", markup=False, timeout=10)
        self.push_screen(ExplorerScreen(self.session, self.target, now=self.now))

    def get_loading_widget(self) -> Widget:
        """A still one: Textual's own writes 100 KB a second."""
        return StillLoading()

    async def on_unmount(self) -> None:
        """Let go of connections."""
        await self.session.close()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every live action of the table, then Textual's own."""
        for active in screen.active_bindings.values():
            action = action_of(active.binding)
            if action is not None and active.enabled and action.group != "Move":
                greyed = why_greyed(screen, action)
                words = action.help if greyed is None else f"{action.help} {greyed}"
                yield SystemCommand(action.title, words, _runner(self, active.node, active.binding.action))
        if isinstance(screen, ExplorerScreen):
            yield from screen.more_commands()
        yield from super().get_system_commands(screen)

    def action_show_help(self) -> None:
        """?"""
        pane = getattr(self.screen, "pane", "this screen")
        from regtui.ui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen.active_bindings.values(), pane, self.screen))

    def action_show_requests(self) -> None:
        """!"""
        from regtui.ui.screens.requests import RequestsScreen

        self.push_screen(RequestsScreen(self.session.log))

    def action_leave_or_quit(self) -> None:
        """q: back at depth, quit at the top."""
        screen = self.screen
        is_top = isinstance(screen, ExplorerScreen) and (screen.pane == "registries" or self._is_direct(screen))
        step_back = getattr(screen, "action_step_back", None)
        if is_top or step_back is None or self.writing_screen is not None:
            self.quit_unless_writing()
        else:
            step_back()

    def _is_direct(self, screen: ExplorerScreen) -> bool:
        """Whether the pane is the one that the command line opened: there q quits, as in a pager."""
        return self.target is not None and screen.pane == screen.first_pane

    def action_cancel_loading(self) -> None:
        """ctrl+c: cancel what loads; when nothing does, or at the second time, quit."""
        screen = self.screen
        if isinstance(screen, Loading) and screen.is_loading and not self._cancelled:
            self._cancelled = True
            screen.action_cancel()
            self.notify("Cancelled. ctrl+c again quits.", markup=False)
            self.set_timer(2, self._forgive)
        elif self._cancelled:
            self.quit_unless_writing()
        elif self.stop_writing():
            self._cancelled = True
            self.set_timer(2, self._forgive)
        else:
            self._cancelled = True
            self.notify("ctrl+c again quits.", markup=False)
            self.set_timer(2, self._forgive)

    def _forgive(self) -> None:
        self._cancelled = False


def _runner(app: App[Any], node: DOMNode, action: str) -> Callable[[], Awaitable[None]]:
    async def run() -> None:
        await app.run_action(action, node)

    return run


def run_app(session: Session, target: Target | None, *, slow_line: bool = False) -> int:
    """Run the explorer; the exit code."""
    app = RegtuiApp(session, target, slow_line=slow_line)
    app.run()
    return app.return_code or 0
