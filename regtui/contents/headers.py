"""Tar headers in all their dialects: v7, ustar, star, GNU, PAX; numbers, long names, sparse maps.

The slow and complete half of the walk (walk.py has the fast half). It refuses what Go's archive/tar refuses,
because that is what container engines read layers with. Formats: POSIX.1-2001 pax, GNU tar manual "Standard"
and "Storing Sparse Files".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

BLOCK: Final = 512
UNKNOWN_ID: Final = 0xFFFFFFFF
USTAR: Final = b"ustar\x00"
_GNU: Final = b"ustar "
_MOST: Final = 1 << 62
_NUL_FREE: Final = frozenset({b"path", b"linkpath", b"uname", b"gname"})
_DECIMAL: Final = re.compile(rb"-?\d{1,20}")
_TIME: Final = re.compile(rb"(-?)(\d{1,18})(?:\.(\d*))?")
_MOST_SEGMENTS: Final = 1 << 16


class BadHeader(ValueError):
    """A header that no reader should guess at; the text says why."""


@dataclass(frozen=True, slots=True)
class Sparse:
    """Where the stored pieces of a sparse file belong. `pieces` are (offset, length) in the file, flattened.

    None for `pieces` when the map stands before the data (PAX 1.0), or is longer than regtui keeps.
    """

    stored: int
    pieces: tuple[int, ...] | None
    map_in_data: bool = False


@dataclass(slots=True)
class Header:
    """One entry as its header and the records before it describe it. `stored` is what follows it in the archive."""

    flag: int
    path: bytes
    mode: int
    uid: int
    gid: int
    size: int
    stored: int
    mtime: int
    link: bytes
    device: tuple[int, int] | None = None
    sparse: Sparse | None = None


def parse_number(field: bytes) -> int:
    """An octal or base-256 number. Raises BadHeader."""
    if field and field[0] & 0x80:
        bits = len(field) * 8 - 1
        value = int.from_bytes(field, "big") & ((1 << bits) - 1)
        if value >> (bits - 1):
            value -= 1 << bits
        if abs(value) > _MOST:
            raise BadHeader("a number is out of range")
        return value
    text = field.strip(b" \0").partition(b"\0")[0]
    if not text:
        return 0
    if not text.isdigit():
        raise BadHeader("a number is not octal")
    try:
        return int(text, 8)
    except ValueError as error:
        raise BadHeader("a number is not octal") from error


def parse_id(number: int) -> int:
    """A uid or gid as it is kept: Linux has 32 bits for it, and whatever does not fit is UNKNOWN_ID."""
    return number if 0 <= number < UNKNOWN_ID else UNKNOWN_ID


def text_of(field: bytes) -> bytes:
    """A field up to its first NUL."""
    return field.partition(b"\0")[0]


def checksum_fits(header: bytes) -> bool:
    """Whether the header's checksum is right, summed as unsigned or (some old writers) as signed bytes."""
    try:
        stored = parse_number(header[148:156])
    except BadHeader:
        return False
    total = sum(header) - sum(header[148:156]) + 8 * 32
    if stored == total:
        return True
    outside = header[:148] + header[156:]
    return stored == total - 256 * sum(byte >= 0x80 for byte in outside)


def parse_header(header: bytes, records: dict[bytes, bytes]) -> Header:
    """Read a header whose checksum was checked, with the records of PAX or GNU headers before it. Raises BadHeader."""
    size = parse_number(header[124:136])
    if b"size" in records:
        size = _decimal(records[b"size"])
    if size < 0 or size > _MOST:
        raise BadHeader("a size is negative or out of range")
    flag = header[156]
    path = records.get(b"path") or _path(header)
    if flag in b"\x000" and path.endswith(b"/"):
        flag = 0x35
    stored = 0 if flag in b"123456" and flag != 0x35 else size
    entry = Header(
        flag,
        path,
        parse_number(header[100:108]) & 0o7777,
        parse_id(_decimal(records[b"uid"]) if b"uid" in records else parse_number(header[108:116])),
        parse_id(_decimal(records[b"gid"]) if b"gid" in records else parse_number(header[116:124])),
        size if flag not in b"123456D" else 0,
        stored,
        _time(records[b"mtime"]) if b"mtime" in records else parse_number(header[136:148]),
        records.get(b"linkpath") or text_of(header[157:257]),
    )
    if flag in b"34":
        entry.device = (parse_number(header[329:337]), parse_number(header[337:345]))
    if flag not in b"123456S":
        _apply_sparse_records(entry, records)
    return entry


def _path(header: bytes) -> bytes:
    name = text_of(header[:100])
    magic = header[257:263]
    prefix = b""
    if magic == USTAR:
        prefix = text_of(header[345 : 476 if header[508:512] == b"tar\0" else 500])
    elif magic == _GNU and header[345] and not _is_number(header[345:357]):
        # Go before 1.8 wrote a ustar prefix under GNU's magic.
        prefix = text_of(header[345:500])
    return prefix + b"/" + name if prefix else name


