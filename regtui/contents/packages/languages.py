"""Packages of languages: Python's dist-info, npm's package.json, the build information inside Go programs.

Formats: PyPA "Core metadata" and "Recording installed projects"; npm package.json(5); Go's debug/buildinfo.
"""

from __future__ import annotations

import csv
import json
import re
from typing import TYPE_CHECKING, Final

from regtui.contents.packages.records import Described
from regtui.contents.walk import split_path

if TYPE_CHECKING:
    from collections.abc import Iterator

_NPM_VERSION: Final = re.compile(rb'"version"\s*:\s*"([^"\\]{1,128})"')
GO_MAGIC: Final = b"\xff Go buildinf:"
_MOST_TEXT: Final = 256


def parse_metadata(raw: bytes) -> Described | None:
    """Name and version of a METADATA or PKG-INFO file, which end where the description begins."""
    fields: dict[bytes, str] = {}
    for line in raw.split(b"\n"):
        if not line.strip():
            break
        key, colon, value = line.partition(b":")
        if colon and key.lower() in {b"name", b"version"}:
            fields.setdefault(key.lower(), value.strip().decode("utf-8", "replace")[:_MOST_TEXT])
    name = fields.get(b"name")
    return Described(name, fields.get(b"version")) if name else None


def parse_record(raw: bytes, folder: bytes) -> Described:
    """The files of a RECORD, whose paths are relative to the folder that holds the dist-info folder."""
    base = folder.rpartition(b"/")[0]
    paths = []
    for name in _recorded(raw):
        path = name if name.startswith(b"/") else base + b"/" + name
        # Scripts lie beside the packages, so their paths go up and down again.
        paths.append(b"/".join(split_path(path)[0]) if b".." in path else path.lstrip(b"/"))
    return Described("", None, None, None, tuple(paths))


def _recorded(raw: bytes) -> Iterator[bytes]:
    """The first field of each line; without a quote in the file it ends at the first comma."""
    if b'"' not in raw:
        yield from (line.partition(b",")[0] for line in raw.splitlines() if line)
        return
    try:
        for line in csv.reader(raw.decode("utf-8", "surrogateescape").splitlines()):
            if line:
                yield line[0].encode("utf-8", "surrogateescape")
    except csv.Error:
        # What was read up to the broken line still holds.
        return


def parse_package_json(raw: bytes, name: str) -> Described | None:
    """The version of an npm package; its name is that of its folder. None without a version."""
    found = _NPM_VERSION.findall(raw)
    if len(found) > 1:
        try:
            manifest = json.loads(raw)
        except (ValueError, RecursionError):
            return None
        version = manifest.get("version") if isinstance(manifest, dict) else None
        return Described(name, version[:_MOST_TEXT]) if isinstance(version, str) else None
    return Described(name, found[0].decode("utf-8", "replace")) if found else None


def parse_build_info(raw: bytes) -> list[Described]:
    """The main module of a Go program and the modules built into it; empty when this is no build information.

    `raw` begins with the magic. Only the form of Go 1.18 and later is read, where the text stands inline.
    """
    if len(raw) < 34 or not raw[15] & 2:
        return []
    version, rest = _string(raw[32:])
    text, _ = _string(rest)
    if not version.startswith((b"go", b"devel")):
        return []
    modules = []
    # Sixteen bytes before and after mark the text.
    for line in text[16:-16].decode("utf-8", "replace").split("\n"):
        kind, *columns = line.split("\t")
        if kind in {"mod", "dep"} and columns:
            modules.append(Described(columns[0][:_MOST_TEXT], _known(columns[1] if len(columns) > 1 else "")))
        elif kind == "=>" and columns and modules:
            modules[-1] = Described(columns[0][:_MOST_TEXT], _known(columns[1] if len(columns) > 1 else ""))
    return [Described("stdlib", version.decode("utf-8", "replace").partition(" ")[0]), *modules]


def _known(version: str) -> str | None:
    return version[:_MOST_TEXT] if version and version != "(devel)" else None


def _string(raw: bytes) -> tuple[bytes, bytes]:
    """A string behind its length as a varint, and what follows it."""
    length = shift = 0
    for at, byte in enumerate(raw[:5]):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return raw[at + 1 : at + 1 + length], raw[at + 1 + length :]
    return b"", b""
