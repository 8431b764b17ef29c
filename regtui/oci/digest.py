"""Digests: names of exact bytes, and the check that bytes are the ones named.

Grammar: OCI image-spec, descriptor.md, "Digests".
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, Self

from regtui.oci.errors import DigestMismatch, InvalidDigest, SizeMismatch

_GRAMMAR: Final = re.compile(r"([a-z0-9]+(?:[+._-][a-z0-9]+)*):([a-zA-Z0-9=_-]+)", re.ASCII)
_REGISTERED: Final = {"sha256": 64, "sha512": 128}
_LOWER_HEX: Final = re.compile(r"[0-9a-f]+", re.ASCII)
_LONGEST: Final = 512


class Digest(str):
    """A digest such as `sha256:9f86…`: a string that was checked once and compares as a string.

    Unknown algorithms are legal (they can be shown and passed on), but can't be verified.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Check the grammar, and the length of a registered algorithm. Raises InvalidDigest."""
        match = _GRAMMAR.fullmatch(text) if len(text) <= _LONGEST else None
        if match is None:
            raise InvalidDigest(f"{_shown(text)} is not a digest.", hint="A digest looks like sha256:<64 hex digits>.")
        algorithm, encoded = match.groups()
        length = _REGISTERED.get(algorithm)
        if length is not None and (len(encoded) != length or not _LOWER_HEX.fullmatch(encoded)):
            raise InvalidDigest(f"{_shown(text)} is not a digest: {algorithm} has {length} lower-case hex digits.")
        return cls(text)

    @classmethod
    def of(cls, content: bytes, algorithm: str = "sha256") -> Self:
        """The digest of these bytes. Raises InvalidDigest for an algorithm that is not registered."""
        if algorithm not in _REGISTERED:
            raise InvalidDigest(f"The algorithm {_shown(algorithm)} is not known.")
        return cls(f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}")

    @property
    def algorithm(self) -> str:
        """The part before the colon."""
        return self.partition(":")[0]

    @property
    def encoded(self) -> str:
        """The part behind the colon."""
        return self.partition(":")[2]

    @property
    def short(self) -> str:
        """Twelve characters of the encoded part: enough to recognise, not to address."""
        return self.encoded[:12]

    @property
    def is_verifiable(self) -> bool:
        """Whether regtui can recompute it."""
        return self.algorithm in _REGISTERED

    def verify(self, content: bytes) -> None:
        """Raise DigestMismatch unless these bytes are the ones named."""
        verifier = Verifier(self)
        verifier.update(content)
        verifier.finish()


class Verifier:
    """Checks bytes that stream by against a digest and, when known, a size in bytes."""

    __slots__ = ("_digest", "_hash", "_seen", "_size")

    def __init__(self, digest: Digest, size: int | None = None) -> None:
        if not digest.is_verifiable:
            raise DigestMismatch(
                f"{digest.algorithm} digests can't be verified by regtui.",
                hint="Only sha256 and sha512 are registered with the OCI image specification.",
            )
        self._digest = digest
        self._hash = hashlib.new(digest.algorithm)
        self._size = size
        self._seen = 0

    @property
    def seen(self) -> int:
        """Bytes that went by so far."""
        return self._seen

    def update(self, chunk: bytes | memoryview) -> None:
        """Count and hash a chunk. Raises SizeMismatch as soon as there are too many bytes."""
        self._seen += len(chunk)
        if self._size is not None and self._seen > self._size:
            raise SizeMismatch(f"{self._digest.short} is longer than the {self._size} bytes that its descriptor says.")
        self._hash.update(chunk)

    def finish(self) -> None:
        """Raise SizeMismatch or DigestMismatch unless exactly the named bytes went by."""
        if self._size is not None and self._seen != self._size:
            raise SizeMismatch(
                f"{self._digest.short} ended after {self._seen} of the {self._size} bytes that its descriptor says."
            )
        found = self._hash.hexdigest()
        if found != self._digest.encoded:
            raise DigestMismatch(
                f"The content is not what its digest says: asked for {self._digest}, "
                f"got {self._digest.algorithm}:{found}.",
                hint="Nothing of it is used; try again, and if it stays so ask who runs the registry.",
            )


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:77] + "...")
