"""rpm: the databases of RPM 4.16 and later, sqlite (Fedora, RHEL 9, Amazon Linux) and ndb (SUSE).

Both hold one header per package: an index of tags and a store, big-endian (rpm, docs/manual/format_header).
The ndb container is rpm's lib/backend/ndb/rpmpkg.c. Berkeley DB (RHEL 8 and older) is named, not read.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from regtui.contents.packages.records import Described

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME, _VERSION, _RELEASE, _EPOCH, _SIZE, _ARCH = 1000, 1001, 1002, 1003, 1009, 1022
_DIRINDEXES, _BASENAMES, _DIRNAMES, _LONGSIZE = 1116, 1117, 1118, 5009
_INT32, _INT64, _STRING, _STRINGS, _I18N = 4, 5, 6, 8, 9
_WANTED: Final = frozenset(
    {_NAME, _VERSION, _RELEASE, _EPOCH, _SIZE, _ARCH, _DIRINDEXES, _BASENAMES, _DIRNAMES, _LONGSIZE}
)
_MOST_TAGS: Final = 4096
_MOST_STEPS: Final = 5000
_SLOT: Final = struct.Struct("<4sIII")
_BLOCK: Final = 16


class BadDatabase(ValueError):
    """The file is no database of this kind; the text says why."""


def parse_sqlite(raw: bytearray) -> list[Described]:
    """The packages of rpmdb.sqlite, read in memory. Raises BadDatabase."""
    try:
        import sqlite3
    except ImportError as error:
        raise BadDatabase("this Python has no sqlite") from error
    if not raw.startswith(b"SQLite format 3\0") or len(raw) < 512:
        raise BadDatabase("this is no sqlite database")
    # rpm leaves its database in WAL mode, which needs files beside it: say in the header that it is not.
    raw[18:20] = b"\1\1"
    connection = sqlite3.connect(":memory:")
    steps = iter(range(_MOST_STEPS))
    try:
        connection.deserialize(bytes(raw))
        raw.clear()
        # The file is untrusted: a view in place of the table could run for ever.
        connection.set_progress_handler(lambda: next(steps, None) is None, 100_000)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 32 << 20)
        kind = connection.execute("select type from sqlite_master where name = 'Packages'").fetchone()
        if kind != ("table",):
            raise BadDatabase("there is no table of packages in it")
        rows = connection.execute("select blob from Packages")
        return [package for (blob,) in rows if isinstance(blob, bytes) and (package := parse_header(blob))]
    except (sqlite3.Error, OverflowError) as error:
        raise BadDatabase("the sqlite database is damaged") from error
    finally:
        connection.close()


def parse_ndb(raw: bytes | bytearray) -> list[Described]:
    """The packages of Packages.db. Raises BadDatabase."""
    if len(raw) < 4096 or raw[:4] != b"RpmP":
        raise BadDatabase("this is no ndb database")
    pages = min(int.from_bytes(raw[12:16], "little"), len(raw) // 4096)
    found = []
    for at in range(32, pages * 4096, _SLOT.size):
        magic, package, block, _count = _SLOT.unpack_from(raw, at)
        if magic != b"Slot" or not package:
            continue
        start = block * _BLOCK
        if start + 16 > len(raw) or raw[start : start + 4] != b"BlbS":
            continue
        length = int.from_bytes(raw[start + 12 : start + 16], "little")
        described = parse_header(bytes(raw[start + 16 : start + 16 + length]))
        if described is not None:
            found.append(described)
    return found


def parse_header(blob: bytes) -> Described | None:
    """The package that a header describes; None for a damaged one, and for the keys that rpm keeps as packages."""
    tags = dict(_tags(blob))
    name, version, release = tags.get(_NAME), tags.get(_VERSION), tags.get(_RELEASE)
    if not isinstance(name, str) or not isinstance(version, str) or name == "gpg-pubkey":
        return None
    epoch = tags.get(_EPOCH)
    full = f"{epoch[0]}:" if isinstance(epoch, tuple) and epoch and epoch[0] else ""
    full += f"{version}-{release}" if isinstance(release, str) else version
    size = tags.get(_LONGSIZE) or tags.get(_SIZE)
    architecture = tags.get(_ARCH)
    return Described(
        name,
        full,
        architecture if isinstance(architecture, str) else None,
        size[0] if isinstance(size, tuple) and size else None,
        tuple(_paths(tags)),
    )


def _tags(blob: bytes) -> Iterator[tuple[int, Any]]:
    if len(blob) < 8:
        return
    count, length = struct.unpack_from(">II", blob)
    store = 8 + count * 16
    if count > _MOST_TAGS or store + length > len(blob):
        return
    for at in range(8, store, 16):
        tag, kind, offset, items = struct.unpack_from(">IIiI", blob, at)
        if tag in _WANTED and 0 <= offset < length:
            value = _value(blob, kind, store + offset, items, store + length)
            if value is not None:
                yield tag, value


def _value(blob: bytes, kind: int, start: int, items: int, end: int) -> Any:
    width = {_INT32: 4, _INT64: 8}.get(kind)
    if width is not None:
        if start + items * width > end:
            return None
        return struct.unpack_from(f">{items}{'I' if width == 4 else 'Q'}", blob, start)
    if kind in {_STRING, _I18N}:
        return blob[start : max(start, blob.find(b"\0", start, end))].decode("utf-8", "replace")
    if kind == _STRINGS:
        return blob[start:end].split(b"\0", items)[:items] if items <= end - start else None
    return None


def _paths(tags: dict[int, Any]) -> Iterator[bytes]:
    names, folders, where = tags.get(_BASENAMES), tags.get(_DIRNAMES), tags.get(_DIRINDEXES)
    if not isinstance(names, list) or not isinstance(folders, list) or not isinstance(where, tuple):
        return
    for name, folder in zip(names, where, strict=False):
        if folder < len(folders):
            yield folders[folder].lstrip(b"/") + name
