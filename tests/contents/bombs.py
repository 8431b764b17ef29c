"""Layers that are small on the wire and huge unpacked, indexed in a process of its own whose memory counts.

`python bombs.py KIND` prints as JSON what came of it. The streams are made on the fly: a compressed piece that ends
on a byte boundary and knows no history (Z_FULL_FLUSH) may be repeated as often as one likes.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
import zlib
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

GB: Final = 1 << 30


class Stream(io.RawIOBase):
    """A gzip layer as a blocking stream: pieces, each with how often it comes."""

    def __init__(self, *pieces: tuple[bytes, int]) -> None:
        self._pieces: Iterator[bytes] = chain.from_iterable(repeat(piece, count) for piece, count in pieces)
        self._left = b""

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        while len(self._left) < size and (piece := next(self._pieces, None)) is not None:
            self._left += piece
        data, self._left = self._left[:size], self._left[size:]
        return data


def packed(*parts: tuple[bytes, int]) -> list[tuple[bytes, int]]:
    """The gzip of these parts, each repeated: what a Stream takes."""
    made: list[tuple[bytes, int]] = [(bytes.fromhex("1f8b08000000000000ff"), 1)]
    for raw, count in parts:
        pack = zlib.compressobj(6, zlib.DEFLATED, -15)
        made.append((pack.compress(raw) + pack.flush(zlib.Z_FULL_FLUSH), count))
    made.append((zlib.compressobj(6, zlib.DEFLATED, -15).flush(), 1))
    return made


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    """One tar header."""
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def zeros_in_a_file() -> Iterable[tuple[bytes, int]]:
    """A file of 10 GB of zeros, and one behind it."""
    return packed((header("zeros", 10 * GB), 1), (bytes(1 << 20), 10 * 1024), (header("behind") + bytes(1024), 1))


def zeros_alone() -> Iterable[tuple[bytes, int]]:
    """10 GB of zeros: an archive that ends at once, and goes on."""
    return packed((bytes(1 << 20), 10 * 1024))


def entries() -> Iterable[tuple[bytes, int]]:
    """10 million entries in folders of their own."""
    block = b"".join(header(f"folder-{n // 50}/{n:x}") for n in range(10_000))
    return packed((block, 1000), (bytes(1024), 1))


def long_names() -> Iterable[tuple[bytes, int]]:
    """1000 names of 1 MB each, in GNU's and in PAX's way."""
    size = (1 << 20) - 512
    gnu = header("././@LongLink", size, tarfile.GNUTYPE_LONGNAME) + b"n" * size + header("short")
    record = b"path=" + b"p" * (size - 30) + b"\n"
    record = b"%d %b" % (len(record) + 8, record)
    pax = header("pax", len(record), tarfile.XHDTYPE) + record.ljust(-(-len(record) // 512) * 512, b"\0") + header("x")
    return packed((gnu + pax, 500), (bytes(1024), 1))


KINDS: Final[dict[str, Callable[[], Iterable[tuple[bytes, int]]]]] = {
    function.__name__: function for function in (zeros_in_a_file, zeros_alone, entries, long_names)
}


def index(kind: str) -> dict[str, Any]:
    """Index one, as a worker thread would."""
    from regtui.contents.merge import stack
    from regtui.contents.stream import index_layer
    from regtui.contents.waste import waste_of
    from regtui.oci import Descriptor, Digest

    pieces = list(KINDS[kind]())
    digest, size = hashlib.sha256(), 0
    for piece, count in pieces:
        for _ in range(count):
            digest.update(piece)
        size += len(piece) * count
    layer = Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", Digest(f"sha256:{digest.hexdigest()}"), size)
    found = index_layer(Stream(*pieces), layer)
    waste_of(stack([found]))
    with open("/proc/self/status") as file:
        peak = next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))
    return {"peak": peak, "rows": len(found), "entries": found.entries, "damage": found.damage, "packed": size}


if __name__ == "__main__":
    print(json.dumps(index(sys.argv[1])))
