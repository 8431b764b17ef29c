"""What stands under a plan: buttons whose chosen one shows without colour, switches, and a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static

from regtui.ui.actions import Bound, Place
from regtui.ui.safe_text import SafeText

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.binding import BindingType

    from regtui.ui.widgets.line_list import LineList


@dataclass(frozen=True, slots=True)
class Button:
    """One thing to press. A disabled one can't be chosen; why it is disabled stands elsewhere."""

    name: str
    label: SafeText
    disabled: bool = False


class ButtonRow(Bound, Widget, can_focus=True):
    """`[ Cancel ]   Apply   Save`: left and right choose, enter presses; the keys of lists move the list above."""

    PLACES = (Place.LIST,)
    COMPONENT_CLASSES: ClassVar[set[str]] = {"button--chosen", "button--off"}
    DEFAULT_CSS = """
    ButtonRow { height: 1; background: $surface; color: $foreground; }
    ButtonRow > .button--chosen { background: $panel; color: $foreground; text-style: bold; }
    ButtonRow:focus > .button--chosen { background: $accent; color: $background; text-style: bold; }
    ButtonRow > .button--off { color: $text-disabled; text-style: strike; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "choose(-1)", show=False),
        Binding("right,l", "choose(1)", show=False),
        Binding("shift+tab", "tab(-1)", show=False),
        Binding("tab", "tab(1)", show=False),
        Binding("space", "nothing", show=False),
    ]

    class Pressed(Message):
        """A button was pressed."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, lines: LineList) -> None:
        super().__init__()
        self._lines = lines
        self._buttons: tuple[Button, ...] = ()
        self.chosen = ""
        """The name of the button that enter presses."""

    def show(self, *buttons: Button) -> None:
        """Other buttons. The first one is chosen unless the chosen one is still there: it must be the harmless one."""
        if buttons == self._buttons:
            return
        if self.chosen not in {button.name for button in buttons if not button.disabled}:
            self.chosen = buttons[0].name
        self._buttons = buttons
        self.refresh()

    @property
    def text(self) -> str:
        """What is shown, for tests and screen readers."""
        return "".join(text for text, _ in self._parts())

    def render_line(self, y: int) -> Strip:
        """The row."""
        width, plain = self.size.width, self.rich_style
        if y:
            return Strip.blank(width, plain)
        segments = [Segment("  ", plain)]
        for text, style in self._parts():
            segments.append(Segment(text, self.get_component_rich_style(f"button--{style}") if style else plain))
        return Strip(segments).adjust_cell_length(width, plain)

    def action_choose(self, step: int) -> None:
        """Left, right, tab."""
        names = [button.name for button in self._buttons if not button.disabled]
        if names:
            self.chosen = names[(names.index(self.chosen) + step) % len(names)] if self.chosen in names else names[0]
            self.refresh()

    def action_tab(self, step: int) -> None:
        """Tab, shift+tab: as right and left, and out of the row at its ends."""
        names = [button.name for button in self._buttons if not button.disabled]
        at = (names.index(self.chosen) if self.chosen in names else 0) + step
        if 0 <= at < len(names):
            self.action_choose(step)
        elif step > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def on_focus(self) -> None:
        """Who comes back stands on the harmless button again."""
        if self._buttons:
            self.chosen = self._buttons[0].name
            self.refresh()

    def action_open_line(self) -> None:
        """Enter."""
        self._press(self.chosen)

    def action_nothing(self) -> None:
        """Space marks in lists: it must not press anything here by reflex."""

    def action_move_down(self) -> None:
        """The list above moves."""
        self._lines.action_move_down()

    def action_move_up(self) -> None:
        """The list above moves."""
        self._lines.action_move_up()

    def action_move_top(self) -> None:
        """The list above moves."""
        self._lines.action_move_top()

    def action_move_bottom(self) -> None:
        """The list above moves."""
        self._lines.action_move_bottom()

    def action_move_page_down(self) -> None:
        """The list above moves."""
        self._lines.action_move_page_down()

    def action_move_page_up(self) -> None:
        """The list above moves."""
        self._lines.action_move_page_up()

    def on_click(self, event: events.Click) -> None:
        """The first click chooses, the second one presses: no click by accident applies anything."""
        position = 2
        for button, (text, _) in zip(self._buttons, self._parts(), strict=True):
            if position <= event.x < position + cell_len(text) and not button.disabled:
                if self.chosen == button.name:
                    self._press(button.name)
                self.chosen = button.name
                self.refresh()
            position += cell_len(text)

    def _press(self, name: str) -> None:
        if any(button.name == name and not button.disabled for button in self._buttons):
            self.post_message(self.Pressed(name))

    def _parts(self) -> list[tuple[str, str]]:
        parts = []
        for button in self._buttons:
            is_chosen = button.name == self.chosen
            style = "off" if button.disabled else "chosen" if is_chosen else ""
            parts.append((f"[ {button.label} ]" if is_chosen else f"  {button.label}  ", style))
        return parts


