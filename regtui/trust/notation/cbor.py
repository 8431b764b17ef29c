"""The part of CBOR (RFC 8949) that COSE signatures of the Notary Project use, read strictly and within bounds.

No indefinite lengths, no floating point numbers, no map key twice, nothing behind the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from regtui.trust.errors import Malformed

DEEPEST: Final = 16
MOST_ITEMS: Final = 4096
_SIMPLE: Final = {20: False, 21: True, 22: None}


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value with a CBOR tag, such as 1 (seconds since 1970) or 18 (COSE_Sign1)."""

    tag: int
    value: Any


class _Reader:
    __slots__ = ("_data", "_items", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0
        self._items = 0

    @property
    def is_done(self) -> bool:
        return self._offset == len(self._data)

    def _take(self, count: int) -> bytes:
        end = self._offset + count
        if end > len(self._data):
            raise Malformed("The CBOR is cut off.")
        taken = self._data[self._offset : end]
        self._offset = end
        return taken

    def _head(self) -> tuple[int, int]:
        first = self._take(1)[0]
        kind, info = first >> 5, first & 0x1F
        if info < 24:
            return kind, info
        if info > 27 or kind == 7:
            raise Malformed("The CBOR holds an indefinite length or a floating point number.")
        return kind, int.from_bytes(self._take(1 << (info - 24)))

    def read(self, depth: int = 0) -> Any:
        """The next value."""
        self._items += 1
        if depth > DEEPEST or self._items > MOST_ITEMS:
            raise Malformed("The CBOR is nested too deeply or holds too much.")
        kind, number = self._head()
        if kind == 0:
            return number
        if kind == 1:
            return -1 - number
        if kind == 2:
            return self._take(number)
        if kind == 3:
            return self._text(number)
        if kind == 4:
            return [self.read(depth + 1) for _ in range(self._count(number))]
        if kind == 5:
            return self._map(self._count(number), depth)
        if kind == 6:
            return Tagged(number, self.read(depth + 1))
        if number not in _SIMPLE:
            raise Malformed("The CBOR holds an unknown simple value.")
        return _SIMPLE[number]

    def _count(self, number: int) -> int:
        if number > MOST_ITEMS:
            raise Malformed("The CBOR holds too much.")
        return number

    def _text(self, length: int) -> str:
        try:
            return self._take(length).decode()
        except UnicodeDecodeError as error:
            raise Malformed("A text in the CBOR is not UTF-8.") from error

    def _map(self, count: int, depth: int) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for _ in range(count):
            key = self.read(depth + 1)
            # Booleans would equal the integers 0 and 1.
            if type(key) not in (int, str) or key in made:
                raise Malformed("A key of a CBOR map is of a strange type or occurs twice.")
            made[key] = self.read(depth + 1)
        return made


def read_cbor(data: bytes) -> Any:
    """The one value that fills `data` exactly. Raises Malformed."""
    reader = _Reader(data)
    value = reader.read()
    if not reader.is_done:
        raise Malformed("There is something behind the end of the CBOR.")
    return value


def write_cbor(value: Any) -> bytes:
    """The shortest encoding of integers, bytes, texts, lists, maps, tags, booleans and None."""
    if isinstance(value, bool) or value is None:
        return bytes((0xE0 | {False: 20, True: 21, None: 22}[value],))
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        encoded = value.encode()
        return _head(3, len(encoded)) + encoded
    if isinstance(value, list | tuple):
        return _head(4, len(value)) + b"".join(write_cbor(one) for one in value)
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(write_cbor(k) + write_cbor(v) for k, v in value.items())
    if isinstance(value, Tagged):
        return _head(6, value.tag) + write_cbor(value.value)
    raise TypeError(f"{type(value).__name__} has no CBOR form here")


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes((kind << 5 | number,))
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * size):
            return bytes((kind << 5 | info,)) + number.to_bytes(size)
    raise TypeError("a number has more than 64 bits")
