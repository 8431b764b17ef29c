"""Colours for the text of a file, in the tones of the theme. Pygments is loaded when the first file is shown.

A lexer is a set of regular expressions that runs over what strangers wrote: only common languages, only files of a
bounded size with lines of a bounded length are coloured, and it stops when it takes long. All else is plain text.
"""

from __future__ import annotations

import re
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from regtui.ui.models.file_text import Piece

MOST_CHARACTERS: Final = 256 << 10
LONGEST_LINE: Final = 1_000
SECONDS: Final = 2.0

_BY_SUFFIX: Final = {
    "py": "python", "pyi": "python", "sh": "bash", "bash": "bash", "json": "json", "yaml": "yaml", "yml": "yaml",
    "toml": "toml", "ini": "ini", "cfg": "ini", "conf": "ini", "service": "ini", "desktop": "ini", "repo": "ini",
    "properties": "properties", "js": "javascript", "mjs": "javascript", "cjs": "javascript", "ts": "typescript",
    "css": "css", "html": "html", "htm": "html", "xml": "xml", "svg": "xml", "c": "c", "h": "c", "cpp": "cpp",
    "hpp": "cpp", "go": "go", "rs": "rust", "java": "java", "rb": "ruby", "pl": "perl", "pm": "perl", "php": "php",
    "lua": "lua", "sql": "sql", "mk": "make", "diff": "diff", "patch": "diff", "proto": "protobuf", "awk": "awk",
}  # fmt: skip
_BY_NAME: Final = {
    "dockerfile": "docker", "containerfile": "docker", "makefile": "make", ".bashrc": "bash", ".profile": "bash",
    "profile": "bash", "os-release": "bash", "apkbuild": "bash", "nginx.conf": "nginx", "cmakelists.txt": "cmake",
    "postinst": "bash", "preinst": "bash", "prerm": "bash", "postrm": "bash",
}  # fmt: skip
_SHELL: Final = re.compile(r"#!\s*/(?:usr/)?bin/(?:env\s+)?(bash|sh|dash|ash|python3?|perl|ruby|node|lua|awk)\b")
_INTERPRETERS: Final = {"sh": "bash", "dash": "bash", "ash": "bash", "python3": "python", "node": "javascript"}
_TONES: Final = (
    ("Comment", "dim"),
    ("Keyword", "accent"),
    ("Name.Tag", "accent"),
    ("Name.Builtin", "accent"),
    ("Name.Attribute", "warning"),
    ("Name.Variable", "warning"),
    ("Literal.String", "success"),
    ("Literal.Number", "warning"),
    ("Generic.Inserted", "success"),
    ("Generic.Deleted", "error"),
    ("Generic.Heading", "accent"),
    ("Error", ""),
)
"""Kinds of Pygments' tokens, what begins like them included, and the tone of each."""


def language_of(path: str, first_line: str) -> str | None:
    """The lexer for a file, by its name and by the interpreter in its first line; None for none."""
    name = path.rpartition("/")[2].lower()
    found = _BY_NAME.get(name) or _BY_SUFFIX.get(name.rpartition(".")[2] if "." in name else "")
    if found is not None:
        return found
    shell = _SHELL.match(first_line[:200])
    return None if shell is None else _INTERPRETERS.get(shell[1], shell[1])


def coloured(path: str, lines: Sequence[str]) -> list[list[Piece]] | None:
    """The lines in pieces with tones; None for what stays plain. Runs in a worker thread."""
    language = language_of(path, lines[0] if lines else "")
    if language is None or sum(map(len, lines)) > MOST_CHARACTERS or max(map(len, lines)) > LONGEST_LINE:
        return None
    from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]  # it ships no types
    from pygments.util import ClassNotFound  # type: ignore[import-untyped]

    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return None
    return _by_line(lexer.get_tokens("\n".join(lines)))


def _by_line(tokens: Iterable[tuple[object, str]]) -> list[list[Piece]] | None:
    deadline = monotonic() + SECONDS
    made: list[list[Piece]] = [[]]
    for kind, text in tokens:
        if monotonic() > deadline:
            return None
        tone = tone_of(str(kind).removeprefix("Token."))
        first, *more = text.split("\n")
        if first:
            made[-1].append((first, tone))
        made.extend([(part, tone)] if part else [] for part in more)
    return made


def tone_of(kind: str) -> str:
    """The tone for a kind of token, such as `Literal.String.Double`."""
    return next((tone for name, tone in _TONES if kind.startswith(name)), "")
