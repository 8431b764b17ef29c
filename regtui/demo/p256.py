"""ECDSA on P-256 with nonces of RFC 6979, for the demo's throw-away keys only.

NEVER use this for a key that protects anything: its time depends on the key, and the demo's keys follow from
phrases that anyone can read here. It exists so that the demo's signatures are real and the same on every machine
without a library that the program does not need otherwise. Domain parameters: NIST SP 800-186, 3.2.1.3.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from regtui.demo import der

if TYPE_CHECKING:
    from collections.abc import Iterator

_P: Final = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
_N: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G: Final = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
_PRIME256V1: Final = "1.2.840.10045.3.1.7"

_Point = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class DemoKey:
    """A key pair that follows from a public phrase. It protects nothing."""

    scalar: int
    public: bytes
    """The uncompressed point: 04, x, y."""

    @classmethod
    def from_phrase(cls, phrase: str) -> Self:
        """The key of a phrase."""
        return cls.from_scalar(int.from_bytes(hashlib.sha256(phrase.encode()).digest(), "big") % (_N - 1) + 1)

    @classmethod
    def from_scalar(cls, scalar: int) -> Self:
        """The key of a number between 1 and the group's order."""
        x, y = _multiply(scalar)
        return cls(scalar, b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big"))

    @property
    def spki(self) -> bytes:
        """DER SubjectPublicKeyInfo (RFC 5480)."""
        algorithm = der.sequence(der.oid(_EC_PUBLIC_KEY), der.oid(_PRIME256V1))
        return der.sequence(algorithm, der.bit_string(self.public))

    def sign(self, message: bytes) -> tuple[int, int]:
        """(r, s) over the SHA-256 of a message."""
        digest = hashlib.sha256(message).digest()
        wanted = int.from_bytes(digest, "big")
        for nonce in _nonces(self.scalar, digest):
            r = _multiply(nonce)[0] % _N
            s = pow(nonce, -1, _N) * (wanted + r * self.scalar) % _N
            if r and s:
                return r, s
        raise AssertionError("The nonces of RFC 6979 do not end.")

    def sign_der(self, message: bytes) -> bytes:
        """A signature as X.509, cosign and DSSE write it."""
        r, s = self.sign(message)
        return der.sequence(der.integer(r), der.integer(s))

    def sign_raw(self, message: bytes) -> bytes:
        """A signature as JWS writes it (RFC 7518, 3.4): r and s side by side."""
        r, s = self.sign(message)
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _nonces(scalar: int, digest: bytes) -> Iterator[int]:
    """Candidates for k (RFC 6979, 3.2)."""
    seed = scalar.to_bytes(32, "big") + (int.from_bytes(digest, "big") % _N).to_bytes(32, "big")
    value, key = b"\x01" * 32, bytes(32)
    for mark in (b"\x00", b"\x01"):
        key = _hmac(key, value + mark + seed)
        value = _hmac(key, value)
    while True:
        value = _hmac(key, value)
        candidate = int.from_bytes(value, "big")
        if 0 < candidate < _N:
            yield candidate
        key = _hmac(key, value + b"\x00")
        value = _hmac(key, value)


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _double(point: _Point) -> _Point:
    x, y, z = point
    delta, gamma = z * z % _P, y * y % _P
    beta = x * gamma % _P
    alpha = 3 * (x - delta) * (x + delta) % _P
    x3 = (alpha * alpha - 8 * beta) % _P
    z3 = ((y + z) * (y + z) - gamma - delta) % _P
    return x3, (alpha * (4 * beta - x3) - 8 * gamma * gamma) % _P, z3


def _add_generator(point: _Point) -> _Point:
    """Add G, which is given in affine form (mixed addition, Jacobian coordinates)."""
    x1, y1, z1 = point
    if z1 == 0:
        return (*_G, 1)
    square = z1 * z1 % _P
    h = (_G[0] * square - x1) % _P
    r = (_G[1] * square * z1 - y1) % _P
    if h == 0:
        return _double(point) if r == 0 else (0, 1, 0)
    h2 = h * h % _P
    h3, v = h * h2 % _P, x1 * h2 % _P
    x3 = (r * r - h3 - 2 * v) % _P
    return x3, (r * (v - x3) - y1 * h3) % _P, z1 * h % _P


def _multiply(scalar: int) -> tuple[int, int]:
    """scalar · G in affine coordinates."""
    point: _Point = (0, 1, 0)
    for bit in f"{scalar:b}":
        point = _double(point)
        if bit == "1":
            point = _add_generator(point)
    x, y, z = point
    inverse = pow(z, -1, _P)
    return x * inverse * inverse % _P, y * pow(inverse, 3, _P) % _P
