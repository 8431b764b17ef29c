"""Public keys that the user trusts, and the one place where a plain signature is checked with one."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from regtui.trust.errors import CannotVerify, InvalidPolicy

if TYPE_CHECKING:
    from datetime import datetime

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_LARGEST_PEM: Final = 64 << 10
_LARGEST_SIGNATURE: Final = 4 << 10
_CURVES: Final = {
    "secp256r1": ("ECDSA P-256", 256),
    "secp384r1": ("ECDSA P-384", 384),
    "secp521r1": ("ECDSA P-521", 512),
}
SMALLEST_RSA: Final = 2048
LARGEST_RSA: Final = 16384


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key under the name that the settings give it.

    `spki` is its DER SubjectPublicKeyInfo, which is what names a key exactly. The window, when given, bounds the
    time of signing (of verifying, where no trusted time is known).
    """

    name: str
    algorithm: str
    spki: bytes = field(repr=False)
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the SPKI in hex."""
        return hashlib.sha256(self.spki).hexdigest()

    @property
    def hint(self) -> str:
        """How cosign writes the same into a bundle's publicKey.hint: base64 of that SHA-256."""
        return base64.b64encode(hashlib.sha256(self.spki).digest()).decode("ascii")

    @property
    def title(self) -> str:
        """Name, algorithm and the start of the fingerprint, for a screen."""
        return f"{self.name} ({self.algorithm}, {self.fingerprint[:16]})"


@dataclass(frozen=True, slots=True)
class HashedMessage:
    """A message of which only the SHA-256 is at hand."""

    digest: bytes


def read_key(
    pem: bytes | str, name: str, *, valid_from: datetime | None = None, valid_until: datetime | None = None
) -> TrustedKey:
    """A key out of PEM text, such as cosign.pub. Raises InvalidPolicy for anything but a strong public key."""
    content = pem.encode() if isinstance(pem, str) else pem
    if len(content) > _LARGEST_PEM:
        raise InvalidPolicy(f"The key {name} has {len(content):,} bytes; that is no PEM public key.")
    if b"PRIVATE KEY" in content:
        raise InvalidPolicy(
            f"{name} is a private key; regtui only ever needs the public one.",
            hint="Give cosign.pub, and keep the private key where nothing reads it.",
        )
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
    except ImportError as error:
        raise missing_cryptography() from error
    try:
        key = serialization.load_pem_public_key(content)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidPolicy(
            f"{name} is not a PEM public key.", hint='It starts with "-----BEGIN PUBLIC KEY-----".'
        ) from error
    algorithm = algorithm_of(key)
    if algorithm is None:
        raise InvalidPolicy(f"{name} is of a kind or size that regtui does not trust.", hint=_KINDS)
    return TrustedKey(name, algorithm, spki_of(key), valid_from, valid_until)


_KINDS: Final = "ECDSA on P-256, P-384 or P-521, RSA of 2048 bits or more, and Ed25519 are taken."


def missing_cryptography() -> CannotVerify:
    """The error that says what to install."""
    return CannotVerify(
        "Verifying needs the cryptography package, which is not installed.", hint="Install regtui[verify]."
    )


def spki_of(key: PublicKeyTypes) -> bytes:
    """The DER SubjectPublicKeyInfo of a loaded key."""
    from cryptography.hazmat.primitives import serialization

    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def algorithm_of(key: Any) -> str | None:
    """The name of a key's kind and size; None for one that is not trusted with a signature."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        return _CURVES[key.curve.name][0]
    if isinstance(key, rsa.RSAPublicKey) and SMALLEST_RSA <= key.key_size <= LARGEST_RSA:
        return f"RSA-{key.key_size}"
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519"
    return None


def load_spki(spki: bytes) -> PublicKeyTypes:
    """The key of a DER SubjectPublicKeyInfo. Raises CannotVerify for a kind that can't be used."""
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
    except ImportError as error:
        raise missing_cryptography() from error
    try:
        key = serialization.load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CannotVerify("A public key can't be read.") from error
    if algorithm_of(key) is None:
        raise CannotVerify("A public key is of a kind or size that regtui does not trust.", hint=_KINDS)
    return key


def signature_holds(spki: bytes, signature: bytes, message: bytes | HashedMessage) -> bool:
    """Whether this key made this signature over these bytes.

    ECDSA: SHA-256, which is cosign's default for every curve, or the hash that belongs to the curve. RSA: PKCS #1
    v1.5 or PSS with SHA-256 (or -384, -512). Ed25519: pure, or
    prehashed as cosign does it. Raises CannotVerify for another kind of key, and for
    Ed25519 over a message of which only the hash is known.
    """
    if not 0 < len(signature) <= _LARGEST_SIGNATURE:
        return False
    key = load_spki(spki)
    if isinstance(message, HashedMessage):
        return _holds_hashed(key, signature, message.digest)
    return _any_holds(key, signature, message, _parameters(key)) or _holds_prehashed(key, signature, message)


def _holds_prehashed(key: Any, signature: bytes, message: bytes) -> bool:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    from regtui.trust.ed25519ph import prehashed_signature_holds

    if not isinstance(key, ed25519.Ed25519PublicKey):
        return False
    return prehashed_signature_holds(key.public_bytes_raw(), signature, message)


def _holds_hashed(key: Any, signature: bytes, digest: bytes) -> bool:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, utils

    known = utils.Prehashed(hashes.SHA256())
    if len(digest) != 32 or isinstance(key, ed25519.Ed25519PublicKey):
        raise CannotVerify("The signature covers the artifact's bytes, which are not at hand.")
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _any_holds(key, signature, digest, [(ec.ECDSA(known),)])
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=padding.PSS.AUTO)
    return _any_holds(key, signature, digest, [(padding.PKCS1v15(), known), (pss, known)])


def _parameters(key: Any) -> list[tuple[Any, ...]]:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding

    if isinstance(key, ed25519.Ed25519PublicKey):
        return [()]
    attempts: list[tuple[Any, ...]]
    if isinstance(key, ec.EllipticCurvePublicKey):
        natural = {256: hashes.SHA256(), 384: hashes.SHA384(), 512: hashes.SHA512()}[_CURVES[key.curve.name][1]]
        attempts = [(ec.ECDSA(hashes.SHA256()),)]
        if natural.name != "sha256":
            attempts.append((ec.ECDSA(natural),))
    else:
        attempts = []
        for algorithm in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512()):
            pss = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=padding.PSS.AUTO)
            attempts += [(padding.PKCS1v15(), algorithm), (pss, algorithm)]
    return attempts


def _any_holds(key: Any, signature: bytes, message: bytes, attempts: list[tuple[Any, ...]]) -> bool:
    from cryptography.exceptions import InvalidSignature

    for attempt in attempts:
        try:
            key.verify(signature, message, *attempt)
        except InvalidSignature:
            continue
        return True
    return False
