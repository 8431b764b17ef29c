"""A JSON document as indented lines that fold.

The text is laid out again token by token, never parsed into values: what is shown is what came, with its duplicate
keys, its number formats and its escapes, and nothing in it can be too deep or too large for a parser.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from regtui.ui.models.filters import EVERYTHING, Filter, parse_filter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BYTE_LIMIT = 8 << 20
"""Bytes of a document that are laid out; the last line tells how many are not."""
LINE_LIMIT = 200_000
INDENT = 2
DEEPEST_INDENT = 40
"""Levels that are indented; what is deeper stands below one another."""

Kind = Literal["key", "string", "literal", "punctuation", "text"]

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[{}\[\],:]|[^\s"{}\[\],:]+', re.DOTALL)
_PIECE = re.compile(
    r'(?P<key>"[^"\\]*(?:\\.[^"\\]*)*"(?=:))|(?P<string>"[^"\\]*(?:\\.[^"\\]*)*"?)|(?P<literal>[^\s"{}\[\],:]+)'
)
_OPENERS, _CLOSERS, _SEPARATORS = frozenset("{["), frozenset("}]"), frozenset(",:")


@dataclass(slots=True)
class Layout:
    """Lines without their indent, the depth of each, and for each line that opens a part: where it closes."""

    texts: list[str] = field(default_factory=list)
    depths: array[int] = field(default_factory=lambda: array("I"))
    ends: dict[int, int] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)
    """How many values are directly in the part that a line opens."""


def lay_out(document: bytes) -> Layout:
    """The lines of a document. May run in a worker thread; about 0.2 s for a megabyte. Never fails."""
    text = document[:BYTE_LIMIT].decode("utf-8", "backslashreplace")
    layout = Layout()
    if text.lstrip()[:1] in {"{", "["}:
        _Writer(layout).write(text)
    else:
        layout.texts = re.split(r"\r\n|\n|\r", text)[: LINE_LIMIT + 1] if text else []
        layout.depths.extend([0] * len(layout.texts))
    left_out = len(document) - BYTE_LIMIT
    if len(layout.texts) > LINE_LIMIT:
        del layout.texts[LINE_LIMIT:], layout.depths[LINE_LIMIT:]
        layout.ends = {start: end for start, end in layout.ends.items() if end < LINE_LIMIT}
        layout.texts.append("… more lines are not shown; save the document to see all of it")
        layout.depths.append(0)
    elif left_out > 0:
        layout.texts.append(f"… {left_out:,} more bytes are not shown; save the document to see all of it")
        layout.depths.append(0)
    return layout


class _Writer:
    """Puts token after token into lines."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._opened: list[int] = []
        self._line: list[str] = []

    def write(self, text: str) -> None:
        """Lay out a whole text, or as much of it as there may be lines."""
        for match in _TOKEN.finditer(text):
            piece = match[0]
            if piece in _CLOSERS:
                self._close(piece)
            elif piece in _OPENERS:
                self._open(piece)
            elif piece in _SEPARATORS:
                self._separate(piece)
            else:
                self._value(piece)
            if len(self._layout.texts) > LINE_LIMIT:
                return
        self._end_line()

    def _open(self, piece: str) -> None:
        self._line.append(piece)
        self._end_line()
        self._opened.append(len(self._layout.texts) - 1)
        self._layout.counts[self._opened[-1]] = 0

    def _close(self, piece: str) -> None:
        layout = self._layout
        self._end_line()
        if self._opened:
            start = self._opened.pop()
            if start == len(layout.texts) - 1:  # nothing in between: {} stays on one line
                self._line.append(layout.texts.pop())
                layout.depths.pop()
                del layout.counts[start]
            else:
                layout.ends[start] = len(layout.texts)
                layout.counts[start] += 1
        self._line.append(piece)

    def _separate(self, piece: str) -> None:
        if piece == ":":
            self._line.append(": ")
            return
        self._line.append(piece)
        self._end_line()
        if self._opened:
            self._layout.counts[self._opened[-1]] += 1

    def _value(self, piece: str) -> None:
        if self._line and not self._line[-1].endswith(" "):
            self._line.append(" ")  # no comma in between: keep apart what came apart
        self._line.append(piece)

    def _end_line(self) -> None:
        if self._line:
            self._layout.texts.append("".join(self._line))
            self._layout.depths.append(len(self._opened))
            self._line.clear()


