"""Finding paths by glob: through the joined names of each layer, not name by name."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.contents.layer_index import LayerIndex
    from regtui.contents.tree import ImageTree

_WILD: Final = re.compile(r"\*\*/?|\*|\?|\[!?[^\]/]+\]")
_LONGEST: Final = 1024


def glob_expression(pattern: str) -> str:
    """A glob as a regular expression: `*` and `?` stay inside a name, `**` does not, `[a-z]` and `[!a-z]` are sets."""
    made, position = [], 0
    for wild in _WILD.finditer(pattern):
        made.append(re.escape(pattern[position : wild.start()]))
        text = wild.group()
        if text == "**/":
            made.append("(?:[^/]*/)*")
        elif text == "**":
            made.append(".*")
        elif text in {"*", "?"}:
            made.append("[^/]*" if text == "*" else "[^/]")
        else:
            inside = re.sub(r"([\\\[\]&~|^])", r"\\\1", text.removeprefix("[").removeprefix("!").removesuffix("]"))
            # A hyphen at the beginning means itself; two in a row would mean something else to Python some day.
            inside = inside.replace("--", r"-\-")
            inside = f"\\{inside}" if inside.startswith("-") else inside
            made.append(f"[^/{inside}]" if text.startswith("[!") else f"[{inside}]")
        position = wild.end()
    made.append(re.escape(pattern[position:]))
    return "".join(made)


def matching(tree: ImageTree, pattern: str) -> Iterator[int]:
    """The nodes whose name (or, for a pattern with a slash, whole path) fits, whatever the case of the letters.

    Text without wildcards fits anywhere in a name. A pattern that is no valid glob is taken as text.
    """
    pattern = pattern[:_LONGEST].lower()
    whole = "/" in pattern.strip("/") or pattern.startswith("/")
    if not whole and not _WILD.search(pattern):
        pattern = f"*{pattern}*"
    try:
        fits = re.compile(glob_expression(pattern.strip("/")), re.DOTALL)
    except re.error:
        fits = re.compile(f".*{re.escape(pattern)}.*", re.DOTALL)
    literal = max(_WILD.split(pattern.rstrip("/").rpartition("/")[2]), key=len)
    for number, index in enumerate(tree.layers):
        if index is None:
            continue
        start = tree.starts[number]
        stop = tree.starts[number + 1] if number < tree.top else len(tree)
        for row in _candidates(index, literal.encode("utf-8", "surrogateescape")):
            node = bisect_left(tree.source, row, max(start, 1), stop)
            if node < stop and tree.source[node] == row:
                text = (tree.path(node) if whole else tree.name(node)).decode("utf-8", "surrogateescape")
                if fits.fullmatch(text.lower()):
                    yield node


def _candidates(index: LayerIndex, literal: bytes) -> Iterator[int]:
    """Rows whose name has the literal in it, ascending."""
    ends = index.columns.ends
    if not literal or not literal.isascii():
        # Letters beyond ASCII have no lower case in bytes.
        yield from range(1, len(ends))
        return
    names = bytes(index.columns.names).lower()
    position = names.find(literal)
    while position >= 0:
        row = bisect_left(ends, position)
        yield row
        position = names.find(literal, ends[row])
