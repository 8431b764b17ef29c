"""gzip and zstd streams whose bytes are the same on every machine.

A digest names compressed bytes, and zlib, zlib-ng and each release of zstd compress the same input to different
bytes. So the demo brings its own small encoders. Deflate (RFC 1951) with fixed Huffman codes: repeated lines and
runs of zeros become matches, everything that is not ASCII is stored. Matching whole lines instead of bytes keeps
it quick in Python and still shrinks text and tar headers about as real compressors do. Zstandard (RFC 8878):
raw and run-length blocks only.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GZIP_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_WINDOW: Final = 32_768
_LONGEST_MATCH: Final = 258
_SHORTEST_MATCH: Final = 4
_LARGEST_STORED: Final = 65_535
_FLUSH_BITS: Final = 16_384

_TOKENS: Final = re.compile(rb"\x00+|\n+|[^\x00\n]+\n?")
_LONG_ZEROS: Final = re.compile(rb"\x00{64,}")


def gzip_bytes(segments: Sequence[bytes]) -> bytes:
    """The segments as one gzip member without a time or a name."""
    encoder = _Deflate()
    checksum = size = 0
    for segment in segments:
        encoder.add(segment)
        checksum = zlib.crc32(segment, checksum)
        size += len(segment)
    trailer = checksum.to_bytes(4, "little") + (size & 0xFFFFFFFF).to_bytes(4, "little")
    return _GZIP_HEADER + encoder.finish() + trailer


def zstd_bytes(segments: Sequence[bytes]) -> bytes:
    """The segments as one Zstandard frame of raw and run-length blocks (RFC 8878, 3.1.1)."""
    content = b"".join(segments)
    # Frame header: single segment, content size in four bytes, no checksum.
    made = bytearray(b"\x28\xb5\x2f\xfd\xa0" + len(content).to_bytes(4, "little"))
    blocks = list(_zstd_blocks(content)) or [(0, b"", 0)]
    for number, (kind, body, size) in enumerate(blocks, 1):
        made += ((size << 3) | (kind << 1) | (number == len(blocks))).to_bytes(3, "little") + body
    return bytes(made)


def _zstd_blocks(content: bytes) -> Iterable[tuple[int, bytes, int]]:
    largest = 128 << 10
    for zeros, start, end in _split_zeros(content):
        for at in range(start, end, largest):
            size = min(largest, end - at)
            yield (1, b"\0", size) if zeros else (0, content[at : at + size], size)


def _split_zeros(content: bytes) -> Iterable[tuple[bool, int, int]]:
    """(whether it is a long run of zeros, start, end) for the whole content, in order."""
    at = 0
    for match in _LONG_ZEROS.finditer(content):
        if match.start() > at:
            yield False, at, match.start()
        yield True, match.start(), match.end()
        at = match.end()
    if at < len(content):
        yield False, at, len(content)


def _reversed_bits(value: int, width: int) -> int:
    return int(f"{value:0{width}b}"[::-1], 2)


# Literals 0 to 143 have eight bits, 00110000 onwards, most significant bit first (RFC 1951, 3.2.6).
_LITERALS: Final = bytes(_reversed_bits((0x30 + value) & 0xFF, 8) if value < 144 else 0 for value in range(256))
_END_OF_BLOCK_BITS: Final = 7


def _length_codes() -> list[tuple[int, int]]:
    """For each match length: its bits with the extra bits, and how many they are (RFC 1951, 3.2.5)."""
    table = [(0, 0)] * (_LONGEST_MATCH + 1)
    length = 3
    for symbol in range(257, 285):
        extra = 0 if symbol < 265 else (symbol - 261) // 4
        width = 7 if symbol < 280 else 8
        code = _reversed_bits(symbol - 256 if symbol < 280 else 0xC0 + symbol - 280, width)
        for rest in range(1 << extra):
            if length + rest < _LONGEST_MATCH:
                table[length + rest] = (code | rest << width, width + extra)
        length += 1 << extra
    table[_LONGEST_MATCH] = (_reversed_bits(0xC0 + 285 - 280, 8), 8)
    return table


_LENGTHS: Final = _length_codes()
_DISTANCES: Final = [_reversed_bits(code, 5) for code in range(30)]


def _distance_bits(distance: int) -> tuple[int, int]:
    below = distance - 1
    if below < 4:
        return _DISTANCES[below], 5
    extra = below.bit_length() - 2
    code = 2 * extra + 2 + ((below >> extra) & 1)
    return _DISTANCES[code] | (below & ((1 << extra) - 1)) << 5, 5 + extra


class _Deflate:
    """A deflate stream in the making. `_bits` holds what does not fill whole bytes yet."""

    def __init__(self) -> None:
        self._out = bytearray()
        self._bits = 0
        self._count = 0
        self._in_block = False
        self._position = 0
        self._seen: dict[bytes, int] = {}

    def add(self, segment: bytes) -> None:
        """Append a segment: ASCII is matched, long runs of zeros too, the rest is stored."""
        if segment.isascii():
            self._add_text(segment)
            return
        for zeros, start, end in _split_zeros(segment):
            if zeros:
                self._add_text(segment[start:end])
            else:
                self._add_stored(segment[start:end])

    def finish(self) -> bytes:
        """The whole stream, closed by a final empty block."""
        self._leave_block()
        self._put(0b011, 3)
        self._put(0, _END_OF_BLOCK_BITS)
        self._align()
        return bytes(self._out)

    def _add_text(self, text: bytes) -> None:
        if not self._in_block:
            self._put(0b010, 3)
            self._in_block = True
        base, literal_from = self._position, 0
        seen = self._seen
        for token in _TOKENS.finditer(text):
            start, end = token.span()
            if end - start < _SHORTEST_MATCH:
                continue
            key = token.group()
            if key[0] == 0:
                # A run repeats its own first byte.
                start, distance = start + 1, 1
            else:
                distance = base + start - seen.get(key, -_WINDOW - 1)
                seen[key] = base + start
                if distance > _WINDOW:
                    continue
            self._put_literals(text[literal_from:start])
            literal_from = start + self._put_matches(end - start, distance)
        self._put_literals(text[literal_from:])
        self._position = base + len(text)

    def _put_matches(self, length: int, distance: int) -> int:
        """Write matches for up to `length` bytes; how many bytes they cover."""
        tail, tail_width = _distance_bits(distance)
        covered = 0
        while length - covered >= 3:
            part = min(length - covered, _LONGEST_MATCH)
            bits, width = _LENGTHS[part]
            self._put(bits | tail << width, width + tail_width)
            covered += part
        return covered

    def _put_literals(self, run: bytes) -> None:
        if run:
            self._put(int.from_bytes(run.translate(_LITERALS), "little"), 8 * len(run))

    def _add_stored(self, content: bytes) -> None:
        self._leave_block()
        for at in range(0, len(content), _LARGEST_STORED):
            part = content[at : at + _LARGEST_STORED]
            self._put(0b000, 3)
            self._align()
            self._out += len(part).to_bytes(2, "little") + (len(part) ^ 0xFFFF).to_bytes(2, "little") + part
        self._position += len(content)

    def _leave_block(self) -> None:
        if self._in_block:
            self._put(0, _END_OF_BLOCK_BITS)
            self._in_block = False

    def _put(self, bits: int, width: int) -> None:
        self._bits |= bits << self._count
        self._count += width
        if self._count >= _FLUSH_BITS:
            whole = self._count >> 3
            self._out += (self._bits & ((1 << (whole << 3)) - 1)).to_bytes(whole, "little")
            self._bits >>= whole << 3
            self._count &= 7

    def _align(self) -> None:
        whole = (self._count + 7) >> 3
        self._out += self._bits.to_bytes(whole, "little")
        self._bits = self._count = 0