def pieces(text: str) -> Iterator[tuple[str, Kind]]:
    """A line in pieces to colour, in order and without gaps."""
    start = 0
    for match in _PIECE.finditer(text):
        if match.start() > start:
            yield text[start : match.start()], "punctuation"
        kind: Kind = "key" if match["key"] else "string" if match["string"] else "literal"
        yield match[0], kind
        start = match.end()
    if start < len(text):
        yield text[start:], "punctuation"


class JsonModel:
    """The visible lines of a document, with a cursor, folding and a filter that keeps matching lines."""

    def __init__(self, layout: Layout | None = None) -> None:
        self.layout = layout if layout is not None else Layout()
        self.version = 0
        self.cursor = 0
        self.filter: Filter = EVERYTHING
        self.folded: set[int] = set()
        """The lines whose parts are folded away."""
        self._visible: Sequence[int] = range(len(self.layout.texts))

    def __len__(self) -> int:
        return len(self._visible)

    def line(self, position: int) -> int:
        """The number of the line at a position, from 0."""
        return self._visible[position]

    def text(self, position: int) -> str:
        """The line with its indent; a folded part on one line. Not yet inert text."""
        line = self._visible[position]
        layout = self.layout
        indent = " " * (INDENT * min(layout.depths[line], DEEPEST_INDENT))
        text = layout.texts[line]
        if line in self.folded and self.filter.is_empty:
            text = f"{text} … {layout.counts.get(line, 0):,} … {layout.texts[layout.ends[line]]}"
        return indent + text

    def is_folded(self, position: int) -> bool:
        """Whether the part that this line opens is folded away."""
        return self._visible[position] in self.folded

    def move_to(self, position: int) -> int:
        """Put the cursor on a line, or as near as there are lines; where it is now."""
        self.cursor = max(0, min(position, len(self._visible) - 1))
        return self.cursor

    def fold(self) -> bool:
        """Fold the part that the cursor's line opens or stands in; False when there is none."""
        if not self._visible or not self.filter.is_empty:
            return False
        line = self._visible[self.cursor]
        start = line if line in self.layout.ends and line not in self.folded else self._opener(line)
        if start is None:
            return False
        self.folded.add(start)
        visible = array("I", self._visible)
        self.cursor = bisect_left(visible, start)
        del visible[self.cursor + 1 : bisect_right(visible, self.layout.ends[start])]
        self._visible = visible
        self.version += 1
        return True

    def unfold(self) -> bool:
        """Show what is folded on the cursor's line; False when nothing is."""
        if not self._visible or not self.filter.is_empty or self._visible[self.cursor] not in self.folded:
            return False
        line = self._visible[self.cursor]
        self.folded.discard(line)
        visible = array("I", self._visible)
        visible[self.cursor + 1 : self.cursor + 1] = self._unfolded(line + 1, self.layout.ends[line] + 1)
        self._visible = visible
        self.version += 1
        return True

    def toggle_all(self) -> None:
        """Fold every part below the first level, or show all when something is folded."""
        here = self._visible[self.cursor] if self._visible else 0
        depths = self.layout.depths
        self.folded = set() if self.folded else {line for line in self.layout.ends if depths[line] == 1}
        self._refold(here)

    def set_filter(self, source: str) -> None:
        """Show only lines that match. Raises InvalidFilter and then keeps the filter before."""
        here = self._visible[self.cursor] if self._visible else 0
        self.filter = parse_filter(source)
        self._refold(here)

    def _opener(self, line: int) -> int | None:
        """The line that opens the part that a line closes or stands in."""
        depths, ends = self.layout.depths, self.layout.ends
        for above in range(line - 1, -1, -1):
            end = ends.get(above, -1)
            if end == line or (end > line and depths[above] < depths[line]):
                return above
        return None

    def _unfolded(self, start: int, stop: int) -> array[int]:
        """The lines of a stretch that no fold hides."""
        visible = array("I")
        line = start
        while line < stop:
            visible.append(line)
            line = self.layout.ends[line] + 1 if line in self.folded else line + 1
        return visible

    def _refold(self, here: int) -> None:
        """Work out the visible lines; the cursor goes to the line `here`, or to the one before it that is visible."""
        if not self.filter.is_empty:
            self._visible = array("I", self.filter.hits([text.lower() for text in self.layout.texts]))
        elif not self.folded:
            self._visible = range(len(self.layout.texts))
        else:
            self._visible = self._unfolded(0, len(self.layout.texts))
        self.version += 1
        self.cursor = max(0, bisect_right(self._visible, here) - 1)
