"""The line at the bottom: the keys that work where the focus is, the most wanted first, as plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from regtui.ui.actions import footer_actions, why_greyed
from regtui.ui.keymap import UNBOUND
from regtui.ui.safe_text import safe

if TYPE_CHECKING:
    from textual.binding import Binding
    from textual.screen import Screen

LAST = "help"
"""The action whose key stays, whatever has to give way."""


class KeyFooter(Widget):
    """`/ filter  s sort  space mark  ? help`, made from the live bindings; what does not fit is left out whole."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"footer--key", "footer--off"}
    DEFAULT_CSS = """
    KeyFooter { height: 1; dock: bottom; background: $panel; color: $text-muted; }
    KeyFooter > .footer--key { color: $text-accent; text-style: bold; }
    KeyFooter > .footer--off { color: $text-muted; text-style: strike; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self._keys: list[tuple[str, str, str, bool]] = []

    def on_mount(self) -> None:
        """Follow the live bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._update)
        self._update(self.screen)

    @property
    def text(self) -> str:
        """What is shown, for tests and screen readers."""
        return "  ".join([f"{key} {title}" for _, key, title, _ in self._fitting(self.size.width)])

    def render_line(self, y: int) -> Strip:
        """The line."""
        width, plain = self.size.width, self.rich_style
        if y:
            return Strip.blank(width, plain)
        key_style, off = self.get_component_rich_style("footer--key"), self.get_component_rich_style("footer--off")
        segments: list[Segment] = []
        for _, key, title, enabled in self._fitting(width):
            segments.append(Segment(f" {key}", key_style if enabled else off))
            segments.append(Segment(f" {title} ", plain if enabled else off))
        return Strip(segments).adjust_cell_length(width, plain)

    def _update(self, screen: Screen[object]) -> None:
        if not screen.is_attached:
            return
        live = [entry for entry in screen.active_bindings.values() if self._is_free(screen, entry.binding)]
        enabled = {entry.binding.id: entry.enabled for entry in live}
        keys = [
            (
                action.id,
                self._shown(binding),
                action.footer or action.title.lower(),
                enabled[action.id] and why_greyed(screen, action) is None,
            )
            for action, binding in footer_actions([entry.binding for entry in reversed(live)])
        ]
        if keys != self._keys:
            self._keys = keys
            self.refresh()

    def _shown(self, binding: Binding) -> str:
        return safe(self.app.get_key_display(binding), 20)

    def _is_free(self, screen: Screen[object], binding: Binding) -> bool:
        """Whether the key reaches its action: no user took it away, and no text field takes it in."""
        if binding.key.startswith(UNBOUND):
            return False
        character = self._shown(binding)
        focused = screen.focused
        return focused is None or len(character) != 1 or not focused.check_consume_key(binding.key, character)

    def _fitting(self, width: int) -> list[tuple[str, str, str, bool]]:
        """As many as fit whole; help always."""
        kept = list(self._keys)
        while len(kept) > 1 and sum([cell_len(key) + cell_len(title) + 3 for _, key, title, _ in kept]) > width:
            kept.remove(next(entry for entry in reversed(kept) if entry[0] != LAST))
        return kept
