"""Header fields of an answer: case-insensitive, repeated fields kept apart where it matters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

_JOINED: Final = ", "


class Headers(Mapping[str, str]):
    """Immutable header fields. A field that came several times reads as one, joined with commas (RFC 9110, 5.3)."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: dict[str, tuple[str, ...]] = {}
        for name, value in fields:
            name = name.lower()
            self._fields[name] = (*self._fields.get(name, ()), value)

    @classmethod
    def decode(cls, raw: Iterable[tuple[bytes, bytes]]) -> Headers:
        """Read fields as they came from the wire."""
        return cls((name.decode("latin-1"), value.decode("latin-1")) for name, value in raw)

    def __getitem__(self, name: str) -> str:
        return _JOINED.join(self._fields[name.lower()])

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({', '.join(self._fields)})"

    def every(self, name: str) -> tuple[str, ...]:
        """Each occurrence of a field by itself."""
        return self._fields.get(name.lower(), ())

    def number(self, name: str) -> int | None:
        """A field that holds a plain non-negative number; None when it is missing or holds something else."""
        values = self.every(name)
        text = values[0].strip() if values else ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 19 else None
