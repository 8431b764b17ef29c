"""Bars in plain cells: one size against the largest, and how several share a whole."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from regtui.ui.safe_text import SafeText
from regtui.ui.widgets.columns import fit
from regtui.ui.widgets.glyphs import UNICODE, Glyphs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style


def bar(share: float, width: int, glyphs: Glyphs = UNICODE) -> SafeText:
    """A bar for a `share` from 0 to 1 in `width` cells, filled up with spaces. What is more than nothing shows."""
    share = 0.0 if isnan(share) else min(max(share, 0.0), 1.0)
    steps = len(glyphs.blocks) - 1
    filled = round(share * width * steps)
    if share > 0 and not filled:
        filled = 1
    whole, rest = divmod(filled, steps)
    return SafeText((glyphs.blocks[-1] * whole + (glyphs.blocks[rest] if rest else "")).ljust(width)[:width])


def shares(values: Sequence[int], cells: int) -> list[int]:
    """Whole cells for each value in proportion, `cells` in all; every value above 0 gets one while there are enough."""
    total = sum(values)
    if total <= 0 or cells <= 0:
        return [0] * len(values)
    least = 1 if sum([value > 0 for value in values]) <= cells else 0
    free = cells - least * sum([value > 0 for value in values])
    exact = [value * free / total for value in values]
    result = [int(part) + (least if value > 0 else 0) for part, value in zip(exact, values, strict=True)]
    remainders = sorted(range(len(values)), key=lambda index: int(exact[index]) - exact[index])
    for index in remainders[: cells - sum(result)]:
        result[index] += 1
    return result


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a whole: its size in bytes and its words, such as `28.2 MB debian`."""

    size: int
    label: SafeText


def share_line(parts: Sequence[Part], width: int, glyphs: Glyphs = UNICODE) -> list[tuple[str, str]]:
    """`████ 28.2 MB debian  ██ 12.1 MB apt` as (bar, words) pairs in `width` cells.

    When the words need more than two thirds of the line, the smallest parts go into a last one that counts them.
    """
    kept, rest = [Part(part.size, _cut(part.label, width // 3)) for part in parts], 0
    while len(kept) > 1 and _words(kept, rest) > width * 2 // 3:
        kept.remove(min(kept, key=lambda part: part.size))
        rest += 1
    if not kept:
        return []
    other = sum([part.size for part in parts]) - sum([part.size for part in kept])
    drawn = kept + ([Part(other, _others(rest))] if rest else [])
    cells = shares([part.size for part in drawn], max(len(drawn), width - _words(kept, rest)))
    return [
        (glyphs.blocks[-1] * size, f" {part.label}  " if part.label else "  ")
        for size, part in zip(cells, drawn, strict=True)
    ]


def _words(parts: Sequence[Part], rest: int) -> int:
    labels = [part.label for part in parts] + ([_others(rest)] if rest else [])
    return sum([cell_len(label) + 3 for label in labels])


def _cut(label: SafeText, width: int) -> SafeText:
    return label if cell_len(label) <= width else SafeText(fit(label, width).rstrip())


def _others(count: int) -> SafeText:
    return SafeText(f"+{count} more")


class ShareBar(Widget):
    """One line that shows how parts share a whole. Neighbours differ in colour; the words tell the rest."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"share--even", "share--odd"}
    DEFAULT_CSS = """
    ShareBar { height: 1; background: $surface; color: $foreground; }
    ShareBar > .share--even { color: $text-primary; }
    ShareBar > .share--odd { color: $text-secondary; }
    """

    def __init__(self, *, id: str | None = None, glyphs: Glyphs = UNICODE) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.glyphs = glyphs
        self._parts: tuple[Part, ...] = ()

    def show(self, parts: Sequence[Part]) -> None:
        """Show other parts."""
        if tuple(parts) != self._parts:
            self._parts = tuple(parts)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        width, plain = self.size.width, self.rich_style
        if y:
            return Strip.blank(width, plain)
        segments: list[Segment] = []
        for turn, (blocks, words) in enumerate(share_line(self._parts, width, self.glyphs)):
            segments += [Segment(blocks, self._colour(turn)), Segment(words, plain)]
        text = "".join([segment.text for segment in segments])
        if cell_len(text) > width:
            return Strip([Segment(fit(text, width), plain)], width)
        return Strip(segments).adjust_cell_length(width, plain)

    def _colour(self, turn: int) -> Style:
        return self.get_component_rich_style("share--odd" if turn % 2 else "share--even")
