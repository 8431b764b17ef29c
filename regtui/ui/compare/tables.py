"""The four lists of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from regtui.ui.facts.differences import SIGNS, DifferenceRow, delta_text
from regtui.ui.safe_text import UNKNOWN, SafeText, safe
from regtui.ui.widgets.columns import Column, Tone
from regtui.ui.widgets.row_table import RowTable
from regtui.ui.words import size_text

if TYPE_CHECKING:
    from collections.abc import Sequence

Differences = RowTable[DifferenceRow]


def _tone(row: DifferenceRow) -> Tone:
    return SIGNS[row.kind][1]


def _value(text: str | None) -> SafeText:
    """A port or volume has no value of its own: that it is there is what counts."""
    return UNKNOWN if text is None else safe(text or "(set)", 1000)


_SIGN: Final[Column[DifferenceRow]] = Column(
    "sign", SafeText(" "), lambda row: SafeText(SIGNS[row.kind][0]), 1, tone=_tone, is_data=False
)
_KIND: Final[Column[DifferenceRow]] = Column(
    "change",
    SafeText("change"),
    lambda row: safe(row.kind.value),
    12,
    tone=_tone,
    sort=lambda row: row.kind.value,
    priority=3,
)
_DELTA: Final[Column[DifferenceRow]] = Column(
    "delta", SafeText("bytes"), lambda row: safe(delta_text(row.delta)), 10, align="right", sort=lambda row: row.delta,
    descending=True,
)  # fmt: skip


def _text(name: str, title: str, width: int, flex: int, *, is_path: bool = False) -> Column[DifferenceRow]:
    return Column(
        name,
        SafeText(title),
        lambda row: _value(getattr(row, name)),
        width,
        flex=flex,
        keeps_end=is_path,
        sort=(lambda row: row.name) if name == "name" else None,
    )


COLUMNS: Final[dict[str, Sequence[Column[DifferenceRow]]]] = {
    "config": (
        _SIGN, _text("name", "member", 16, 2), _text("before", "before", 12, 3), _text("after", "after", 12, 3),
    ),
    "layers": (
        _SIGN, _KIND,
        Column("before", SafeText("was"), lambda row: _value(row.before), 4, align="right"),
        Column("after", SafeText("is"), lambda row: _value(row.after), 4, align="right"),
        Column("size", SafeText("size"), lambda row: safe(size_text(row.size)), 10, align="right",
               sort=lambda row: row.size, descending=True),
        _text("name", "digest", 16, 1),
    ),
    "files": (
        _SIGN, _DELTA, _text("name", "path", 20, 3, is_path=True), _KIND,
        Column("before", SafeText("before"), lambda row: _value(row.before), 9, align="right", priority=2),
        Column("after", SafeText("after"), lambda row: _value(row.after), 9, align="right", priority=1),
        Column("detail", SafeText("note"), lambda row: safe(row.detail), 12, tone="dim", flex=1, priority=4),
    ),
    "packages": (
        _SIGN, _text("name", "package", 16, 2), _text("before", "before", 10, 1), _text("after", "after", 10, 1), _KIND,
        _DELTA, Column("detail", SafeText("from"), lambda row: safe(row.detail), 6, tone="dim", priority=4),
    ),
}  # fmt: skip


def difference_table(name: str) -> Differences:
    """The list of one part."""
    return RowTable(COLUMNS[name], key=lambda row: row.key, text=lambda row: f"{row.name} {row.detail}", id=name)
