"""Finds the line of a key in a TOML file, for messages: tomllib itself does not tell.

Works line by line, so a key that only stands inside a multi-line text could be taken for a real one;
nothing but the line in a message depends on it.
"""

from __future__ import annotations

import tomllib


def line_of(written: str, place: tuple[str, ...]) -> int | None:
    """The line, from 1, where this key or table is set; None when it can't be told."""
    table: tuple[str, ...] = ()
    header: int | None = None
    for number, line in enumerate(written.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            named = _path(stripped)
            if named is None:
                continue
            table = named
            if header is None and table[: len(place)] == place:
                header = number
        elif "=" in stripped and not stripped.startswith("#"):
            named = _path(f"{stripped.partition('=')[0]} = 0") or _path(stripped)
            if named is not None and (*table, *named)[: len(place)] == place:
                return number if header is None else min(header, number)
    return header


def _path(line: str) -> tuple[str, ...] | None:
    """The dotted key that one line sets or opens, None when the line alone is no TOML."""
    try:
        value: object = tomllib.loads(line)
    except (ValueError, RecursionError):
        return None
    path = []
    while isinstance(value, dict | list) and len(value) == 1:
        if isinstance(value, list):
            value = value[0]
        else:
            key, value = next(iter(value.items()))
            path.append(key)
    return tuple(path) or None
