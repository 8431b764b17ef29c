"""Tiny apps around a few widgets."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from regtui.ui._textual import PlainCrash, settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.app import ComposeResult
    from textual.message import Message
    from textual.pilot import Pilot
    from textual.widget import Widget


class Stage(PlainCrash):
    """Shows some widgets and remembers the messages of a run."""

    CSS = "LineList { border: round $panel; height: 1fr; }"

    def __init__(self, *widgets: Widget) -> None:
        super().__init__()
        self._widgets = widgets
        self._told: list[Message] = []

    def compose(self) -> ComposeResult:
        """The widgets."""
        yield from self._widgets

    def remember(self, message: Message) -> None:
        """Take note of a message, once however far it bubbles."""
        if not any(message is each for each in self._told):
            self._told.append(message)

    def told(self, kind: type[Message]) -> list[Any]:
        """The messages of exactly this kind, which are then forgotten."""
        found = [message for message in self._told if type(message) is kind]
        self._told = [message for message in self._told if type(message) is not kind]
        return found


@asynccontextmanager
async def staged(*widgets: Widget, size: tuple[int, int] = (60, 12)) -> AsyncIterator[tuple[Stage, Pilot[Any]]]:
    """An app with these widgets, settled."""
    app = Stage(*widgets)
    async with app.run_test(size=size, message_hook=app.remember) as pilot:
        await settled(pilot)
        yield app, pilot
