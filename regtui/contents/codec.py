"""How a layer index is kept on disk: columns as byte planes, zlib, behind a small header.

Layout: magic, version, byte order, then one zlib stream of: length of the description (4 bytes, little-endian),
the description (JSON), names, link targets, and each column plane by plane (all first bytes, all second bytes,
…; planes of zeros are left out). Planes compress to half of what plain arrays do.
"""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from itertools import accumulate, count, islice
from operator import add, lt
from typing import TYPE_CHECKING, Any, Final

from regtui.contents.checkpoints import Checkpoints
from regtui.contents.columns import KIND_MASK, OFTEN_SMALL, Columns, Kind, narrow_code
from regtui.contents.errors import IndexCorrupted
from regtui.contents.headers import Sparse
from regtui.contents.packages.records import findings_from_json, findings_to_json
from regtui.oci import Digest, RegtuiError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from regtui.contents.layer_index import LayerIndex

MAGIC: Final = b"regtui-layer"
VERSION: Final = 1
_COLUMNS: Final = ("parent", "size", "mode", "uid", "gid", "mtime", "block", "link_row", "hashes", "member")
_TYPES: Final = {"parent": "I", "size": "q", "mode": "H", "uid": "I", "gid": "I", "mtime": "q", "block": "I",
                 "link_row": "I", "hashes": "Q", "member": "q"}  # fmt: skip
_KINDS: Final = bytes(kind | flags for kind in Kind for flags in range(0, 256, 16))
_LARGEST: Final = 1 << 30
_ORDER: Final = {"little": 0, "big": 1}


def pack(index: LayerIndex) -> bytes:
    """The bytes that `unpack` reads."""
    columns = index.columns
    kept = {name: column for name in _COLUMNS if (column := getattr(columns, name)) is not None}
    present = {name: _mask(column) for name, column in kept.items()}
    about = {
        "digest": str(index.digest),
        "size": index.size,
        "compression": index.compression,
        "entries": index.entries,
        "duplicates": index.duplicates,
        "tar_size": index.tar_size,
        "damage": index.damage,
        "source": index.source,
        "verified": index.verified,
        "diff_id": index.diff_id,
        "rows": len(columns),
        "links": len(columns.link_row),
        "planes": present,
        "lengths": [len(columns.names), len(columns.links)],
        "devices": [[row, *numbers] for row, numbers in columns.devices.items()],
        "sparse": [[row, s.stored, s.pieces, s.map_in_data] for row, s in columns.sparse.items()],
        "inner": list(columns.inner.items()),
        "findings": findings_to_json(index.findings),
    }
    head = json.dumps(about, separators=(",", ":")).encode()
    # Piece by piece: a huge layer is never there a second time as a whole.
    packer = zlib.compressobj(1)
    made = [MAGIC + bytes((VERSION, _ORDER[sys.byteorder]))]
    parts = (len(head).to_bytes(4, "little"), head, columns.names, columns.links, columns.kind)
    made += [packer.compress(part) for part in parts]
    for name, column in kept.items():
        made += [packer.compress(plane) for _, plane in _planes(column, present[name])]
    return b"".join((*made, packer.flush()))


def _mask(column: array[int]) -> int:
    """A bit for each plane that is not all zeros."""
    every = (1 << column.itemsize) - 1
    return sum(1 << number for number, plane in _planes(column, every) if plane.count(0) != len(plane))


def _planes(column: array[int], mask: int) -> Iterator[tuple[int, bytes]]:
    """The planes of a column that the mask names, with their numbers."""
    raw, width = column.tobytes(), column.itemsize
    for number in range(width):
        if mask >> number & 1:
            yield number, raw[number::width]


def unpack(stored: bytes) -> LayerIndex:
    """Read what `pack` wrote. Raises IndexCorrupted."""
    start = len(MAGIC) + 2
    if stored[: len(MAGIC)] != MAGIC or len(stored) < start or stored[len(MAGIC)] != VERSION:
        raise IndexCorrupted("The stored index was written by another version of regtui.")
    try:
        body = _inflated(stored[start:])
        length = int.from_bytes(body[:4], "little")
        about = json.loads(body[4 : 4 + length])
        return _rebuild(about, memoryview(body)[4 + length :], stored[len(MAGIC) + 1] != _ORDER[sys.byteorder])
    except IndexCorrupted:
        raise
    except (zlib.error, ValueError, TypeError, LookupError, OverflowError, RecursionError, RegtuiError) as error:
        raise IndexCorrupted("The stored index is damaged.") from error


