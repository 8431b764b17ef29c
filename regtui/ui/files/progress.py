"""How far the reading of layers is, in words, told now and then: each time costs a line on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from textual.message import Message

from regtui.ui.models.pace import Pace, left_text
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.bars import bar
from regtui.ui.words import count_text, size_text

if TYPE_CHECKING:
    from regtui.session.contents import LayerProgress

EVERY: Final = 0.25
EVERY_ON_A_SLOW_LINE: Final = 1.0
_BAR: Final = 16


class Told(Message):
    """How far it is; posted from worker threads."""

    def __init__(self, words: SafeText) -> None:
        super().__init__()
        self.words = words

    def can_replace(self, message: Message) -> bool:
        """Only the last one counts."""
        return isinstance(message, Told)


class ReadingProgress:
    """One reading. `step` is called in worker threads; `moment` is in seconds of a steady clock."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._told = float("-inf")

    def step(self, step: LayerProgress, moment: float, *, slow: bool = False) -> Told | None:
        """The message to post for the first of each interval and for the last of all; None in between."""
        if moment - self._told < (EVERY_ON_A_SLOW_LINE if slow else EVERY) and step.done < step.layers:
            return None
        self._told = moment
        self._pace.note(moment, step.read)
        return Told(progress_words(step, self._pace.speed, self._pace.left(step.total)))


def progress_words(step: LayerProgress, speed: float | None, left: float | None) -> SafeText:
    """`▇▇▇ layer 4 of 9 · 41.2 MB of 118 MB · 38 MB/s · 0:02 left · 31,207 entries · escape stops`."""
    parts = [
        f"{bar(step.read / step.total if step.total else 0.0, _BAR)} layer {min(step.done + 1, step.layers)}"
        f" of {step.layers}",
        f"{size_text(step.read)} of {size_text(step.total)}",
    ]
    if speed is not None:
        parts.append(f"{size_text(int(speed))}/s")
    if left is not None:
        parts.append(left_text(left))
    parts += [f"{count_text(step.entries)} entries", "escape stops"]
    return safe(" · ".join(parts))
