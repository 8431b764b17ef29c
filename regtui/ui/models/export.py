"""Tables as files: JSON and CSV with plain values, Markdown as it is seen."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from regtui.ui.safe_text import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """What is shown and what it stands for: bytes as a number, a moment as ISO 8601, None for unknown."""

    shown: str
    value: Value


@dataclass(frozen=True, slots=True)
class Exported:
    """Names and titles of the columns, and the rows."""

    names: tuple[str, ...]
    titles: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def cell_of(shown: str, known: Any) -> Cell:
    """A cell that shows `shown` and sorts by `known`: where that is a number or a moment, it is the value."""
    if isinstance(known, datetime):
        return Cell(shown, known.isoformat())
    if isinstance(known, int | float) and not isinstance(known, bool):
        return Cell(shown, known)
    return Cell(shown, None if shown in {UNKNOWN, ""} else shown)


def as_text(table: Exported, suffix: str) -> str:
    """The file's text by its suffix: `.json`, `.md`, and CSV for all else."""
    return {".json": _as_json, ".md": _as_markdown}.get(suffix.lower(), _as_csv)(table)


def free_name(folder: Path, stem: str, suffix: str) -> str:
    """A name that no file in the folder has: `stem.csv`, `stem-2.csv`, …"""
    name, number = f"{stem}{suffix}", 1
    while (folder / name).exists():
        number += 1
        name = f"{stem}-{number}{suffix}"
    return name


def _as_json(table: Exported) -> str:
    rows = [dict(zip(table.names, [cell.value for cell in row], strict=True)) for row in table.rows]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def _as_csv(table: Exported) -> str:
    made = io.StringIO()
    rows = [[_plain(cell.value) for cell in row] for row in table.rows]
    csv.writer(made, lineterminator="\n").writerows([table.names, *rows])
    return made.getvalue()


def _plain(value: Value) -> str | int | float:
    """Spreadsheets run cells that begin like a formula: what a registry sends must not."""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
    return "" if value is None else value


def _as_markdown(table: Exported) -> str:
    shown: list[Sequence[str]] = [table.titles, ["---"] * len(table.titles)]
    shown += [[cell.shown.strip().replace("\\", "\\\\").replace("|", "\\|") for cell in row] for row in table.rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in shown)
