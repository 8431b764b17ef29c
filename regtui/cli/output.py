"""How commands print: data on stdout, talk on stderr, foreign text made inert."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

from regtui.ui.safe_text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LONGEST_CELL: Final = 4000


def print_json(value: Any) -> None:
    """One JSON document, indented."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")


def print_json_line(value: Any) -> None:
    """One line of JSON Lines."""
    sys.stdout.write(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset()) -> None:
    """A plain table; columns in `right` are right-aligned."""
    cells: list[Sequence[str]] = [[title.upper() for title in titles]]
    cells.extend([safe(cell, LONGEST_CELL) for cell in row] for row in rows)
    widths = [max(len(row[n]) for row in cells) for n in range(len(titles))]
    for row in cells:
        parts = (c.rjust(widths[n]) if n in right else c.ljust(widths[n]) for n, c in enumerate(row))
        sys.stdout.write("  ".join(parts).rstrip() + "\n")


def print_fields(fields: Iterable[tuple[str, str | None]]) -> None:
    """Name and value, one a line; fields without a value are left out."""
    shown = [(name, value) for name, value in fields if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        for n, line in enumerate(value.splitlines() or [""]):
            sys.stdout.write(f"{(name if n == 0 else '').ljust(width)}  {safe(line, LONGEST_CELL)}\n")


def says_yes(question: str) -> bool:
    """Whether the person at the terminal says yes; without a terminal nobody does."""
    if not sys.stdin.isatty():
        return False
    say(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def say(text: str) -> None:
    """A word to the person, on stderr."""
    sys.stderr.write(safe(text, LONGEST_CELL) + "\n")
