"""Where a download stands, so that it can go on by Range after a broken connection (RFC 9110, 14)."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Final

from regtui.oci.errors import SizeMismatch
from regtui.transport.errors import BadAnswer

if TYPE_CHECKING:
    from regtui.transport.headers import Headers

TRIES: Final = 5
"""How often a connection may break without a byte in between."""
_RANGE: Final = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)", re.ASCII)


class Position:
    """Bytes of a blob that have come, from `offset` on. `end` is its length, None until someone says it."""

    def __init__(self, host: str, offset: int = 0, end: int | None = None) -> None:
        self._host = host
        self._skip = 0
        self.offset = offset
        self.end = end

    def __repr__(self) -> str:
        return f"<Position {self.offset} of {'?' if self.end is None else self.end}>"

    @property
    def range(self) -> dict[str, str]:
        """The header that asks for the rest; none at the start."""
        return {"range": f"bytes={self.offset}-"} if self.offset else {}

    @property
    def is_complete(self) -> bool:
        """Whether every byte has come; True as well when nobody said how many there are."""
        return self.end is None or self.offset >= self.end

    def accept(self, status: int, headers: Headers) -> None:
        """Note what the next bytes are: the rest (206), nothing (416 right at the end), or everything anew (200),
        whose known part is passed over.

        Raises BadAnswer when the answer is another part than the one that was asked for, and SizeMismatch when
        there are no such bytes.
        """
        if status == 416:
            at_end = headers.get("content-range", "").strip() == f"bytes */{self.offset}"
            if not at_end or (self.end is not None and self.end != self.offset):
                raise SizeMismatch(f"{self._host} has no byte {self.offset} of this: it is shorter than it should be.")
            self._skip = sys.maxsize  # what comes is the error's text
            self._note_end(self.offset)
        elif status == 206:
            match = _RANGE.fullmatch(headers.get("content-range", "").strip())
            if match is None or int(match[1]) != self.offset:
                raise BadAnswer(
                    f"{self._host} sent another part of the content than the one asked for.",
                    hint="Ask who runs the registry; a proxy may be in the way.",
                    host=self._host,
                    status=status,
                )
            self._skip = 0
            self._note_end(int(match[3]) if match[3] != "*" else None)
        else:
            self._skip = self.offset
            self._note_end(headers.number("content-length"))

    def take(self, chunk: bytes) -> bytes:
        """What is new in a chunk; the position moves on by it."""
        if self._skip:
            passed = min(self._skip, len(chunk))
            self._skip -= passed
            chunk = chunk[passed:]
        self.offset += len(chunk)
        return chunk

    def _note_end(self, end: int | None) -> None:
        if self.end is None:
            self.end = end
