"""Takes in a body up to a limit, also when it comes compressed: what is beyond is never held or inflated."""

from __future__ import annotations

import zlib
from typing import Final

from regtui.transport.errors import BadAnswer

ACCEPTED: Final = "gzip, deflate"
"""The encodings that regtui asks for."""
_PLAIN: Final = frozenset({"", "identity", "none"})
_ZLIB: Final = frozenset({"gzip", "x-gzip", "deflate"})
_EITHER_HEADER: Final = 32 + zlib.MAX_WBITS


class Body:
    """Collects a body. With `cut`, what is beyond the limit is left out; else it is an error."""

    def __init__(self, limit: int, encoding: str, *, host: str, cut: bool = False) -> None:
        """Raises BadAnswer for an encoding that was not asked for."""
        encoding = encoding.strip().lower()
        if encoding not in _PLAIN | _ZLIB:
            raise BadAnswer(f"{host} answered in an encoding that was not asked for.", host=host)
        self._limit = limit
        self._host = host
        self._cut = cut
        self._parts: list[bytes] = []
        self._held = 0
        self._inflate = zlib.decompressobj(_EITHER_HEADER) if encoding in _ZLIB else None

    def expect(self, length: int | None) -> None:
        """Refuse a body before it is read when its announced length is too much. Raises BadAnswer."""
        if length is not None and length > self._limit and self._inflate is None and not self._cut:
            raise self._too_long()

    def add(self, chunk: bytes) -> bool:
        """Take a chunk in; False when no more is wanted. Raises BadAnswer."""
        room = self._limit - self._held
        if self._inflate is not None:
            try:
                chunk = self._inflate.decompress(chunk, room + 1)
            except zlib.error:
                raise BadAnswer(f"{self._host} sent a damaged compressed answer.", host=self._host) from None
        if len(chunk) > room:
            if not self._cut:
                raise self._too_long()
            chunk = chunk[:room]
            self._keep(chunk)
            return False
        self._keep(chunk)
        return True

    def finish(self) -> bytes:
        """The whole body. Raises BadAnswer when a compressed one ended too early."""
        if self._inflate is not None and not self._inflate.eof and self._held and not self._cut:
            raise BadAnswer(f"{self._host} sent a damaged compressed answer.", host=self._host)
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _keep(self, chunk: bytes) -> None:
        if chunk:
            self._parts.append(chunk)
            self._held += len(chunk)

    def _too_long(self) -> BadAnswer:
        return BadAnswer(
            f"{self._host} sent more than the {self._limit} bytes that are taken in here.",
            hint="Nothing of it is used. If the content is meant to be that large, it can't be read with regtui.",
            host=self._host,
        )