def _inflated(stored: bytes) -> bytes:
    inflate = zlib.decompressobj()
    body = inflate.decompress(stored, _LARGEST)
    if not inflate.eof:
        raise IndexCorrupted("The stored index is not complete.")
    return body


def _rebuild(about: dict[str, Any], body: memoryview, swapped: bool) -> LayerIndex:
    from regtui.contents.layer_index import LayerIndex

    rows, links = about["rows"], about["links"]
    if not 0 < rows <= len(body) or not 0 <= links <= rows:
        raise IndexCorrupted("The stored index is not complete.")
    columns = Columns()
    position = 0
    for target, length in ((columns.names, about["lengths"][0]), (columns.links, about["lengths"][1]),
                           (columns.kind, rows)):  # fmt: skip
        target += body[position : position + length]
        position += length
    for name in _COLUMNS:
        if name in about["planes"]:
            length = links if name == "link_row" else rows
            code, planes = _TYPES[name], int(about["planes"][name])
            if name in OFTEN_SMALL and not swapped:
                code = narrow_code(code, planes.bit_length())
            column, position = _join(code, length, planes, body, position, swapped)
            setattr(columns, name, column)
    columns.ends = _ends(columns.names)
    columns.link_end = _ends(columns.links)
    _check(columns, rows, links, position == len(body))
    columns.devices = {row: (major, minor) for row, major, minor in about["devices"]}
    columns.inner = dict(about["inner"])
    columns.sparse = {
        row: Sparse(stored, tuple(pieces) if pieces is not None else None, in_data)
        for row, stored, pieces, in_data in about["sparse"]
    }
    return LayerIndex(
        Digest.parse(about["digest"]),
        about["size"],
        about["compression"],
        columns,
        about["entries"],
        about["duplicates"],
        about["tar_size"],
        about["damage"],
        about["source"],
        about["verified"],
        Digest.parse(about["diff_id"]) if about["diff_id"] else None,
        findings_from_json(about["findings"]),
        # Whoever reads files of the layer leaves some behind.
        Checkpoints(),
    )


def _join(code: str, rows: int, mask: int, body: memoryview, position: int, swapped: bool) -> tuple[array[int], int]:
    column: array[int] = array(code)
    width = column.itemsize
    raw = bytearray(rows * width)
    for number in range(width):
        if mask >> number & 1:
            raw[number::width] = body[position : position + rows]
            position += rows
    column.frombytes(raw)
    if swapped:
        column.byteswap()
    return column, position


def _ends(names: bytearray) -> array[int]:
    """Where the NULs stand."""
    lengths = map(len, bytes(names).split(b"\0")[:-1])
    return array("I", map(add, accumulate(lengths), count()))


def _check(columns: Columns, rows: int, links: int, complete: bool) -> None:
    """What the rest of the code relies on without looking."""
    whole = complete and rows > 0 and len(columns.ends) == len(columns.kind) == len(columns.parent) == rows
    if not whole or len(columns.link_end) != links or columns.parent[0]:
        raise IndexCorrupted("The stored index is not complete.")
    every = (columns.size, columns.mode, columns.uid, columns.gid, columns.mtime, columns.block)
    optional = (columns.hashes, columns.member)
    if any(len(column) != rows for column in every) or any(c is not None and len(c) != rows for c in optional):
        raise IndexCorrupted("The stored index lacks a column.")
    if len(columns.link_row) != links:
        raise IndexCorrupted("The stored index lacks its links.")
    if columns.kind.translate(None, _KINDS) or columns.kind[0] & KIND_MASK != Kind.DIRECTORY:
        raise IndexCorrupted("The stored index has entries of no known kind.")
    if not all(map(lt, islice(columns.parent, 1, None), count(1))):
        raise IndexCorrupted("The stored index has a folder inside itself.")