@dataclass(frozen=True, slots=True)
class Switch:
    """Something that a plan can be made with or without."""

    name: str
    key: SafeText
    label: SafeText
    is_on: bool


class SwitchLine(Widget):
    """`[x] m whole manifest   [ ] F protected, too`; on as many lines as they need."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"switch--key"}
    DEFAULT_CSS = """
    SwitchLine { height: auto; background: $surface; color: $text-muted; }
    SwitchLine > .switch--key { color: $text-accent; text-style: bold; }
    """

    class Pressed(Message):
        """A switch was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        super().__init__()
        self.display = False
        self._switches: tuple[Switch, ...] = ()

    def show(self, switches: Sequence[Switch]) -> None:
        """Other switches, or other positions."""
        if tuple(switches) != self._switches:
            self._switches = tuple(switches)
            self.display = bool(switches)
            self.refresh(layout=True)

    @property
    def text(self) -> str:
        """What is shown, for tests and screen readers."""
        return "\n".join("".join(_text_of(switch) for switch in row) for row in self._rows(self.size.width))

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many lines as the switches need."""
        return max(1, len(self._rows(width)))

    def render_line(self, y: int) -> Strip:
        """One line of switches."""
        width, plain = self.size.width, self.rich_style
        rows = self._rows(width)
        if y >= len(rows):
            return Strip.blank(width, plain)
        key_style = self.get_component_rich_style("switch--key")
        segments = []
        for switch in rows[y]:
            segments.append(Segment(f"  [{'x' if switch.is_on else ' '}] ", plain))
            segments.append(Segment(switch.key, key_style))
            segments.append(Segment(f" {switch.label} ", plain))
        return Strip(segments).adjust_cell_length(width, plain)

    def on_click(self, event: events.Click) -> None:
        """A click turns the switch."""
        rows = self._rows(self.size.width)
        if event.y >= len(rows):
            return
        position = 0
        for switch in rows[event.y]:
            size = cell_len(_text_of(switch))
            if position <= event.x < position + size:
                self.post_message(self.Pressed(switch.name))
            position += size

    def _rows(self, width: int) -> list[list[Switch]]:
        rows: list[list[Switch]] = [[]]
        used = 0
        for switch in self._switches:
            size = cell_len(_text_of(switch))
            if rows[-1] and used + size > width:
                rows.append([])
                used = 0
            rows[-1].append(switch)
            used += size
        return rows


def _text_of(switch: Switch) -> str:
    return f"  [{'x' if switch.is_on else ' '}] {switch.key} {switch.label} "


class Sentence(Static):
    """A few words that wrap, or nothing and then no line at all."""

    DEFAULT_CSS = """
    Sentence { height: auto; padding: 0 2; background: $surface; color: $text-warning; display: none; }
    Sentence.-plain { color: $text-muted; }
    """

    def __init__(self, *, plain: bool = False) -> None:
        super().__init__(Content(""), classes="-plain" if plain else None)
        self.text = SafeText("")

    def say(self, text: SafeText) -> None:
        """Other words."""
        if text != self.text:
            self.text = text
            self.display = bool(text)
            self.update(Content(text))
