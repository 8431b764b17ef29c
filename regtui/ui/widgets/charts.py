"""Columns in plain cells: values in their order, eighths of a cell high, readable without colour."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from regtui.ui.safe_text import SafeText
from regtui.ui.widgets.columns import fit
from regtui.ui.widgets.glyphs import Glyphs, glyphs_for

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDEST: Final = 4
"""Cells of a column with the gap behind it, at most."""


@dataclass(frozen=True, slots=True)
class Series:
    """What a chart shows: `values` in order; words for its top, and for the first and the last column."""

    values: tuple[int, ...] = ()
    top: SafeText = SafeText("")  # noqa: RUF009 - a constant string
    first: SafeText = SafeText("")  # noqa: RUF009 - a constant string
    last: SafeText = SafeText("")  # noqa: RUF009 - a constant string


def column_lines(values: Sequence[int], width: int, height: int, glyphs: Glyphs) -> list[str]:
    """The lines of a chart from top to bottom. More values than cells share columns: the largest of each shows.

    What is more than nothing has at least the lowest sign.
    """
    if not values or width <= 0 or height <= 0:
        return [""] * max(0, height)
    shown = _gathered(values, width)
    cells = max(1, min(WIDEST, width // len(shown)))
    most, steps = max(max(shown), 1), len(glyphs.levels) - 1
    heights = [max(round(value * height * steps / most), int(value > 0)) for value in shown]
    lines = []
    for line in range(height - 1, -1, -1):
        signs = [glyphs.levels[max(0, min(steps, tall - line * steps))] for tall in heights]
        lines.append("".join([sign * max(1, cells - 1) + " " * (cells > 1) for sign in signs]).rstrip())
    return lines


def _gathered(values: Sequence[int], columns: int) -> Sequence[int]:
    """At most as many values as columns; neighbours give the largest of them."""
    count = len(values)
    if count <= columns:
        return values
    edges = [count * column // columns for column in range(columns + 1)]
    return [max(values[start:end]) for start, end in pairwise(edges)]


class ColumnChart(Widget):
    """A Series over the lines that the widget has; the last one names the ends."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"chart--column", "chart--words"}
    DEFAULT_CSS = """
    ColumnChart { height: 7; background: $surface; color: $foreground; padding: 0 1; }
    ColumnChart > .chart--column { color: $text-accent; }
    ColumnChart > .chart--words { color: $text-muted; }
    """

    def __init__(self, *, id: str | None = None, glyphs: Glyphs | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.glyphs = glyphs if glyphs is not None else glyphs_for()
        self._series = Series()

    def show(self, series: Series) -> None:
        """Show other values."""
        if series != self._series:
            self._series = series
            self.refresh()

    @property
    def lines(self) -> list[str]:
        """What is drawn, line by line."""
        width, height = self.size.width, self.size.height
        series = self._series
        room = max(0, width - len(series.top) - 1)
        made = column_lines(series.values, room, max(0, height - 1), self.glyphs)
        if made:
            made = [fit(line, room) + " " + series.top if not number else line for number, line in enumerate(made)]
        left, right = series.first, series.last if len(series.values) > 1 else ""
        gap = max(1, room - len(left) - len(right))
        return [*made, fit(f"{left}{' ' * gap}{right}", room)]

    def render_line(self, y: int) -> Strip:
        """One line."""
        width, lines = self.size.width, self.lines
        if y >= len(lines) or not self._series.values:
            return Strip.blank(width, self.rich_style)
        style = self.get_component_rich_style("chart--words" if y == len(lines) - 1 else "chart--column")
        return Strip([Segment(fit(lines[y], width), style)], width)
