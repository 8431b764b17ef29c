"""The bytes of a file as lines to look at: text, hexadecimal, or what a picture measures."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from regtui.ui.models.filters import EVERYTHING, Filter, parse_filter
from regtui.ui.safe_text import LINE_LIMIT, SafeText, safe_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LINES = 100_000
PER_LINE = 16
"""Bytes on a line of hexadecimal."""
_HEAD = 8 << 10
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

Piece = tuple[str, str]
"""Text and the tone that it is drawn in."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file turned out to be. `lines` are inert; empty for what is shown as hexadecimal."""

    kind: Literal["text", "binary", "picture", "empty"]
    lines: list[SafeText] = field(default_factory=list)


def look_at(data: bytes, *, whole: bool = True) -> Looked:
    """Decide what it is; `whole` says that nothing is cut off at the end. May run in a thread."""
    if not data:
        return Looked("empty")
    measured = picture_size(data)
    if measured is not None:
        return Looked("picture", [SafeText(f"{measured[0]} picture, {measured[1]:,} × {measured[2]:,} pixels")])
    text = decoded(data, whole=whole)
    if text is None:
        return Looked("binary")
    return Looked("text", safe_lines(text, LINE_LIMIT, MOST_LINES))


def decoded(data: bytes, *, whole: bool = True) -> str | None:
    """The text, None for what is none: control characters or bytes that are no UTF-8 among the first 8 KB."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, "replace")
    head = data[:_HEAD]
    odd = head.translate(None, _PLAIN)
    if b"\0" in head or len(odd) * 100 > len(head):
        return None
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        cut_short = error.start >= len(head) - 3 and (len(data) > len(head) or not whole)
        if not cut_short and error.end - error.start >= 1 and not _mostly_text(head):
            return None
    return data.decode("utf-8", "backslashreplace")


_PLAIN = bytes(code for code in range(256) if code >= 32 or code in {7, 8, 9, 10, 12, 13, 27})
"""Bytes that text has; escape too, since terminal recordings and logs have it."""


def _mostly_text(head: bytes) -> bool:
    """Whether it reads as text in some one-byte encoding: at most one byte in ten beyond ASCII."""
    return sum(code >= 0x80 for code in head) * 10 <= len(head)


def picture_size(data: bytes) -> tuple[str, int, int] | None:
    """(format, width, height) of a picture, None for anything else. Reads headers only."""
    if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR" and len(data) >= 24:
        return "PNG", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if data[:6] in {b"GIF87a", b"GIF89a"} and len(data) >= 10:
        return "GIF", int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
    if data.startswith(b"\xff\xd8\xff"):
        return _jpeg_size(data)
    if data[:2] == b"BM" and len(data) >= 26 and data[14:18] == b"\x28\0\0\0":
        height = int.from_bytes(data[22:26], "little", signed=True)
        return "BMP", int.from_bytes(data[18:22], "little", signed=True), abs(height)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP" and len(data) >= 30:
        return _webp_size(data)
    return None


def _jpeg_size(data: bytes) -> tuple[str, int, int] | None:
    """The frame header of a JPEG: segments are skipped by their lengths (ITU T.81, B.1)."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            return "JPEG", width, height
        at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], "big"))
    return None


def _webp_size(data: bytes) -> tuple[str, int, int] | None:
    """The three kinds of WebP (RFC 9649): lossy, lossless, extended."""
    kind = data[12:16]
    if kind == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = int.from_bytes(data[26:28], "little"), int.from_bytes(data[28:30], "little")
        return "WebP", width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and data[20] == 0x2F:
        bits = int.from_bytes(data[21:25], "little")
        return "WebP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X":
        return "WebP", int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    return None


