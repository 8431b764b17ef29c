"""The lines of a plan as a list: it scrolls and filters, and nothing in it can be marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.ui.changes.lines import DIGEST_WIDTH, PlanLine, wrap
from regtui.ui.changes.read_table import ReadTable
from regtui.ui.safe_text import SafeText, safe
from regtui.ui.widgets.columns import GAP, Column, Tone, fit, place
from regtui.ui.widgets.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.strip import Strip

_MARGIN: Final = 2


class PlanTable(ReadTable[PlanLine]):
    """A table whose rows are made for its width: their owner fills it anew when that changes."""

    def __init__(self) -> None:
        columns: list[Column[PlanLine]] = [
            Column("sign", SafeText(""), lambda line: line.sign, 1, tone="warning"),
            Column("verb", SafeText(""), lambda line: line.verb, 10, tone=lambda line: line.tone),
            Column("name", SafeText(""), lambda line: line.name, 16, flex=1),
            Column("digest", SafeText(""), lambda line: line.digest, DIGEST_WIDTH, tone="dim", priority=1),
            Column("text", SafeText(""), lambda line: line.text, 32, flex=3, tone=lambda line: line.tone),
        ]
        super().__init__(
            columns, key=lambda line: line.key, text=lambda line: f"{line.verb} {line.name} {line.digest} {line.text}",
            show_header=False, id="plan",
        )  # fmt: skip

    def text_width(self) -> tuple[int, int, bool]:
        """(cells of the text column, cells of a text alone, whether the digest has a column of its own)."""
        placed = {spot.column.name: spot for spot in place(self.columns, self.line_width - _MARGIN)}
        text, name = placed.get("text"), placed.get("name")
        if text is None or name is None:
            return 0, 0, False
        return text.width, text.start + text.width - name.start, "digest" in placed

    def draw_line(self, position: int, width: int, *, is_cursor: bool) -> Strip:
        """A line of columns, or a text that has the room of all but the first two of them."""
        line = self.model.at(position)
        if not line.is_wide:
            return super().draw_line(position, width, is_cursor=is_cursor)
        sign, verb, *rest = place(self.columns, width - _MARGIN)
        room = max(0, width - _MARGIN - rest[0].start) if rest else 0
        parts = [
            self.margin(is_cursor=is_cursor, is_marked=False),
            (fit(line.sign, sign.width + GAP), "warning"),
            (fit(line.verb, verb.width + GAP), line.tone),
            (fit(line.text, room, ellipsis=self.glyphs.ellipsis), line.tone),
        ]
        return self.strip_of(parts, width, is_cursor=is_cursor)

    def fill(self, lines: Sequence[PlanLine]) -> None:
        """Show these lines."""
        self.reset(lines, Listing())

    def tell(self, sentence: str, hint: str | None = None, *, tone: Tone = "warning") -> None:
        """A sentence instead of a plan, and what to do about it."""
        width = self.text_width()[1]
        sign = SafeText("!" if tone == "warning" else "")
        lines = [PlanLine(("told", n, 0), text, sign=SafeText("") if n else sign, tone=tone)
                 for n, text in enumerate(wrap(safe(sentence, 1000), width))]  # fmt: skip
        lines += [PlanLine(("hint", n, 0), text) for n, text in enumerate(wrap(safe(hint or "", 1000), width)) if text]
        self.fill(lines)

    def _show_title(self) -> None:
        """The title alone: the number of lines says nothing about a plan."""
        wanted = f"  /{safe(self.filter_source, 30)}" if self.filter_source else ""
        self.show_title(SafeText(f"{self.title}{wanted}"))
