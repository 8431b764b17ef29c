"""Tables of contents of lazy layers (eStargz and zstd:chunked write nearly the same JSON) into layer indexes.

Sources: containerd/stargz-snapshotter docs/estargz.md, containers/storage pkg/chunked.
"""

from __future__ import annotations

import json
import re
from array import array
from typing import TYPE_CHECKING, Any, Final

from regtui.contents.columns import NO_DATA, Kind
from regtui.contents.duplicates import shadow_duplicates
from regtui.contents.errors import DamagedLayer
from regtui.contents.headers import Header, parse_id
from regtui.contents.layer_index import LayerIndex
from regtui.contents.limits import DEFAULT
from regtui.contents.walk import TarWalker
from regtui.oci.times import parse_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.oci import Descriptor

_ENTRIES: Final = re.compile(r'"entries"\s*:\s*\[\s*')
_BETWEEN: Final = re.compile(r"\s*(,|\])\s*")
_SHA256: Final = re.compile(r"sha256:([0-9a-f]{16})[0-9a-f]{48}", re.ASCII)
KINDS: Final = {
    "reg": Kind.REGULAR,
    "dir": Kind.DIRECTORY,
    "symlink": Kind.SYMLINK,
    "hardlink": Kind.HARDLINK,
    "char": Kind.CHARACTER,
    "block": Kind.BLOCK,
    "fifo": Kind.FIFO,
}
_NOT_FILES: Final = frozenset({".prefetch.landmark", ".no.prefetch.landmark", "stargz.index.json"})
_MOST: Final = 1 << 62


def index_of_toc(raw: bytes, descriptor: Descriptor, compression: str, source: str, *, verified: bool) -> LayerIndex:
    """The index that a table of contents describes. Raises DamagedLayer for one that can't be relied on."""
    walker = TarWalker()
    member, hashes = array("q", (0,)), array("Q", (0,))
    columns = walker.columns
    columns.member, columns.hashes = member, hashes
    last = 0
    for entry in _entries(raw):
        kind, name = entry.get("type"), entry.get("name")
        if not isinstance(name, str) or "\0" in name or len(name) > DEFAULT.path:
            raise DamagedLayer("An entry of the table of contents has no usable name.")
        if kind == "chunk":
            if entry.get("chunkType") == "zeros":
                # A hole: the content is not in one piece.
                member[last] = 0
            continue
        known = KINDS.get(str(kind))
        if known is None:
            raise DamagedLayer("An entry of the table of contents is of no known type.")
        if name.removeprefix("./") in _NOT_FILES:
            continue
        last = walker.place(header_of(entry, name, known), known, NO_DATA)
        walker.entries += 1
        if len(columns) > DEFAULT.entries:
            raise DamagedLayer("The table of contents has more entries than regtui lists.")
        member.extend([0] * (len(columns) - len(member)))
        hashes.extend([0] * (len(columns) - len(hashes)))
        if known == Kind.REGULAR:
            member[last] = _number(entry, "offset", 0, descriptor.size)
            inner = _number(entry, "innerOffset", 0, _MOST)
            if inner:
                columns.inner[last] = inner
            digest = _SHA256.fullmatch(str(entry.get("digest")))
            hashes[last] = int(digest[1], 16) if digest and columns.size[last] else 0
    duplicates = shadow_duplicates(columns, walker.described) + walker.duplicates
    return LayerIndex(
        descriptor.digest,
        descriptor.size,
        compression,
        columns,
        walker.entries,
        duplicates,
        None,
        source=source,
        verified=verified,
    )


def header_of(entry: dict[str, Any], name: str, kind: Kind) -> Header:
    """An entry of a table of contents as the tar header that it was made from. Raises DamagedLayer."""
    moment = parse_time(entry.get("modtime"))
    link = entry.get("linkName")
    made = Header(
        0,
        _bytes(name),
        _number(entry, "mode", 0, _MOST) & 0o7777,
        parse_id(_number(entry, "uid", -1, _MOST)),
        parse_id(_number(entry, "gid", -1, _MOST)),
        _number(entry, "size", 0, _MOST) if kind == Kind.REGULAR else 0,
        0,
        # The year 1 stands for no time at all.
        int(moment.timestamp()) if moment is not None and moment.year > 1 else 0,
        _bytes(link) if isinstance(link, str) and "\0" not in link else b"",
    )
    if kind in {Kind.CHARACTER, Kind.BLOCK}:
        made.device = (_number(entry, "devMajor", 0, _MOST), _number(entry, "devMinor", 0, _MOST))
    return made


def _bytes(text: str) -> bytes:
    """What JSON has as lone surrogates, and what was no UTF-8 and is escaped as such, as bytes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _number(entry: dict[str, Any], key: str, least: int, most: int) -> int:
    value = entry.get(key, 0)
    if type(value) is not int or not least <= value <= most:
        raise DamagedLayer("An entry of the table of contents has a number that can't be.")
    return value


def _entries(raw: bytes) -> Iterator[dict[str, Any]]:
    """The entries one by one: all at once, a large table would take a hundred megabytes as objects."""
    text = raw.decode("utf-8", "replace")
    start = _ENTRIES.search(text, 0, 4096)
    if start is None:
        raise DamagedLayer("The table of contents has no entries.")
    decoder, position = json.JSONDecoder(), start.end()
    while not text.startswith("]", position):
        try:
            entry, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            raise DamagedLayer("The table of contents is not valid JSON.") from error
        between = _BETWEEN.match(text, position)
        if not isinstance(entry, dict) or between is None:
            raise DamagedLayer("The table of contents is not valid.")
        yield entry
        if between[1] == "]":
            return
        position = between.end()
