"""apk: lib/apk/db/installed, one block of lettered lines per package (apk-package(5), "installed database")."""

from __future__ import annotations

from regtui.contents.packages.records import Described


def parse_installed(raw: bytes) -> list[Described]:
    """The installed packages with their files."""
    return [package for block in raw.split(b"\n\n") if (package := _package(block))]


def _package(block: bytes) -> Described | None:
    fields: dict[bytes, str] = {}
    paths: list[bytes] = []
    folder = b""
    for line in block.split(b"\n"):
        key, value = line[:2], line[2:]
        if key == b"F:":
            folder = value + b"/" if value else b""
        elif key == b"R:":
            paths.append(folder + value)
        elif key in {b"P:", b"V:", b"A:", b"I:"}:
            fields[key] = value.decode("utf-8", "replace")
    size = fields.get(b"I:", "")
    name = fields.get(b"P:")
    if not name:
        return None
    known = int(size) if size.isascii() and size.isdigit() and len(size) < 16 else None
    return Described(name, fields.get(b"V:"), fields.get(b"A:"), known, tuple(paths))
