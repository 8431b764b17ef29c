"""The demo's certificates: a root of its own and a code-signing leaf under it (RFC 5280)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from regtui.demo import der
from regtui.demo.p256 import DemoKey

_ECDSA_SHA256: Final = "1.2.840.10045.4.3.2"
_BASIC_CONSTRAINTS: Final = "2.5.29.19"
_KEY_USAGE: Final = "2.5.29.15"
_EXTENDED_KEY_USAGE: Final = "2.5.29.37"
_SUBJECT_KEY: Final = "2.5.29.14"
_AUTHORITY_KEY: Final = "2.5.29.35"
_CODE_SIGNING: Final = "1.3.6.1.5.5.7.3.3"
_FROM: Final = datetime(2025, 1, 1, tzinfo=UTC)
_UNTIL: Final = datetime(2124, 12, 31, 23, 59, 59, tzinfo=UTC)
_NAME_PARTS: Final = (("2.5.4.6", "DE"), ("2.5.4.8", "Berlin"), ("2.5.4.10", "Demo Shop"))


@dataclass(frozen=True, slots=True)
class Signer:
    """A code-signing key with its chain: the leaf first, the self-signed root last, both DER."""

    key: DemoKey
    chain: tuple[bytes, ...]

    @property
    def root_pem(self) -> str:
        """The root for a trust store."""
        return der.pem("CERTIFICATE", self.chain[-1])


def make_signer(phrase: str, name: str) -> Signer:
    """A signer under a root of its own; both keys follow from the phrase."""
    root_key, leaf_key = DemoKey.from_phrase(f"{phrase}, root"), DemoKey.from_phrase(f"{phrase}, leaf")
    root_name, leaf_name = _name(f"{name} root"), _name(f"{name} release signing")
    root = _certificate(root_key, root_name, root_key, root_name, is_authority=True)
    leaf = _certificate(leaf_key, leaf_name, root_key, root_name, is_authority=False)
    return Signer(leaf_key, (leaf, root))


def _certificate(key: DemoKey, subject: bytes, issuer_key: DemoKey, issuer: bytes, *, is_authority: bool) -> bytes:
    algorithm = der.sequence(der.oid(_ECDSA_SHA256))
    body = der.sequence(
        der.tagged(0xA0, der.integer(2)),
        der.integer(int.from_bytes(hashlib.sha256(b"serial" + key.public).digest()[:15], "big") | 1),
        algorithm,
        issuer,
        der.sequence(der.time(_FROM), der.time(_UNTIL)),
        subject,
        key.spki,
        der.tagged(0xA3, der.sequence(*_extensions(key, issuer_key, is_authority=is_authority))),
    )
    return der.sequence(body, algorithm, der.bit_string(issuer_key.sign_der(body)))


def _extensions(key: DemoKey, issuer_key: DemoKey, *, is_authority: bool) -> tuple[bytes, ...]:
    identifier = der.octet_string(_key_id(key))
    authority = der.sequence(der.tagged(0x80, _key_id(issuer_key)))
    if is_authority:
        return (
            _extension(_BASIC_CONSTRAINTS, der.sequence(der.boolean(True), der.integer(0)), critical=True),
            # keyCertSign and cRLSign are bits 5 and 6.
            _extension(_KEY_USAGE, der.bit_string(b"\x06", 1), critical=True),
            _extension(_SUBJECT_KEY, identifier),
        )
    return (
        _extension(_BASIC_CONSTRAINTS, der.sequence(), critical=True),
        # digitalSignature is bit 0.
        _extension(_KEY_USAGE, der.bit_string(b"\x80", 7), critical=True),
        _extension(_EXTENDED_KEY_USAGE, der.sequence(der.oid(_CODE_SIGNING))),
        _extension(_SUBJECT_KEY, identifier),
        _extension(_AUTHORITY_KEY, authority),
    )


def _extension(identifier: str, value: bytes, *, critical: bool = False) -> bytes:
    mark = der.boolean(True) if critical else b""
    return der.sequence(der.oid(identifier), mark, der.octet_string(value))


def _key_id(key: DemoKey) -> bytes:
    return hashlib.sha256(key.public).digest()[:20]


def _name(common: str) -> bytes:
    parts = [
        der.set_of(der.sequence(der.oid(kind), der.printable(value) if kind == "2.5.4.6" else der.utf8(value)))
        for kind, value in (*_NAME_PARTS, ("2.5.4.3", common))
    ]
    return der.sequence(*parts)
