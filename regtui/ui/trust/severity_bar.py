"""Findings by severity as one line of bars in plain cells; the words say the same without colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from regtui.ui.widgets.bars import bar
from regtui.ui.widgets.columns import fit
from regtui.ui.widgets.glyphs import Glyphs, glyphs_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.trust.severity import Severity

LONGEST: int = 12
"""Cells of the longest bar."""


def severity_parts(counts: Mapping[Severity, int], width: int, glyphs: Glyphs) -> list[tuple[str, Severity]]:
    """`critical ████ 4` for each step that has findings, in `width` cells; the bars give way before the words."""
    shown = [(severity, number) for severity, number in counts.items() if number]
    if not shown:
        return []
    words = sum(len(severity.value) + len(f"{number:,}") + 4 for severity, number in shown)
    cells = max(0, min(LONGEST, (width - words) // len(shown)))
    most = max(number for _, number in shown)
    return [
        (f"{severity.value} {_bar(number / most, cells, glyphs)}{number:,}", severity) for severity, number in shown
    ]


def _bar(share: float, cells: int, glyphs: Glyphs) -> str:
    drawn = bar(share, cells, glyphs).rstrip()
    return f"{drawn} " if drawn else ""


class SeverityBar(Widget):
    """One line over the findings."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"severity--critical", "severity--high", "severity--medium"}
    DEFAULT_CSS = """
    SeverityBar { height: 1; padding: 0 1; background: $surface; color: $foreground; }
    SeverityBar > .severity--critical { color: $text-error; text-style: bold; }
    SeverityBar > .severity--high { color: $text-warning; }
    SeverityBar > .severity--medium { color: $text-accent; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id)
        self.glyphs = glyphs_for()
        self._counts: dict[Severity, int] = {}

    def show(self, counts: Mapping[Severity, int]) -> None:
        """Show other counts."""
        self._counts = dict(counts)
        self.refresh()

    @property
    def text(self) -> str:
        """What is shown, for tests and screen readers."""
        return "  ".join(text for text, _ in self._parts())

    def _parts(self) -> list[tuple[str, Severity]]:
        return severity_parts(self._counts, self.size.width, self.glyphs)

    def render_line(self, y: int) -> Strip:
        """The line."""
        width, plain = self.size.width, self.rich_style
        if y:
            return Strip.blank(width, plain)
        segments: list[Segment] = []
        for text, severity in self._parts():
            name = f"severity--{severity.value}"
            known = name in self.COMPONENT_CLASSES
            segments.append(Segment(f"{text}  ", self.get_component_rich_style(name) if known else plain))
        if cell_len(self.text) > width:
            return Strip([Segment(fit(self.text, width), plain)], width)
        return Strip(segments).adjust_cell_length(width, plain)