def _is_number(field: bytes) -> bool:
    try:
        parse_number(field)
    except BadHeader:
        return False
    return True


def parse_records(payload: bytes) -> dict[bytes, bytes]:
    """The records of a PAX header. Raises BadHeader, as Go does, for any that is malformed.

    GNU's sparse 0.0 repeats its keys: those are gathered under `GNU.sparse.map`, the form of 0.1.
    """
    records: dict[bytes, bytes] = {}
    pieces: list[bytes] = []
    position, end = 0, len(payload)
    while position < end:
        space = payload.find(b" ", position, position + 20)
        if space < 0 or not payload[position:space].isdigit():
            raise BadHeader("a PAX record has no length")
        stop = position + int(payload[position:space])
        if stop > end or stop <= space + 2 or payload[stop - 1] != 0x0A:
            raise BadHeader("a PAX record has a wrong length")
        key, equals, value = payload[space + 1 : stop - 1].partition(b"=")
        if not equals or not key or b"\0" in key or (key in _NUL_FREE and b"\0" in value):
            raise BadHeader("a PAX record is malformed")
        if key in {b"GNU.sparse.offset", b"GNU.sparse.numbytes"}:
            if (key == b"GNU.sparse.offset") != (len(pieces) % 2 == 0) or not value.isdigit():
                raise BadHeader("a sparse map is malformed")
            pieces.append(value)
        elif value:
            records[key] = value
        else:
            records.pop(key, None)
        position = stop
    if pieces:
        records[b"GNU.sparse.map"] = b",".join(pieces)
    return records


def _decimal(value: bytes) -> int:
    if not _DECIMAL.fullmatch(value):
        raise BadHeader("a PAX number is malformed")
    number = int(value)
    if abs(number) > _MOST:
        raise BadHeader("a PAX number is out of range")
    return number


def _time(value: bytes) -> int:
    """Whole seconds, rounded down."""
    match = _TIME.fullmatch(value)
    if match is None:
        raise BadHeader("a PAX time is malformed")
    sign, whole, fraction = match.groups()
    seconds = int(whole)
    if not sign:
        return seconds
    return -seconds - (1 if fraction and fraction.strip(b"0") else 0)


def _apply_sparse_records(entry: Header, records: dict[bytes, bytes]) -> None:
    """GNU sparse files in PAX archives: formats 0.0 and 0.1 (map in the records), 1.0 (map before the data)."""
    modern = records.get(b"GNU.sparse.major") == b"1" and records.get(b"GNU.sparse.minor") == b"0"
    real = records.get(b"GNU.sparse.realsize") or records.get(b"GNU.sparse.size")
    if not modern and b"GNU.sparse.map" not in records:
        return
    if b"GNU.sparse.name" in records:
        entry.path = records[b"GNU.sparse.name"]
    if real is not None:
        entry.size = _decimal(real)
        if entry.size < 0:
            raise BadHeader("a sparse file has a negative size")
    if modern:
        entry.sparse = Sparse(entry.stored, None, map_in_data=True)
        return
    numbers = records[b"GNU.sparse.map"].split(b",")
    entry.sparse = Sparse(entry.stored, checked_pieces([_decimal(n) for n in numbers], entry.size, entry.stored))


def parse_old_sparse(blocks: bytes) -> tuple[int, list[int]]:
    """Real size and map of an old GNU sparse file, from its header and extension blocks. Raises BadHeader."""
    pieces: list[int] = []
    fields = [blocks[at : at + 24] for at in range(386, 482, 24)]
    for start in range(BLOCK, len(blocks), BLOCK):
        fields += [blocks[at : at + 24] for at in range(start, start + 504, 24)]
    for field in fields:
        if not field[0]:
            continue
        pieces += (parse_number(field[:12]), parse_number(field[12:]))
    return parse_number(blocks[483:495]), pieces


def checked_pieces(pieces: list[int], size: int, stored: int) -> tuple[int, ...] | None:
    """A sparse map that is in order, within the file, and as long as what is stored. Raises BadHeader.

    None for a map of more pieces than regtui keeps: the file is listed and can't be read.
    """
    position = 0
    total = 0
    if len(pieces) % 2:
        raise BadHeader("a sparse map is malformed")
    for offset, length in zip(pieces[::2], pieces[1::2], strict=True):
        if length < 0 or offset < position or offset + length > size:
            raise BadHeader("a sparse map is out of order")
        position = offset + length
        total += length
    if total > stored:
        raise BadHeader("a sparse map needs more data than there is")
    return tuple(pieces) if len(pieces) <= _MOST_SEGMENTS else None