class FileModel:
    """The lines of a file with a cursor and what was looked for: hits stay among the other lines."""

    def __init__(self, looked: Looked | None = None, data: bytes = b"") -> None:
        self.looked = looked if looked is not None else Looked("empty")
        self.data = data
        self.pieces: Sequence[Sequence[Piece]] | None = None
        """The lines in colours, once they are worked out."""
        self.version = 0
        self.cursor = 0
        self.left = 0
        """Characters that are scrolled out on the left."""
        self.is_hex = self.looked.kind == "binary"
        self.filter: Filter = EVERYTHING
        self.hits: list[int] = []

    def __len__(self) -> int:
        return -(-len(self.data) // PER_LINE) if self.is_hex else len(self.looked.lines)

    def text(self, position: int) -> str:
        """The whole line."""
        return hex_line(self.data, position) if self.is_hex else self.looked.lines[position]

    def pieces_of(self, position: int) -> Sequence[Piece]:
        """The line in colours, as far as it has any."""
        if self.is_hex or self.pieces is None or position >= len(self.pieces):
            return ((self.text(position), ""),)
        return self.pieces[position]

    def paint(self, pieces: Sequence[Sequence[Piece]]) -> None:
        """The colours are there."""
        self.pieces = pieces
        self.version += 1

    def move_to(self, position: int) -> int:
        """Put the cursor on a line, or as near as there are lines; where it is now."""
        self.cursor = max(0, min(position, len(self) - 1))
        return self.cursor

    def scroll(self, by: int) -> bool:
        """Move sideways; False when that is not possible."""
        left = max(0, min(self.left + by, LINE_LIMIT))
        moved, self.left = left != self.left, left
        self.version += moved
        return moved

    def toggle_hex(self) -> None:
        """Hexadecimal instead of text, or back where there is text; the place is kept as well as it can be."""
        if self.is_hex and not self.looked.lines:
            return
        share = self.cursor / max(1, len(self))
        self.is_hex = not self.is_hex
        self.left = 0
        self.version += 1
        self.move_to(int(share * len(self)))
        self._look()

    def set_filter(self, source: str) -> None:
        """Look for something and go to the first hit from here on. Raises InvalidFilter."""
        self.filter = parse_filter(source)
        self._look()
        if self.hits:
            self.move_to(self.hits[bisect_left(self.hits, self.cursor) % len(self.hits)])

    def next_hit(self, by: int) -> bool:
        """Go to the next hit, or for -1 to the one before, around the end; False when there is none."""
        if not self.hits:
            return False
        if by > 0:
            self.move_to(self.hits[bisect_right(self.hits, self.cursor) % len(self.hits)])
        else:
            self.move_to(self.hits[bisect_left(self.hits, self.cursor) - 1])
        return True

    def is_hit(self, position: int) -> bool:
        """Whether what was looked for is on this line."""
        place = bisect_left(self.hits, position)
        return place < len(self.hits) and self.hits[place] == position

    def _look(self) -> None:
        self.version += 1
        if self.filter.is_empty:
            self.hits = []
        elif self.is_hex:
            self.hits = self._bytes_with(self.filter.needle.encode())
        else:
            self.hits = self.filter.hits([line.lower() for line in self.looked.lines])

    def _bytes_with(self, needle: bytes) -> list[int]:
        """The lines of hexadecimal in which the text begins."""
        hits: list[int] = []
        data = self.data.lower()
        at = data.find(needle) if needle else -1
        while at >= 0:
            if not hits or hits[-1] != at // PER_LINE:
                hits.append(at // PER_LINE)
            at = data.find(needle, at + 1)
        return hits


def hex_line(data: bytes, line: int) -> SafeText:
    """`00000010  7f 45 4c 46 …  |.ELF…|`: 16 bytes."""
    part = data[line * PER_LINE : (line + 1) * PER_LINE]
    halves = " ".join(f"{code:02x}" for code in part[:8]), " ".join(f"{code:02x}" for code in part[8:])
    shown = "".join(chr(code) if 32 <= code < 127 else "." for code in part)
    return SafeText(f"{line * PER_LINE:08x}  {halves[0]:<23}  {halves[1]:<23}  |{shown}|")
