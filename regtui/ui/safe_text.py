"""The only door for foreign text: what passes it can't move the cursor, hide or reorder anything on the terminal.

Textual and Rich send escape sequences, C1 controls and bidi overrides to the terminal as they are. Here every
character that is not printable becomes a visible escape. `SafeText` is its own type, so that mypy finds a way past.
Text of the program's own is made with `SafeText("…")` directly. It is never markup: draw it as segments, as
`textual.content.Content(text)`, or with `markup=False`.
"""

from __future__ import annotations

import re
from typing import NewType

SafeText = NewType("SafeText", str)

CELL_LIMIT = 300
"""Characters of a single value that a list cell can ever need."""
LINE_LIMIT = 2_000
"""Characters of one line of a text that is read line by line."""

UNKNOWN = SafeText("—")
"""What stands where a value is not known: never a made-up zero."""

_ELLIPSIS = "…"
_LINE_END = re.compile(r"\r\n|\n|\r")
_SPACES = frozenset("\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def safe(text: str, limit: int = CELL_LIMIT) -> SafeText:
    """`text` as one inert line of at most `limit` characters; what is cut away shows as an ellipsis.

    `str.isprintable` is false for exactly the Unicode classes that hurt: controls, format characters (bidi,
    zero width, tags), surrogates, unassigned, and the line and paragraph separators.
    """
    cut = _cut(text, limit)
    if cut.isprintable():
        return SafeText(cut)
    return SafeText(_cut("".join([_visible(character) for character in cut]), limit))


def safe_lines(text: str, limit: int = LINE_LIMIT, most: int = 100_000) -> list[SafeText]:
    """The lines of `text`, each inert, tabs expanded. Beyond `most` lines one last line tells how many are left out."""
    lines = _LINE_END.split(text)
    if lines and not lines[-1]:
        lines.pop()
    kept = [safe(line[:limit].expandtabs(8) if "\t" in line else line, limit) for line in lines[:most]]
    if len(lines) > most:
        kept.append(SafeText(f"… {len(lines) - most:,} more lines"))
    return kept


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + _ELLIPSIS


def _visible(character: str) -> str:
    if character.isprintable():
        return character
    if character in _SPACES:
        return " "
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
